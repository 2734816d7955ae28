"""What a picture looks like without knowing what is in it: its colours, its brightness, a blue sky."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 160
"""Longest side in pixels of the copy that is looked at."""
SHARE = 0.2
"""A colour is named when it fills that much of the picture."""
_HUES = ((8, "red"), (22, "orange"), (33, "yellow"), (85, "green"), (130, "blue"), (150, "purple"), (172, "pink"), (181, "red"))
"""OpenCV's hue runs from 0 to 179; each name up to its number."""


@dataclass(frozen=True, slots=True)
class Look:
    """The impression a picture makes."""

    colours: tuple[str, ...]
    """At most three, the largest first."""
    grey: bool
    """Black and white."""
    dark: bool
    sky: bool
    """A bright, even blue at the top."""


def look_at(pixels: NDArray[np.uint8]) -> Look:
    """Look at a picture (height x width x 3, RGB)."""
    factor = min(1.0, SIDE / max(pixels.shape[:2]))
    size = max(4, round(pixels.shape[1] * factor)), max(4, round(pixels.shape[0] * factor))
    hsv = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., channel].astype(int) for channel in range(3))
    names = _names(hue, saturation, value)
    top = names[: max(1, size[1] // 5)]
    bright = value[: max(1, size[1] // 5)] > 130
    return Look(
        colours=_largest(names),
        grey=bool((saturation * value / 255 > 20).mean() < 0.02),
        dark=bool(np.median(value) < 60),
        sky=bool(((top == "blue") & bright).mean() > 0.7),
    )


def _names(hue: NDArray[np.int_], saturation: NDArray[np.int_], value: NDArray[np.int_]) -> NDArray[np.str_]:
    limits = np.array([limit for limit, _ in _HUES])
    names = np.array([name for _, name in _HUES])[np.searchsorted(limits, hue, side="right").clip(0, len(_HUES) - 1)]
    brown = np.isin(names, ("red", "orange", "yellow")) & (value < 150) & (saturation > 60) & (hue > 4)
    names = np.where(brown, "brown", names)
    names = np.where(saturation < 45, np.where(value > 190, "white", "gray"), names)
    return np.where(value < 50, "black", names)


def _largest(names: NDArray[np.str_]) -> tuple[str, ...]:
    found, counts = np.unique(names, return_counts=True)
    order = counts.argsort()[::-1][:3]
    return tuple(str(found[index]) for index in order if counts[index] >= SHARE * names.size)
