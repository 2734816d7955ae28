"""The work of a reader process: open a file, read the words of a page, draw it, find out what kind of page it is.

Runs inside ``WorkerPool``, which kills a process that hangs. Only this module knows both pages and words.
"""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.engines.embedded.classify import classify, is_cover
from pipeline.errors import DocumentError, FileChangedError
from pipeline.pages.blank import is_blank
from pipeline.pages.crop import draw_cropped
from pipeline.pages.einvoice_pages import EInvoiceDocument
from pipeline.pages.open import open_document, open_with_pdfium
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument, Size, fit_scale
from pipeline.records import Box, Page, PageImage, Word
from pipeline.run.page_requests import (
    DOCUMENT_REPLY,
    PAGE_CONTENT,
    DocumentReply,
    ImageHeader,
    PageContent,
    PictureRequest,
    ReadRequest,
)
from pipeline.words.einvoice import read_bare_einvoice, read_einvoice
from pipeline.words.ocr import read_image
from pipeline.words.orientation import upright_rotation
from pipeline.words.picture_text import add_picture_words, read_pictures, unread_pictures
from pipeline.words.soundness import covers_page, is_sound
from pipeline.words.text_layer import read_pdfium_text_layer, read_text_layer

OCR_SCALE = 200 / 72
"""Pixels per point for OCR of pages that are no scans."""
OCR_SCALES = (150 / 72, 300 / 72)
"""Scans are read at their own resolution between these."""
OCR_PIXELS = 12_000_000
THUMBNAIL_PIXELS = 400 * 560
ENLARGED_SCALE = 400 / 72
"""Pixels per point of a part that is drawn once more."""


_last_document: tuple[tuple[str, int, int], OpenDocument] | None = None
"""The document of the last call: pages of one document mostly come in a row."""


def handle(message: bytes) -> list[bytes]:
    """The handler of ``worker.Pool``. Raises DocumentError."""
    started = time.perf_counter()
    request: ReadRequest = pickle.loads(message)  # noqa: S301 - made by our own parent
    document = _document(request)
    if not request.page:
        return [DOCUMENT_REPLY.dump_json(DocumentReply(document.kind, document.pages))]
    reader = PageReader(request, document)
    if request.picture:
        image = reader.picture(request.picture)
        head = ImageHeader("", image.width, image.height, image.scale)
        return [PAGE_CONTENT.dump_json(PageContent(Page(request.page, 0, 0), None, (head,))), image.rgb]
    page = reader.read()
    kind = classify(page, reader.image(THUMBNAIL_PIXELS)) if request.classify and not page.blank else None
    if request.read_pictures & ({kind} if request.classify else set(request.images)):
        page = reader.with_pictures(page)
    requested = {kind: request.images.get(kind, 0)} if kind else {} if request.classify else request.images
    if kind == "text" and is_cover(page) and page.number < document.pages:
        kind = None
    sizes = {name: pixels for name, pixels in requested.items() if pixels and not page.blank}
    drawings = {pixels: reader.printed_part(page, pixels) for pixels in set(sizes.values())}
    images = {name: drawings[pixels] for name, pixels in sizes.items()}
    heads = tuple(ImageHeader(name, image.width, image.height, image.scale) for name, image in images.items())
    page = replace(page, seconds=round(time.perf_counter() - started, 4))
    return [PAGE_CONTENT.dump_json(PageContent(page, kind, heads)), *(image.rgb for image in images.values())]


def _document(request: ReadRequest) -> OpenDocument:
    global _last_document
    path = Path(request.path)
    try:
        status = path.stat()
    except OSError as error:
        raise FileChangedError from error
    if (status.st_size, status.st_mtime_ns) != (request.size, request.mtime_ns):
        raise FileChangedError
    identity = (request.path, request.size, request.mtime_ns)
    if _last_document and _last_document[0] == identity:
        return _last_document[1]
    if _last_document:
        with contextlib.suppress(Exception):
            _last_document[1].close()
        _last_document = None
    document = _open(path, request)
    _last_document = (identity, document)
    return document


def _open(path: Path, request: ReadRequest) -> OpenDocument:
    """Open a file by its content; an e-invoice without a page gets pages that state it. Raises DocumentError."""
    facts = read_bare_einvoice(path)
    return EInvoiceDocument(facts) if facts else open_document(path, passwords=request.passwords, megapixels=request.megapixels)


class PageReader:
    """One page while it is read: its words, its rotation, and the library that can draw it."""

    def __init__(self, request: ReadRequest, document: OpenDocument) -> None:
        self._request, self._document, self._number = request, document, request.page
        self._turned = 0
        self._error: DocumentError | None = None
        """Why MuPDF cannot read the page, where PDFium replaces it."""
        self._blank = False
        """Whether the page as last drawn shows nothing."""
        try:
            self._size = document.size(request.page)
        except DocumentError as error:
            self._use_pdfium(error)

    def read(self) -> Page:
        """The page with its words, upright. Raises DocumentError for a page that draws nothing although it may hold something."""
        stated = self._request.einvoice and self._number == 1 and self._document.kind in ("pdf", "xml")
        facts = self._facts() if stated else {}
        layer = self._text_layer()
        if layer and self._good(layer):
            return self._page(layer, "textlayer", facts)
        image = self._draw(fit_scale(self._size, self._ocr_scale(), OCR_PIXELS))
        short = [word for word in layer if word.text.isprintable()]  # a lone digit says too little to be judged sound
        if self._blank and not short and (words := self._pdfium_words()):
            return self._page(words, "textlayer", facts)
        if self._blank and not short:
            if not facts:
                self._check_blank()
            return Page(self._number, self._size.width, self._size.height, blank=not facts, facts=facts)
        self._turned = upright_rotation(image)
        if words := read_image(turn(image, self._turned), self._request.precision):
            sound = not self._turned and is_sound(layer, self._size.width, self._size.height)
            return self._page(add_picture_words(layer, words) if sound else words, "ocr", facts)
        return self._page(short, "textlayer" if short else None, facts)

    def with_pictures(self, page: Page) -> Page:
        """A page with a text layer, and the words in pictures that the layer does not have."""
        if page.source != "textlayer" or self._turned:
            return page
        boxes = unread_pictures(page.words, self._document.image_boxes(self._number), self._size.width, self._size.height)
        if not boxes:
            return page
        try:
            image = self._document.draw(self._number, fit_scale(self._size, OCR_SCALE, OCR_PIXELS))
        except DocumentError:  # words without their pictures are better than no page
            return page
        return replace(page, words=tuple(add_picture_words(page.words, read_pictures(image, boxes, self._request.precision))))

    def _page(self, words: list[Word], source: Literal["textlayer", "ocr"] | None, facts: Mapping[str, Any]) -> Page:
        size = self._size if self._turned in (0, 180) else Size(self._size.height, self._size.width)
        return Page(self._number, size.width, size.height, tuple(words), source, turned=self._turned, facts=facts)

    def _facts(self) -> Mapping[str, Any]:
        if isinstance(self._document, EInvoiceDocument):
            return self._document.facts
        try:
            return read_einvoice(Path(self._request.path)) or {}
        except Exception:  # an attachment that is broken leaves the page to be read
            return {}

    def _text_layer(self) -> list[Word]:
        """The words of the file's text layer, sound or not; none where it cannot be read."""
        handle = self._document.native_page(self._number)
        if handle is None:
            return []
        try:
            return read_pdfium_text_layer(handle) if isinstance(self._document, PdfiumDocument) else read_text_layer(handle)
        except MemoryError:
            raise
        except Exception:  # what the libraries raise on damaged fonts has no common type
            return []

    def _pdfium_words(self) -> list[Word]:
        """The printable words that PDFium extracts from a page where MuPDF finds no words and draws nothing."""
        other = self._other()
        handle = other.native_page(self._number) if other else None
        if handle is None:
            return []
        with contextlib.suppress(Exception):  # a second opinion that fails changes nothing
            return [word for word in read_pdfium_text_layer(handle) if word.text.isprintable()]
        return []

    def _good(self, words: list[Word]) -> bool:
        """Whether the text layer is sound and covers the whole page."""
        size, boxes = self._size, self._document.image_boxes(self._number)
        return is_sound(words, size.width, size.height) and covers_page(words, boxes, size.width, size.height)

    def _ocr_scale(self) -> float:
        low, high = OCR_SCALES
        native = self._document.native_scale(self._number)
        if native is None:
            return OCR_SCALE
        return min(high, max(low, native)) if self._document.kind == "pdf" else native

    def _check_blank(self) -> None:
        """Raises DocumentError where an empty drawing does not prove that the page is empty."""
        if self._error:
            raise self._error
        if doubt := self._document.loss_warning(self._number):
            raise DocumentError("unreadable", f"page {self._number} shows nothing: {doubt}")

    def _draw(self, scale: float) -> PageImage:
        """The page as it lies in the file; by PDFium where MuPDF draws nothing, or cannot draw."""
        try:
            image = self._document.draw(self._number, scale)
        except DocumentError as error:
            self._use_pdfium(error)
            image = self._document.draw(self._number, scale)
            self._blank = is_blank(image)
            return image
        self._blank = is_blank(image)
        if self._blank and (other := self._other()):
            with contextlib.suppress(DocumentError):  # a page that PDFium cannot draw is no argument
                second = other.draw(self._number, scale)
                if not is_blank(second):
                    self._document, self._size, self._blank = other, other.size(self._number), False
                    return second
        return image

    def _use_pdfium(self, error: DocumentError) -> None:
        """Go on with PDFium. Raises ``error`` where PDFium cannot read the page either."""
        other = self._other()
        if other is None:
            raise error
        try:
            self._size = other.size(self._number)
        except DocumentError:
            raise error from None
        self._document, self._error = other, error

    def _other(self) -> PdfiumDocument | None:
        """PDFium's view of a page that MuPDF reads; None where PDFium has none."""
        if self._document.kind != "pdf" or isinstance(self._document, PdfiumDocument):
            return None
        other = open_with_pdfium(Path(self._request.path), self._request.passwords)
        return other if other and self._number <= other.pages else None

    def image(self, pixels: int) -> PageImage:
        """The upright page in at most ``pixels``."""
        return turn(self._draw(fit_scale(self._size, float("inf"), pixels)), self._turned)

    def printed_part(self, page: Page, pixels: int) -> PageImage:
        """The image for an engine, in at most ``pixels``: the whole page, or its printed part."""
        if self._request.whole_page:
            return self.image(pixels)
        draw = lambda scale: turn(self._draw(fit_scale(self._size, scale, OCR_PIXELS)), self._turned)  # noqa: E731
        return draw_cropped(draw, page.words, self._size.width * self._size.height, pixels)

    def picture(self, request: PictureRequest) -> PageImage:
        """The page or a part of it, upright, in the size requested, but never larger than print needs."""
        pixels, part = request.pixels, request.part
        if part is None:
            scale = fit_scale(self._size, float("inf"), pixels)
        else:
            area = max(1.0, (part[2] - part[0]) * (part[3] - part[1]))
            scale = fit_scale(self._size, min(ENLARGED_SCALE, (pixels / area) ** 0.5), OCR_PIXELS)
        image = turn(self._draw(scale), self._find_turn() if request.turned is None else request.turned)
        return image if part is None else cut(image, part)

    def _find_turn(self) -> int:
        """By how much reading the page would turn it."""
        layer = self._text_layer()
        if layer and self._good(layer):
            return 0
        return upright_rotation(self._draw(fit_scale(self._size, self._ocr_scale(), OCR_PIXELS)))


def cut(image: PageImage, part: Box) -> PageImage:
    """The part of an image that a box in points covers; at least one pixel."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    left, top, right, bottom = (round(side * image.scale) for side in part)
    left, top = min(max(0, left), image.width - 1), min(max(0, top), image.height - 1)
    cropped = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    return PageImage(cropped.shape[1], cropped.shape[0], cropped.tobytes(), image.scale)


def turn(image: PageImage, degrees: int) -> PageImage:
    """The image turned clockwise by a multiple of 90 degrees."""
    if not degrees:
        return image
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    turned = np.rot90(pixels, -degrees // 90)
    return PageImage(turned.shape[1], turned.shape[0], turned.tobytes(), image.scale)
