"""How much of a page a model is shown, and how large: no more pixels than its print needs.

A visual token costs as much as a word of text, and on a page of text most of them show paper. So margins are cut off, bands of empty paper
are narrowed, and the page is drawn as large as its smallest print needs to be legible. Photographs and other pages without text are
shown whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.pages.blank import CONTRAST, PAPER
from pipeline.records import PageImage, Word

LEAST_WORDS = 12
"""A page with fewer is a picture."""
PRINT_PIXELS = 16
"""Height of the smallest print. olmOCR shows A4 pages 1288 pixels high, in which print of eight points has twelve."""
LEAST_SCALE = 1.0
"""Pixels per point below which no page is drawn for want of small print: words are not all there is to see."""
SMALL = 0.05
"""Share of a page's letters that may be smaller: footnotes that nobody asks for."""
FEWEST_LETTERS = 2
"""Letters of a word whose height says something; marks and bullets are small everywhere."""
SKETCH_PIXELS = 200_000
"""Of the drawing in which paper and print are told apart."""
MARGIN_POINTS, BAND_POINTS = 8.0, 24.0
"""Paper left around the print, and how high a band of it may be."""
SPECKS = 2
"""Dark pixels of a row or column that are dust."""
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def draw_cropped(draw: Callable[[float], PageImage], words: Sequence[Word], area: float, budget: int) -> PageImage:
    """The page in at most ``budget`` pixels. ``draw`` draws it upright at so many pixels per point; it is ``area`` square points large.

    The result's ``scale`` holds; its origin is not the page's.
    """
    whole = (budget / max(1.0, area)) ** 0.5
    if len(words) < LEAST_WORDS:
        return draw(whole)
    sketch = draw(min(whole, (SKETCH_PIXELS / max(1.0, area)) ** 0.5))
    kept = _kept(sketch)
    if kept is None:
        return draw(whole)
    (left, right), bands = kept
    print_area = (right - left) * sum(below - above for above, below in bands) / sketch.scale**2
    scale = min((budget / max(1.0, print_area)) ** 0.5, max(PRINT_PIXELS / smallest_print_size(words), LEAST_SCALE))
    image = draw(scale)
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    enlarged = image.scale / sketch.scale
    rows = [pixels[round(above * enlarged) : round(below * enlarged)] for above, below in bands]
    cut = np.concatenate(rows)[:, round(left * enlarged) : round(right * enlarged)]
    return PageImage(cut.shape[1], cut.shape[0], cut.tobytes(), image.scale)


def smallest_print_size(words: Sequence[Word]) -> float:
    """Height in points of the smallest print that counts."""
    sizes = sorted((w.size or w.box[3] - w.box[1], len(w.text)) for w in words if len(w.text) >= FEWEST_LETTERS)
    letters = sum(count for _, count in sizes)
    below = 0
    for size, count in sizes:
        below += count
        if below >= SMALL * letters:
            return max(4.0, size)
    return 8.0


def _kept(sketch: PageImage) -> tuple[tuple[int, int], list[tuple[int, int]]] | None:
    """Which columns, and which bands of rows, show more than paper; None for a page that is no print on light paper."""
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
        if start - end > band:  # half of what is left stays with the print above, half with that below
            bands[-1] = (bands[-1][0], end + band // 2)
            bands.append((start - band // 2, stop))
        else:
            bands[-1] = (bands[-1][0], stop)
    bands[-1] = (bands[-1][0], min(sketch.height, bands[-1][1] + margin))
    return (left, right), bands


def _runs(counts: Any) -> list[tuple[int, int]]:
    """Stretches of rows or columns with ink, as (first, behind the last)."""
    inked = np.concatenate([[0], (counts > SPECKS).astype(np.int8), [0]])
    turns = np.flatnonzero(np.diff(inked))
    return [(int(a), int(b)) for a, b in zip(turns[::2], turns[1::2], strict=True)]
