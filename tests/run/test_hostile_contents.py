"""Contents that attack their reader, inside each kind of container: nothing of this machine gets into a result, and nothing is fetched."""

from __future__ import annotations

import http.server
import io
import stat
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from pipeline.intake.container_items import SkippedMember
from pipeline.intake.container_worker import ContainerWorker
from tests.drawing import text_pdf
from tests.drawn_containers import (
    EVERY_KIND,
    Members,
    mail,
    mailbox,
    office_file,
    outlook_mail,
    outlook_storage,
    pdf_with,
    seven_zip_of,
    signed,
    tar_of,
    winmail,
    zip_of,
)
from tests.office_files import docx, relations, word_paragraph
from tests.run.conftest import RunFolders
from tests.run.test_hostile_containers import MB, taken

PDF = text_pdf(["Good"])
OWN_TEXT = "what this machine keeps"


class Server:
    """A web server that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                return

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.stop()


def contents(own: Path, url: str) -> list[tuple[str, bytes]]:
    """Parts that name a file of this machine and an address, or grow without end when they are expanded."""
    entity = f'<!DOCTYPE x [<!ENTITY f SYSTEM "{own.as_uri()}"><!ENTITY u SYSTEM "{url}/entity"><!ENTITY % p SYSTEM "{url}/dtd">%p;]>'
    laughs = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(12)) + "]>"
    invoice = '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>{}</ID></Invoice>'
    include = f'<order xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{own.as_uri()}" parse="text"/></order>'
    template = relations({"t1": ("attachedTemplate", f"{url}/template.dotm")}, external=["t1"]).encode()
    page = (
        f'<html><link rel="stylesheet" href="{url}/css"><img src="{own.as_uri()}"><iframe src="{own.as_uri()}"></iframe><p>Page'
    )
    return [
        ("entity.xml", f"<?xml version='1.0'?>{entity}<order>&f;&u;</order>".encode()),
        ("laughs.xml", f"<?xml version='1.0'?>{laughs}<order>&a12;</order>".encode()),
        ("include.xml", include.encode()),
        ("invoice.xml", f"<?xml version='1.0'?>{entity}{invoice.format('&f;&u;')}".encode()),
        ("template.docx", docx(word_paragraph("Letter"), {"word/_rels/settings.xml.rels": template})),
        ("page.html", page.encode()),
        ("drawing.svg", f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{own.as_uri()}"/></svg>'.encode()),
        ("good.pdf", PDF),
    ]


@pytest.mark.timeout(300)
def test_hostile_contents_reach_nothing_through_any_container(folders: RunFolders, server: Server, tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text(OWN_TEXT)
    parts = contents(own, server.url)
    kinds = {kind: draw for kind, draw in EVERY_KIND.items() if kind != "a.docx"}
    for kind, draw in kinds.items():
        folders.put(kind, draw([(name, content + b" " * at) for at, (name, content) in enumerate(parts, 1)]))
    folders.put("z last.pdf", text_pdf(["The last document"]))
    folders.run()
    rows = folders.csv("documents")
    assert folders.texts("z last.pdf") == ["The last document"]
    for kind in kinds:
        ended = {row["file"]: row["status"] for row in rows if row["file"].startswith(f"{kind}/")}
        assert sum("good.pdf" in name and status == "done" for name, status in ended.items()) == 1, kind
        assert set(ended.values()) <= {"done", "blank", "partial", "failed"}
        missing = {name for name, _ in parts if not any(name in each for each in ended)}
        assert missing <= ({"invoice.xml"} if kind in ("a.pdf", "at page.pdf") else set()), "it belongs to the pages of the PDF"
    written = b"".join(path.read_bytes() for path in folders.outbox.rglob("*") if path.is_file())
    assert OWN_TEXT.encode() not in written
    assert b"hahahaha" not in written
    assert server.asked == []


# ---- what unpacks to much more than it is -------------------------------------------------------


def many(draw: Callable[[Members], bytes], head: bytes = b"") -> bytes:
    """A container of sixty parts that are almost all zeros."""
    return draw([(f"{number}.png", head + b"%03d" % number + bytes(900_000)) for number in range(60)])


def packed_pdf(members: Members) -> bytes:
    return bytes(pymupdf.open(stream=pdf_with(members), filetype="pdf").tobytes(deflate=True, garbage=0))


def pictures_of_zeros() -> bytes:
    """An office file with pictures that are large enough to show a document, and end in zeros."""
    return many(office_file, blank_picture())


def blank_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (900, 1200), 1).save(buffer, "PNG")
    return buffer.getvalue()


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: many(zip_of),
    "tar.gz": lambda: many(tar_of),
    "7z": lambda: many(seven_zip_of),
    "docx": pictures_of_zeros,
    "pdf": lambda: many(packed_pdf),
    "zip in p7m": lambda: signed(many(zip_of)),
    "7z in msg": lambda: outlook_mail([("a.7z", many(seven_zip_of))]),
    "tar in winmail": lambda: winmail([("a.tgz", many(tar_of))]),
    "docx in mbox": lambda: mailbox(mail([("a.docx", pictures_of_zeros())], text=None)),
    "pdf in eml": lambda: mail([("a.pdf", many(packed_pdf))], text=None),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_unpacks_to_very_much_is_stopped_in_every_kind(tmp_path: Path, kind: str) -> None:
    content = BOMBS[kind]()
    assert len(content) < 600_000
    parts, skipped = taken(tmp_path, "a.bin", content)
    assert sum(map(len, parts.values())) < 10 * MB
    assert [item.reason for item in skipped if "as a bomb does" in item.reason]


# ---- forms without end --------------------------------------------------------------------------


def linked_zip(target: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        link = zipfile.ZipInfo("link.pdf")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        pack.writestr(link, target)
        pack.writestr("good.pdf", PDF)
    return buffer.getvalue()


def test_links_of_a_zip_are_no_documents(tmp_path: Path) -> None:
    for content in (linked_zip("/etc/passwd"), mail([("a.zip", linked_zip("../../own"))], text=None)):
        parts, skipped = taken(tmp_path, "a.bin", content)
        assert list(parts.values()) == [PDF]
        assert [item.reason for item in skipped] == ["a link or device"]


def deep_signature(depth: int) -> bytes:
    """A signed file whose contents are strings in strings, with open lengths (BER)."""
    oid = bytes.fromhex("06092a864886f70d010702")
    return (
        b"0\x80"
        + oid
        + b"\xa0\x80"
        + b"0\x80\x02\x01\x01\x31\x000\x80"
        + bytes.fromhex("06092a864886f70d010701")
        + b"\xa0\x80"
        + b"\x24\x80" * depth
    )


def looping_storage() -> bytes:
    """A mail of Outlook whose directory leads back to itself."""
    content = bytearray(outlook_mail([("a.pdf", PDF * 20)]))
    (directory,) = struct.unpack_from("<I", content, 48)
    at = 512 + 512 * directory
    for entry in range(4):
        struct.pack_into("<3I", content, at + 128 * entry + 68, entry, entry, 1)
    return bytes(content)


def self_holding_storage(depth: int) -> bytes:
    inner = outlook_storage([("deep.pdf", PDF)])
    for _ in range(depth):
        inner = outlook_storage([], inner)
    return outlook_mail([("good.pdf", PDF)], inner)


ENDLESS: dict[str, Callable[[], bytes]] = {
    "strings in strings of a signature": lambda: deep_signature(100_000),
    "a directory that leads to itself": looping_storage,
    "mails in mails of Outlook": lambda: self_holding_storage(30),
    "signatures in signatures": lambda: _repeated(signed, PDF, 300),
    "mails in a mailbox in mails": lambda: _repeated(lambda inner: mailbox(mail([("m.mbox", inner)], text=None)), PDF, 20),
}


def _repeated(wrap: Callable[[bytes], bytes], content: bytes, times: int) -> bytes:
    for _ in range(times):
        content = wrap(content)
    return content


@pytest.mark.parametrize("form", ENDLESS)
def test_forms_without_end_cost_their_container(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(ENDLESS[form]())
    began = time.monotonic()
    with ContainerWorker(seconds=60) as worker:
        if not worker.is_archive(path):
            return
        items = list(worker.unpack(path, tmp_path / "unpacked", max_bytes=10 * MB))
    assert time.monotonic() - began < 60
    assert [item for item in items if isinstance(item, SkippedMember) and item.document_lost], "what is lost has a reason"
