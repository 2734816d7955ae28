"""Chooses the reader of a file without pages by its contents; the name decides only between kinds of text."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import BinaryIO

from lxml import etree

from pipeline.errors import DocumentError
from pipeline.pages.formats import compound, declined, epub
from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.formats.office_encryption import decrypted_office
from pipeline.pages.formats.package import Package
from pipeline.pages.formats.text_encoding import decode
from pipeline.pages.formats.xml_safety import attribute, children, local_name, parse_xml
from pipeline.pages.layout.blocks import Block, Remark
from pipeline.pages.layout.laid_out_document import LaidOutDocument
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.pages.protocol import OpenDocument
from pipeline.runtime.pymupdf_import import pymupdf

ZIP = b"PK\3\4"
MAX_TEXT_BYTES = 200_000_000
"""A larger text has more words than may be read in any case."""
_BLANKS = b" \t\r\n\xef\xbb\xbf"
_TABLE_NAMES = (".csv", ".tsv", ".tab")
_MARKDOWN_NAMES = (".md", ".markdown", ".mdown", ".mkd")
_HTML_NAMES = (".html", ".htm", ".xhtml", ".shtml")
_HTML_MARKS = (b"<!doctype html", b"<html", b"<head", b"<body")
_HTML_TAGS = tuple(
    f"<{tag}".encode() for tag in ("p>", "p ", "div", "table", "br", "span", "h1", "ul", "b>", "a ", "font", "meta")
)
_OLD_OFFICE = {"doc": (".doc", "docx", "an old Word document (.doc)"), "xls": (".xls", "xlsx", "an old Excel workbook (.xls)"),
               "ppt": (".ppt", "pptx", "an old PowerPoint presentation (.ppt)")}  # fmt: skip
_COMPOUND_KINDS = {
    "msg": declined.Kind("a message of Outlook (.msg)", "save it as .eml, or print it to PDF, and drop that"),
    "vsd": declined.Kind("a drawing of Visio", "save it as PDF in Visio and drop the PDF"),
    "pub": declined.Kind("a publication of Publisher", "save it as PDF in Publisher and drop the PDF"),
    "mpp": declined.Kind("a plan of Project", "print it to PDF and drop the PDF"),
    "hwp": declined.HANGUL,
    "works": declined.Kind("a document of Works", "open it in LibreOffice, save it as PDF and drop the PDF"),
    "msi": declined.Kind("a program", "it is no document and is never started"),
}
_OPEN_XML = {
    "wordprocessingml": "docx",
    "word": "docx",
    "spreadsheetml": "xlsx",
    "excel": "xlsx",
    "presentationml": "pptx",
    "powerpoint": "pptx",
}
_UNREAD_PART = re.compile(r"/charts/chart\d|/diagrams/data\d|/afchunk|^Object \d+/content\.xml", re.IGNORECASE)
_ODF = {"text": "odt", "spreadsheet": "ods", "presentation": "odp", "graphics": "odp"}
_STAR_OFFICE = {
    "writer": (".sxw", "odt", "a text of OpenOffice 1 (.sxw)"),
    "calc": (".sxc", "ods", "a sheet of OpenOffice 1 (.sxc)"),
    "impress": (".sxi", "odp", "a presentation of OpenOffice 1 (.sxi)"),
    "draw": (".sxd", "odp", "a drawing of OpenOffice 1 (.sxd)"),
}
"""Suffix, the format that LibreOffice makes of it, its name in words, by the end of its media type (``application/vnd.sun.xml.…``)."""


def open_packed(file: BinaryIO, name: str, limits: FormatLimits) -> OpenDocument:
    """An office file that is a zip. Raises DocumentError, ``unsupported`` for archives and other packed files."""
    package = Package(file, limits.unpacked_bytes)
    kind = _open_xml_kind(package) if "[Content_Types].xml" in package else _odf_kind(package)
    if kind == "xlsb":
        return _open_converted(file, ".xlsb", "xlsx", "a binary workbook of Excel (.xlsb)", "xlsb", limits)
    if not kind and (old := _star_office_kind(package)):
        suffix, target, what = _STAR_OFFICE[old]
        return _open_converted(file, suffix, target, what, suffix[1:], limits)
    if not kind and any(part.lower().endswith(".fdseq") for part in package.names):
        return _open_xps(file, package)
    if not kind and epub.is_book(package):
        return LaidOutDocument("epub", epub.epub_blocks(package), limits.words)
    if not kind:
        raise declined.declined(declined.package_kind(package.names, name))
    if limits.by_libreoffice and (drawn := _drawn_by_libreoffice(file, kind, limits)):
        return drawn
    return LaidOutDocument(kind, _with_unread_parts(package, _package_blocks(kind)(package)), limits.words)


def _with_unread_parts(package: Package, blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks, and a remark on parts with texts that are not read."""
    yield from blocks
    if any(_UNREAD_PART.search(name) for name in package.names):
        yield Remark("charts, diagrams or inserted documents whose texts were not read; drop the file as PDF to have them read")


def _package_blocks(kind: str) -> Callable[[Package], Iterator[Block]]:
    if kind == "docx":
        from pipeline.pages.formats.docx import docx_blocks

        return docx_blocks
    if kind == "xlsx":
        from pipeline.pages.formats.xlsx import xlsx_blocks

        return xlsx_blocks
    if kind == "pptx":
        from pipeline.pages.formats.pptx import pptx_blocks

        return pptx_blocks
    return _odf_blocks(kind)


def _odf_blocks(kind: str) -> Callable[..., Iterator[Block]]:
    if kind == "ods":
        from pipeline.pages.formats.ods import ods_blocks

        return ods_blocks
    if kind == "odp":
        from pipeline.pages.formats.odp import odp_blocks

        return odp_blocks
    from pipeline.pages.formats.odt import odt_blocks

    return odt_blocks


def _open_xml_kind(package: Package) -> str:
    """``docx``, ``xlsx``, ``pptx``, ``xlsb``; empty for other packages of this standard."""
    try:
        main = package.main_part()
    except DocumentError:
        if any(name.startswith(("word/", "xl/", "ppt/")) for name in package.names):
            raise
        return ""
    if main.endswith(".bin"):
        return "xlsb"
    types = {
        attribute(each, "PartName").lstrip("/"): attribute(each, "ContentType")
        for each in children(package.xml("[Content_Types].xml"), "Override")
    }
    content_type = types.get(main, "").lower()
    for mark, kind in _OPEN_XML.items():
        if mark in content_type.replace("openxmlformats-officedocument", ""):
            return kind
    return {"word": "docx", "xl": "xlsx", "ppt": "pptx"}.get(main.partition("/")[0], "")


def _odf_kind(package: Package) -> str:
    """``odt``, ``ods``, ``odp``; empty for other packages. Raises DocumentError for one with a password."""
    if "mimetype" not in package or "content.xml" not in package:
        return ""
    mime = _media_type(package)
    kind = next((kind for name, kind in _ODF.items() if f"opendocument.{name}" in mime), "")
    manifest = package.optional_xml("META-INF/manifest.xml") if kind else None
    if manifest is not None and any(True for _ in manifest.iter("{*}encryption-data")):
        raise declined.declined(declined.LOCKED_ODF)
    return kind


def _media_type(package: Package) -> str:
    """What the package says that it is; OpenOffice 1 says it in the list of its parts only."""
    if "mimetype" in package:
        return package.read("mimetype")[:100].decode("ascii", "replace").strip()
    entries = children(package.optional_xml("META-INF/manifest.xml"), "file-entry")
    return next((attribute(entry, "media-type") for entry in entries if attribute(entry, "full-path") == "/"), "")


def _star_office_kind(package: Package) -> str:
    mime = _media_type(package) if "content.xml" in package else ""
    return next((name for name in _STAR_OFFICE if f"sun.xml.{name}" in mime), "")


def _open_xps(file: BinaryIO, package: Package) -> OpenDocument:
    """An XPS document as the PDF that MuPDF makes of it; bytes are counted first, because MuPDF unpacks it by itself."""
    for part in package.names:
        package.read(part)
    file.seek(0)
    try:
        with pymupdf.open(stream=file.read(), filetype="xps") as document:
            content = document.convert_to_pdf()
    except Exception as error:  # MuPDF raises errors of undocumented types
        raise DocumentError(
            "unreadable", f"an XPS document that is damaged ({error}); print it to PDF and drop the PDF"
        ) from error
    return DrawnDocument(content, "xps")


def open_compound(file: BinaryIO, name: str, limits: FormatLimits, passwords: Sequence[str] = ()) -> OpenDocument:
    """An old office file, which LibreOffice converts, or one of any age with a password. Raises DocumentError."""
    kind = compound.compound_kind(file)
    if kind in ("encrypted", *_OLD_OFFICE) and (plain := decrypted_office(file, passwords)):
        if kind == "encrypted":
            return open_packed(plain, name, limits)
        file = plain
    if kind == "encrypted":
        raise DocumentError("unreadable", "an office file with a password whose encryption is damaged")
    if kind in _OLD_OFFICE:
        suffix, target, what = _OLD_OFFICE[kind]
        return _open_converted(file, suffix, target, what, kind, limits)
    raise declined.declined(_COMPOUND_KINDS.get(kind, declined.UNKNOWN))


def _open_converted(file: BinaryIO, suffix: str, target: str, what: str, kind: str, limits: FormatLimits) -> OpenDocument:
    from pipeline.pages.formats.libreoffice import convert

    if limits.by_libreoffice and (drawn := _drawn_by_libreoffice(file, kind, limits)):
        return drawn
    converted = convert(file, suffix, target, limits.seconds, what)
    package = Package(io.BytesIO(converted), limits.unpacked_bytes)
    return LaidOutDocument(kind, _package_blocks(target)(package), limits.words)


def _drawn_by_libreoffice(file: BinaryIO, kind: str, limits: FormatLimits) -> OpenDocument | None:
    """The pages as LibreOffice draws them; None where it is not installed."""
    from pipeline.pages.formats.libreoffice import convert, find_program

    if not find_program():
        return None
    return DrawnDocument(convert(file, f".{kind}", "pdf", limits.seconds, f"a {kind} file"), kind)


class DrawnDocument(MuPdfDocument):
    """A file as the PDF that another program makes of it."""

    def __init__(self, content: bytes, kind: str) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the document is
        self._file.write(content)
        self._file.flush()
        super().__init__(self._file)
        self.kind = kind

    def close(self) -> None:
        """Release the PDF."""
        super().close()
        self._file.close()


# ---- text -------------------------------------------------------------------------------------------------------------


def open_text(file: BinaryIO, name: str, limits: FormatLimits) -> OpenDocument | None:
    """A file of letters: RTF, HTML, XML, CSV, Markdown, plain text. None for one that is none of them. Raises DocumentError."""
    file.seek(0)
    content = file.read(MAX_TEXT_BYTES + 1)
    if len(content) > MAX_TEXT_BYTES:
        if decode(content[:100_000]) is None:
            return None
        raise DocumentError(
            "too_large", f"a text of more than {MAX_TEXT_BYTES // 1_000_000} MB: cut it into parts and drop these"
        )
    head = content[:4096].lstrip(_BLANKS).lower()
    suffix = PurePath(name).suffix.lower()
    if head.startswith(b"{\\rtf"):
        from pipeline.pages.formats.rtf import rtf_blocks

        return LaidOutDocument("rtf", rtf_blocks(content), limits.words)
    if head.startswith((b"mime-version:", b"from: <saved by")) and b"multipart/related" in head:
        raise declined.declined(declined.MHTML)
    if _looks_like_html(head, suffix):
        return _open_html(content, limits)
    if head.startswith(b"<") or content.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<")):
        return _open_xml(content, head, suffix, limits)
    text = decode(content)
    if text is None:
        return None
    return _open_plain(text, suffix, limits)


def _looks_like_html(head: bytes, suffix: str) -> bool:
    if head.startswith(b"<?xml"):
        return b"<html" in head
    return (
        head.startswith(_HTML_MARKS)
        or suffix in _HTML_NAMES
        or (head.startswith(b"<") and any(mark in head[:1024] for mark in _HTML_MARKS))
    )


def _open_html(content: bytes, limits: FormatLimits) -> OpenDocument | None:
    from pipeline.pages.formats.html import declared_encoding, html_blocks

    text = decode(content, declared_encoding(content))
    return None if text is None else LaidOutDocument("html", html_blocks(text), limits.words)


def _open_xml(content: bytes, head: bytes, suffix: str, limits: FormatLimits) -> OpenDocument | None:
    try:
        root = parse_xml(content.lstrip(_BLANKS) if content.lstrip(_BLANKS).startswith(b"<") else content, "the file")
    except DocumentError as error:
        if error.reason == "unsupported" or head.startswith(b"<?xml") or suffix == ".xml":
            raise
        if any(tag in head for tag in _HTML_TAGS):
            return _open_html(content, limits)
        text = decode(content)
        return None if text is None else _open_plain(text, suffix, limits)
    name = local_name(root)
    if name == "svg":
        raise declined.declined(declined.SVG)
    if name == "html":
        return _open_html(content, limits)
    if name == "document" and (kind := _flat_odf_kind(root)):
        return LaidOutDocument(kind, _odf_blocks(kind)(None, root), limits.words)
    from pipeline.pages.formats.xml_data import xml_blocks

    return LaidOutDocument("xml", xml_blocks(root), limits.words)


def _flat_odf_kind(root: etree._Element) -> str:
    mime = attribute(root, "mimetype")
    return next((kind for name, kind in _ODF.items() if f"opendocument.{name}" in mime), "")


def _open_plain(text: str, suffix: str, limits: FormatLimits) -> OpenDocument:
    from pipeline.pages.formats.delimited import delimited_blocks, delimiter_of

    if suffix in _MARKDOWN_NAMES:
        from pipeline.pages.formats.markdown import markdown_blocks

        return LaidOutDocument("md", markdown_blocks(text), limits.words)
    if delimiter := delimiter_of(text, named=suffix in _TABLE_NAMES):
        return LaidOutDocument("csv", delimited_blocks(text, delimiter), limits.words)
    from pipeline.pages.formats.text import text_blocks

    return LaidOutDocument("txt", text_blocks(text), limits.words)
