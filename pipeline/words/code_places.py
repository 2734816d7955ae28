"""Where a PDF page paints what may be a QR code: square pictures, square paths, and clouds of small squares."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box
from pipeline.words.paint_log import STROKE, PaintLog

SIDES = (28.0, 320.0)
"""Points: the smallest and the largest code (1 to 11 cm)."""
SQUARE = 0.8
"""The shorter side of what is nearly square, as a share of the longer one."""
MAX_PLACES = 4
"""Places of each kind that are looked at, the largest first; a page with more is a drawing."""
MODULE = 9.0
"""Points: the largest height of one module or of one row of modules."""
MIN_MODULES = 60
"""Shapes from which on a code can be made; the smallest QR code has over 200 dark modules, in rows over 100."""
CELL = 12.0
"""Points: shapes in the same cell, or in cells that touch, belong together."""
MARGIN = 4.0
"""Points around a code that are drawn with it: part of its quiet zone."""
PICTURES, PATHS = ("fill-image", "fill-imgmask"), ("fill-path", STROKE)
Floats = NDArray[np.float64]


def code_places(log: PaintLog) -> list[Box]:
    """Boxes (points, with a small margin) in which a code may be; most of them hold none."""
    if not len(log.boxes):
        return []
    pictures, paths = log.boxes[log.of(PICTURES)], log.boxes[log.of(PATHS)]
    found = [*_squares(pictures), *_squares(paths), *_clouds(log.boxes[log.of((*PICTURES, *PATHS))])]
    places: list[Box] = []
    for x0, y0, x1, y1 in sorted(found, key=lambda box: box[0] - box[2]):
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        if not any(p[0] <= middle[0] <= p[2] and p[1] <= middle[1] <= p[3] for p in places):
            places.append((x0 - MARGIN, y0 - MARGIN, x1 + MARGIN, y1 + MARGIN))
    return places


def _squares(boxes: Floats) -> list[Box]:
    """The largest boxes that are nearly square and of the size of a code."""
    if not len(boxes):
        return []
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    short, long = np.minimum(wide, high), np.maximum(wide, high)
    fits = boxes[(short >= SIDES[0]) & (long <= SIDES[1]) & (short >= SQUARE * long)]
    order = np.argsort(fits[:, 0] - fits[:, 2], kind="stable")[:MAX_PLACES]
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in fits[order].tolist()]


def _clouds(boxes: Floats) -> list[Box]:
    """The boxes around many small shapes that lie close together, where they are nearly square."""
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    small = boxes[
        (high <= MODULE) & (wide <= SIDES[1] / 2) & (high > 0) & (wide > 0) & (boxes > -1e4).all(1) & (boxes < 1e4).all(1)
    ]
    if len(small) < MIN_MODULES:
        return []
    middles = (small[:, :2] + small[:, 2:]) / 2
    cells = ((middles - middles.min(axis=0)) / CELL).astype(np.int64)
    grid = np.zeros(cells.max(axis=0) + 1, np.uint8)
    grid[cells[:, 0], cells[:, 1]] = 1
    _, labels = cv2.connectedComponents(grid, connectivity=8)
    cloud = labels[cells[:, 0], cells[:, 1]]
    counts = np.bincount(cloud)
    largest = np.argsort(-counts, kind="stable")[:MAX_PLACES]
    members = [small[cloud == number] for number in largest if counts[number] >= MIN_MODULES]
    return _squares(np.array([[*part[:, :2].min(axis=0), *part[:, 2:].max(axis=0)] for part in members]).reshape(-1, 4))
