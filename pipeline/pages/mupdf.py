"""PDF pages by MuPDF: the first opinion, fast and tolerant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymupdf

from pipeline.errors import DocumentError
from pipeline.pages.opened import Size
from pipeline.records import Box, PageImage

SCAN_COVERAGE = 0.6
"""A single image that covers more of the page than this makes it a scan."""


class MuPdfDocument:
    """An opened PDF. Raises DocumentError ``needs_password``, ``unreadable`` or ``zero_pages``."""

    kind = "pdf"

    def __init__(self, path: Path, passwords: Sequence[str] = ()) -> None:
        pymupdf.TOOLS.mupdf_display_errors(False)
        pymupdf.TOOLS.mupdf_display_warnings(False)
        try:
            self._document = pymupdf.open(path, filetype="pdf")
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF: {error}") from error
        if not self._document.is_pdf:  # MuPDF goes by the content: pictures and web pages of any size would be drawn
            raise DocumentError("unreadable", "MuPDF: the content is no PDF")
        if self._document.needs_pass and not any(self._document.authenticate(word) for word in ("", *passwords)):
            raise DocumentError("needs_password", "the file is encrypted")
        try:
            self.pages: int = self._document.page_count
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF: {error}") from error
        if self.pages <= 0:
            raise DocumentError("zero_pages", "the file holds no page")

    def handle(self, number: int) -> Any:
        """The ``pymupdf.Page``."""
        try:
            return self._document.load_page(number - 1)
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF, page {number}: {error}") from error

    def size(self, number: int) -> Size:
        """The displayed size: crop box and rotation applied."""
        rect = self.handle(number).rect
        return Size(float(rect.width), float(rect.height))

    def native_scale(self, number: int) -> float | None:
        """The resolution of the scan that fills the page, if one does."""
        page = self.handle(number)
        area = abs(page.rect.width * page.rect.height) or 1.0
        for info in page.get_image_info():
            x0, y0, x1, y1 = info["bbox"]
            covered = abs((x1 - x0) * (y1 - y0))
            if covered > SCAN_COVERAGE * area:
                return float((info["width"] * info["height"] / covered) ** 0.5)
        return None

    def draw(self, number: int, scale: float) -> PageImage:
        """RGB on white, annotations included."""
        try:
            pixmap = self.handle(number).get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF, page {number}: {error}") from error
        if not pixmap.width or not pixmap.height:  # page sizes near zero or near infinity
            raise DocumentError("unreadable", f"MuPDF, page {number}: drawn as {pixmap.width} x {pixmap.height} pixels")
        return PageImage(pixmap.width, pixmap.height, bytes(pixmap.samples), scale)

    def image_boxes(self, number: int) -> list[Box]:
        """Boxes of raster images, in points."""
        return [tuple(map(float, info["bbox"])) for info in self.handle(number).get_image_info()]  # type: ignore[misc]

    def close(self) -> None:
        """Release the file and MuPDF's cache of it."""
        self._document.close()
        pymupdf.TOOLS.store_shrink(100)
