"""Reads text in the pictures of a page with a text layer: headings that are images, screenshots, scanned tables, figures.

The layer is exact and does not change. The OCR adds words in places where the layer has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box, PageImage, Word
from pipeline.words.lines import TextPiece, number_lines
from pipeline.words.ocr import read_image
from pipeline.words.precision import Precision

MIN_HEIGHT = 8.0
"""Points of height. Lower pictures are rules and decoration."""
MIN_SHARE = 0.003
"""Share of the page. Smaller pictures are icons."""
MAX_PICTURES = 40
"""Number of pictures of a page that are read, the largest first."""
BACKGROUND_WORDS = 3
"""A picture with this many words of the layer on it is their background."""
FULL_PAGE_SHARE = 0.8
"""A picture that covers this share of the page is its background; several that cover it are tiles of a scan with a text layer."""
MARGIN = 2.0
"""Points of paper around a picture that are read with it."""
MIN_CONFIDENCE = 0.8
"""Lowest confidence of a word in a picture, because the leaves and bricks of a photograph look like letters."""


def unread_pictures(words: Sequence[Word], pictures: Sequence[Box], width: float, height: float) -> list[Box]:
    """Boxes of pictures that may have text which the layer lacks, clipped to the page, in points, the largest first."""
    page = max(width * height, 1.0)
    boxes = {(max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)) for x0, y0, x1, y1 in pictures}
    large = [box for box in boxes if box[3] - box[1] >= MIN_HEIGHT and box[2] > box[0] and _area(box) >= MIN_SHARE * page]
    if sum(_area(box) for box in large if _area(box) < FULL_PAGE_SHARE * page) > FULL_PAGE_SHARE * page:
        return []
    middles = _middles(words)
    unread = [box for box in large if _inside(middles, box).sum() < BACKGROUND_WORDS]
    return sorted(unread, key=_area, reverse=True)[:MAX_PICTURES]


def read_pictures(image: PageImage, boxes: Sequence[Box], precision: Precision = "float32") -> list[Word]:
    """The words in these boxes (points) of the page's image."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    masked = np.full_like(pixels, 255)
    edges = [_pixels(box, image) for box in boxes]
    if not edges:
        return []
    for left, top, right, bottom in edges:
        masked[top:bottom, left:right] = pixels[top:bottom, left:right]
    left, top = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
    right, bottom = max(edge[2] for edge in edges), max(edge[3] for edge in edges)
    part = np.ascontiguousarray(masked[top:bottom, left:right])
    if not part.size:
        return []
    words = read_image(PageImage(part.shape[1], part.shape[0], part.tobytes(), image.scale), precision)
    dx, dy = left / image.scale, top / image.scale
    return [_moved(word, dx, dy) for word in words if word.confidence >= MIN_CONFIDENCE]


def add_picture_words(layer: Sequence[Word], picture_words: Sequence[Word]) -> list[Word]:
    """The layer's words, and the picture words in places where it has none, line by line, top to bottom."""
    boxes = np.array([word.box for word in layer], np.float64).reshape(-1, 4)
    new = [word for word in picture_words if not _is_covered(boxes, word.box)]
    lines = [list(words) for _, words in groupby(layer, key=lambda word: word.line)]
    lines += [list(words) for _, words in groupby(new, key=lambda word: word.line)]
    if len(new):
        lines.sort(key=lambda line: median(word.box[1] + word.box[3] for word in line))
    return [replace(word, line=number) for number, line in enumerate(lines) for word in line]


def merge_words(layer: Sequence[Word], found: Sequence[Word]) -> list[Word]:
    """The layer's words and the words that OCR found in places where it has none, in common lines: a label may stand in a scan and its
    value in the layer.
    """
    boxes = np.array([word.box for word in layer], np.float64)
    new = [word for word in found if not _holds_middle(boxes.reshape(-1, 4), word.box)]
    return number_lines([TextPiece((word,)) for word in (*layer, *new)]) if new else list(layer)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _pixels(box: Box, image: PageImage) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (
        (side + margin) * image.scale for side, margin in zip(box, (-MARGIN, -MARGIN, MARGIN, MARGIN), strict=True)
    )
    return max(0, int(x0)), max(0, int(y0)), min(image.width, round(x1)), min(image.height, round(y1))


def _moved(word: Word, dx: float, dy: float) -> Word:
    x0, y0, x1, y1 = word.box
    return replace(word, box=(round(x0 + dx, 2), round(y0 + dy, 2), round(x1 + dx, 2), round(y1 + dy, 2)))


def _middles(words: Sequence[Word]) -> NDArray[np.float64]:
    return np.array([((w.box[0] + w.box[2]) / 2, (w.box[1] + w.box[3]) / 2) for w in words], np.float64).reshape(-1, 2)


def _inside(middles: NDArray[np.float64], box: Box) -> NDArray[np.bool_]:
    x, y = middles[:, 0], middles[:, 1]
    return (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])


def _holds_middle(boxes: NDArray[np.float64], box: Box) -> bool:
    """Whether words of the layer stand along half of the box's middle line. OCR's boxes are taller than the letters."""
    y = (box[1] + box[3]) / 2
    level = (boxes[:, 1] <= y) & (y <= boxes[:, 3])
    wide = np.minimum(boxes[level, 2], box[2]) - np.maximum(boxes[level, 0], box[0])
    return float(wide.clip(0).sum()) >= 0.5 * max(box[2] - box[0], 0.01)


def _is_covered(boxes: NDArray[np.float64], box: Box) -> bool:
    """Whether the boxes of the layer cover half of the box."""
    wide = np.minimum(boxes[:, 2], box[2]) - np.maximum(boxes[:, 0], box[0])
    high = np.minimum(boxes[:, 3], box[3]) - np.maximum(boxes[:, 1], box[1])
    return float((wide.clip(0) * high.clip(0)).sum()) >= 0.5 * max(_area(box), 0.01)
