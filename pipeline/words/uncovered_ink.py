"""Finds print that a text layer lacks: a scan under a few typed lines, and amounts that are drawn as shapes or small pictures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, PageImage, Word
from pipeline.words.painted_page import PaintedPage

Floats = NDArray[np.float64]
INK_SCALE = 100 / 72
"""Pixels per point at which print is looked for."""
LETTER_HEIGHTS = (2.0, 30.0)
"""Points: the smallest and the largest letter."""
LETTER_ASPECTS = (0.08, 3.0)
"""Width of a letter over its height; a few letters that touch count as one."""
MIN_LETTERS = 25
MIN_SHARE = 0.25
"""So many letters outside of the words, and such a share of all letters, are print that the layer lacks."""
MAX_COMPARISONS = 20_000_000
"""Letters times words; beyond it, the page is dithered or a drawing."""
MARGIN = 2.0
"""Points around a word in which ink belongs to it."""
SHAPES = ("fill-path", "stroke-path", "fill-image", "fill-imgmask")
"""Painting operations of MuPDF that can draw letters."""
MAX_SHAPES = 600
"""A page with more shapes is a drawing."""
HEIGHTS = (0.4, 2.2)
"""Height of a drawn text over the letters beside it."""
MAX_WIDTH_SHARE = 0.4
"""Largest width of a drawn text, as a share of the page."""
MAX_TEXTS = 60
BOXES_AT_ONCE = 64
"""Boxes that are compared with all words in one step, so that the memory stays small."""


def has_uncovered_print(image: PageImage, words: Sequence[Word]) -> bool:
    """Whether a page image (about ``INK_SCALE`` pixels per point) has print outside of its words."""
    letters = _letters(image)
    if not len(letters) or len(letters) * max(1, len(words)) > MAX_COMPARISONS:
        return False
    boxes = np.array([word.box for word in words], np.float64).reshape(-1, 4) + np.array([-MARGIN, -MARGIN, MARGIN, MARGIN])
    x, y = letters[:, :1], letters[:, 1:]
    inside = ((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])).any(axis=1)
    outside = int((~inside).sum())
    return outside >= MIN_LETTERS and outside >= MIN_SHARE * len(letters)


def drawn_texts(page: PaintedPage, words: Sequence[Word]) -> list[Box]:
    """Boxes (points) of shapes and pictures of a MuPDF page that stand in a line of text as a word would, and hold no word.

    The boxes have a small margin, as OCR needs it.
    """
    log = page.log
    boxes = log.boxes[log.of(SHAPES)]
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    low, tall = LETTER_HEIGHTS
    fits = (low / 2 <= high) & (high <= tall) & (wide >= 0.3) & (wide <= MAX_WIDTH_SHARE * page.page.rect.width)
    shapes = boxes[fits]
    if not len(shapes) or len(shapes) > MAX_SHAPES or not words:
        return []
    covers = np.array([word.box for word in words], np.float64)
    places = shapes[~_overlap(covers, shapes)]
    found = [
        (x0 - 1, y0 - 1, x1 + 1, y1 + 1) for x0, y0, x1, y1 in _strings(places) if _is_beside_text((x0, y0, x1, y1), covers)
    ]
    return found if len(found) <= MAX_TEXTS else []


def is_string(text: str) -> bool:
    """Whether a text that OCR read from shapes is more than an ornament: it has a digit, or three letters."""
    return any(c.isdecimal() for c in text) or sum(c.isalpha() for c in text) >= 3


def _letters(image: PageImage) -> Floats:
    """The middles, in points, of what looks like letters: parts of ink of their size."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    window = max(3, round(12 * image.scale) | 1)
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, 25)
    _, _, statistics, middles = cv2.connectedComponentsWithStats(ink)
    parts, middles = statistics[1:].astype(np.float64), middles[1:]
    wide, high = parts[:, cv2.CC_STAT_WIDTH], parts[:, cv2.CC_STAT_HEIGHT]
    fits = (high >= LETTER_HEIGHTS[0] * image.scale) & (high <= LETTER_HEIGHTS[1] * image.scale)
    fits &= (wide >= LETTER_ASPECTS[0] * high) & (wide <= LETTER_ASPECTS[1] * high)
    kept: Floats = middles[fits] / image.scale
    return kept


def _overlap(words: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """For each box whether the middle of a word is in it, or its middle in a word."""
    x, y = (words[:, 0] + words[:, 2]) / 2, (words[:, 1] + words[:, 3]) / 2
    found = np.zeros(len(boxes), bool)
    for first in range(0, len(boxes), BOXES_AT_ONCE):
        part = boxes[first : first + BOXES_AT_ONCE, :, None]
        own_x, own_y = (part[:, 0] + part[:, 2]) / 2, (part[:, 1] + part[:, 3]) / 2
        holds = (x >= part[:, 0]) & (x <= part[:, 2]) & (y >= part[:, 1]) & (y <= part[:, 3])
        held = (own_x >= words[:, 0]) & (own_x <= words[:, 2]) & (own_y >= words[:, 1]) & (own_y <= words[:, 3])
        found[first : first + BOXES_AT_ONCE] = (holds | held).any(axis=1)
    return found


def _strings(places: Floats) -> list[Box]:
    """Shapes that follow each other as letters do, joined."""
    strings: list[list[float]] = []
    for x0, y0, x1, y1 in sorted(places.tolist(), key=lambda box: box[0]):
        for string in reversed(strings):
            height = max(string[3] - string[1], y1 - y0)
            level = (
                min(string[3], y1) - max(string[1], y0) > 0.3 * min(string[3] - string[1], y1 - y0) or y1 - y0 < 0.3 * height
            )
            near = string[1] - 0.2 * height <= y0 and y1 <= string[3] + 0.3 * height
            if level and near and x0 - string[2] <= 0.8 * height:
                string[:] = [string[0], min(string[1], y0), max(string[2], x1), max(string[3], y1)]
                break
        else:
            strings.append([x0, y0, x1, y1])
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in strings if x1 - x0 >= 1.1 * (y1 - y0) and y1 - y0 >= LETTER_HEIGHTS[0]]


def _is_beside_text(box: Box, words: Floats) -> bool:
    """Whether a word of about this height stands in the same line."""
    height = box[3] - box[1]
    heights = words[:, 3] - words[:, 1]
    shared = np.minimum(words[:, 3], box[3]) - np.maximum(words[:, 1], box[1])
    level = shared >= 0.6 * np.minimum(heights, height)
    return bool((level & (height >= HEIGHTS[0] * heights) & (height <= HEIGHTS[1] * heights)).any())
