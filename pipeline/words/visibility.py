"""Which words of a PDF's text layer a person sees on the page.

A word can be white on white, transparent, tiny, or painted over by a box or a picture. The letters then still stand in the file. Only words
that something could hide are compared with the pixels of the page: words in a light colour, and words that share their place with a filled
shape, a thick stroke or a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.page_trace import PageTrace
from pipeline.words.paint_log import paint_log, thick_strokes

Visibility = Literal["seen", "unseen", "under_scan"]
"""``under_scan``: below a picture that fills the page, as the layer of an OCR program is."""
Floats = NDArray[np.float64]
FILLS = ("fill-path", "fill-image", "fill-shade", "fill-imgmask")
"""Painting operations of MuPDF that can hide what is below them; strokes of a thick pen can, too."""
PICTURES = ("fill-image", "fill-shade", "fill-imgmask")
MIN_SIDE = 3.0
"""Points. Thinner shapes are rules, which hide nothing."""
MIN_COVERED = 0.5
"""Share of a word that a shape must share with it to hide it."""
SCAN_SHARE = 0.5
"""A picture that covers this share of the page is a scan."""
LIGHT = 160
"""Brightness (0 to 255) of a colour that may vanish on white paper."""
OPAQUE = 200
"""Opacity (0 to 255) below which a word may vanish."""
TINY = 0.0035
"""Size of letters that nobody can read, as a share of the page's shorter side: 2 points on A4."""
MAX_FILLS = 3_000
"""A page with more filled shapes is a drawing, whose words are believed."""
MAX_CONFIRMED = 300
"""Words that are compared with the picture by OCR at most; the others are believed."""
MAX_PIXELS = 2_000_000
MIN_CONTRAST = 20.0
"""Smallest distance between the colours of a word and its background, of 441."""
MIN_OTHER_CONTRAST = 100.0
"""Distance from the background, of 441, from which pixels of another colour may be the word as it is seen."""
MIN_INK = 0.2
"""Smallest share of a word's own colour that its darkest pixel must have; small thin letters reach 0.3 at 72 dots per inch."""

PLAIN_SHARE = 0.97
"""Share of the pixels of a plain place that have its colour; the others are noise of a scan."""
MAX_DARK = 90.0
"""Brightness (0 to 255) of a place that is blacked out."""
EDGE = 0.15
"""Edge of a word's box that is not looked at, as a share of its height: boxes of OCR are not exact."""


@dataclass(frozen=True, slots=True)
class PaintedWord:
    """A word as the file paints it. ``origin``: where its first letter starts, in the page's own coordinates (unrotated)."""

    text: str
    box: Box
    size: float
    colour: int
    """0xRRGGBB."""
    opacity: int
    """0 to 255."""
    origin: tuple[float, float]


class PaintOrder:
    """What a MuPDF page paints, in the order of painting, with boxes on the page as displayed.

    ``confirm`` reads a place on the page by OCR and says whether the text stands there. It is used only for words under a picture, and
    where there is ink of another colour than the word's.
    """

    def __init__(self, page: Any, trace: PageTrace, confirm: Callable[[Sequence[PaintedWord]], Sequence[bool]]) -> None:
        self._page, self._trace, self._confirm = page, trace, confirm
        self.width, self.height = float(page.rect.width), float(page.rect.height)
        fills = [fill for fill in paint_log(page, FILLS) if min(_sides(fill.box)) >= MIN_SIDE]
        fills = [*fills, *thick_strokes(page, MIN_SIDE)]
        fills = fills if len(fills) <= MAX_FILLS else []
        self._turns = np.array([fill.turn for fill in fills], np.int64)
        self._boxes = np.array([fill.box for fill in fills], np.float64).reshape(-1, 4)
        self._pictures = np.array([fill.kind in PICTURES for fill in fills], bool)

    @property
    def picture_boxes(self) -> Floats:
        """The boxes of pictures, one a row, in points."""
        boxes: Floats = self._boxes[self._pictures]
        return boxes

    def visibility(self, words: Sequence[PaintedWord]) -> list[Visibility]:
        """What a person sees of these words."""
        found: list[Visibility] = ["seen"] * len(words)
        if not words:
            return found
        boxes = np.array([word.box for word in words], np.float64)
        covered = _shares(boxes, self._boxes)
        share_of_shapes = covered @ ~self._pictures  # several strokes hide together what each of them does not
        sizes = np.array([word.size for word in words])
        tiny = TINY * min(self.width, self.height)
        unreadable = (sizes < tiny) & bool(np.median(sizes) > 2 * tiny)
        suspects = [
            n
            for n, word in enumerate(words)
            if any(c.isalnum() for c in word.text)  # a line of dots or dashes hides nothing
            and (
                unreadable[n]
                or word.opacity < OPAQUE
                or _brightness(word.colour) > LIGHT
                or (covered[n] >= MIN_COVERED).any()
                or share_of_shapes[n] >= MIN_COVERED
            )
        ]
        doubtful = []
        for n in suspects:
            later = self._turns > self._turn(words[n]) if len(self._turns) else np.zeros(0, bool)
            pictures = later & self._pictures & (covered[n] >= MIN_COVERED)
            shapes = float(covered[n] @ (later & ~self._pictures)) >= MIN_COVERED
            if unreadable[n] or (pictures.any() and self.is_plain(words[n])):
                found[n] = "unseen"
            elif (pictures & (self._areas >= SCAN_SHARE * self.width * self.height)).any():
                found[n] = "under_scan"
            elif pictures.any():
                doubtful.append(n)
            elif (ink := self._ink(words[n], self._overprints(n, words, boxes) if shapes else None)) == "none":
                found[n] = "unseen"
            elif ink == "other":
                doubtful.append(n)
        doubtful = doubtful[:MAX_CONFIRMED]
        if doubtful:
            for n, stands in zip(doubtful, self._confirm([words[n] for n in doubtful]), strict=True):
                found[n] = "seen" if stands else "unseen"
        return found

    def is_painted_over(self, word: PaintedWord) -> bool:
        """Whether a shape is painted over a word, and one colour is all that is seen in its place."""
        covered = _shares(np.array([word.box], np.float64), self._boxes)[0] * ~self._pictures
        if covered.sum() < MIN_COVERED or float(covered @ (self._turns > self._turn(word))) < MIN_COVERED:
            return False
        return self.is_plain(word)

    def is_plain(self, word: PaintedWord) -> bool:
        """Whether one colour is all that is seen in the place of a word."""
        pixels, scale = self._pixels
        return is_plain(pixels, scale, word.box)

    @cached_property
    def _areas(self) -> Floats:
        return (self._boxes[:, 2] - self._boxes[:, 0]) * (self._boxes[:, 3] - self._boxes[:, 1])

    def _turn(self, word: PaintedWord) -> int:
        """When the word is painted; after everything else where that is not known."""
        glyph = self._trace.glyph_at(word.origin, word.text[:1])
        return glyph.turn if glyph else 1 << 40

    def _overprints(self, n: int, words: Sequence[PaintedWord], boxes: Floats) -> Floats:
        """The boxes of other words in the place of word ``n`` that are painted after it."""
        overlaps = np.flatnonzero(_shares(boxes[n : n + 1], boxes)[0] > 0).tolist()
        own = self._turn(words[n])
        return boxes[[m for m in overlaps if m != n and self._turn(words[m]) > own]]

    @cached_property
    def _pixels(self) -> tuple[NDArray[np.uint8], float]:
        scale = min(1.0, (MAX_PIXELS / max(1.0, self.width * self.height)) ** 0.5)
        pixmap = self._page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3), scale

    def _ink(self, word: PaintedWord, overprints: Floats | None) -> Literal["own", "other", "none"]:
        """Whether pixels in the word's box have its colour on a background of another one, or another colour, or all one colour.

        ``overprints`` are left out. Some programs draw letters as shapes and lay the text over them in any colour.
        """
        pixels, scale = self._pixels
        x0, y0, x1, y1 = (round(side * scale) for side in word.box)
        part = pixels[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)]
        if not part.size:
            return "own"
        kept = np.ones(part.shape[:2], bool)
        for box in overprints if overprints is not None else ():
            left, top, right, bottom = (round(float(side) * scale) for side in box)
            kept[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
        if overprints is not None and kept.mean() < 0.3:  # another word stands in its place
            return "none"
        seen = part[kept].astype(np.float64)
        background = np.median(seen, axis=0)
        colour = np.array([word.colour >> 16 & 255, word.colour >> 8 & 255, word.colour & 255], np.float64)
        direction = colour - background
        distance = float(np.linalg.norm(direction))
        if distance >= MIN_CONTRAST and float(((seen - background) @ direction).max()) / distance**2 >= MIN_INK:
            return "own"
        return "other" if float(np.linalg.norm(seen - background, axis=1).max()) >= MIN_OTHER_CONTRAST else "none"


def is_plain(pixels: NDArray[np.uint8], scale: float, box: Box, *, dark: bool = False) -> bool:
    """Whether a box (points) of a picture is of one colour, and a dark one. The edge of the box is left out."""
    part = _inner(pixels, scale, box)
    if not part.size or (dark and part.mean() > MAX_DARK):
        return False
    seen = part.reshape(-1, 3).astype(np.float64)
    background = np.median(seen, axis=0)
    return float(np.quantile(np.abs(seen - background).max(axis=1), PLAIN_SHARE)) < MIN_CONTRAST


def _inner(pixels: NDArray[np.uint8], scale: float, box: Box) -> NDArray[np.uint8]:
    margin = EDGE * (box[3] - box[1])
    x0, y0, x1, y1 = (round(side * scale) for side in (box[0] + margin, box[1] + margin, box[2] - margin, box[3] - margin))
    part: NDArray[np.uint8] = pixels[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)]
    return part


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _brightness(colour: int) -> float:
    return 0.299 * (colour >> 16 & 255) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255)


def _shares(boxes: Floats, others: Floats) -> Floats:
    """For each box the share of it that each of ``others`` covers."""
    wide = np.minimum(boxes[:, None, 2], others[None, :, 2]) - np.maximum(boxes[:, None, 0], others[None, :, 0])
    high = np.minimum(boxes[:, None, 3], others[None, :, 3]) - np.maximum(boxes[:, None, 1], others[None, :, 1])
    areas = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 0.01)
    shares: Floats = wide.clip(0) * high.clip(0) / areas[:, None]
    return shares
