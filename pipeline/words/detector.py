"""Where text stands on a picture: PP-OCRv6's detection network, and boxes drawn around what it marks.

The steps and thresholds are those of PaddleOCR's DBPostProcess for these weights (differentiable binarisation, arXiv:1911.08947).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

from pipeline.words.networks import Bfloat16Network, Network
from pipeline.words.precision import Precision

Pixels = NDArray[np.uint8]
Quad = NDArray[np.float32]
"""Four corners of a line of text, from its first letter's top left clockwise, in pixels."""

STRIDE = 32
"""The network wants sides that are multiples of this."""
MARKED = 0.3
"""The network's probability from which a pixel belongs to text."""
BOX_SCORE = 0.5
"""Mean probability inside of a box below which it is dropped."""
UNCLIP = 1.6
"""The network marks the core of each line; a box is that much grown, times area over circumference."""
MIN_CORE = 3.0
"""Pixels; thinner marks are noise."""
MIN_BOX = MIN_CORE + 2
ROW = 10.0
"""Pixels between the tops of two boxes from which they are in different rows."""
MAX_BOXES = 4_000


PAPERS = frozenset({(928, 1312), (1312, 928), (960, 1248), (1248, 960)})
"""Shapes of whole pages of A4 and Letter as the network sees them: frequent enough to be planned for in bfloat16."""
DOUBT = 0.08
"""Closer than this to ``BOX_SCORE``, rounding may take or leave a box: on drawn scans it moves scores by 0.04 at most there."""

Mark = tuple[Any, float]
"""The upright or leaning rectangle (as OpenCV's minAreaRect) around what the network marks, and its score."""


class Detector:
    """The network, loaded once a process; not thread-safe.

    In bfloat16, whole pages of common paper are looked at quickly; those where a box is in doubt, and all others, in float32.
    """

    def __init__(self, threads: int = 1, precision: Precision = "float32") -> None:
        name = ("rapidocr", "PP-OCRv6_det_small.onnx", threads)
        self._exact = cache(partial(Network, *name))
        self._quick = cache(partial(Bfloat16Network, *name)) if precision == "bfloat16" else None

    def boxes(self, seen: Pixels) -> list[Quad]:
        """Boxes of text on a BGR picture, in its pixels, row by row."""
        height, width = seen.shape[:2]
        size = (max(STRIDE, round(width / STRIDE) * STRIDE), max(STRIDE, round(height / STRIDE) * STRIDE))
        blob = cv2.dnn.blobFromImage(cv2.resize(seen, size), 1 / 127.5, mean=(127.5, 127.5, 127.5))
        marks = _marks(self._quick().run(blob)[0, 0]) if self._quick and size in PAPERS else None
        if marks is None or any(abs(score - BOX_SCORE) < DOUBT for _, score in marks):
            marks = _marks(self._exact().run(blob)[0, 0])
        back = np.array([width / size[0], height / size[1]], np.float32)
        limits = np.array([width - 1, height - 1], np.float32)
        grown = (_grown(*mark) for mark, score in marks if score >= BOX_SCORE)
        quads = [np.clip(np.round(box * back), 0, limits) for box in grown if box is not None]
        return _in_rows([quad for quad in map(_clockwise, quads) if min(_extent(quad)) > MIN_CORE])


def _marks(likely: NDArray[np.float32]) -> list[Mark]:
    """What is marked as the core of a line, by each pixel's probability."""
    mask = cv2.dilate((likely > MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    rectangles = [cv2.minAreaRect(contour) for contour in contours[:MAX_BOXES]]
    return [(each, _score(cv2.boxPoints(each), likely)) for each in rectangles if min(each[1]) >= MIN_CORE]


def _grown(middle: tuple[float, float], size: tuple[float, float], angle: float) -> Quad | None:
    """The box around a core; None where it is too thin."""
    width, height = size
    grown = pyclipper.PyclipperOffset()
    grown.AddPath(cv2.boxPoints((middle, size, angle)), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    paths = grown.Execute(UNCLIP * width * height / (2 * (width + height)))
    around = cv2.minAreaRect(np.array(paths).reshape(-1, 1, 2))
    return np.asarray(cv2.boxPoints(around), np.float32) if min(around[1]) >= MIN_BOX else None


def _score(corners: NDArray[np.float32], marks: NDArray[np.float32]) -> float:
    """Mean probability inside of a box."""
    height, width = marks.shape
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    left, right = np.clip((left, right), 0, width - 1)
    top, bottom = np.clip((top, bottom), 0, height - 1)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(marks[top : bottom + 1, left : right + 1], inside)[0])


def _clockwise(corners: Quad) -> Quad:
    """Corners in the order of a Quad: the two on the left, then the two on the right, told apart by their height."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _in_rows(quads: Sequence[Quad]) -> list[Quad]:
    """Top to bottom; boxes whose tops follow each other closely are a row, left to right."""
    rows: list[list[Quad]] = []
    for quad in sorted(quads, key=lambda quad: float(quad[0, 1])):
        if not rows or quad[0, 1] - rows[-1][-1][0, 1] >= ROW:
            rows.append([])
        rows[-1].append(quad)
    return [quad for row in rows for quad in sorted(row, key=lambda quad: float(quad[0, 0]))]


def _extent(quad: Quad) -> tuple[float, float]:
    return float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[0] - quad[3]))
