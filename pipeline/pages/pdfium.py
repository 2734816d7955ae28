"""PDF pages by PDFium: the second opinion where MuPDF draws nothing, finds no page or wants a password.

MuPDF draws some files blank without an error (JBIG2 with refinement), opens some with no page, and asks for passwords that the file
does not need; PDFium reads many of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.errors import DocumentError
from pipeline.pages.protocol import Size
from pipeline.records import Box, PageImage

_PASSWORD_ERROR = "password"  # noqa: S105 - a word of PDFium's message


class PdfiumDocument:
    """An opened PDF. Raises DocumentError ``needs_password``, ``unreadable`` or ``zero_pages``."""

    kind = "pdf"

    def __init__(self, path: Path, passwords: Sequence[str] = ()) -> None:
        self._document = _open(path, passwords)
        self.pages = len(self._document)
        if self.pages <= 0:
            raise DocumentError("zero_pages", "the file holds no page")

    def has_visible_content(self) -> bool:
        """Whether some page has marks, and the last page is there: PDFium takes the number of pages on trust, and invents pages."""
        try:
            self.native_page(self.pages)
        except DocumentError:
            return False
        return any(self._has_marks(number) for number in range(1, self.pages + 1))

    def _has_marks(self, number: int) -> bool:
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
        """The displayed size: rotation applied."""
        return Size(*map(float, self.native_page(number).get_size()))

    def native_scale(self, number: int) -> float | None:
        """Unknown: PDFium is asked only where MuPDF failed."""
        del number
        return None

    def draw(self, number: int, scale: float) -> PageImage:
        """RGB on white."""
        try:
            bitmap = self.native_page(number).render(scale=scale, rev_byteorder=True)
            image = bitmap.to_pil().convert("RGB")
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError("unreadable", f"PDFium, page {number}: {error}") from error
        return PageImage(image.width, image.height, image.tobytes(), scale)

    def loss_warning(self, number: int) -> str:
        """None that PDFium would tell."""
        del number
        return ""

    def image_boxes(self, number: int) -> list[Box]:
        """Not asked for here: pages read by PDFium are judged by their words alone."""
        del number
        return []

    def close(self) -> None:
        """Release the file."""
        self._document.close()


def _open(path: Path, passwords: Sequence[str]) -> Any:
    last = "cannot be opened"
    for password in (None, *passwords):
        _forget_last_error()
        try:
            return pypdfium2.PdfDocument(path, password=password)
        except pypdfium2.PdfiumError as error:
            last = str(error)
    if _PASSWORD_ERROR in last.lower():
        raise DocumentError("needs_password", "the file is encrypted")
    raise DocumentError("unreadable", f"PDFium: {last}")


def _forget_last_error() -> None:
    """Some failures leave PDFium's error as it was: without this, the error of the file before, that of a password say, is reported."""
    pdfium.FPDF_LoadMemDocument(b"", 0, None)
