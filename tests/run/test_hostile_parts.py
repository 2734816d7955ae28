"""Attacks through the parts of every kind of container: names that collide, thousands of parts, containers in containers without end.

Each part ends as a file, or as declined with a reason; nothing is written elsewhere, and the rest of an inbox is read.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import py7zr
import pymupdf
import pytest

from pipeline.intake import container_readers
from pipeline.intake.container_members import Member
from pipeline.intake.container_walk import MAX_DEPTH
from pipeline.name_keys import name_key
from tests.drawing import text_pdf
from tests.drawn_containers import (
    EVERY_KIND,
    einvoice_with,
    mail,
    mailbox,
    office_file,
    outlook_mail,
    outlook_storage,
    pdf_with,
    photograph,
    raw_mail,
    seven_zip_of,
    signed,
    tar_of,
    winmail,
    zip_of,
)
from tests.run.conftest import RunFolders
from tests.run.test_hostile_containers import MB, taken

PDF = text_pdf(["Good"])
PHOTOGRAPH = photograph()


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_names_that_collide_lose_no_part(tmp_path: Path, kind: str) -> None:
    names = ["a.pdf", "a.pdf", "A.PDF", "a.pdf~2", "a~2.pdf", "b.json.pdf", "B.json.pdf"]
    wanted = {bytes([65 + number]) * 9 for number in range(len(names))}
    parts, skipped = taken(tmp_path, kind, EVERY_KIND[kind]([*zip(names, (PDF + end for end in sorted(wanted)), strict=True)]))
    assert {content[-9:] for content in parts.values()} >= wanted
    assert not [item for item in skipped if item.document_lost]
    assert len({name_key(name) for name in parts}) == len(parts), "on every file system, each has a result of its own"


COSTLY = {"a.7z": 300, "a.mbox": 200, "a.msg": 400, "a.docx": 50, "a.pdf": 60, "at page.pdf": 60}
"""Parts that take long to draw or to look at: some have fewer."""


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_thousands_of_parts_each_end_somehow(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.intake.host_members.MAX_ATTACHMENTS", 50)
    count = COSTLY.get(kind, 2_000)
    contents = [b"%%%05d" % number for number in range(count)]
    parts, skipped = taken(
        tmp_path, kind, EVERY_KIND[kind]([(f"{content.decode()[1:]}.pdf", content) for content in contents]), 10 * MB
    )
    found = {content[-6:] for content in parts.values()} & set(contents)
    if len(found) < count:
        assert kind in ("a.pdf", "at page.pdf")
        assert len(found) == 50
        assert [item.code for item in skipped if item.document_lost] == ["too_large"]


NESTED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "eml": lambda inner, page: mail([("in.bin", inner), ("p.pdf", page)], text=None),
    "enclosed eml": lambda inner, page: mail([("in.eml", inner), ("p.pdf", page)], text=None),
    "mbox": lambda inner, page: mailbox(mail([("in.mbox", inner)], text=None), mail([("p.pdf", page)], text=None)),
    "msg": lambda inner, page: outlook_mail([("in.msg", inner), ("p.pdf", page)]),
    "zip": lambda inner, page: zip_of([("in.zip", inner), ("p.pdf", page)]),
    "tar": lambda inner, page: tar_of([("in.tgz", inner), ("p.pdf", page)]),
    "7z": lambda inner, page: seven_zip_of([("in.7z", inner), ("p.pdf", page)]),
    "winmail": lambda inner, page: winmail([("winmail.dat", inner), ("p.pdf", page)]),
    "xml": lambda inner, page: einvoice_with([("in.xml", inner), ("p.pdf", page)]),
    "pdf": lambda inner, page: pdf_with([("in.pdf", inner), ("p.pdf", page)]),
    "p7m": lambda inner, page: signed(inner),
}


@pytest.mark.parametrize("kind", NESTED)
def test_containers_in_containers_end_at_a_depth_with_a_reason(tmp_path: Path, kind: str) -> None:
    level = PDF
    for number in range(MAX_DEPTH + 4):
        level = NESTED[kind](level, PDF + b"%d" % number)
    parts, skipped = taken(tmp_path, "a.bin", level, 10 * MB)
    assert len(parts) <= 3 * MAX_DEPTH
    assert {item.code for item in skipped if item.document_lost} == {"too_large"}, "what lies deeper is not silently lost"


def test_a_container_that_gives_itself_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a fixed point of compression does, which is a file of another author."""

    @contextmanager
    def itself(file: container_readers.ContainerFile) -> Iterator[container_readers.Contents]:
        yield {}, iter([Member("r.zip", 0, lambda: file.path.open("rb")), Member("a.pdf", 0, lambda: io.BytesIO(PDF))])

    monkeypatch.setitem(container_readers.READERS, "zip", itself)
    for content in (zip_of([("x", b"")]), mail([("r.zip", zip_of([("x", b"")]))], text=None)):
        parts, skipped = taken(tmp_path, "a.bin", content)
        assert list(parts.values()) == [PDF]
        assert ["holds itself" in item.reason for item in skipped] == [True]


def test_members_of_a_zip_that_lie_over_each_other_are_stopped(tmp_path: Path) -> None:
    """Thousands of entries of the directory share one member of zeros."""
    content = zip_of([("a.pdf", bytes(900_000))])
    at = content.index(b"PK\1\2")
    entry = content[at : content.index(b"PK\5\6")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 5_000, 5_000, 5_000 * len(entry), at, 0)
    parts, skipped = taken(tmp_path, "a.zip", content[:at] + entry * 5_000 + end)
    assert len(parts) < 60
    assert "as a bomb does" in skipped[-1].reason


def test_links_of_a_7z_and_file_names_of_a_pdf_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"a secret of this machine")
    (tmp_path / "link.pdf").symlink_to(secret)
    with py7zr.SevenZipFile(tmp_path / "x", "w") as pack:
        pack.write(tmp_path / "link.pdf", "link.pdf")
        pack.writestr(PDF, "good.pdf")
    elsewhere = re.sub(rb"/EF<<.*?>>", lambda found: b" " * len(found[0]), pdf_with([(str(secret), PDF)]))
    assert str(secret).encode() in elsewhere
    (tmp_path / "in").mkdir()
    for content, good in (((tmp_path / "x").read_bytes(), True), (elsewhere, False)):
        parts, skipped = taken(tmp_path / "in", "a.bin", content)
        assert [*parts.values()] == [PDF] * good
        assert len(skipped) == 1


def test_a_damaged_or_too_large_picture_of_an_office_file_costs_only_itself(tmp_path: Path) -> None:
    content = bytearray(
        office_file([("broken.png", PHOTOGRAPH), ("large.png", PHOTOGRAPH + bytes(2 * MB)), ("good.png", PHOTOGRAPH + b"good")])
    )
    content[content.index(b"broken.png") + 10 + len(PHOTOGRAPH) // 8] ^= 0x55
    parts, skipped = taken(tmp_path, "a.docx", bytes(content))
    assert list(parts.values()) == [PHOTOGRAPH + b"good"]
    assert {item.name.rpartition("/")[2]: item.code for item in skipped} == {
        "broken.png": "unreadable",
        "large.png": "too_large",
    }


def test_attachments_far_inside_a_pdf_and_far_behind_are_named(tmp_path: Path) -> None:
    document = pymupdf.open(stream=text_pdf(["A page"] * 300), filetype="pdf")
    document[299].add_file_annot((72, 72), PDF, "late.pdf")
    assert list(taken(tmp_path, "a.pdf", bytes(document.tobytes()))[0]) == ["late.pdf"]


def test_what_an_enclosed_mail_of_outlook_lacks_is_named(tmp_path: Path) -> None:
    inner = outlook_storage([("elsewhere.pdf", b"")])
    attachment = inner["__attach_version1.0_#00000000"]
    assert isinstance(attachment, dict)
    attachment["__properties_version1.0"] = bytes(8) + struct.pack("<HHIQ", 0x3, 0x3705, 6, 2)  # it is at an address
    parts, skipped = taken(tmp_path, "a.msg", outlook_mail([("good.pdf", PDF)], inner))
    assert PDF in parts.values()
    assert [(item.name.rpartition("/")[2], item.code) for item in skipped] == [("elsewhere.pdf", "unsupported")]


def test_an_inbox_full_of_attacks_is_read_to_its_end(folders: RunFolders) -> None:
    """Names that are formulas or commands to a terminal, beside damage: every part has one row, and no cell acts."""
    names = ["=HYPERLINK(1).pdf", "+1+1.pdf", "@SUM(A1).pdf", "\x1b[31mred\u202efdp.pdf"]
    kinds = {
        kind: EVERY_KIND[kind]([(name, text_pdf([f"{kind} {name[1:4]}"])) for name in names]) for kind in ("a.zip", "a.pdf")
    }
    for kind, content in kinds.items():
        folders.put(f"={kind}", content)
    folders.put("formula.eml", raw_mail("Content-Type: text/plain\r\n\r\nx").replace(b"by hand", b"=cmd|' /C calc'!A0"))
    folders.put("cut.zip", zip_of([("a.pdf", PDF)])[:-30])
    folders.put("zz good.pdf", text_pdf(["The last document"]))
    before = {path for path in folders.inbox.parent.iterdir()}  # noqa: C416 - a set of what is on the disk
    folders.run()
    rows = folders.csv("documents")
    assert folders.texts("zz good.pdf") == ["The last document"]
    assert {row["status"] for row in rows} <= {"done", "blank", "failed", "partial", "skipped"}
    assert len({row["file"] for row in rows}) == len(rows)
    for sheet in folders.outbox.glob("*.csv"):
        for row in folders.csv(sheet.stem):
            for cell in row.values():
                assert not cell.startswith(("=", "+", "@", "\t", "\r")), (sheet.name, cell)
                assert cell.replace("\n", "").isprintable()
    for kind in kinds:
        assert len([row for row in rows if f"={kind}/" in row["file"] and row["status"] == "done"]) == len(names)
    assert {path for path in folders.inbox.parent.iterdir()} == before | {folders.outbox}  # noqa: C416 - the same
    assert not [path for path in (folders.outbox / ".pipeline" / "unpacked").rglob("*") if path.is_file()]
