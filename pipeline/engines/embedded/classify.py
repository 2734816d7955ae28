"""The kind of a page: invoice, receipt, chart, photo, another kind of document, or other text.

Where the words are those of a business document, they decide (``business_pages.py``). Otherwise pixels decide: drawings have few flat
colours, photographs have many that change from pixel to pixel, and charts have flat colours in large marks, or numbers along an axis. A
small thumbnail is enough. Without pixels only the words count.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.business_pages import business_page_kind
from pipeline.engines.embedded.document_kinds import document_kind
from pipeline.records import Page, PageImage, Word
from pipeline.templates.template import PageKind

SIDE = 400
"""Longest side of the picture that is measured, in pixels."""
COVERS = 2
"""Pages at the beginning of a document that may be covers."""
COVER_LETTERS = 300
TABLE_NUMBERS = 500
"""Numbers from which a page is a table: charts have fewer."""
_NUMBER = re.compile(r"^[-−+(]?[$€£¥]?\d[\d.,' ]*\s*[%kKMB€$]?\)?$")

_PRICE = re.compile(r"[$€£¥]?\d+[.,]\d\d[€$]?")
"""A price. Menus and leaflets have prices; charts rarely have two decimals and no axis."""


@dataclass(frozen=True, slots=True)
class PixelMeasures:
    """Measures of a picture, most of them shares from 0 to 1."""

    plain: float
    """Pixels in the eight most frequent of 32,768 colours: drawings reach 0.8, photographs rarely 0.5."""
    coloured: float
    """Pixels outside words in a clear colour that is not the paper's."""
    wide: float
    """Part of the width over which those coloured pixels spread."""
    high: float
    """Part of the height over which they spread."""
    marks: float
    """Flat pixels outside words that are not the paper's colour, grey ones too: bars and slices."""
    hues: int
    """Clear colours, each of which fills a hundredth of the picture with flat pixels."""
    still: float
    """Pixels that equal their neighbours: no camera gives more than a third, drawings give more than half."""
    ground: float
    """Pixels of the most frequent colour: paper shows a fifth and more, a photograph mostly less."""
    dark: bool
    """The most frequent colour is nearly black."""


def classify(page: Page, image: PageImage | None) -> PageKind:
    """The kind of a page; ``image`` may be a small thumbnail, or None when only the words are known."""
    if page.facts:  # the data of an e-invoice say what it is
        return "invoice"
    if kind := business_page_kind(page):
        return kind if kind != "other" else document_kind(page, is_business=True) or "text"
    picture_kind = _kind_of_picture(page, image)
    return (document_kind(page, is_business=False) or "text") if picture_kind == "text" else picture_kind


def _kind_of_picture(page: Page, image: PageImage | None) -> Literal["chart", "photo", "text"]:
    letters = sum(len(word.text) for word in page.words if word.confidence >= 0.6)
    if image is None or image.width < 8 or image.height < 8:
        return "chart" if _axis(page.words) and letters < 400 else "text"
    measures = measure_pixels(image, page.words)
    if _is_photo(measures) and letters < (20 if page.source == "textlayer" else 200):
        return "photo"
    return "chart" if _is_chart(page.words, measures, letters) else "text"


def is_cover(page: Page) -> bool:
    """Whether a page of text has too few words to show the kind of its document: a cover sheet, a title page."""
    return page.number <= COVERS and sum(len(word.text) for word in page.words) < COVER_LETTERS


def measure_pixels(image: PageImage, words: Sequence[Word] = ()) -> PixelMeasures:
    """The measures of a picture, from a copy of at most ``SIDE`` pixels. Pixels in the boxes of ``words`` are no marks."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    factor = min(1.0, SIDE / max(image.width, image.height))
    if factor < 1:
        size = max(8, round(image.width * factor)), max(8, round(image.height * factor))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    outside = np.ones(pixels.shape[:2], bool)
    for word in words:
        x0, y0, x1, y1 = (max(0, round(edge * image.scale * factor)) for edge in word.box)
        outside[y0 : y1 + 1, x0 : x1 + 1] = False
    return _measured(pixels, outside)


def _measured(pixels: NDArray[np.uint8], outside: NDArray[np.bool_]) -> PixelMeasures:
    codes = (pixels >> 3).astype(np.int32) @ np.array([1024, 32, 1])
    counts = np.bincount(codes.ravel(), minlength=32768)
    mode = int(counts.argmax())
    paper = np.array([mode >> 10, mode >> 5 & 31, mode & 31], np.int16) * 8 + 4
    marked = outside & (np.abs(pixels.astype(np.int16) - paper).max(axis=2) > 20)
    span = np.ones((3, 3), np.uint8)
    flat = (cv2.dilate(pixels, span).astype(np.int16) - cv2.erode(pixels, span)).max(axis=2) <= 6
    clear = marked & (pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2) > 40)
    high, wide = (_spread(np.flatnonzero(clear.any(axis=axis)), clear.shape[1 - axis]) for axis in (1, 0))
    plain = np.partition(counts, -8)[-8:].sum() / codes.size
    painted = np.bincount(codes[flat & clear], minlength=32768)
    still = flat & (cv2.dilate(pixels, span) - cv2.erode(pixels, span) <= 2).all(axis=2)
    return PixelMeasures(
        plain=float(plain),
        coloured=float(clear.mean()),
        wide=wide,
        high=high,
        marks=float((flat & marked).mean()),
        hues=int((painted > 0.01 * codes.size).sum()),
        still=float(still.mean()),
        ground=float(counts[mode] / codes.size),
        dark=bool(paper.max() < 48),
    )


def _spread(places: NDArray[np.intp], length: int) -> float:
    """How far apart the places lie, without the outermost twentieth on either side."""
    return float(np.subtract(*np.percentile(places, [95, 5])) / length) if len(places) else 0.0


def _is_photo(measures: PixelMeasures) -> bool:
    """Whether it has many colours, or few that still change from pixel to pixel, as in the dark or in black and white, without paper."""
    return measures.plain < 0.62 or (measures.still < 0.4 and (measures.ground < 0.2 or measures.dark))


def _is_chart(words: Sequence[Word], measures: PixelMeasures, letters: int) -> bool:
    """Whether colours or flat areas spread over the picture with numbers, or numbers stand along an axis; no prose, no table."""
    if letters > 1000 or measures.plain < 0.55:
        return False
    numbers = [word for word in words if _NUMBER.match(word.text)]
    share = len(numbers) / max(1, len(words))
    has_drawing = measures.coloured > 0.006 and measures.wide > 0.25 and measures.high > 0.1
    if not has_drawing and _is_table(numbers):
        return False
    if letters < 60 and (measures.marks > 0.1 or has_drawing):
        return measures.plain > 0.75 and (len(numbers) >= 2 or measures.hues >= 3)
    if _axis(words) and (share > 0.3 or has_drawing or measures.marks > 0.03):
        return True
    prices = sum(bool(_PRICE.fullmatch(word.text)) for word in numbers)
    return has_drawing and share > 0.1 and 2 * prices <= len(numbers)


def _is_table(numbers: Sequence[Word]) -> bool:
    """Whether most of the numbers have at least two others beside them and two below or above them."""
    if not 9 <= len(numbers) <= TABLE_NUMBERS:
        return len(numbers) > TABLE_NUMBERS
    left, top, right, bottom = np.array([word.box for word in numbers]).T
    size, middle = (bottom - top)[:, None], (top + bottom) / 2
    beside = (abs(middle[:, None] - middle) < 0.5 * size).sum(axis=1)
    stacked = (np.minimum(abs(left[:, None] - left), abs(right[:, None] - right)) < 0.5 * size).sum(axis=1)
    inside = int(((beside >= 3) & (stacked >= 3)).sum())  # each counts itself
    return inside >= 9 and inside > 0.5 * len(numbers)


def _axis(words: Sequence[Word]) -> bool:
    """Whether at least four numbers stand in a row or column at equal steps, as the ticks of an axis do.

    In a column of a list, which counts or climbs as evenly, the numbers have words beside them; the ticks of an axis have none.
    """
    numbers = [(word.box, float(text)) for word in words if (text := _plain(word.text)) is not None]
    middles = sorted((word.box[1] + word.box[3]) / 2 for word in words if sum(map(str.isalpha, word.text)) >= 3)
    rows = [((y0 + y1) / 2, (x0 + x1) / 2, y1 - y0, value) for (x0, y0, x1, y1), value in numbers]
    columns = [(x1, (y0 + y1) / 2, y1 - y0, value) for (x0, y0, x1, y1), value in numbers]
    if any(_even(group) for group in _lined_up(rows)):
        return True
    return any(_even(group) and 2 * _beside(group, middles) < len(group) for group in _lined_up(columns))


def _beside(column: Sequence[tuple[float, float]], middles: Sequence[float]) -> int:
    """How many numbers of a column have a word on their row."""
    places = [y for y, _ in column]
    reach = (max(places) - min(places)) / (4 * len(column))
    return sum(bisect_left(middles, y - reach) < bisect_right(middles, y + reach) for y, _ in column)


def _lined_up(places: Sequence[tuple[float, float, float, float]]) -> list[list[tuple[float, float]]]:
    """(along, value) of the numbers that share a line; each is (across, along, size, value)."""
    groups: list[list[tuple[float, float]]] = []
    first = -1e9
    for across, along, size, value in sorted(places):
        if across - first > 0.7 * size:
            groups.append([])
            first = across
        groups[-1].append((along, value))
    return groups


def _plain(text: str) -> str | None:
    plain = re.sub(r"[%$€£,’' ]", "", text).replace("−", "-")
    return plain if re.fullmatch(r"-?\d{1,9}(\.\d+)?", plain) else None


def _even(points: Sequence[tuple[float, float]]) -> bool:
    """Whether the values rise or fall evenly with their places."""
    if len(points) < 4:
        return False
    places, values = np.array(sorted(points)).T
    if np.ptp(values) == 0 or np.ptp(places) == 0:
        return False
    return bool(abs(np.corrcoef(places, values)[0, 1]) > 0.998)
