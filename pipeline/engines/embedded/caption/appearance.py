"""Measures what a picture looks like: its colours, its brightness, and whether the sky in it is blue."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 160
"""Longest side, in pixels, of the copy that is measured."""
MIN_SHARE = 0.2
"""Least share of the picture that a colour fills to be named."""
_HUES = ((8, "red"), (22, "orange"), (33, "yellow"), (85, "green"), (130, "blue"), (150, "purple"), (172, "pink"), (181, "red"))
"""Upper limit of the hue for each name. Hue runs from 0 to 179 in OpenCV."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What a picture looks like as a whole."""

    colours: tuple[str, ...]
    """Names of at most three colours, the largest area first."""
    grey: bool
    """Whether the picture is black and white."""
    dark: bool
    sky: bool
    """Whether the top fifth is a bright, even blue."""


def measure_appearance(pixels: NDArray[np.uint8]) -> Appearance:
    """Return the appearance of a picture (height x width x 3, RGB)."""
    factor = min(1.0, MAX_SIDE / max(pixels.shape[:2]))
    size = max(4, round(pixels.shape[1] * factor)), max(4, round(pixels.shape[0] * factor))
    hsv = cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., channel].astype(int) for channel in range(3))
    names = _colour_names(hue, saturation, value)
    top = names[: max(1, size[1] // 5)]
    bright = value[: max(1, size[1] // 5)] > 130
    return Appearance(
        colours=_largest_colours(names),
        grey=bool((saturation * value / 255 > 20).mean() < 0.02),
        dark=bool(np.median(value) < 60),
        sky=bool(((top == "blue") & bright).mean() > 0.7),
    )


def _colour_names(hue: NDArray[np.int_], saturation: NDArray[np.int_], value: NDArray[np.int_]) -> NDArray[np.str_]:
    limits = np.array([limit for limit, _ in _HUES])
    names = np.array([name for _, name in _HUES])[np.searchsorted(limits, hue, side="right").clip(0, len(_HUES) - 1)]
    brown = np.isin(names, ("red", "orange", "yellow")) & (value < 150) & (saturation > 60) & (hue > 4)
    names = np.where(brown, "brown", names)
    names = np.where(saturation < 45, np.where(value > 190, "white", "gray"), names)
    return np.where(value < 50, "black", names)


def _largest_colours(names: NDArray[np.str_]) -> tuple[str, ...]:
    unique_names, counts = np.unique(names, return_counts=True)
    order = counts.argsort()[::-1][:3]
    return tuple(str(unique_names[index]) for index in order if counts[index] >= MIN_SHARE * names.size)
