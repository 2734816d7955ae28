"""What a file is that cannot be read, and what to do: by its first bytes, by its name only where these say nothing.

The words are for the person who dropped the file.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from pipeline.errors import DocumentError


class Kind(NamedTuple):
    """``what`` it is, and what to do: ``cure`` continues the sentence."""

    what: str
    cure: str


_PRINT = "open it in the program that it belongs to, print it to PDF and drop the PDF"
_SOUND = Kind("a recording of sound", "the program reads documents; drop a text of what is said")
_VIDEO = Kind("a video", "the program reads documents; drop pictures of the pages that it shows")
_PROGRAM = Kind("a program", "it is no document and is never started; delete it where you do not know where it came from")
_DATABASE = Kind("a database", "export the table that you need as CSV or xlsx and drop that")
_DRAWING = Kind("a drawing", _PRINT)
_FONT = Kind("a font", "it is no document")
ARCHIVE = Kind(
    "an archive",
    "unpack it and drop what is in it",
)
_BOOK = Kind("an electronic book", "open it in a reader of books, print the pages that you need to PDF and drop that")
LOCKED_BOOK = Kind(
    "an electronic book with a copy protection", "only the program that it was bought for opens it; print it to PDF there"
)
_METAFILE = Kind("a drawing of Windows (WMF, EMF)", "open it in LibreOffice or Word, export it as PDF and drop the PDF")
_JPEG_XL = Kind("a picture in JPEG XL", "save it as JPEG or PNG and drop that")
_WEB_ARCHIVE = Kind("a web page that Safari saved", "open it in Safari, export it as PDF and drop the PDF")
_PAGES = Kind("a document of Pages, Numbers or Keynote", "export it as PDF (File, Export To) and drop the PDF")
HANGUL = Kind("a document of Hangul (HWP)", "save it as PDF or docx in Hangul and drop that")
_MAIL_STORE = Kind("a whole mailbox of Outlook", "open it in Outlook, and save the messages that you need as files")

SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"MZ", _PROGRAM),
    (0, b"\x7fELF", _PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", _PROGRAM),
    (0, b"!<arch>\n", _PROGRAM),
    (0, b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (0, b"Rar!\x1a\x07", ARCHIVE),
    (0, b"\x1f\x8b", ARCHIVE),
    (0, b"BZh", ARCHIVE),
    (0, b"\xfd7zXZ\x00", ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", ARCHIVE),
    (0, b"MSCF", ARCHIVE),
    (257, b"ustar", ARCHIVE),
    (0x8001, b"CD001", Kind("an image of a disc", "mount it and drop the documents that are on it")),
    (0, b"ID3", _SOUND),
    (0, b"\xff\xfb", _SOUND),
    (0, b"fLaC", _SOUND),
    (0, b"OggS", _SOUND),
    (0, b"#!AMR", _SOUND),
    (8, b"WAVE", _SOUND),
    (8, b"AVI ", _VIDEO),
    (4, b"ftypM4A", _SOUND),
    (4, b"ftypqt", _VIDEO),
    (4, b"ftypmp4", _VIDEO),
    (4, b"ftypisom", _VIDEO),
    (4, b"ftypM4V", _VIDEO),
    (4, b"ftyp3gp", _VIDEO),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (0, b"\x00\x00\x01\xba", _VIDEO),
    (0, b"FLV\x01", _VIDEO),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),
    (0, b"SQLite format 3\0", _DATABASE),
    (0, b"\x00\x01\x00\x00Standard Jet DB", _DATABASE),
    (0, b"\x00\x01\x00\x00Standard ACE DB", _DATABASE),
    (0, b"PAR1", _DATABASE),
    (0, b"!BDN", _MAIL_STORE),
    (0, b"8BPS", Kind("a file of Photoshop", "export it as PNG, JPEG or PDF and drop that")),
    (0, b"gimp xcf", Kind("a file of GIMP", "export it as PNG, JPEG or PDF and drop that")),
    (0, b"AC10", Kind("a drawing of AutoCAD", "plot it to PDF and drop the PDF")),
    (0, b"AutoCAD Binary DXF", Kind("a drawing of AutoCAD", "plot it to PDF and drop the PDF")),
    (0, b"%!PS", Kind("PostScript", "it is a program that draws pages; convert it to PDF (`ps2pdf`) and drop the PDF")),
    (
        0,
        b"\xc5\xd0\xd3\xc6",
        Kind("PostScript", "it is a program that draws pages; convert it to PDF (`ps2pdf`) and drop the PDF"),
    ),
    (0, b"\x00\x01\x00\x00\x00", _FONT),
    (0, b"OTTO", _FONT),
    (0, b"wOFF", _FONT),
    (0, b"wOF2", _FONT),
    (0, b"\xffWPC", Kind("a document of WordPerfect", _PRINT)),
    (
        0,
        b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d",
        Kind("a notebook of OneNote", "print the pages to PDF in OneNote and drop the PDF"),
    ),
    (0, b"ITSF", Kind("a help file of Windows", _PRINT)),
    (0, b"AT&TFORM", Kind("a DjVu file", "convert it to PDF (`ddjvu -format=pdf`) and drop the PDF")),
    (60, b"BOOKMOBI", _BOOK),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", Kind("a shortcut", "it only points to another file; drop that file itself")),
    (
        0,
        b"-----BEGIN PGP MESSAGE",
        Kind("an encrypted message", "decrypt it with the key that belongs to it and drop what comes out"),
    ),
    (0, b"Salted__", Kind("an encrypted file", "decrypt it and drop what comes out")),
    (0, b"\xd7\xcd\xc6\x9a", _METAFILE),
    (0, b"\x01\0\x09\0\0\x03", _METAFILE),
    (40, b" EMF", _METAFILE),
    (0, b"\xff\x0a", _JPEG_XL),
    (4, b"JXL \r\n\x87\n", _JPEG_XL),
    (0, b"HWP Document File", HANGUL),
    (16, b"WebMainResource", _WEB_ARCHIVE),
    (0, b"bplist00", Kind("settings of a Mac program", "it is no document")),
)
"""Offset, first bytes, kind."""
IN_PACKAGES: tuple[tuple[str, Kind], ...] = (
    ("visio/", Kind("a drawing of Visio", "save it as PDF in Visio and drop the PDF")),
    ("Index/Document.iwa", _PAGES),
    ("Index.zip", _PAGES),
    ("buildVersionHistory.plist", _PAGES),
    ("index.apxl", _PAGES),
    ("designmap.xml", Kind("a document of InDesign", "export it as PDF in InDesign and drop the PDF")),
    ("META-INF/container.xml", _BOOK),
    (
        "xl/workbook.bin",
        Kind(
            "a binary workbook of Excel (xlsb)",
            "save it as .xlsx and drop that",
        ),
    ),
    ("AndroidManifest.xml", _PROGRAM),
    ("META-INF/MANIFEST.MF", _PROGRAM),
    ("doc.kml", Kind("a map", "print it to PDF and drop the PDF")),
    ("content.xml", Kind("an OpenDocument file of a kind that has no pages (formula, database, chart)", _PRINT)),
)
"""Name of a part, or its beginning, by which a packed file is known."""
BY_NAME: dict[str, Kind] = {
    **dict.fromkeys((".pst", ".ost"), _MAIL_STORE),
    **dict.fromkeys((".mp3", ".m4a", ".wma", ".aac"), _SOUND),
    **dict.fromkeys((".mp4", ".mov", ".wmv", ".mkv"), _VIDEO),
    **dict.fromkeys((".dwg", ".dxf", ".vsd", ".cdr", ".skp"), _DRAWING),
    **dict.fromkeys((".pub", ".wps", ".wpd", ".pages", ".numbers", ".key", ".one", ".mpp", ".indd", ".ai"),
                    Kind("a file of another program", _PRINT)),
    **dict.fromkeys((".mdb", ".accdb", ".dbf", ".db", ".sqlite"), _DATABASE),
    **dict.fromkeys((".exe", ".dll", ".msi", ".dmg", ".jar", ".apk", ".bin", ".iso"), _PROGRAM),
    **dict.fromkeys((".wmf", ".emf"), _METAFILE),
    ".hwp": HANGUL,
    ".webarchive": _WEB_ARCHIVE,
    **dict.fromkeys((".gpg", ".pgp", ".asc", ".enc", ".p7m", ".p7z"),
                    Kind("an encrypted or signed file", "decrypt it with the key that belongs to it and drop what comes out")),
}  # fmt: skip
UNKNOWN = Kind("a file of a kind that is not known", "print it to PDF in the program that it belongs to, and drop the PDF")
LOCKED_ODF = Kind(
    "an OpenDocument file with a password",
    "open it in LibreOffice with its password, save it without one (File, Save As, no tick at the password) and drop that",
)
SVG = Kind("an SVG drawing", "save it as PNG or PDF (in a browser: Print, Save as PDF) and drop that")
MHTML = Kind("a saved web page (MHTML)", "open it in a browser, print it to PDF and drop the PDF")


def signature_kind(head: bytes) -> Kind | None:
    """The kind by the first bytes; None for those that are not known."""
    return next((kind for offset, mark, kind in SIGNATURES if head[offset : offset + len(mark)] == mark), None)


def package_kind(names: list[str], name: str) -> Kind:
    """The kind of a packed file by the names of its parts, else by its own name; an archive where both say nothing."""
    for mark, kind in IN_PACKAGES:
        if any(part == mark or (mark.endswith("/") and part.startswith(mark)) or part.endswith(f"/{mark}") for part in names):
            return kind
    return BY_NAME.get(PurePath(name).suffix.lower(), ARCHIVE)


def named_kind(name: str) -> Kind:
    """The kind by the end of a name; UNKNOWN for others."""
    return BY_NAME.get(PurePath(name).suffix.lower(), UNKNOWN)


def declined(kind: Kind) -> DocumentError:
    """The error for a file of this kind."""
    return DocumentError("unsupported", f"this is {kind.what}: {kind.cure}")
