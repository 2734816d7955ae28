"""Opens a file as a document by its content: PDF, picture, office file, text. PDFium is tried where MuPDF fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import filetype

from pipeline.errors import DocumentError
from pipeline.pages.formats.compound import MAGIC
from pipeline.pages.formats.declined import declined, named_kind, signature_kind
from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.formats.registry import ZIP, open_compound, open_packed, open_text
from pipeline.pages.formats.text_encoding import decode
from pipeline.pages.images import ImageDocument
from pipeline.pages.mupdf import MuPdfDocument, PageTreeError
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument

HEADER = 1024
"""The first bytes of a file, in which ``%PDF-`` must appear (ISO 32000-1, annex H, implementation note 13)."""
_TAR, _TAR_AT = b"ustar", 257
_DISC_AT = 0x8001
"""Where the image of a disc says that it is one (ISO 9660)."""


def open_document(
    file: BinaryIO,
    name: str,
    *,
    passwords: Sequence[str] = (),
    megapixels: int = 400,
    formats: FormatLimits | None = None,
) -> OpenDocument:
    """A file as a document, by its contents. The file stays open as long as the document is used.

    The ``name`` matters only for a PDF whose header is lost, between kinds of text (CSV, Markdown), and in messages.

    Raises DocumentError with one of the reasons in ``records.Reason``.
    """
    file.seek(0)
    head = file.read(HEADER)
    file.seek(0)
    if not head:
        raise DocumentError("unreadable", "the file is empty")
    formats = formats or FormatLimits()
    if head.startswith(ZIP):  # a PDF inside may have its header among the first bytes
        return open_packed(file, name, formats)
    if head.startswith(MAGIC):
        return open_compound(file, name, formats, passwords)
    if head[_TAR_AT:].startswith(_TAR):
        raise _declined(file, head, name)
    if b"%PDF-" in head:
        return _open_pdf(file, passwords)
    try:
        return ImageDocument(file, megapixels)
    except DocumentError as error:
        if error.reason != "unsupported" and not signature_kind(head) and decode(head) is None:
            raise
        if name.lower().endswith(".pdf") and (document := _open_lost_header(file, passwords)):
            return document
        if signature_kind(head):
            raise _declined(file, head, name) from error
        if decode(head) is None and (guess := filetype.guess(head)) and guess.mime.startswith("image/"):
            raise DocumentError("unreadable", f"looks like {guess.mime}, but cannot be decoded") from error
        if document := open_text(file, name, formats):
            return document
        raise _declined(file, head, name) from error


def _open_lost_header(file: BinaryIO, passwords: Sequence[str]) -> OpenDocument | None:
    """A PDF without its header; None for a file of another kind that is only called so."""
    try:
        return _open_pdf(file, passwords)
    except DocumentError as error:
        file.seek(0)
        if error.reason == "unreadable" and decode(file.read(HEADER)) is not None:
            return None
        raise


def _declined(file: BinaryIO, head: bytes, name: str) -> DocumentError:
    """The error for a file that is no document, with what to do about it."""
    file.seek(_DISC_AT)
    beginning = head.ljust(_DISC_AT, b"\0") + file.read(8)
    return declined(signature_kind(beginning) or named_kind(name))


def _open_pdf(file: BinaryIO, passwords: Sequence[str]) -> OpenDocument:
    try:
        return MuPdfDocument(file, passwords)
    except DocumentError as first:
        return _open_after_failure(first, file, passwords)


def _open_after_failure(first: DocumentError, file: BinaryIO, passwords: Sequence[str]) -> PdfiumDocument:
    """The PDF by PDFium, where it finds visible content and as many pages as the file declares.

    Raises DocumentError: ``first``, MuPDF's error, unless PDFium gives a better reason.
    """
    try:
        other = PdfiumDocument(file, passwords)
    except DocumentError as second:
        needs_password = first.reason == "unreadable" and second.reason == "needs_password"
        raise (second if needs_password else first) from second
    if not other.has_visible_content():
        raise first
    if isinstance(first, PageTreeError) and first.declared_count not in ("", str(other.pages)):
        # Pages may be missing, and it is unknown which: such a file cannot be accounted for page by page.
        detail = f"the page tree is damaged: it declares {first.declared_count} pages, PDFium finds {other.pages}"
        raise DocumentError("unreadable", detail) from first
    return other


def open_with_pdfium(file: BinaryIO, passwords: Sequence[str] = ()) -> PdfiumDocument | None:
    """A PDF by PDFium; None where PDFium cannot open it."""
    try:
        return PdfiumDocument(file, passwords)
    except DocumentError:
        return None
