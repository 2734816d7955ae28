"""The work of a reader process: open a file, read the words of a page, draw it, classify it.

Runs in a process of ``WorkerPool``, which kills it when it hangs. No other module uses both the packages pages and words.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from pipeline.engines.embedded.classify import classify, is_cover
from pipeline.errors import DocumentError, FileChangedError
from pipeline.pages.blank import is_blank
from pipeline.pages.crop import draw_cropped
from pipeline.pages.einvoice_pages import EInvoiceDocument
from pipeline.pages.images import ImageDocument
from pipeline.pages.layout.laid_out_document import LaidOutDocument
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.pages.open_document import open_document, open_with_pdfium
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument, Size, fit_scale
from pipeline.pages.turn_and_cut import cut, turn
from pipeline.records import Box, FigureKind, Page, PageImage, Shape, Word
from pipeline.run.page_requests import (
    DOCUMENT_REPLY,
    PAGE_CONTENT,
    DocumentReply,
    ImageHeader,
    PageContent,
    PictureRequest,
    ReadRequest,
)
from pipeline.safe_open import contents, open_listed_file
from pipeline.split_records import Barcode
from pipeline.words.barcodes import has_unread_code, read_barcodes, read_barcodes_at
from pipeline.words.code_places import code_places
from pipeline.words.codes.read_codes import facts_of_codes
from pipeline.words.drawn_shapes import read_shapes
from pipeline.words.einvoice import Facts, of_page, read_bare_einvoice, read_einvoices
from pipeline.words.figures import MIN_SCAN_WORDS, find_figures, is_whole
from pipeline.words.missed_print import with_missed_print
from pipeline.words.ocr import read_page, read_places, read_strings
from pipeline.words.orientation import upright_rotation
from pipeline.words.page_layout import find_regions, has_layout
from pipeline.words.page_marks import page_marks
from pipeline.words.page_part import part_of_page
from pipeline.words.painted_page import PaintedPage
from pipeline.words.picture_text import MIN_CONFIDENCE, add_picture_words, merge_words, read_pictures, unread_pictures
from pipeline.words.running_lines import PlacedText, running_words
from pipeline.words.soundness import is_mostly_picture, is_sound
from pipeline.words.text_layer import read_pdfium_text_layer, read_text_layer
from pipeline.words.uncovered_ink import INK_SCALE, drawn_texts, has_uncovered_print, is_string
from pipeline.words.visibility import is_plain

OCR_SCALE = 200 / 72
"""Pixels per point for OCR of pages without a resolution of their own."""
OCR_SCALES = (150 / 72, 300 / 72)
"""Lowest and highest pixels per point for OCR of scans inside a PDF, which have a resolution of their own."""
OCR_PIXELS = 12_000_000
THUMBNAIL_PIXELS = 400 * 560
LAYOUT_PIXELS = 900 * 1_260
"""Pixels of the image that the layout is found in; the network sees a quarter of them."""
SHORT_PRINT_PIXELS = 1_572_864
"""Pixels of the image in which short print is looked for, as many as the chart template asks for."""
NEAR_PAGES = (-2, 2, -1, 1)
"""Where pages are looked at for running heads, as distances. Left and right pages of a book have different ones."""
COMPARED_PAGES = 2
"""Pages that are looked at, at most."""
MAX_SHEET_WORDS = 40
"""Words of a page with a text layer that may be a separator sheet, at most."""
ENLARGED_SCALE = 400 / 72
"""Pixels per point of a part of a page, at most."""


FIGURE_PIXELS = 6_000_000
"""Pixels of the image of a page with charts among its text that are raster images: each of them is a part of it."""


def figure_pixels(page: Page) -> int:
    """Pixels that the image of a page needs for its figures; 0 where it has none."""
    figures = page.figures or ()
    return FIGURE_PIXELS if any(f.kind == "chart" and not f.shapes and not f.is_page for f in figures) else 0


_last_document: tuple[ReadRequest, BinaryIO, OpenDocument] | None = None
"""The request, file and document of the last call: they stay open, since the pages of a document mostly come one after the other."""


def handle(message: bytes) -> list[bytes]:
    """Answer one request of the ``WorkerPool`` with the parts of a reply. Raises DocumentError."""
    started = time.perf_counter()
    request: ReadRequest = pickle.loads(message)  # noqa: S301 - pickled by our own parent process
    file, document = _document(request)
    if not request.page:
        remarks = document.remarks if isinstance(document, LaidOutDocument) else ()
        return [DOCUMENT_REPLY.dump_json(DocumentReply(document.kind, document.pages, _attachments(document), remarks))]
    reader = PageReader(request, file, document)
    if request.picture:
        image = reader.picture(request.picture)
        header = ImageHeader("", image.width, image.height, image.scale)
        return [PAGE_CONTENT.dump_json(PageContent(Page(request.page, 0, 0), None, (header,))), image.rgb]
    page = reader.read()
    kind = classify(page, reader.image(THUMBNAIL_PIXELS)) if request.classify and not page.blank else None
    named = {kind} if request.classify else set(request.images)
    if request.read_pictures & named:
        page = reader.with_pictures(page)
    if request.short_print & named:
        page = reader.with_missed_print(page)
    if request.layouts & named and not page.blank:
        page = reader.with_running_words(reader.with_regions(page))
    if request.figures & named and not page.blank:
        page = reader.with_figures(page)
    requested = {kind: request.images.get(kind, 0)} if kind else {} if request.classify else request.images
    if kind == "text" and is_cover(page) and page.number < document.pages:
        kind = None
    sizes = {name: pixels for name, pixels in requested.items() if pixels and not page.blank}
    sizes = {name: max(pixels, figure_pixels(page)) if name in request.figures else pixels for name, pixels in sizes.items()}
    drawings = {pixels: reader.printed_part(page, pixels) for pixels in set(sizes.values())}
    images = {name: drawings[pixels] for name, pixels in sizes.items()}
    headers = tuple(ImageHeader(name, image.width, image.height, image.scale) for name, image in images.items())
    marks = page_marks(page, reader.barcodes(page)) if request.marks and not page.blank else None
    page = replace(page, seconds=round(time.perf_counter() - started, 4))
    return [PAGE_CONTENT.dump_json(PageContent(page, kind, headers, marks)), *(image.rgb for image in images.values())]


def _document(request: ReadRequest) -> tuple[BinaryIO, OpenDocument]:
    """The file of a request and the document in it. Raises DocumentError; FileChangedError where it is not the file that was listed."""
    global _last_document
    path = Path(request.path)
    if request.shared_folder:
        path = Path(os.path.realpath(request.shared_folder)) / path.relative_to(request.shared_folder)
    try:
        file = open_listed_file(path, request.state)
    except OSError as error:
        raise FileChangedError from error
    if _last_document:
        before, last_file, document = _last_document
        same = (before.path, before.state) == (request.path, request.state)
        if same and os.path.sameopenfile(last_file.fileno(), file.fileno()):
            file.close()
            return last_file, document
        with contextlib.suppress(Exception):
            document.close()
        last_file.close()
        _last_document = None
    try:
        document = _open(Path(request.path), file, request)
    except BaseException:
        file.close()
        raise
    _last_document = (request, file, document)
    return file, document


def _open(path: Path, file: BinaryIO, request: ReadRequest) -> OpenDocument:
    """Open a file by its content. A bare e-invoice (XML) gets pages with its data. Raises DocumentError."""
    if facts := read_bare_einvoice(file):
        return EInvoiceDocument(facts)
    return open_document(file, str(path), passwords=request.passwords, megapixels=request.megapixels, formats=request.formats)


def _attachments(document: OpenDocument) -> tuple[str, ...]:
    """Names of the files inside a PDF; none where it is too damaged to say."""
    if not isinstance(document, MuPdfDocument) or document.kind != "pdf":
        return ()
    try:
        return tuple(document.attachments())
    except MemoryError:
        raise
    except Exception:  # MuPDF raises many types on damaged objects; the pages are read anyway
        return ()


class PageReader:
    """Reads and draws one page. It keeps the page's rotation and the library that can draw the page."""

    def __init__(self, request: ReadRequest, file: BinaryIO, document: OpenDocument) -> None:
        self._request, self._file, self._document, self._number = request, file, document, request.page
        self._turned = 0
        self._error: DocumentError | None = None
        """Why MuPDF cannot read the page, where PDFium replaces it."""
        self._unread = False
        """Whether the page has a script that no installed recogniser reads."""
        self._blank = False
        """Whether the page as last drawn shows nothing."""
        self._painted: PaintedPage | None = None
        """The page as MuPDF paints it, once its text layer was read."""
        try:
            self._size = document.size(request.page)
        except DocumentError as error:
            self._use_pdfium(error)

    def read(self) -> Page:
        """The upright page with its words. Raises DocumentError for a page that draws nothing although it may have content."""
        if isinstance(self._document, LaidOutDocument):
            words = self._document.words(self._number)
            return Page(
                self._number, self._size.width, self._size.height, tuple(words), "file" if words else None, blank=not words
            )
        may_have_einvoice = self._request.einvoice and self._number == 1 and self._document.kind in ("pdf", "xml")
        facts = self._einvoices() if may_have_einvoice else []
        layer = self._seen_layer()
        if layer and self._is_usable(layer):
            return self._page(self._with_drawn_texts(layer), "textlayer", facts, self._painted_codes())
        image = self._draw(fit_scale(self._size, self._ocr_scale(), OCR_PIXELS))
        printable = [word for word in layer if word.text.isprintable()]  # a single digit is too short to be judged as sound
        if self._blank and not printable and (words := self._pdfium_words()):
            return self._page(words, "textlayer", facts)
        if self._blank and not printable:
            if not facts:
                self._check_blank()
            return Page(self._number, self._size.width, self._size.height, blank=not facts, facts=of_page(facts, ()))
        self._turned = upright_rotation(image, self._request.ocr_languages)
        upright = turn(image, self._turned)
        codes = read_barcodes(upright, self._number, of_data=True) if self._request.codes else []
        words, self._unread = read_page(upright, self._request.precision, self._request.ocr_languages)
        if words:
            sound = not self._turned and is_sound(layer, self._size.width, self._size.height)
            return self._page(merge_words(layer, words) if sound else words, "ocr", facts, codes)
        return self._page(printable, "textlayer" if printable else None, facts, codes)

    def with_pictures(self, page: Page) -> Page:
        """The page with the words in its pictures added, where it has a text layer without them."""
        if page.source != "textlayer" or self._turned:
            return page
        boxes = unread_pictures(page.words, self._document.image_boxes(self._number), self._size.width, self._size.height)
        if not boxes:
            return page
        try:
            image = self._document.draw(self._number, fit_scale(self._size, OCR_SCALE, OCR_PIXELS))
        except DocumentError:  # the page without the words in its pictures is better than none
            return page
        return replace(page, words=tuple(add_picture_words(page.words, read_pictures(image, boxes, self._request.precision))))

    def with_missed_print(self, page: Page) -> Page:
        """The page with the short print that its recogniser missed; as it is where it has a text layer or cannot be drawn."""
        if page.source != "ocr":
            return page
        try:
            words = with_missed_print(page.words, self.image(SHORT_PRINT_PIXELS), self._request.precision)
        except DocumentError:  # the words of a page that cannot be drawn are better than none
            return page
        return replace(page, words=tuple(words))

    def with_regions(self, page: Page) -> Page:
        """The page with its parts by the learned layout; as it is where the page has few words or cannot be drawn."""
        if page.source not in ("textlayer", "ocr") or not has_layout(page.words):
            return page
        try:
            image = self.image(LAYOUT_PIXELS)
        except DocumentError:  # the words of a page that cannot be drawn are better than none
            return page
        return replace(page, regions=find_regions(page.words, image, page.width, page.height))

    def with_running_words(self, page: Page) -> Page:
        """The page with the words named that pages near it repeat, where it is one of several pages with text layers."""
        if page.source != "textlayer" or self._turned or not isinstance(self._document, MuPdfDocument):
            return page
        near = (self._number + step for step in NEAR_PAGES)
        others = [self._texts(number) for number in near if 1 <= number <= self._document.pages][:COMPARED_PAGES]
        return replace(page, running=running_words(page.words, page.height, others)) if others else page

    def _texts(self, number: int) -> list[PlacedText]:
        """The words of another page with a text layer; none where it has another size or cannot be read."""
        with contextlib.suppress(Exception):  # MuPDF raises many types on damaged pages; the page itself was read
            if self._document.size(number) == self._size and (other := self._document.native_page(number)):
                return [((x0, y0, x1, y1), text) for x0, y0, x1, y1, text, *_ in other.get_text("words")]
        return []

    def with_figures(self, page: Page) -> Page:
        """The page with its figures; as it is where it is a picture without text around, or cannot be drawn."""
        if not isinstance(self._document, MuPdfDocument | ImageDocument):
            return page
        boxes = self._document.image_boxes(self._number)
        if page.source == "ocr" or any(is_whole(box, page) for box in boxes):
            if len(page.words) < MIN_SCAN_WORDS:
                return page
            scan = page if page.regions else self.with_regions(page)
            return replace(page, figures=find_figures(scan, [], [], self._image_kind)) if scan.regions else page
        figures = find_figures(replace(page, regions=()), boxes, self._shapes(), self._image_kind)
        if figures and any(not figure.shapes for figure in figures):  # the labels of a raster image are read, and count
            page = self.with_pictures(page)
            figures = find_figures(replace(page, regions=()), boxes, self._shapes(), self._image_kind)
        return replace(page, figures=figures)

    def _shapes(self) -> tuple[Shape, ...]:
        """What the page draws; nothing where that cannot be read."""
        if not isinstance(self._document, MuPdfDocument) or self._document.kind != "pdf" or self._turned:
            return ()
        try:
            if self._painted is None:
                self._painted = PaintedPage(self._document.native_page(self._number))
            return read_shapes(self._painted)
        except MemoryError:
            raise
        except Exception:  # MuPDF raises many types on damaged drawings; the page is read by its pixels then
            return ()

    def _image_kind(self, page: Page, box: Box) -> FigureKind:
        """Whether a raster image on the page is a chart, by its pixels and words."""
        image = turn(self._draw(fit_scale(self._size, OCR_SCALE, LAYOUT_PIXELS)), self._turned)
        part, _ = part_of_page(page, box)
        return "chart" if classify(replace(part, source="ocr"), cut(image, box)) == "chart" else "picture"

    def barcodes(self, page: Page) -> list[Barcode]:
        """The barcodes of the page where the request asks for them; none where the page cannot be drawn."""
        wanted = self._request.barcodes
        if wanted == "never" or (wanted == "scans" and page.source != "ocr" and len(page.words) > MAX_SHEET_WORDS):
            return []
        try:
            return read_barcodes(turn(self._draw(fit_scale(self._size, OCR_SCALE, OCR_PIXELS)), self._turned), page.number)
        except DocumentError:
            return []

    def _painted_codes(self) -> list[Barcode]:
        """The codes of a page with a usable text layer: of the picture that is the page, or of square pictures and drawings on it."""
        if not self._request.codes:
            return []
        if self._scan is not None:
            codes = read_barcodes(self._scan, self._number, of_data=True)
            if codes or not has_unread_code(self._scan):
                return codes
            with contextlib.suppress(DocumentError):  # a page that cannot be drawn has no codes
                image = self._document.draw(self._number, fit_scale(self._size, OCR_SCALE, OCR_PIXELS))
                return read_barcodes(image, self._number, of_data=True)
            return []
        if self._painted is None:
            return []
        try:
            places = code_places(self._painted.log)
            return read_barcodes_at(self._painted, places, self._number) if places else []
        except MemoryError:
            raise
        except Exception:  # MuPDF raises many types on damaged drawings; the words are there
            return []

    def _page(
        self,
        words: list[Word],
        source: Literal["textlayer", "ocr"] | None,
        einvoices: Sequence[Facts],
        codes: Sequence[Barcode] = (),
    ) -> Page:
        size = self._size if self._turned in (0, 180) else Size(self._size.height, self._size.width)
        return Page(
            self._number,
            size.width,
            size.height,
            tuple(words),
            source,
            turned=self._turned,
            facts=of_page(einvoices, words),
            codes=facts_of_codes(codes),
            unread_script=self._unread,
        )

    def _einvoices(self) -> list[Facts]:
        """The data of the e-invoices inside the file, by business term; those of a bare e-invoice."""
        if isinstance(self._document, EInvoiceDocument):
            return [dict(self._document.facts)]
        return read_einvoices(contents(self._file))

    def _text_layer(self) -> list[Word]:
        """The words of the page's text layer, sound or not; none where it cannot be read."""
        native_page = self._document.native_page(self._number)
        if native_page is None:
            return []
        try:
            if isinstance(self._document, PdfiumDocument):
                return read_pdfium_text_layer(native_page)
            try:
                self._painted = PaintedPage(native_page)
                return read_text_layer(self._painted, self._read_places)
            except DocumentError:  # the page cannot be drawn: its layer is believed
                return read_text_layer(native_page)
        except MemoryError:
            raise
        except Exception:  # the libraries raise many types on damaged fonts
            return []

    def _seen_layer(self) -> list[Word]:
        """The text layer without words in whose place a scan is blacked out."""
        layer = self._text_layer()
        picture = self._scan if layer else None
        if picture is None:
            return layer
        pixels = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)
        return [word for word in layer if not is_plain(pixels, picture.scale, word.box, dark=True)]

    @cached_property
    def _scan(self) -> PageImage | None:
        """A small picture of a page that is mostly one; None for other pages, and for one that cannot be drawn."""
        if self._painted is not None and not self._painted.log.may_have_pictures:
            return None  # MuPDF would read the whole page once more to find none
        size, boxes = self._size, self._document.image_boxes(self._number)
        if not is_mostly_picture(boxes, size.width, size.height):
            return None
        try:
            return self._document.draw(self._number, fit_scale(size, INK_SCALE, OCR_PIXELS))
        except DocumentError:  # the words of a page that cannot be drawn are better than none
            return None

    def _read_places(self, boxes: Sequence[Box]) -> list[tuple[str, float]]:
        image = self._document.draw(self._number, fit_scale(self._size, OCR_SCALE, OCR_PIXELS))
        return read_places(image, boxes, self._request.precision)

    def _pdfium_words(self) -> list[Word]:
        """The printable words that PDFium extracts from a page."""
        other = self._pdfium_document()
        native_page = other.native_page(self._number) if other else None
        if native_page is None:
            return []
        with contextlib.suppress(Exception):  # without PDFium's words the page stays as it is
            return [word for word in read_pdfium_text_layer(native_page) if word.text.isprintable()]
        return []

    def _is_usable(self, words: list[Word]) -> bool:
        """Whether the text layer is sound and has all text of the page."""
        if not is_sound(words, self._size.width, self._size.height):
            return False
        return self._scan is None or not has_uncovered_print(self._scan, words)

    def _with_drawn_texts(self, layer: list[Word]) -> list[Word]:
        """The words, with those that are drawn as shapes or small pictures within lines of text."""
        boxes = drawn_texts(self._painted, layer) if self._painted else []
        if not boxes:
            return layer
        try:
            image = self._document.draw(self._number, fit_scale(self._size, OCR_SCALE, OCR_PIXELS))
        except DocumentError:  # the words of a page that cannot be drawn are better than none
            return layer
        words = read_strings(image, boxes, self._request.precision)
        return merge_words(layer, [word for word in words if word.confidence >= MIN_CONFIDENCE and is_string(word.text)])

    def _ocr_scale(self) -> float:
        """Pixels per point for OCR."""
        low, high = OCR_SCALES
        native = self._document.native_scale(self._number)
        if native is None:
            return OCR_SCALE
        return min(high, max(low, native)) if self._document.kind == "pdf" else native

    def _check_blank(self) -> None:
        """Raises DocumentError where the page may have content although its drawing is empty."""
        if self._error:
            raise self._error
        if doubt := self._document.loss_warning(self._number):
            raise DocumentError("unreadable", f"page {self._number} shows nothing: {doubt}")

    def _draw(self, scale: float) -> PageImage:
        """The page as it is stored, not turned upright. PDFium draws it where MuPDF fails or draws nothing."""
        try:
            image = self._document.draw(self._number, scale)
        except DocumentError as error:
            self._use_pdfium(error)
            image = self._document.draw(self._number, scale)
            self._blank = is_blank(image)
            return image
        self._blank = is_blank(image)
        if self._blank and (other := self._pdfium_document()):
            with contextlib.suppress(DocumentError):  # if PDFium cannot draw it, MuPDF's drawing stands
                second = other.draw(self._number, scale)
                if not is_blank(second):
                    self._document, self._size, self._blank = other, other.size(self._number), False
                    return second
        return image

    def _use_pdfium(self, error: DocumentError) -> None:
        """Go on with PDFium. Raises ``error`` where PDFium cannot read the page either."""
        other = self._pdfium_document()
        if other is None:
            raise error
        try:
            self._size = other.size(self._number)
        except DocumentError:
            raise error from None
        self._document, self._error = other, error

    def _pdfium_document(self) -> PdfiumDocument | None:
        """The PDF opened with PDFium; None where PDFium is in use already, or cannot open it or has no such page."""
        if self._document.kind != "pdf" or isinstance(self._document, PdfiumDocument):
            return None
        other = open_with_pdfium(self._file, self._request.passwords)
        return other if other and self._number <= other.pages else None

    def image(self, pixels: int) -> PageImage:
        """The upright page with at most ``pixels`` pixels."""
        return turn(self._draw(fit_scale(self._size, float("inf"), pixels)), self._turned)

    def printed_part(self, page: Page, pixels: int) -> PageImage:
        """The image for an engine with at most ``pixels`` pixels: the whole page, or its printed part."""
        if self._request.whole_page:
            return self.image(pixels)
        draw = lambda scale: turn(self._draw(fit_scale(self._size, scale, OCR_PIXELS)), self._turned)  # noqa: E731
        return draw_cropped(draw, page.words, self._size.width * self._size.height, pixels)

    def picture(self, request: PictureRequest) -> PageImage:
        """The upright page or a part of it in the requested size; a part has at most ENLARGED_SCALE pixels per point."""
        pixels, part = request.pixels, request.part
        if part is None:
            scale = fit_scale(self._size, float("inf"), pixels)
        else:
            area = max(1.0, (part[2] - part[0]) * (part[3] - part[1]))
            scale = fit_scale(self._size, min(ENLARGED_SCALE, (pixels / area) ** 0.5), OCR_PIXELS)
        image = turn(self._draw(scale), self._detect_rotation() if request.turned is None else request.turned)
        return image if part is None else cut(image, part)

    def _detect_rotation(self) -> int:
        """By how many degrees clockwise ``read`` would turn the page."""
        if isinstance(self._document, LaidOutDocument):
            return 0
        layer = self._text_layer()
        if layer and self._is_usable(layer):
            return 0
        image = self._draw(fit_scale(self._size, self._ocr_scale(), OCR_PIXELS))
        return upright_rotation(image, self._request.ocr_languages)
