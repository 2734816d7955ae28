"""Which words of a PDF's text layer a person sees on the page.

A word can be white on white, transparent, tiny, or painted over by a box or a picture. The letters then still stand in the file. Only words
that something could hide are compared with the pixels of the page: words in a light colour, and words that share their place with a filled
shape, a thick stroke or a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box
from pipeline.runtime.pymupdf_import import pymupdf
from pipeline.words.paint_log import PICTURES, STROKE
from pipeline.words.painted_page import PaintedPage

Visibility = Literal["seen", "unseen", "under_scan"]
"""``under_scan``: below a picture that fills the page, as the layer of an OCR program is."""
Floats = NDArray[np.float64]
FILLS = ("fill-path", "fill-image", "fill-shade", "fill-imgmask")
"""Painting operations of MuPDF that can hide what is below them; strokes of a thick pen can, too."""
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
MAX_COMPARED = 1_000_000
"""Pairs of a word and a fill that are compared in one step, so that the memory stays small."""
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


@dataclass(frozen=True, slots=True)
class _Cover:
    """For each word whether fills cover enough of it to hide it, its share below shapes, and the last turn of a fill that touches it."""

    covered: NDArray[np.bool_]
    by_shapes: Floats
    last: NDArray[np.int64]


class PaintOrder:
    """What a MuPDF page paints, in the order of painting, with boxes on the page as displayed.

    ``confirm`` reads a place on the page by OCR and says whether the text stands there. It is used only for words under a picture, and
    where there is ink of another colour than the word's.
    """

    def __init__(self, page: PaintedPage, confirm: Callable[[Sequence[PaintedWord]], Sequence[bool]]) -> None:
        self._painted, self._confirm = page, confirm
        self.width, self.height = float(page.page.rect.width), float(page.page.rect.height)
        log = page.log
        large = (log.boxes[:, 2:] - log.boxes[:, :2]).min(axis=1, initial=np.inf) >= MIN_SIDE
        fills, strokes = log.of(FILLS) & large, log.of((STROKE,)) & large
        if int(fills.sum()) > MAX_FILLS:
            fills[:] = strokes[:] = False
        self._picture_boxes: Floats = log.boxes[fills & log.of(PICTURES)]
        self._fills, self._strokes = fills, strokes
        self._select(fills)
        self._sorted: tuple[NDArray[np.int64], Floats, float] | None = None

    def _select(self, chosen: NDArray[np.bool_]) -> None:
        """Ask about these operations of the log."""
        log = self._painted.log
        if int(chosen.sum()) > MAX_FILLS:
            chosen = np.zeros_like(chosen)
        self._turns, self._boxes = log.turns[chosen], log.boxes[chosen]
        self._pictures = log.of(PICTURES)[chosen]

    def _add_thick_strokes(self, boxes: Floats) -> None:
        """Ask about thick strokes, too, where a stroke shares its place with a word. Most pages have none, or only thin rules."""
        log, strokes = self._painted.log, np.flatnonzero(self._strokes)
        near = strokes[self._touched(boxes, log.boxes[strokes])] if len(boxes) else strokes[:0]
        self._strokes[near] = False
        thick = [n for n in near.tolist() if log.is_thick(int(log.turns[n]), MIN_SIDE)]
        if thick:
            self._fills[thick] = True
            self._select(self._fills)

    @property
    def picture_boxes(self) -> Floats:
        """The boxes of pictures, one a row, in points."""
        return self._picture_boxes

    def visibility(self, words: Sequence[PaintedWord]) -> list[Visibility]:
        """What a person sees of these words."""
        found: list[Visibility] = ["seen"] * len(words)
        if not words:
            return found
        boxes = np.array([word.box for word in words], np.float64)
        sizes = np.array([word.size for word in words])
        tiny = TINY * min(self.width, self.height)
        unreadable = (sizes < tiny) & bool(np.median(sizes) > 2 * tiny)
        self._add_thick_strokes(boxes)
        cover = self._cover(boxes)
        scans = self._pictures & (_areas(self._boxes) >= SCAN_SHARE * self.width * self.height)
        suspects = [
            n
            for n, (word, covered) in enumerate(zip(words, cover.covered.tolist(), strict=True))
            if (covered or unreadable[n] or word.opacity < OPAQUE or _brightness(word.colour) > LIGHT)
            and any(c.isalnum() for c in word.text)  # a line of dots or dashes hides nothing
        ]
        doubtful = []
        for n in suspects:
            if unreadable[n]:
                found[n] = "unseen"
                continue
            shapes = False
            if cover.last[n] > self._painted.trace.first_turn:
                later = self._turns > self._turn(words[n])
                share = _shares(boxes[n : n + 1], self._boxes)[0]
                pictures = later & self._pictures & (share >= MIN_COVERED)
                shapes = float(share @ (later & ~self._pictures)) >= MIN_COVERED
                if pictures.any():
                    if self.is_plain(words[n]):
                        found[n] = "unseen"
                    elif (pictures & scans).any():
                        found[n] = "under_scan"
                    else:
                        doubtful.append(n)
                    continue
            ink = self._ink(words[n], self._overprints(n, words, boxes) if shapes else None)
            if ink == "none":
                found[n] = "unseen"
            elif ink == "other":
                doubtful.append(n)
        doubtful = doubtful[:MAX_CONFIRMED]
        if doubtful:
            for n, stands in zip(doubtful, self._confirm([words[n] for n in doubtful]), strict=True):
                found[n] = "seen" if stands else "unseen"
        return found

    def painted_over(self, words: Sequence[PaintedWord]) -> list[bool]:
        """For each word whether a shape is painted over it, and one colour is all that is seen in its place."""
        found = [False] * len(words)
        if not words:
            return found
        boxes = np.array([word.box for word in words], np.float64)
        self._add_thick_strokes(boxes)
        for n in np.flatnonzero(self._cover(boxes).by_shapes >= MIN_COVERED).tolist():
            shares = _shares(boxes[n : n + 1], self._boxes)[0] * ~self._pictures
            later = self._turns > self._turn(words[n])
            found[n] = float(shares @ later) >= MIN_COVERED and self.is_plain(words[n])
        return found

    def is_plain(self, word: PaintedWord) -> bool:
        """Whether one colour is all that is seen in the place of a word."""
        pixels, scale = self._pixels
        return is_plain(pixels, scale, word.box)

    def _cover(self, boxes: Floats) -> _Cover:
        count = len(boxes)
        cover = _Cover(np.zeros(count, bool), np.zeros(count), np.full(count, -1, np.int64))
        for part in _parts(count, len(self._turns)):
            shares = _shares(boxes[part], self._boxes)
            cover.by_shapes[part] = shares @ ~self._pictures  # several strokes hide together what each of them does not
            cover.covered[part] = (shares >= MIN_COVERED).any(axis=1) | (cover.by_shapes[part] >= MIN_COVERED)
            cover.last[part] = np.where(shares > 0, self._turns, -1).max(axis=1)
        return cover

    @staticmethod
    def _touched(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
        """Which of ``others`` share a place with a box."""
        found = np.zeros(len(others), bool)
        for part in _parts(len(boxes), len(others)):
            found |= (_shares(boxes[part], others) > 0).any(axis=0)
        return found

    def _turn(self, word: PaintedWord) -> int:
        """When the word is painted; after everything else where that is not known."""
        glyph = self._painted.trace.glyph_at(word.origin, word.text[:1])
        return glyph.turn if glyph else 1 << 40

    def _overprints(self, n: int, words: Sequence[PaintedWord], boxes: Floats) -> Floats:
        """The boxes of other words in the place of word ``n`` that are painted after it."""
        by_top, tops, tallest = self._from_top(boxes)
        first, last = np.searchsorted(tops, (boxes[n, 1] - tallest, boxes[n, 3]))
        near = np.sort(by_top[first:last])
        overlaps = near[_shares(boxes[n : n + 1], boxes[near])[0] > 0].tolist()
        own = self._turn(words[n])
        return boxes[[m for m in overlaps if m != n and self._turn(words[m]) > own]]

    def _from_top(self, boxes: Floats) -> tuple[NDArray[np.int64], Floats, float]:
        """The words from the top of the page downwards, their tops, and the height of the tallest."""
        if self._sorted is None:
            by_top = np.argsort(boxes[:, 1], kind="stable")
            self._sorted = by_top, boxes[by_top, 1], float((boxes[:, 3] - boxes[:, 1]).max())
        return self._sorted

    @cached_property
    def _pixels(self) -> tuple[NDArray[np.uint8], float]:
        scale = min(1.0, (MAX_PIXELS / max(1.0, self.width * self.height)) ** 0.5)
        pixmap = self._painted.display_list.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=0)
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
        if overprints is None:
            seen = part.reshape(-1, 3)
        else:
            kept = np.ones(part.shape[:2], bool)
            for box in overprints:
                left, top, right, bottom = (round(float(side) * scale) for side in box)
                kept[max(0, top - y0) : max(0, bottom - y0), max(0, left - x0) : max(0, right - x0)] = False
            if kept.mean() < 0.3:  # another word stands in its place
                return "none"
            seen = part[kept]
        background = _median(seen)
        difference = seen - background
        direction = np.array([word.colour >> 16 & 255, word.colour >> 8 & 255, word.colour & 255], np.float64) - background
        distance = float(direction @ direction)
        if distance >= MIN_CONTRAST**2 and float((difference @ direction).max()) / distance >= MIN_INK:
            return "own"
        return "other" if float((difference * difference).sum(axis=1).max()) >= MIN_OTHER_CONTRAST**2 else "none"


def is_plain(pixels: NDArray[np.uint8], scale: float, box: Box, *, dark: bool = False) -> bool:
    """Whether a box (points) of a picture is of one colour, and a dark one. The edge of the box is left out."""
    part = _inner(pixels, scale, box)
    if not part.size or (dark and part.mean() > MAX_DARK):
        return False
    seen = part.reshape(-1, 3)
    background = _median(seen)
    return float(np.quantile(np.abs(seen - background).max(axis=1), PLAIN_SHARE)) < MIN_CONTRAST


def _inner(pixels: NDArray[np.uint8], scale: float, box: Box) -> NDArray[np.uint8]:
    margin = EDGE * (box[3] - box[1])
    x0, y0, x1, y1 = (round(side * scale) for side in (box[0] + margin, box[1] + margin, box[2] - margin, box[3] - margin))
    part: NDArray[np.uint8] = pixels[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)]
    return part


def _median(pixels: NDArray[np.uint8]) -> Floats:
    """The median of each channel; ``np.median`` takes several times as long for so few pixels."""
    middle = len(pixels) // 2
    if len(pixels) % 2:
        return np.asarray(np.partition(pixels, middle, axis=0)[middle], np.float64)
    parts = np.partition(pixels, (middle - 1, middle), axis=0)
    return np.asarray(parts[middle - 1 : middle + 1].mean(axis=0), np.float64)


def _brightness(colour: int) -> float:
    return 0.299 * (colour >> 16 & 255) + 0.587 * (colour >> 8 & 255) + 0.114 * (colour & 255)


def _areas(boxes: Floats) -> Floats:
    areas: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas


def _parts(count: int, others: int) -> Iterator[slice]:
    """Parts of ``count`` boxes that are compared with ``others`` in one step; none without others."""
    step = max(1, MAX_COMPARED // max(1, others))
    for first in range(0, count if others else 0, step):
        yield slice(first, first + step)


def _shares(boxes: Floats, others: Floats) -> Floats:
    """For each box the share of it that each of ``others`` covers."""
    wide = np.minimum(boxes[:, None, 2], others[None, :, 2]) - np.maximum(boxes[:, None, 0], others[None, :, 0])
    high = np.minimum(boxes[:, None, 3], others[None, :, 3]) - np.maximum(boxes[:, None, 1], others[None, :, 1])
    areas = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 0.01)
    shares: Floats = wide.clip(0) * high.clip(0) / areas[:, None]
    return shares
