"""Files that cannot be read: the message names the kind and says what to do."""

from __future__ import annotations

import struct

import pytest

from pipeline.pages.formats import compound
from tests.office_files import packed
from tests.pages.formats.reading import refusal


def compound_file(*names: str) -> bytes:
    """A compound file whose directory holds streams of these names (MS-CFB 2.2, 2.6)."""
    header = compound.MAGIC + bytes(16) + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<I", 0)
    header = header.ljust(512, b"\xff")
    table = struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE).ljust(512, b"\xff")
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 2 * len(name) + 2) + bytes(62)
        for name in ("Root Entry", *names)
    )
    return header + table + entries.ljust(512, b"\0")


@pytest.mark.parametrize(
    ("content", "name", "kind", "cure"),
    [
        (b"\0\0\0\x20ftypisom" + bytes(50), "film.mp4", "a video", "pictures"),
        (b"ID3\x03" + bytes(50), "talk.mp3", "sound", "text"),
        (b"MZ" + bytes(100), "setup.exe", "a program", "never started"),
        (b"\x7fELF" + bytes(100), "tool", "a program", "never started"),
        (b"SQLite format 3\0" + bytes(100), "a.db", "a database", "CSV"),
        (b"AC1027" + bytes(100), "plan.dwg", "AutoCAD", "PDF"),
        (b"%!PS-Adobe-3.0\n", "page.ps", "PostScript", "ps2pdf"),
        (b"L\0\0\0\x01\x14\x02\0" + bytes(60), "invoice.lnk", "a shortcut", "drop that file itself"),
        (b"Rar!\x1a\x07\1\0" + bytes(60), "a.rar", "an archive", "unpack"),
        (b"\xffWPC" + bytes(60), "a.wpd", "WordPerfect", "PDF"),
        (b"\0\x01\x02\x03" * 50, "a.pst", "a whole mailbox of Outlook", "save the messages"),
        (b"\0\x01\x02\x03" * 50, "a.dat", "not known", "print it to PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><text>a</text></svg>", "a.svg", "an SVG drawing", "PDF"),
        (packed({"a.pdf": b"x"}), "a.zip", "an archive", "unpack"),
        (packed({"mimetype": "application/epub+zip", "META-INF/container.xml": "<x/>"}), "a.epub", "an electronic book", "PDF"),
        (packed({"Index/Document.iwa": b"x"}), "a.pages", "Pages", "Export"),
        (b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60), "a.emf", "a drawing of Windows", "PDF"),
        (b"\xd7\xcd\xc6\x9a" + bytes(60), "logo", "a drawing of Windows", "PDF"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "a.jxl", "JPEG XL", "JPEG or PNG"),
        (b"bplist00\xd2\1\2\3\x0e_\x10\x0fWebMainResource" + bytes(60), "a.webarchive", "Safari", "PDF"),
        (b"!<arch>\n" + bytes(60), "lib.a", "a program", "no document"),
        (compound_file("\5HwpSummaryInformation"), "a.hwp", "Hangul", "docx"),
        (compound_file("Props12"), "a.mpp", "Project", "PDF"),
        (compound_file("VisioDocument"), "a.vsd", "Visio", "PDF"),
        (compound_file("Quill"), "a.pub", "Publisher", "PDF"),
        (compound_file("Contents"), "a.bin", "not known", "PDF"),
    ],
)
def test_the_message_says_what_the_file_is_and_what_to_do(content: bytes, name: str, kind: str, cure: str) -> None:
    error = refusal(content, name)
    assert error.reason == "unsupported"
    assert kind in error.detail
    assert cure in error.detail


def test_encrypted_files_that_cannot_be_unlocked_say_what_to_do() -> None:
    manifest = '<m:manifest xmlns:m="m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    parts: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": b"\x8f\x01",
        "META-INF/manifest.xml": manifest,
    }
    error = refusal(packed(parts, first="mimetype"))
    assert (error.reason, "save it without one" in error.detail) == ("unsupported", True)
    assert refusal(compound_file("EncryptionInfo", "EncryptedPackage")).reason == "unreadable", "its encryption is damaged"


def test_a_directory_that_runs_in_a_circle_ends() -> None:
    content = bytearray(compound_file("Contents"))
    content[512 + 4 : 512 + 8] = struct.pack("<I", 1)
    assert refusal(bytes(content)).reason == "unsupported"
