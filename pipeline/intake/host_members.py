"""Documents inside documents: attachments of a PDF, pictures and inserted files in an office file, files in the XML of an e-invoice."""

from __future__ import annotations

import base64
import binascii
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from lxml import etree

from pipeline.einvoice_names import EINVOICE_DATA
from pipeline.intake.container_members import Member, base_name
from pipeline.intake.inline_pictures import is_small_picture, picture_size
from pipeline.intake.mail import one_line
from pipeline.intake.office_objects import OBJECT_NAME, chart_workbooks, inserted_file
from pipeline.intake.zip import zip_members
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.safe_open import descriptor_path

MAX_ATTACHMENTS = 1_000
"""Attachments of one PDF."""
MAX_ANNOTATED_PAGES = 20_000
"""Pages of a PDF that are searched for attachments."""
MAX_XML_BYTES = 100_000_000
"""Of an e-invoice whose attachments are read: XML holds them as base64."""
_PICTURES = re.compile(
    r"(word/media|ppt/media|xl/media|Pictures|media)/[^/]+\.(png|jpe?g|tiff?|bmp|webp|gif|heic|pdf)", re.IGNORECASE
)
"""Where OOXML and OpenDocument keep pictures. Vector drawings are part of the page."""
_EMBEDDED = {
    "EmbeddedDocumentBinaryObject": "filename",  # UBL 2.1: BT-125
    "AttachmentBinaryObject": "filename",  # CII: BT-125
}
_ITALIAN_FILE, _ITALIAN_NAME, _ITALIAN_KIND = "Attachment", "NomeAttachment", "FormatoAttachment"
"""FatturaPA 2.2.5."""


def pdf_attachments(file: BinaryIO, passwords: tuple[str, ...] = ()) -> Iterator[Member]:
    """Files in the PDF's list of attachments, also those of a portfolio, and at its pages, without the data of an e-invoice.

    A PDF that does not open gives none: its reading says why.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        document = pymupdf.open(descriptor_path(file), filetype="pdf")
        if not document.is_pdf or (document.needs_pass and not any(document.authenticate(word) for word in ("", *passwords))):
            return
        names = list(document.embfile_names())
        pages = document.page_count
    except MemoryError:
        raise
    except Exception:  # MuPDF raises many types on damaged files
        return
    for number, key in enumerate(names[:MAX_ATTACHMENTS]):
        info = _quietly(document.embfile_info, number) or {}
        name = base_name(one_line(_as_written(str(info.get("ufilename") or info.get("filename") or key))))
        yield from _attached(name or f"attachment-{number + 1}", partial(_embedded, document, number))
    most = len(names)
    for number in range(min(pages, MAX_ANNOTATED_PAGES)):
        if files := _files_at(document, number):
            most = max(most, files)
            yield from _at_page(document, number)
    if most > MAX_ATTACHMENTS:
        yield Member(
            "(more)",
            0,
            io.BytesIO,
            f"attachments after the first {MAX_ATTACHMENTS:,}: save them from the file and put them into the inbox",
            True,
            "too_large",
        )


def _files_at(document: Any, number: int) -> int:
    """How many files are attached at a page, which is not loaded for that."""
    found = _quietly(document.page_annot_xrefs, number) or []
    return sum(kind == pymupdf.PDF_ANNOT_FILE_ATTACHMENT for _, kind, *_ in found)


def _at_page(document: Any, number: int) -> Iterator[Member]:
    page = _quietly(document.load_page, number)
    found = (
        _quietly(lambda: list(islice(page.annots(types=[pymupdf.PDF_ANNOT_FILE_ATTACHMENT]), MAX_ATTACHMENTS)))
        if page
        else None
    )
    for at, annotation in enumerate(found or []):
        info = _quietly(lambda annotation=annotation: annotation.file_info) or {}
        name = base_name(one_line(_as_written(str(info.get("filename") or "")))) or f"page-{number + 1}-{at + 1}"
        yield from _attached(name, partial(_of_annotation, annotation))


def _as_written(name: str) -> str:
    """A name that a program has written as UTF-8 where PDF has another encoding (ISO 32000-1, 7.9.2.2), as it was meant."""
    try:
        return name.encode("latin-1").decode()
    except UnicodeError:
        return name


def _attached(name: str, opener: Any) -> Iterator[Member]:
    if not EINVOICE_DATA.fullmatch(name):
        yield Member(name, 0, opener)


def _embedded(document: Any, number: int) -> io.BytesIO:
    return io.BytesIO(_contents(lambda: document.embfile_get(number)))


def _of_annotation(annotation: Any) -> io.BytesIO:
    return io.BytesIO(_contents(annotation.get_file))


def _contents(read: Any) -> bytes:
    try:
        return bytes(read())
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"MuPDF: {error}") from error


def _quietly(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except MemoryError:
        raise
    except Exception:  # MuPDF raises many types on damaged objects; the pages are read anyway
        return None


def office_members(file: BinaryIO, max_bytes: int) -> Iterator[Member]:
    """What an office file holds of other documents: pictures that may show one (a photograph of a receipt, a scan), and inserted files.

    Logos, drawings, charts and formulas belong to the page. What is too large or damaged is given as it is: unpacking it says what is
    wrong, and the others follow.
    """
    charts = chart_workbooks(zip_members(file))
    for member in zip_members(file):
        is_object = bool(OBJECT_NAME.fullmatch(member.name)) and PurePosixPath(member.name).name not in charts
        if not (is_object or _PICTURES.fullmatch(member.name)) or member.refusal:
            continue
        name = PurePosixPath(member.name).name
        content: bytes | None
        try:
            with member.open() as stream:
                content = stream.read(min(member.size, max_bytes) + 1)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError):
            content = None
        if content is None or member.size > max_bytes:
            yield Member(name, member.size, member.open)
        elif is_object:
            if found := inserted_file(name, content):
                yield Member(found.name, len(found.content), partial(io.BytesIO, found.content))
        elif picture_size(content) and not is_small_picture(content):
            yield Member(name, len(content), partial(io.BytesIO, content))


def xml_attachments(content: bytes) -> Iterator[Member]:
    """Files inside the XML of an e-invoice (UBL, CII, FatturaPA). XML with entities of its own, and other XML, gives none."""
    if len(content) > MAX_XML_BYTES or not any(key.encode() in content for key in (*_EMBEDDED, _ITALIAN_NAME)):
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True)
    try:
        root = etree.fromstring(content.lstrip(b" \t\r\n\xef\xbb\xbf"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    if root.getroottree().docinfo.doctype:
        return
    number = 0
    for node in root.iter("{*}*"):
        key = etree.QName(node).localname if isinstance(node.tag, str) else ""
        if key in _EMBEDDED and node.text:
            name, kind = node.get(_EMBEDDED[key]) or "", (node.get("mimeCode") or "").rpartition("/")[2]
        elif key == _ITALIAN_FILE and node.text:
            name, kind = (node.getparent().findtext(f"{{*}}{part}") or "" for part in (_ITALIAN_NAME, _ITALIAN_KIND))
        else:
            continue
        number += 1
        name = base_name(one_line(name)) or f"attachment-{number}"
        if kind.isalnum() and "." not in name:
            name = f"{name}.{kind.lower()}"
        yield Member(name, 0, partial(_from_base64, node.text))


def _from_base64(text: str) -> io.BytesIO:
    try:
        return io.BytesIO(base64.b64decode("".join(text.split())))
    except binascii.Error as error:
        raise ValueError(f"its base64 is broken: {error}") from error
