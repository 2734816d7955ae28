"""What a page is: invoice, receipt, chart, photo or other text.

Words decide where there are words (terms that only business papers print, amounts of money, how many characters fit across).
Pixels decide the rest: drawings are made of few flat colours, photographs of many that change from pixel to pixel, charts hold
flat colours in large marks or numbers along an axis. A small thumbnail is enough; without pixels the words alone decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.terms import fold, heading, terms
from pipeline.records import Page, PageImage, Word
from pipeline.templates.model import PageKind

SIDE = 400
"""Longest side in pixels of the picture that is looked at."""
PAPER_CHARACTERS = 55
"""Rolls of receipt printers hold 24 to 48 characters; letter paper holds 80 and more."""
_AMOUNT = re.compile(r"\d[.,]\d{2}(?!\d)")
_NUMBER = re.compile(r"^[-−+(]?[$€£¥]?\d[\d.,' ]*\s*[%kKMB€$]?\)?$")


@dataclass(frozen=True, slots=True)
class Look:
    """What the pixels say; shares from 0 to 1."""

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


def classify(page: Page, image: PageImage | None) -> PageKind:
    """The kind of a page; ``image`` may be a small thumbnail, or None when only the words are known."""
    if (business := _business(page)) is not None:
        return business
    letters = sum(len(word.text) for word in page.words if word.confidence >= 0.6)
    if image is None or image.width < 8 or image.height < 8:
        return "chart" if _axis(page.words) and letters < 400 else "text"
    look = look_at(image, page.words)
    if look.plain < 0.62 and letters < (20 if page.source == "textlayer" else 200):
        return "photo"
    return "chart" if _is_chart(page.words, look, letters) else "text"


def _business(page: Page) -> PageKind | None:
    """Invoice or receipt, when the words say so."""
    text = fold(" ".join(word.text for word in page.words))
    invoice, receipt = terms(text)
    amounts = len(_AMOUNT.findall(text))
    if _narrow(page) and amounts:
        if (len(receipt) >= 2 or (receipt and amounts >= 2)) and len(receipt) >= len(invoice) - 1:
            return "receipt"
        if page.height > 1.5 * page.width and amounts >= 4 and len(invoice) < 3 and page.source == "ocr":
            return "receipt"
    if len(invoice) >= 3 or (len(invoice) >= 2 and (amounts or _headed(page))) or (invoice and (amounts >= 3 or _headed(page))):
        return "invoice"
    return "receipt" if len(receipt) >= 3 and amounts >= 2 else None


def _narrow(page: Page) -> bool:
    return 0 < characters_across(page) <= PAPER_CHARACTERS and page.height > 0.9 * page.width


def _headed(page: Page) -> bool:
    """Whether a word of the upper half is an invoice's heading: larger than the rest."""
    sizes = sorted(word.box[3] - word.box[1] for word in page.words)
    usual = sizes[len(sizes) // 2] if sizes else 0.0
    upper = [word for word in page.words if word.box[1] < page.height / 2 and word.box[3] - word.box[1] > 1.3 * usual]
    return any(heading(fold(word.text)) for word in upper)


def characters_across(page: Page) -> float:
    """How many characters of the page's usual width fit between the leftmost and the rightmost word."""
    words = [word for word in page.words if len(word.text) >= 2]
    if not words:
        return 0.0
    width = median((word.box[2] - word.box[0]) / len(word.text) for word in words)
    edges = sorted(word.box[0] for word in words), sorted(word.box[2] for word in words)
    spare = len(words) // 50
    return (edges[1][-1 - spare] - edges[0][spare]) / width if width > 0 else 0.0


def look_at(image: PageImage, words: Sequence[Word] = ()) -> Look:
    """Measure the pixels, on a copy of at most ``SIDE`` pixels; what lies in the boxes of ``words`` is no mark."""
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


def _measured(pixels: NDArray[np.uint8], outside: NDArray[np.bool_]) -> Look:
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
    return Look(float(plain), float(clear.mean()), wide, high, float((flat & marked).mean()))


def _spread(places: NDArray[np.intp], length: int) -> float:
    """How far apart the places lie, without the outermost twentieth on either side."""
    return float(np.subtract(*np.percentile(places, [95, 5])) / length) if len(places) else 0.0


def _is_chart(words: Sequence[Word], look: Look, letters: int) -> bool:
    """Colours or flat areas that spread over the picture together with numbers, or along an axis, and no page of prose."""
    if letters > 1000 or look.plain < 0.55:
        return False
    share = sum(bool(_NUMBER.match(word.text)) for word in words) / max(1, len(words))
    drawn = look.coloured > 0.006 and look.wide > 0.25 and look.high > 0.1
    if letters < 60 and (look.marks > 0.1 or drawn):
        return look.plain > 0.75
    if _axis(words) and (share > 0.3 or drawn or look.marks > 0.03):
        return True
    return drawn and share > 0.1


def _axis(words: Sequence[Word]) -> bool:
    """Whether at least four numbers stand in a column or row at equal steps, as the ticks of an axis do."""
    numbers = [(word.box, float(text)) for word in words if (text := _plain(word.text)) is not None]
    rows = [((y0 + y1) / 2, (x0 + x1) / 2, y1 - y0, value) for (x0, y0, x1, y1), value in numbers]
    columns = [(x1, (y0 + y1) / 2, y1 - y0, value) for (x0, y0, x1, y1), value in numbers]
    return any(_even(group) for places in (rows, columns) for group in _lined_up(places))


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
