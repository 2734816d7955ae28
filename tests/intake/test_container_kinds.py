"""Every kind of container gives its parts, with their own names and contents, and the header of a mail."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from pipeline.intake.container_items import OpenedContainer, SkippedMember, UnpackedMember
from pipeline.intake.container_kinds import host_kind, wrapper_kind
from pipeline.intake.containers import unpack
from tests.drawing import text_pdf
from tests.drawn_containers import (
    HEADER,
    KINDS,
    as_pem,
    compound_file,
    einvoice_with,
    logo,
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
    signed_with_open_lengths,
    zip_of,
)

MB = 1_000_000
PDF = text_pdf(["An invoice"])


class Taken:
    """What comes out of one container."""

    def __init__(self, tmp_path: Path, name: str, content: bytes, max_bytes: int = 10 * MB) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        self.kind = wrapper_kind(path)
        host = "" if self.kind else host_kind(path)
        self.items = list(unpack(path, tmp_path / "unpacked", max_bytes=max_bytes, host=host)) if self.kind or host else []
        self.parts = {item.name: item.path.read_bytes() for item in self.items if isinstance(item, UnpackedMember)}
        self.parents = {item.name: item.parent for item in self.items if isinstance(item, UnpackedMember)}
        self.skipped = [item for item in self.items if isinstance(item, SkippedMember)]
        self.mails = [dict(item.mail) for item in self.items if isinstance(item, OpenedContainer) and item.mail]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_container_gives_its_parts(tmp_path: Path, name: str) -> None:
    taken = Taken(tmp_path, name, KINDS[name]([("Rechnung Müller.pdf", PDF), ("b.pdf", PDF + b" ")]))
    pdfs = {key.rpartition("/")[2]: content for key, content in taken.parts.items() if key.endswith(".pdf")}
    assert pdfs == {"Rechnung Müller.pdf": PDF, "b.pdf": PDF + b" "}
    assert not [item for item in taken.skipped if item.document_lost]
    if name in ("a.eml", "a.mbox", "a.msg"):
        assert taken.mails == [HEADER] * (2 if name == "a.mbox" else 1)
        bodies = [content for key, content in taken.parts.items() if key.endswith("body.txt")]
        assert {body.decode().strip() for body in bodies} == {"The body of the mail."}


@pytest.mark.parametrize("wrap", [signed, signed_with_open_lengths, lambda content: as_pem(signed(content))])
def test_a_signed_file_gives_the_file_that_was_signed(tmp_path: Path, wrap: object) -> None:
    taken = Taken(tmp_path, "IT01_00001.xml.p7m", wrap(b"<Invoice/>"))  # type: ignore[operator]
    assert (taken.kind, taken.parts) == ("p7m", {"IT01_00001.xml": b"<Invoice/>"})
    twice = Taken(tmp_path, "scan.pdf.p7m.p7m", signed(signed(PDF)))
    assert twice.parts == {"scan.pdf.p7m/scan.pdf": PDF}
    alone = Taken(tmp_path, "scan.pdf.p7s", signed(None))
    assert [(item.reason, item.document_lost) for item in alone.skipped] == [
        ("a signature without the file that was signed", False)
    ]


def test_containers_lie_in_each_other_to_a_depth_and_every_part_names_its_parent(tmp_path: Path) -> None:
    inner = zip_of([("deep.pdf", pdf_with([("deepest.pdf", PDF)]))])
    taken = Taken(tmp_path, "a.zip", zip_of([("m.eml", mail([("in.zip", inner), ("forward.eml", mail([("f.pdf", PDF)]))]))]))
    assert taken.parents == {
        "m.eml/body.txt": "m.eml",
        "m.eml/in.zip/deep.pdf": "m.eml/in.zip",
        "m.eml/in.zip/deep.pdf/deepest.pdf": "m.eml/in.zip/deep.pdf",
        "m.eml/forward.eml/body.txt": "m.eml/forward.eml",
        "m.eml/forward.eml/f.pdf": "m.eml/forward.eml",
    }
    assert taken.mails == [HEADER, HEADER]


def test_an_enclosed_mail_of_outlook_gives_its_parts(tmp_path: Path) -> None:
    content = outlook_mail([("a.pdf", PDF)], outlook_storage([("b.pdf", PDF * 3)]))
    taken = Taken(tmp_path, "a.msg", content)
    assert taken.parts["Rechnung März.eml/b.pdf"] == PDF * 3
    assert taken.mails == [HEADER, HEADER]
    other = Taken(tmp_path, "a.doc", compound_file({"WordDocument": bytes(5000)}))
    assert (other.kind, other.items) == ("", []), "another file in the same form is no mail"


def test_pictures_in_the_text_and_signatures_are_no_documents(tmp_path: Path) -> None:
    message = raw_mail(
        'Content-Type: text/html\r\n\r\n<p>Hello <img src="cid:logo1"></p>',
        _attached("logo.png", logo(), "inline", "logo1"),
        _attached("photo.png", photograph(), "inline", "photo1"),
        _attached("smime.p7s", signed(None), "attachment"),
        "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR",
        _attached("logo as a file.png", logo(), "attachment"),
    )
    taken = Taken(tmp_path, "a.eml", message)
    assert list(taken.parts) == ["body.html", "photo.png", "logo as a file.png"]
    assert [(item.name, item.document_lost) for item in taken.skipped] == [
        ("logo.png", False),
        ("smime.p7s", False),
        ("text/calendar", False),
    ]
    office = Taken(tmp_path, "offer.docx", office_file([("image1.png", logo()), ("image2.png", photograph())]))
    assert list(office.parts) == ["image2.png"]


def _attached(name: str, content: bytes, how: str, identifier: str = "") -> str:
    import base64

    head = f'Content-Type: application/octet-stream\r\nContent-Disposition: {how}; filename="{name}"\r\n'
    head += f"Content-ID: <{identifier}>\r\n" if identifier else ""
    return f"{head}Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(content).decode()}"


def test_of_two_forms_of_a_text_the_richer_one_is_a_document(tmp_path: Path) -> None:
    both = Taken(tmp_path, "a.eml", mail([("a.pdf", PDF)], text="see the page", page="<p>Grüße</p>"))
    assert list(both.parts) == ["body.html", "a.pdf"]
    assert both.parts["body.html"].decode("utf-8-sig").strip() == "<p>Grüße</p>"
    empty = Taken(tmp_path, "b.eml", mail([("a.pdf", PDF)], text=" \n\n"))
    assert list(empty.parts) == ["a.pdf"]
    picture = Taken(tmp_path, "c.eml", mail([], text="x", page="<style>p {}</style><p>&nbsp;</p>"))
    assert list(picture.parts) == []


_URL = 'Content-Type: message/external-body; access-type=URL; URL="http://example.com/a.pdf"'
_OCTETS = "Content-Type: application/octet-stream"


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (f"{_URL}\r\n\r\nContent-Type: application/pdf\r\n\r\n", "nothing is fetched"),
        ("Content-Type: message/partial; id=1; number=1; total=2\r\n\r\nx", "sent in several"),
        (
            f"Content-Type: multipart/encrypted; boundary=e\r\n\r\n--e\r\n{_OCTETS}\r\n\r\nx\r\n--e--",
            "encrypted for its receiver",
        ),
        ("Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\nabc", "encrypted for its receiver"),
    ],
)
def test_what_a_mail_does_not_hold_is_declined_with_what_to_do(tmp_path: Path, part: str, why: str) -> None:
    taken = Taken(tmp_path, "a.eml", raw_mail(part, _attached("a.pdf", PDF, "attachment")))
    assert list(taken.parts) == ["a.pdf"]
    (declined,) = taken.skipped
    assert why in declined.reason
    assert (declined.document_lost, declined.code) == (True, "unsupported")


def test_formats_that_are_not_read_and_encrypted_archives_say_what_to_do(tmp_path: Path) -> None:
    rar = Taken(tmp_path, "a.rar", b"Rar!\x1a\x07\x01\0" + bytes(100))
    assert [(item.code, item.of_container) for item in rar.skipped] == [("unsupported", True)]
    assert "unpack it" in rar.skipped[0].reason
    locked = Taken(tmp_path, "a.7z", seven_zip_of([("a.pdf", PDF)], password="secret"))
    assert [(item.name, item.code) for item in locked.skipped] == [("a.pdf", "needs_password")]


def test_texts_and_documents_are_no_mails(tmp_path: Path) -> None:
    texts = [
        b"From: the desk of Ann\n\nDear Bob",
        b"Note: buy milk\nTo: do\n",
        b"key: value\nother: value\n",
        b"%PDF-1.4\n",
        b"",
    ]
    for text in texts:
        path = tmp_path / "a.txt"
        path.write_bytes(text)
        assert wrapper_kind(path) == "", text
    letter = b"Return-Path: <a@example.com>\nReceived: from x\n by y;\n Mon\nSubject: x\n\nbody"
    assert Taken(tmp_path, "b.eml", letter).kind == "eml"
    assert Taken(tmp_path, "c.mbox", mailbox(letter, letter)).kind == "mbox"
    office = zipfile.ZipFile(buffer := io.BytesIO(), "w")
    with office:
        office.writestr("word/document.xml", "x")
        office.writestr("[Content_Types].xml", "x")
    assert Taken(tmp_path, "d.docx", buffer.getvalue()).kind == "", "its list of types need not come first"


def test_xml_with_entities_of_its_own_is_not_opened(tmp_path: Path) -> None:
    bomb = einvoice_with([("a.pdf", PDF)]).replace(b"<Invoice", b'<!DOCTYPE Invoice [<!ENTITY a "aaaa">]><Invoice', 1)
    assert Taken(tmp_path, "a.xml", bomb).parts == {}


@pytest.mark.parametrize(
    ("name", "packed", "inner"),
    [
        ("a.xml.gz", gzip.compress(b"<Invoice/>", mtime=0), "a.xml"),
        ("scan", gzip.compress(b"<Invoice/>", mtime=0), "scan"),
        ("a.csv.bz2", bz2.compress(b"<Invoice/>"), "a.csv"),
        ("a.xz", lzma.compress(b"<Invoice/>"), "a"),
        ("a.svgz", gzip.compress(b"<Invoice/>", mtime=0), "a.svg"),
        ("a.tgz", gzip.compress(b"<Invoice/>", mtime=0), "a"),
        ("two.gz", gzip.compress(b"<Invo", mtime=0) + gzip.compress(b"ice/>", mtime=0), "two"),
    ],
)
def test_a_file_that_is_compressed_by_itself_gives_the_file_in_it(tmp_path: Path, name: str, packed: bytes, inner: str) -> None:
    assert Taken(tmp_path, name, packed).parts == {inner: b"<Invoice/>"}


def test_a_damaged_or_endless_compressed_file_ends_in_a_reason(tmp_path: Path) -> None:
    cut = Taken(tmp_path, "a.pdf.gz", gzip.compress(PDF)[:-9])
    assert [(item.name, item.code, item.document_lost) for item in cut.skipped] == [("a.pdf", "unreadable", True)]
    bomb = Taken(tmp_path, "b.txt.gz", gzip.compress(bytes(20 * MB)))
    assert [(item.name, item.code) for item in bomb.skipped] == [("b.txt", "too_large")]
    assert Taken(tmp_path, "c.txt", b"BZhello, this is only a text").kind == ""


@pytest.mark.parametrize(
    "names",
    [
        ["Index/Document.iwa", "Metadata/Properties.plist", "preview.jpg"],
        ["offer.pages/Index.zip", "offer.pages/Metadata/BuildVersionHistory.plist"],
        ["buildVersionHistory.plist", "index.xml", "QuickLook/Preview.pdf"],
    ],
)
def test_a_document_of_pages_numbers_or_keynote_is_no_archive(tmp_path: Path, names: list[str]) -> None:
    assert Taken(tmp_path, "offer.pages", zip_of([(name, PDF) for name in names])).kind == ""
    assert Taken(tmp_path, "post.zip", zip_of([("Index.zip", PDF), ("index.xml", PDF)])).kind == "zip"


def test_style_sheets_and_scripts_of_a_saved_web_page_are_no_documents(tmp_path: Path) -> None:
    page = raw_mail(
        "Content-Type: text/html\r\nContent-Location: http://a.example/\r\n\r\n<p>Invoice 17</p>",
        "Content-Type: text/css\r\nContent-Location: http://a.example/a.css\r\n\r\np {color: red}",
        "Content-Type: application/javascript\r\n\r\nalert(1)",
        kind="related",
    )
    taken = Taken(tmp_path, "page.mhtml", page)
    assert list(taken.parts) == ["body.html"]
    assert [item.document_lost for item in taken.skipped] == [False, False]
