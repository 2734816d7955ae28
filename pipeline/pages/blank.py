"""Is there anything on the page? Blank pages never reach an engine: they make models invent."""

from __future__ import annotations

import cv2
import numpy as np

from pipeline.records import PageImage

PAPER = 160
"""Median grey of a page that can count as empty paper; a black picture is no blank page."""
CONTRAST = 32
"""Grey levels darker than the paper that make a pixel ink."""
INK = 0.00002
"""Share of ink pixels up to which the page is blank; a single printed digit on A4 is a little more than that."""


def is_blank(image: PageImage) -> bool:
    """Whether the image is empty paper: light, even, and without ink (a scanner's dust and shading allowed)."""
    pixels = np.frombuffer(image.rgb, dtype=np.uint8).reshape(image.height, image.width, 3)
    red, green, blue = cv2.split(pixels)
    darkest = cv2.min(cv2.min(red, green), blue)  # yellow ink is light in all but one colour
    counts = cv2.calcHist([darkest], [0], None, [256], [0, 256]).ravel()
    paper = int(np.searchsorted(counts.cumsum(), darkest.size / 2))
    if paper < PAPER:
        return False
    return bool(counts[: paper - CONTRAST].sum() <= INK * darkest.size)
