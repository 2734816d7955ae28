"""PDF pages by MuPDF, the library that is tried first: it is fast and tolerates damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from pipeline.einvoice_names import EINVOICE_DATA
from pipeline.errors import DocumentError
from pipeline.pages.protocol import LOCKED, Size
from pipeline.records import Box, PageImage, Reason
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.safe_open import descriptor_path

SCAN_COVERAGE = 0.6
"""A page is a scan when one image covers more than this share of it."""
MAX_ANNOTATED_PAGES = 50
"""Pages that are searched for attachments."""
MAX_ATTACHMENTS = 100
WARNING_SCALE = 0.1
"""Pixels per point of a drawing that is only made for MuPDF's warnings."""
_NO_PDF = "it cannot be opened as a PDF: it is damaged, cut off, or no PDF"
LOSS_WARNINGS = ("page may not be correct", "treating as end of file")
"""Warnings of MuPDF after which parts of the page may be missing. It raises no error then."""


class PageTreeError(DocumentError):
    """The file opens without pages: ``zero_pages`` where the file declares none, else ``unreadable``."""

    def __init__(self, reason: Reason, detail: str, declared_count: str = "") -> None:
        super().__init__(reason, detail)
        self.declared_count = declared_count
        """The page count in the page tree, as text that may be damaged; empty without one."""


class MuPdfDocument:
    """An opened PDF. Raises DocumentError ``needs_password``, ``unreadable`` or (PageTreeError) ``zero_pages``."""

    kind = "pdf"

    def __init__(self, file: BinaryIO, passwords: Sequence[str] = ()) -> None:
        pymupdf.TOOLS.mupdf_display_errors(False)
        pymupdf.TOOLS.mupdf_display_warnings(False)
        try:
            self._document = pymupdf.open(descriptor_path(file), filetype="pdf")
        except Exception as error:
            raise DocumentError("unreadable", _NO_PDF) from error
        if not self._document.is_pdf:  # MuPDF also opens pictures and web pages of any size
            raise DocumentError("unreadable", _NO_PDF)
        if self._document.needs_pass and not any(self._document.authenticate(word) for word in ("", *passwords)):
            raise DocumentError("needs_password", LOCKED)
        try:
            self.pages: int = self._document.page_count
        except Exception as error:
            raise PageTreeError("unreadable", f"MuPDF: {error}", self._page_tree("Count")) from error
        if self.pages <= 0:
            raise self._page_tree_error()

    def _page_tree_error(self) -> PageTreeError:
        """The error for a file without pages. A file that MuPDF had to repair may have lost its pages."""
        declared = self._page_tree("Count")
        if not self._document.is_repaired and (declared == "0" or self._page_tree("Kids") == "[]"):
            return PageTreeError("zero_pages", "the file holds no page", declared)
        return PageTreeError("unreadable", "MuPDF: the page tree is damaged, no page can be found", declared)

    def _page_tree(self, key: str) -> str:
        """The value of ``key`` in the root of the page tree, in PDF syntax; empty without one."""
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
        """The displayed size in points: crop box and rotation applied."""
        rect = self.native_page(number).rect
        return Size(float(rect.width), float(rect.height))

    def native_scale(self, number: int) -> float | None:
        """Pixels per point of the scan that fills the page; None for other pages."""
        page = self.native_page(number)
        area = abs(page.rect.width * page.rect.height) or 1.0
        for info in _images(page):
            x0, y0, x1, y1 = info["bbox"]
            covered = abs((x1 - x0) * (y1 - y0))
            if covered > SCAN_COVERAGE * area:
                return float((info["width"] * info["height"] / covered) ** 0.5)
        return None

    def draw(self, number: int, scale: float) -> PageImage:
        """The page in RGB on white, with annotations."""
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
        """Which part of the page the file lacks, or MuPDF's warning that it could not read a part; empty for sound pages."""
        page = self.native_page(number)
        try:
            self._document.xref_object(page.xref)
            missing = [xref for xref in page.get_contents() if not self._document.xref_is_stream(xref)]
        except Exception:  # MuPDF returns an empty page for a page that the file lacks
            return "the file does not hold it"
        if missing:
            return f"the file does not hold its content (object {missing[0]})"
        pymupdf.TOOLS.reset_mupdf_warnings()
        self.draw(number, WARNING_SCALE)
        warnings = pymupdf.TOOLS.mupdf_warnings().splitlines()
        return next((f"MuPDF: {line}" for line in warnings if any(warning in line for warning in LOSS_WARNINGS)), "")

    def image_boxes(self, number: int) -> list[Box]:
        """Boxes of raster images on the page as displayed, in points."""
        page = self.native_page(number)
        boxes = [pymupdf.Rect(info["bbox"]) * page.rotation_matrix for info in _images(page)]
        return [(float(box.x0), float(box.y0), float(box.x1), float(box.y1)) for box in boxes]

    def attachments(self) -> list[str]:
        """Names of the files inside the PDF, in its list of attachments or on its first pages, without the data of an e-invoice."""
        names = [str(self._document.embfile_info(name).get("filename") or name) for name in self._document.embfile_names()]
        for number in range(min(self.pages, MAX_ANNOTATED_PAGES)):
            found = self._document.load_page(number).annots(types=[pymupdf.PDF_ANNOT_FILE_ATTACHMENT])
            names += [str(annotation.file_info.get("filename") or "without a name") for annotation in found]
        return [name for name in dict.fromkeys(names) if not EINVOICE_DATA.fullmatch(name)][:MAX_ATTACHMENTS]

    def close(self) -> None:
        """Release the file and MuPDF's cache of it."""
        self._document.close()
        pymupdf.TOOLS.store_shrink(100)


def _images(page: Any) -> list[dict[str, Any]]:
    """MuPDF's information about the page's raster images; empty where one is damaged, because the page may still be drawn."""
    try:
        return list(page.get_image_info())
    except Exception:  # damaged images raise exceptions of undocumented types
        return []
