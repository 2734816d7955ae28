"""Detects lines of text in a picture: PP-OCRv6's detection network, and boxes around the pixels that it marks.

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
"""Four corners of a line of text in pixels, clockwise from the top left of its first letter."""

STRIDE = 32
"""The sides of the network's input are multiples of this."""
TEXT_PROBABILITY = 0.3
"""The network's probability from which a pixel belongs to text."""
BOX_SCORE = 0.5
"""Lowest mean probability inside a box that is kept."""
UNCLIP = 1.6
"""The network marks the core of each line. A box is enlarged by this factor times area over circumference."""
MIN_CORE = 3.0
"""Height in pixels of the thinnest mark that is not noise."""
MIN_BOX = MIN_CORE + 2
ROW_STEP = 10.0
"""Distance in pixels between the tops of two boxes from which they are in different rows."""
MAX_BOXES = 4_000
COMMON_SHAPES = frozenset({(928, 1312), (1312, 928), (960, 1248), (1248, 960)})
"""Input shapes of whole A4 and Letter pages. They are frequent enough to compile the bfloat16 network for them."""
DOUBT_MARGIN = 0.08
"""Within this distance of ``BOX_SCORE``, bfloat16 may decide differently: on drawn scans it changes scores by 0.04 at most there."""

Mark = tuple[Any, float]
"""The rectangle (as of OpenCV's minAreaRect) around pixels that the network marks, and its score."""


class Detector:
    """The network, loaded once for each process. Not thread-safe.

    With ``bfloat16``, pages of common shapes are read in bfloat16 first. Pages with a box in doubt, and all others, are read in float32.
    """

    def __init__(self, threads: int = 1, precision: Precision = "float32") -> None:
        name = ("rapidocr", "PP-OCRv6_det_small.onnx", threads)
        self._float32 = cache(partial(Network, *name))
        self._bfloat16 = cache(partial(Bfloat16Network, *name)) if precision == "bfloat16" else None

    def boxes(self, picture: Pixels) -> list[Quad]:
        """Boxes of text in a BGR picture, in its pixels, row by row."""
        height, width = picture.shape[:2]
        size = (max(STRIDE, round(width / STRIDE) * STRIDE), max(STRIDE, round(height / STRIDE) * STRIDE))
        blob = cv2.dnn.blobFromImage(cv2.resize(picture, size), 1 / 127.5, mean=(127.5, 127.5, 127.5))
        marks = _marks(self._bfloat16().run(blob)[0, 0]) if self._bfloat16 and size in COMMON_SHAPES else None
        if marks is None or any(abs(score - BOX_SCORE) < DOUBT_MARGIN for _, score in marks):
            marks = _marks(self._float32().run(blob)[0, 0])
        back = np.array([width / size[0], height / size[1]], np.float32)
        limits = np.array([width - 1, height - 1], np.float32)
        enlarged = (_enlarged(*mark) for mark, score in marks if score >= BOX_SCORE)
        quads = [np.clip(np.round(box * back), 0, limits) for box in enlarged if box is not None]
        return _in_rows([quad for quad in map(_clockwise, quads) if min(_extent(quad)) > MIN_CORE])


def _marks(probabilities: NDArray[np.float32]) -> list[Mark]:
    """The cores of lines, from each pixel's probability."""
    mask = cv2.dilate((probabilities > TEXT_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    rectangles = [cv2.minAreaRect(contour) for contour in contours[:MAX_BOXES]]
    return [(each, _score(cv2.boxPoints(each), probabilities)) for each in rectangles if min(each[1]) >= MIN_CORE]


def _enlarged(middle: tuple[float, float], size: tuple[float, float], angle: float) -> Quad | None:
    """The box around a core; None for a box that is too thin."""
    width, height = size
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(cv2.boxPoints((middle, size, angle)), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    paths = offset.Execute(UNCLIP * width * height / (2 * (width + height)))
    around = cv2.minAreaRect(np.array(paths).reshape(-1, 1, 2))
    return np.asarray(cv2.boxPoints(around), np.float32) if min(around[1]) >= MIN_BOX else None


def _score(corners: NDArray[np.float32], probabilities: NDArray[np.float32]) -> float:
    """Mean probability inside a box."""
    height, width = probabilities.shape
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
    left, right = np.clip((left, right), 0, width - 1)
    top, bottom = np.clip((top, bottom), 0, height - 1)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(probabilities[top : bottom + 1, left : right + 1], inside)[0])


def _clockwise(corners: Quad) -> Quad:
    """Corners in the order of a Quad: the two on the left, then the two on the right, each pair by its height."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (by_x[:2], by_x[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def _in_rows(quads: Sequence[Quad]) -> list[Quad]:
    """The boxes top to bottom. Boxes with almost equal tops are one row, left to right."""
    rows: list[list[Quad]] = []
    for quad in sorted(quads, key=lambda quad: float(quad[0, 1])):
        if not rows or quad[0, 1] - rows[-1][-1][0, 1] >= ROW_STEP:
            rows.append([])
        rows[-1].append(quad)
    return [quad for row in rows for quad in sorted(row, key=lambda quad: float(quad[0, 0]))]


def _extent(quad: Quad) -> tuple[float, float]:
    return float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[0] - quad[3]))
