"""Turns the image of a page, and cuts a part out of it."""

from __future__ import annotations

import numpy as np

from pipeline.records import Box, PageImage


def cut(image: PageImage, part: Box) -> PageImage:
    """The part of an image inside a box in points; at least one pixel."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    left, top, right, bottom = (round(side * image.scale) for side in part)
    left, top = min(max(0, left), image.width - 1), min(max(0, top), image.height - 1)
    cropped = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
    return PageImage(cropped.shape[1], cropped.shape[0], cropped.tobytes(), image.scale)


def turn(image: PageImage, degrees: int) -> PageImage:
    """The image turned clockwise by a multiple of 90 degrees."""
    if not degrees:
        return image
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    turned = np.rot90(pixels, -degrees // 90)
    return PageImage(turned.shape[1], turned.shape[0], turned.tobytes(), image.scale)
