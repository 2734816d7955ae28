"""PDF pages by MuPDF: the first opinion, fast and tolerant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import DocumentError
from pipeline.pages.protocol import Size
from pipeline.records import Box, PageImage, Reason
from pipeline.runtime.pymupdf_import import pymupdf

SCAN_COVERAGE = 0.6
"""A single image that covers more of the page than this makes it a scan."""
DOUBT_SCALE = 0.1
"""Pixels per point of a drawing that is made for its warnings."""
LOSSES = ("page may not be correct", "treating as end of file")
"""Warnings of MuPDF after which what stood on the page may not be drawn. It says such things nowhere else."""


class PageTreeError(DocumentError):
    """The file opens, but no page is found: ``zero_pages`` where it says so itself, else ``unreadable``."""

    def __init__(self, reason: Reason, detail: str, stated: str = "") -> None:
        super().__init__(reason, detail)
        self.stated = stated
        """The number of pages as the page tree states it, whatever that is; empty where it states none."""


class MuPdfDocument:
    """An opened PDF. Raises DocumentError ``needs_password``, ``unreadable`` or (PageTreeError) ``zero_pages``."""

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
            raise PageTreeError("unreadable", f"MuPDF: {error}", self._page_tree("Count")) from error
        if self.pages <= 0:
            raise self._no_page()

    def _no_page(self) -> PageTreeError:
        """Empty only by the file's own account; a file that had to be repaired may have held pages."""
        stated = self._page_tree("Count")
        if not self._document.is_repaired and (stated == "0" or self._page_tree("Kids") == "[]"):
            return PageTreeError("zero_pages", "the file holds no page", stated)
        return PageTreeError("unreadable", "MuPDF: the page tree is damaged, no page can be found", stated)

    def _page_tree(self, key: str) -> str:
        """What the root of the page tree has under ``key``, as it would stand in a PDF; empty for nothing."""
        try:
            kind, value = self._document.xref_get_key(self._document.pdf_catalog(), f"Pages/{key}")
        except Exception:  # there is no catalogue, or it is damaged
            return ""
        return "" if kind == "null" else str(value)

    def native_page(self, number: int) -> Any:
        """The ``pymupdf.Page``."""
        try:
            return self._document.load_page(number - 1)
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF, page {number}: {error}") from error

    def size(self, number: int) -> Size:
        """The displayed size: crop box and rotation applied."""
        rect = self.native_page(number).rect
        return Size(float(rect.width), float(rect.height))

    def native_scale(self, number: int) -> float | None:
        """The resolution of the scan that fills the page, if one does."""
        page = self.native_page(number)
        area = abs(page.rect.width * page.rect.height) or 1.0
        for info in _images(page):
            x0, y0, x1, y1 = info["bbox"]
            covered = abs((x1 - x0) * (y1 - y0))
            if covered > SCAN_COVERAGE * area:
                return float((info["width"] * info["height"] / covered) ** 0.5)
        return None

    def draw(self, number: int, scale: float) -> PageImage:
        """RGB on white, annotations included."""
        try:
            pixmap = self.native_page(number).get_pixmap(
                matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False
            )
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError("unreadable", f"MuPDF, page {number}: {error}") from error
        if not pixmap.width or not pixmap.height:  # page sizes near zero or near infinity
            raise DocumentError("unreadable", f"MuPDF, page {number}: drawn as {pixmap.width} x {pixmap.height} pixels")
        return PageImage(pixmap.width, pixmap.height, bytes(pixmap.samples), scale)

    def loss_warning(self, number: int) -> str:
        """What of the page is not in the file, or MuPDF's own warning that it could not read what the page shows."""
        page = self.native_page(number)
        try:
            self._document.xref_object(page.xref)
            missing = [xref for xref in page.get_contents() if not self._document.xref_is_stream(xref)]
        except Exception:  # MuPDF makes up an empty page where the file has none
            return "the file does not hold it"
        if missing:
            return f"the file does not hold its content (object {missing[0]})"
        pymupdf.TOOLS.reset_mupdf_warnings()
        self.draw(number, DOUBT_SCALE)
        warnings = pymupdf.TOOLS.mupdf_warnings().splitlines()
        return next((f"MuPDF: {line}" for line in warnings if any(loss in line for loss in LOSSES)), "")

    def image_boxes(self, number: int) -> list[Box]:
        """Boxes of raster images on the page as displayed, in points."""
        page = self.native_page(number)
        boxes = [pymupdf.Rect(info["bbox"]) * page.rotation_matrix for info in _images(page)]
        return [(float(box.x0), float(box.y0), float(box.x1), float(box.y1)) for box in boxes]

    def close(self) -> None:
        """Release the file and MuPDF's cache of it."""
        self._document.close()
        pymupdf.TOOLS.store_shrink(100)


def _images(page: Any) -> list[dict[str, Any]]:
    """What MuPDF tells of the page's raster images; nothing where it stumbles over one, for the page may be drawn all the same."""
    try:
        return list(page.get_image_info())
    except Exception:  # it names no type for what damaged images raise
        return []
