"""Takes out of the picture of a line what is not its print: rules of tables, and feet of the lines above and below.

Tesseract reads nothing, or noise, where a rule runs along a line. PP-OCR was trained on such pictures and does not mind.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.words.recogniser import Pixels

Mask = NDArray[np.bool_]
LONG_RULE, TALL_RULE = 0.6, 0.75
"""Share of the picture's width or height from which a thin stroke at its edge is a rule."""
RULE_HEIGHTS = 3.0
"""A thin stroke at the edge that is so many picture heights long is a rule, too."""
THIN = 0.15
"""Mean thickness of a rule in picture heights, at most."""
EDGE = 0.2
"""Share of the height within which print that the edge cuts belongs to another line."""
MIN_CONTRAST = 40
"""Least difference of ink and paper (0 to 255) of a picture with print."""


def cleaned(line: Pixels) -> Pixels:
    """The BGR picture of a line with paper in place of rules at its edges and of cut print of other lines."""
    ink = ink_of(line)
    if ink is None:
        return line
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    height, width = ink.shape
    foreign = [n for n in range(1, count) if _is_rule(stats[n], height, width) or _is_cut(stats[n], height)]
    if not foreign:
        return line
    removed = np.isin(labels, foreign)
    around = cv2.dilate(removed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    result = line.copy()
    result[around & ~(ink & ~removed)] = np.median(line[~ink], axis=0).astype(np.uint8)
    return result


def ink_of(line: Pixels) -> Mask | None:
    """Where a BGR picture of a line has ink, by Otsu's threshold; None for one without print, or with more ink than paper."""
    grey = cv2.cvtColor(line, cv2.COLOR_BGR2GRAY)
    low, high = np.percentile(grey, (1, 90))
    if high - low < MIN_CONTRAST:
        return None
    limit, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink = np.asarray(grey <= limit, np.bool_)
    return ink if ink.mean() < 0.5 else None


def _is_rule(stats: NDArray[np.int32], height: int, width: int) -> bool:
    """Whether a component is a rule, or the corner of a frame, at the edge of the picture."""
    left, top, across, down, area = (int(value) for value in stats)
    at_side = left <= 1 or left + across >= width - 1
    at_end = top <= 1 or top + down >= height - 1
    if not (at_side or at_end):
        return False
    long = across >= LONG_RULE * width or across >= RULE_HEIGHTS * height
    tall = down >= TALL_RULE * height
    length = (across if long else 0) + (down if tall else 0)
    return length > 0 and area <= THIN * height * length


def _is_cut(stats: NDArray[np.int32], height: int) -> bool:
    """Whether a component is the foot or the head of a letter of another line."""
    top, down = int(stats[cv2.CC_STAT_TOP]), int(stats[cv2.CC_STAT_HEIGHT])
    return (top == 0 and down < EDGE * height) or (top + down == height and down < EDGE * height)
