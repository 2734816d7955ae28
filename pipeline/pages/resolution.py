"""The resolution of an image file, whose pixels need not be square: a fax in standard resolution has 204 x 98 dots per inch.

Sources: ITU-T T.4 (fax), TIFF 6.0 (XResolution, ResolutionUnit), JFIF 1.02 (density without a unit), PNG 1.2 (pHYs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from pipeline.pages.protocol import POINTS_PER_INCH

PLAUSIBLE_DPI = (50.0, 2400.0)
"""A resolution outside this range is wrong metadata. The image then counts as 72 dpi, one pixel per point."""
MIN_STRETCH, MAX_STRETCH = 1.1, 4.5
"""Between these ratios of the two resolutions pixels are made square; others are rounding or wrong metadata."""
_RATIO_KEYS = ("aspect", "resolution", "jfif_density")
"""Pillow's names for densities without a unit, of PNG, TIFF and JPEG."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """``scale``: pixels per point of the image after its pixels are made square. ``stretch``: factors of its width and height for that."""

    scale: float
    stretch: tuple[float, float] = (1.0, 1.0)


def resolution(image: Image.Image) -> Resolution:
    """The resolution of the present frame, from its own metadata where they are plausible."""
    dpi = _pair(image.info.get("dpi"))
    low, high = PLAUSIBLE_DPI
    if dpi and not all(low <= value <= high for value in dpi):
        dpi = dpi if _stretched(dpi) and low <= max(dpi) <= high else None
    ratio = dpi or next((pair for key in _RATIO_KEYS if (pair := _pair(image.info.get(key)))), None)
    scale = (max(dpi) if dpi and _stretched(dpi) else dpi[0] if dpi else POINTS_PER_INCH) / POINTS_PER_INCH
    if not ratio or not _stretched(ratio):
        return Resolution(scale)
    x, y = ratio
    return Resolution(scale, (max(x, y) / x, max(x, y) / y))


def with_square_pixels(image: Image.Image, stretch: tuple[float, float], max_pixels: int) -> Image.Image:
    """The image, enlarged in the direction in which its pixels are too few, if the result has at most ``max_pixels``."""
    width, height = round(image.width * stretch[0]), round(image.height * stretch[1])
    if (width, height) == image.size or width * height > max_pixels:
        return image
    return image.convert("L" if image.mode == "1" else image.mode).resize((width, height), Image.Resampling.BICUBIC)


def _stretched(pair: tuple[float, float]) -> bool:
    return MIN_STRETCH <= max(pair) / min(pair) <= MAX_STRETCH


def _pair(value: Any) -> tuple[float, float] | None:
    """Two positive numbers; None for anything else that metadata may hold."""
    try:
        x, y = float(value[0]), float(value[1])
    except (TypeError, ValueError, ZeroDivisionError, IndexError, OverflowError):
        return None
    return (x, y) if 0 < x < float("inf") and 0 < y < float("inf") else None
