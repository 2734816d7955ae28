"""PDF pages by PDFium, which is used where MuPDF draws nothing, finds no page or wants a password.

MuPDF draws some files blank without an error (JBIG2 with refinement), opens some without pages, and asks for passwords that the file
does not need. PDFium reads many of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.errors import DocumentError
from pipeline.pages.protocol import LOCKED, Size
from pipeline.records import Box, PageImage

_PASSWORD_ERROR = "password"  # noqa: S105 - a word in PDFium's message


class PdfiumDocument:
    """An opened PDF. Raises DocumentError ``needs_password``, ``unreadable`` or ``zero_pages``."""

    kind = "pdf"

    def __init__(self, file: BinaryIO, passwords: Sequence[str] = ()) -> None:
        self._document = _open(file, passwords)
        self.pages = len(self._document)
        if self.pages <= 0:
            raise DocumentError("zero_pages", "the file holds no page")

    def has_visible_content(self) -> bool:
        """Whether a page has objects and the last page exists. PDFium believes a false page count and returns invented pages."""
        try:
            self.native_page(self.pages)
        except DocumentError:
            return False
        return any(self._has_objects(number) for number in range(1, self.pages + 1))

    def _has_objects(self, number: int) -> bool:
        try:
            return next(self.native_page(number).get_objects(max_depth=1), None) is not None
        except DocumentError:
            return False

    def native_page(self, number: int) -> Any:
        """The ``pypdfium2.PdfPage``."""
        try:
            return self._document[number - 1]
        except Exception as error:
            raise DocumentError("unreadable", f"PDFium, page {number}: {error}") from error

    def size(self, number: int) -> Size:
        """The displayed size in points: rotation applied."""
        return Size(*map(float, self.native_page(number).get_size()))

    def native_scale(self, number: int) -> float | None:
        """None: not determined for files that MuPDF cannot read."""
        del number
        return None

    def draw(self, number: int, scale: float) -> PageImage:
        """The page in RGB on white."""
        try:
            bitmap = self.native_page(number).render(scale=scale, rev_byteorder=True)
            image = bitmap.to_pil().convert("RGB")
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError("unreadable", f"PDFium, page {number}: {error}") from error
        return PageImage(image.width, image.height, image.tobytes(), scale)

    def loss_warning(self, number: int) -> str:
        """Empty: PDFium gives no warnings."""
        del number
        return ""

    def image_boxes(self, number: int) -> list[Box]:
        """Empty: pages that PDFium reads are judged by their words only."""
        del number
        return []

    def close(self) -> None:
        """Release the file."""
        self._document.close()


def _open(file: BinaryIO, passwords: Sequence[str]) -> Any:
    last = "cannot be opened"
    for password in (None, *passwords):
        _reset_last_error()
        try:
            return pypdfium2.PdfDocument(file, password=password)
        except pypdfium2.PdfiumError as error:
            last = str(error)
    if _PASSWORD_ERROR in last.lower():
        raise DocumentError("needs_password", LOCKED)
    raise DocumentError("unreadable", f"PDFium: {last}")


def _reset_last_error() -> None:
    """Reset PDFium's last error. Some failures do not set it, and the error of an earlier file would be reported."""
    pdfium.FPDF_LoadMemDocument(b"", 0, None)
