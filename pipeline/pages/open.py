"""A file becomes an opened document, by its content; the second opinion is asked where the first fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import filetype

from pipeline.errors import DocumentError
from pipeline.pages.images import ImageDocument
from pipeline.pages.mupdf import MuPdfDocument, PageTreeError
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument

HEADER = 1024
"""Bytes at the start of a file in which readers look for ``%PDF-`` (ISO 32000-1, annex H, implementation note 13)."""
_ZIP, _TAR, _TAR_AT = b"PK\3\4", b"ustar", 257


def open_document(path: Path, *, passwords: Sequence[str] = (), megapixels: int = 400) -> OpenDocument:
    """Open ``path`` by what it holds; its name only matters for a PDF whose header is lost.

    Raises DocumentError with one of the closed list of reasons.
    """
    with path.open("rb") as file:
        head = file.read(HEADER)
    if not head:
        raise DocumentError("unreadable", "the file is empty")
    if head.startswith(_ZIP) or head[_TAR_AT:].startswith(_TAR):  # the header of a PDF in it may stand among the first bytes
        raise DocumentError(
            "unsupported", "an archive or an office document; `pipeline reprocess FILE` reads what is in an archive"
        )
    if b"%PDF-" in head:
        return _open_pdf(path, passwords)
    try:
        return ImageDocument(path, megapixels)
    except DocumentError as error:
        if error.reason != "unsupported":
            raise
        if path.suffix.lower() == ".pdf":
            return _open_pdf(path, passwords)
        if (guess := filetype.guess(head)) and guess.mime.startswith("image/"):
            raise DocumentError("unreadable", f"looks like {guess.mime}, but cannot be decoded") from error
        raise


def _open_pdf(path: Path, passwords: Sequence[str]) -> OpenDocument:
    try:
        return MuPdfDocument(path, passwords)
    except DocumentError as first:
        return _overruled(first, path, passwords)


def _overruled(first: DocumentError, path: Path, passwords: Sequence[str]) -> PdfiumDocument:
    """The PDF by PDFium where that has something to show, and the file itself does not contradict it.

    Raises DocumentError, ``first`` where PDFium knows nothing better.
    """
    try:
        other = PdfiumDocument(path, passwords)
    except DocumentError as second:
        encrypted_otherwise = first.reason == "unreadable" and second.reason == "needs_password"
        raise (second if encrypted_otherwise else first) from second
    if not other.has_visible_content():
        raise first
    if isinstance(first, PageTreeError) and first.stated not in ("", str(other.pages)):
        # Pages may be missing, and nobody could tell which: no page of such a file could be accounted for.
        detail = f"the page tree is damaged: it states {first.stated} pages, PDFium finds {other.pages}"
        raise DocumentError("unreadable", detail) from first
    return other


def open_with_pdfium(path: Path, passwords: Sequence[str] = ()) -> PdfiumDocument | None:
    """The same PDF by PDFium, or None where it cannot open it either."""
    try:
        return PdfiumDocument(path, passwords)
    except DocumentError:
        return None
