"""Chooses the scale at which text is detected on photographs, by the height of the letters.

The detector's usual input suits a scanned page of A4. On a photograph the page may be a part of the picture; then single digits and small
print are not found. Scans and screenshots keep the usual scale, so they take no longer.
"""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.words.detector import Pixels

GOOD_HEIGHT = 12.5
"""Height of the letters, in pixels of the detector's input, to which a photograph with smaller ones is enlarged."""
LARGEST_STEP = 1.3
"""The usual scale is multiplied by this at most: the detector's time grows with its square."""
LETTER_HEIGHTS = (4, 60)
"""Pixels: the smallest and the largest letter."""
LETTER_ASPECTS = (0.15, 2.0)
"""Width of a letter over its height."""
LETTER_FILL = 0.15
"""Smallest share of a letter's box that is ink."""
INK_WINDOW, INK_CONTRAST = 31, 25
"""Pixels around a place, and levels of grey by which ink is darker than their mean. Cloth and crumpled paper have less contrast."""
MIN_LETTERS = 30
LIGHT_SIDE = 96
"""Pixels of the shorter side of the picture on which the light is measured."""
LIGHT_WINDOW = 7
"""Pixels of that picture in which paper shows beside the letters."""
MIN_SHADE = 6.0
"""Lowest difference, in levels of grey, between the brightest paper and the median. On scans and screenshots it is almost none."""
MIN_CONTRAST = 12.0
"""Lowest difference between the brightest and the darkest ground."""


def suitable_scale(pixels: Pixels, usual: float) -> float:
    """Pixels of the detector's input for each pixel of a BGR picture: ``usual``, or more on a photograph with small letters.

    More than the picture's own pixels show no more detail.
    """
    if usual >= 1 or not has_uneven_light(pixels):
        return usual
    height = letter_height(pixels, usual)
    return min(1.0, usual * min(LARGEST_STEP, GOOD_HEIGHT / height)) if 0 < height < GOOD_HEIGHT else usual


def has_uneven_light(pixels: Pixels) -> bool:
    """Whether the paper on a BGR picture has no single brightness, as on photographs."""
    step = max(1, min(pixels.shape[:2]) // LIGHT_SIDE)
    sparse = pixels[:: max(1, step // 3), :: max(1, step // 3)]
    rate = max(1, min(sparse.shape[:2]) // LIGHT_SIDE)
    size = (max(1, sparse.shape[1] // rate), max(1, sparse.shape[0] // rate))
    grey = cv2.cvtColor(cv2.resize(sparse, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    ground = cv2.dilate(grey, np.ones((LIGHT_WINDOW, LIGHT_WINDOW), np.uint8))
    dark, usual, bright = np.percentile(ground, (5, 50, 95))
    return bool(bright - usual >= MIN_SHADE and bright - dark >= MIN_CONTRAST)


def letter_height(pixels: Pixels, scale: float) -> float:
    """The median height of what looks like letters on a BGR picture, in pixels at ``scale``; 0 where there are few."""
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, INK_WINDOW, INK_CONTRAST)
    parts = cv2.connectedComponentsWithStats(ink)[2][1:]
    wide, high, area = (parts[:, n] for n in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    fits = (high >= LETTER_HEIGHTS[0]) & (high <= LETTER_HEIGHTS[1]) & (area >= LETTER_FILL * wide * high)
    fits &= (wide >= LETTER_ASPECTS[0] * high) & (wide <= LETTER_ASPECTS[1] * high)
    return float(np.median(high[fits])) if fits.sum() >= MIN_LETTERS else 0.0
