"""Opens a file as a document by its content. PDFium is tried where MuPDF fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import filetype

from pipeline.errors import DocumentError
from pipeline.pages.images import ImageDocument
from pipeline.pages.mupdf import MuPdfDocument, PageTreeError
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument

HEADER = 1024
"""The first bytes of a file, in which ``%PDF-`` must appear (ISO 32000-1, annex H, implementation note 13)."""
_ZIP, _TAR, _TAR_AT = b"PK\3\4", b"ustar", 257


def open_document(file: BinaryIO, name: str, *, passwords: Sequence[str] = (), megapixels: int = 400) -> OpenDocument:
    """A file as a document, by its contents. The file stays open as long as the document is used.

    The ``name`` matters only for a PDF whose header is lost, and in messages.

    Raises DocumentError with one of the reasons in ``records.Reason``.
    """
    file.seek(0)
    head = file.read(HEADER)
    file.seek(0)
    if not head:
        raise DocumentError("unreadable", "the file is empty")
    if head.startswith(_ZIP) or head[_TAR_AT:].startswith(_TAR):  # a PDF inside may have its header among the first bytes
        raise DocumentError(
            "unsupported", "an archive or an office document; `pipeline reprocess FILE` reads what is in an archive"
        )
    if b"%PDF-" in head:
        return _open_pdf(file, name, passwords)
    try:
        return ImageDocument(file, megapixels)
    except DocumentError as error:
        if error.reason != "unsupported":
            raise
        if name.lower().endswith(".pdf"):
            return _open_pdf(file, name, passwords)
        if (guess := filetype.guess(head)) and guess.mime.startswith("image/"):
            raise DocumentError("unreadable", f"looks like {guess.mime}, but cannot be decoded") from error
        raise


def _open_pdf(file: BinaryIO, name: str, passwords: Sequence[str]) -> OpenDocument:
    try:
        return MuPdfDocument(file, name, passwords)
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
