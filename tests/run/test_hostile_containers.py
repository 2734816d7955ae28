"""Attacks through each kind of container: bombs, names, links, recursion, and tricks of mails cost one part, or one container."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

from pipeline.intake.container_items import OpenedContainer, SkippedMember, UnpackedMember
from pipeline.intake.container_kinds import host_kind, wrapper_kind
from pipeline.intake.container_walk import MAX_DEPTH
from pipeline.intake.container_worker import ContainerWorker
from pipeline.intake.containers import unpack
from tests.drawing import text_pdf
from tests.drawn_containers import EVERY_KIND, KINDS, mail, pdf_with, raw_mail, seven_zip_of, signed, tar_of, zip_of
from tests.run.conftest import RunFolders

MB = 1_000_000
PDF = text_pdf(["Good"])


def taken(tmp_path: Path, name: str, content: bytes, max_bytes: int = MB) -> tuple[dict[str, bytes], list[SkippedMember]]:
    """Parts and declined parts of a container."""
    path = tmp_path / name
    path.write_bytes(content)
    shutil.rmtree(tmp_path / "unpacked", ignore_errors=True)
    kind = wrapper_kind(path)
    items = list(unpack(path, tmp_path / "unpacked", max_bytes=max_bytes, host="" if kind else host_kind(path)))
    assert sum(isinstance(item, OpenedContainer) and not item.name for item in items) <= 1
    parts = {item.name: item.path.read_bytes() for item in items if isinstance(item, UnpackedMember)}
    written = {item for item in (tmp_path / "unpacked").iterdir()}  # noqa: C416 - a set of what is on the disk
    assert written == {item.path for item in items if isinstance(item, UnpackedMember)}, "nothing else is left on the disk"
    return parts, [item for item in items if isinstance(item, SkippedMember)]


NAMES = [
    "../up.pdf",
    "/etc/passwd",
    "C:\\evil.pdf",
    "..\\up.pdf",
    "a/../../b.pdf",
    "x" * 300 + ".pdf",
    "nul\x00.pdf",
    "line\nbreak.pdf",
]


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("name", NAMES)
def test_names_lead_nowhere(tmp_path: Path, kind: str, name: str) -> None:
    try:
        content = EVERY_KIND[kind]([(name, PDF), ("good.pdf", PDF + b" ")])
    except (ValueError, UnicodeError, zipfile.BadZipFile):
        pytest.skip("this kind cannot hold such a name")
    parts, _ = taken(tmp_path, kind, content)
    assert any(content.endswith(PDF + b" ") for content in parts.values()) or kind in ("a.xml", "a.pdf", "at page.pdf"), (
        "the other part comes out"
    )
    for found in parts:
        assert ".." not in Path(found).parts
        assert not found.startswith("/")
        assert found.isprintable()
        assert max(map(len, found.encode().split(b"/"))) <= 255
    assert {path.name for path in tmp_path.iterdir()} == {kind, "unpacked"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("a.xml",)])
def test_a_part_that_is_too_large_is_declined_and_the_others_come_out(tmp_path: Path, kind: str) -> None:
    limit = 300_000 if kind in ("a.eml", "a.mbox", "a.msg", "signed.eml", "winmail.dat") else 100_000
    content = KINDS[kind]([("zeros.pdf", bytes(150_000)), ("good.pdf", PDF)])
    parts, skipped = taken(tmp_path, kind, content, max_bytes=limit)
    if limit == 100_000:
        assert "zeros.pdf" not in parts
        assert [item.code for item in skipped if item.document_lost] == ["too_large"]
    assert PDF in parts.values()


def bomb_of(depth: int, width: int) -> bytes:
    content = zip_of([("zeros.pdf", bytes(900_000))])
    for _ in range(depth):
        content = zip_of([(f"{number}.zip", content) for number in range(width)])
    return content


WRAPS: dict[str, Callable[[bytes], bytes]] = {
    "alone": lambda content: content,
    "in a mail": lambda content: mail([("b.zip", content)]),
    "signed": signed,
    "in 7z": lambda content: seven_zip_of([("b.zip", content)]),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_bombs_of_containers_in_containers_are_stopped(tmp_path: Path, wrap: Callable[[bytes], bytes]) -> None:
    parts, skipped = taken(tmp_path, "a.bin", wrap(bomb_of(4, 8)))
    assert len(parts) < 10, "8^4 parts of a megabyte are not unpacked"
    assert any("as a bomb does" in item.reason for item in skipped)


def test_a_container_that_holds_itself_ends(tmp_path: Path) -> None:
    """A fixed point of compression is a file of another author; equal hashes are what the walk looks for."""
    inner = zip_of([("a.pdf", PDF)])
    level = inner
    for _ in range(MAX_DEPTH + 3):
        level = zip_of([("in.zip", level), ("b.pdf", PDF)])
    parts, skipped = taken(tmp_path, "a.zip", level)
    assert len(parts) == MAX_DEPTH + 1
    assert [item.code for item in skipped if item.document_lost] == ["too_large"]
    again = zip_of([("one.zip", inner), ("two.zip", inner)])
    parts, skipped = taken(tmp_path, "a.zip", again)
    assert (len(parts), skipped) == (2, []), "the same container twice is no recursion"


def test_links_and_devices_are_no_documents(tmp_path: Path) -> None:
    odd: list[tarfile.TarInfo] = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo(f"odd{len(odd)}.pdf")
        info.type, info.linkname = kind, "/etc/passwd"
        odd.append(info)
    for content in (tar_of([("good.pdf", PDF)], *odd), mail([("a.tar.gz", tar_of([("good.pdf", PDF)], *odd))])):
        parts, skipped = taken(tmp_path, "a.bin", content)
        assert [content for name, content in parts.items() if name.endswith("pdf")] == [PDF]
        assert [item.reason for item in skipped] == ["a link or device"] * 4


def test_many_empty_parts_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.intake.containers.MAX_PARTS", 50)
    for content in (
        zip_of([(f"{number}.pdf", b"") for number in range(99)]),
        mail([(f"{number}.pdf", b"") for number in range(99)]),
    ):
        parts, skipped = taken(tmp_path, "a.bin", content)
        assert len(parts) <= 51
        assert "more than 50 files" in skipped[-1].reason
        for path in (tmp_path / "unpacked").iterdir():
            path.unlink()


def nested_parts(depth: int) -> bytes:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(depth))
    return f"From: a@example.com\r\nMIME-Version: 1.0\r\n{head}Content-Type: text/plain\r\n\r\nx".encode()


MIME_TRICKS: dict[str, bytes] = {
    "parts in parts without end": nested_parts(5_000),
    "no boundary": b"From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\n\r\ny",
    "empty boundary": b'From: a@b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\ny\r\n----',
    "boundary of itself": raw_mail("Content-Type: multipart/mixed; boundary=b0undary\r\n\r\n--b0undary\r\n\r\nx"),
    "never closed": raw_mail("Content-Type: text/plain\r\n\r\nx").rpartition(b"--b0undary")[0],
    "unknown character set": raw_mail("Content-Type: text/plain; charset=x-nothing\r\n\r\nGr\udcfc\udcdfe"),
    "unknown encoding": raw_mail("Content-Type: application/pdf\r\nContent-Transfer-Encoding: x-none\r\n\r\nabc"),
    "broken base64": raw_mail("Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%=A=B=\r\n\udcff"),
    "broken words": b"From: =?utf-8?b?////?= <a@b>\r\nSubject: =?x-y?q?=ZZ?= =?utf-8?Q?=\r\nMessage-ID: <>\r\nDate: 99 Foo 99999\r\n\r\nx",
    "name in pieces": raw_mail(
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=utf-8''..%2F..%2F; filename*1*=e%00.pdf\r\n\r\nx"
    ),
    "name that is a path": raw_mail(
        'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="/etc/../x.pdf"\r\n\r\nx'
    ),
    "header of a megabyte": b"From: a@b\r\nMIME-Version: 1.0\r\nSubject: " + b"x" * MB + b"\r\n\r\nbody",
    "a hundred thousand fields": b"From: a@b\r\nMIME-Version: 1.0\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\nbody",
    "a mail in itself": raw_mail("Content-Type: message/rfc822\r\n\r\n" * 200 + "From: a@b\r\n\r\nx"),
    "carriage returns alone": b"From: a@b\rMIME-Version: 1.0\rContent-Type: text/plain\r\rbody",
    "zero bytes": b"From: a@b\r\nMIME-Version: 1.0\r\n\0\0\0\r\n\r\n\0body",
    "two thousand parts": raw_mail(*(["Content-Type: text/plain\r\n\r\nx"] * 2_000)),
}


@pytest.mark.parametrize("trick", MIME_TRICKS)
def test_tricks_of_mails_end_in_a_status(tmp_path: Path, trick: str) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(MIME_TRICKS[trick])
    with ContainerWorker(seconds=60) as worker:
        items = list(worker.unpack(path, tmp_path / "unpacked", max_bytes=10 * MB))
    for item in items:
        assert item.name.isprintable()
        assert ".." not in Path(item.name).parts
        if isinstance(item, UnpackedMember):
            assert item.path.parent == tmp_path / "unpacked"


def deflated_pdf(size: int) -> bytes:
    """A PDF with an attachment that inflates to ``size`` zeros."""
    packed = zlib.compress(bytes(size), 9)
    content = pdf_with([("bomb.pdf", b"MARK" * 8)])
    document = pymupdf.open(stream=content, filetype="pdf")
    for xref in range(1, document.xref_length()):
        if document.xref_is_stream(xref) and document.xref_stream(xref) == b"MARK" * 8:
            document.update_stream(xref, b"x", compress=False)
            document.xref_set_key(xref, "Filter", "/FlateDecode")
            document.update_stream(xref, packed, new=False, compress=False)
            document.xref_set_key(xref, "Filter", "/FlateDecode")
    return bytes(document.tobytes())


def test_a_bomb_in_a_pdf_costs_its_attachment(folders: RunFolders) -> None:
    folders.changes = {"limits": {"megabytes": 2}}
    folders.put("a.eml", mail([("bomb.pdf", deflated_pdf(50 * MB)), ("good.pdf", PDF)], text=None))
    folders.run()
    status = {row["file"]: row["status"] for row in folders.csv("documents")}
    assert status["a.eml/good.pdf"] == "done"
    assert status["a.eml/bomb.pdf"] == "done", "its page is read"
    assert status.get("a.eml/bomb.pdf/bomb.pdf", "failed") == "failed"


def broken(content: bytes, at: float) -> bytes:
    cut = int(len(content) * at)
    return content[:cut] + bytes(byte ^ 0x55 for byte in content[cut : cut + 40]) + content[cut + 40 :]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_damage_anywhere_is_reported_and_never_raised(tmp_path: Path, kind: str) -> None:
    content = EVERY_KIND[kind]([("one.pdf", PDF), ("two.pdf", PDF * 3)])
    for step in range(25):
        for damaged in (broken(content, step / 25), content[: len(content) * step // 25]):
            path = tmp_path / kind
            path.write_bytes(damaged)
            found = wrapper_kind(path)
            host = "" if found else host_kind(path)
            if found or host:
                for item in unpack(path, tmp_path / "unpacked", max_bytes=MB, host=host):
                    if isinstance(item, UnpackedMember):
                        item.path.unlink()
                assert not [path for path in (tmp_path / "unpacked").iterdir() if path.name != "step"]
