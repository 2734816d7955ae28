"""Draws a page for a model with no more pixels than its print needs.

A visual token costs as much as a token of text, and on a page of text most of them show paper. So margins are cut off, bands of empty paper
are narrowed, and the resolution is the lowest at which the smallest print is legible. Photographs and other pages without text are drawn
completely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.pages.blank import CONTRAST, PAPER
from pipeline.records import PageImage, Word

MIN_WORDS = 12
"""A page with fewer words is a picture."""
PRINT_PIXELS = 16
"""Height in pixels of the smallest print. olmOCR draws A4 pages 1288 pixels high, where eight-point print has twelve."""
MIN_SCALE = 1.0
"""Lowest resolution in pixels per point for pages with large print, which may show more than words."""
SMALLER_SHARE = 0.05
"""Share of a page's letters that may be smaller than the smallest print: footnotes without values."""
MIN_LETTERS = 2
"""Letters of a word whose height counts. Marks and bullets are always small."""
SKETCH_PIXELS = 200_000
"""Size of the drawing in which paper and print are distinguished."""
MARGIN_POINTS, BAND_POINTS = 8.0, 24.0
"""Paper that stays around the print, and the height of the highest band of empty paper."""
MAX_DUST = 2
"""Dark pixels in a row or column that count as dust."""
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def draw_cropped(draw: Callable[[float], PageImage], words: Sequence[Word], area: float, budget: int) -> PageImage:
    """An image of the page with at most ``budget`` pixels. ``draw`` draws it upright at a resolution in pixels per point.

    ``area`` is the page's area in square points. The image's ``scale`` is right; its origin is not the page's.
    """
    full_scale = (budget / max(1.0, area)) ** 0.5
    if len(words) < MIN_WORDS:
        return draw(full_scale)
    sketch = draw(min(full_scale, (SKETCH_PIXELS / max(1.0, area)) ** 0.5))
    inked = _inked_region(sketch)
    if inked is None:
        return draw(full_scale)
    (left, right), bands = inked
    print_area = (right - left) * sum(below - above for above, below in bands) / sketch.scale**2
    scale = min((budget / max(1.0, print_area)) ** 0.5, max(PRINT_PIXELS / smallest_print_size(words), MIN_SCALE))
    image = draw(scale)
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    enlarged = image.scale / sketch.scale
    rows = [pixels[round(above * enlarged) : round(below * enlarged)] for above, below in bands]
    cut = np.concatenate(rows)[:, round(left * enlarged) : round(right * enlarged)]
    return PageImage(cut.shape[1], cut.shape[0], cut.tobytes(), image.scale)


def smallest_print_size(words: Sequence[Word]) -> float:
    """Height in points of the smallest print, at least 4; 8 for a page without words."""
    sizes = sorted((w.size or w.box[3] - w.box[1], len(w.text)) for w in words if len(w.text) >= MIN_LETTERS)
    letters = sum(count for _, count in sizes)
    below = 0
    for size, count in sizes:
        below += count
        if below >= SMALLER_SHARE * letters:
            return max(4.0, size)
    return 8.0


def _inked_region(sketch: PageImage) -> tuple[tuple[int, int], list[tuple[int, int]]] | None:
    """First and last column, and the bands of rows, that show more than paper; None for a page without print on light paper."""
    pixels: Pixels = np.frombuffer(sketch.rgb, np.uint8).reshape(sketch.height, sketch.width, 3)
    darkest = pixels.min(2)
    paper = float(np.median(darkest))
    if paper < PAPER:
        return None
    ink = darkest < paper - CONTRAST
    across, down = _runs(ink.sum(0)), _runs(ink.sum(1))
    if not across or not down:
        return None
    margin, band = round(MARGIN_POINTS * sketch.scale) + 1, round(BAND_POINTS * sketch.scale)
    left, right = max(0, across[0][0] - margin), min(sketch.width, across[-1][1] + margin)
    bands = [(max(0, down[0][0] - margin), down[0][1])]
    for (_, end), (start, stop) in pairwise(down):
        if start - end > band:  # half of the remaining paper goes to the print above, half to the print below
            bands[-1] = (bands[-1][0], end + band // 2)
            bands.append((start - band // 2, stop))
        else:
            bands[-1] = (bands[-1][0], stop)
    bands[-1] = (bands[-1][0], min(sketch.height, bands[-1][1] + margin))
    return (left, right), bands


def _runs(counts: Any) -> list[tuple[int, int]]:
    """Runs of rows or columns with ink, as (first, last + 1)."""
    has_ink = np.concatenate([[0], (counts > MAX_DUST).astype(np.int8), [0]])
    changes = np.flatnonzero(np.diff(has_ink))
    return [(int(a), int(b)) for a, b in zip(changes[::2], changes[1::2], strict=True)]
