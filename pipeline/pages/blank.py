"""Detects blank pages. They never reach an engine, because models invent values for them."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.records import PageImage

PAPER = 160
"""Median grey from which a page can be empty paper. A black picture is not a blank page."""
CONTRAST = 32
"""Grey levels below the paper from which a pixel is ink."""
INK = 0.00002
"""Largest share of ink pixels on a blank page. One printed digit on A4 is a little more."""


def is_blank(image: PageImage) -> bool:
    """Whether the image is empty paper: light, and almost without ink (dust and shading of a scanner are allowed)."""
    pixels = np.frombuffer(image.rgb, dtype=np.uint8).reshape(image.height, image.width, 3)
    red, green, blue = cv2.split(pixels)
    darkest = cv2.min(cv2.min(red, green), blue)  # yellow ink is light in all but one colour
    counts = cv2.calcHist([darkest], [0], None, [256], [0, 256]).ravel()
    paper = int(np.searchsorted(counts.cumsum(), darkest.size / 2))
    if paper < PAPER:
        return False
    return bool(counts[: paper - CONTRAST].sum() <= INK * darkest.size)
