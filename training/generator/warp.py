"""Moves pixels of a page, and its boxes with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Points = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Warped:
    """An image, and where each point of the page stands on it."""

    pixels: Pixels
    move: Callable[[Points], Points]
    """Page pixels, shape (n, 2), to pixels of the image."""


def still(pixels: Pixels) -> Warped:
    """The page as it is."""
    return Warped(pixels, lambda points: points)


def perspective(warped: Warped, corners: Points, size: tuple[int, int], background: Pixels | None = None) -> Warped:
    """The page with its corners (top left, top right, bottom right, bottom left) at these places of an image of ``size`` (width, height)."""
    height, width = warped.pixels.shape[:2]
    own = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(own, corners.astype(np.float32))
    flat: Any = cv2.warpPerspective(warped.pixels, matrix, size, flags=cv2.INTER_AREA, borderValue=(255, 255, 255))
    if background is not None:
        mask: Any = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)
        share = (mask.astype(np.float32) / 255)[..., None]
        flat = (flat * share + background * (1 - share)).astype(np.uint8)
    before = warped.move

    def move(points: Points) -> Points:
        moved: Points = cv2.perspectiveTransform(
            before(points).reshape(-1, 1, 2).astype(np.float64), matrix.astype(np.float64)
        ).reshape(-1, 2)
        return moved

    return Warped(flat, move)


def displace(warped: Warped, dx: Points, dy: Points) -> Warped:
    """Each pixel moved by ``dx`` and ``dy`` (arrays of the image's size), which change slowly from place to place."""
    height, width = warped.pixels.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    pixels: Any = cv2.remap(
        warped.pixels, x - dx.astype(np.float32), y - dy.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    before = warped.move

    def move(points: Points) -> Points:
        at = before(points)
        column = np.clip(at[:, 0].round().astype(int), 0, width - 1)
        row = np.clip(at[:, 1].round().astype(int), 0, height - 1)
        moved: Points = at + np.stack([dx[row, column], dy[row, column]], axis=1)
        return moved

    return Warped(pixels, move)


def move_box(
    box: tuple[float, float, float, float], scale: float, move: Callable[[Points], Points]
) -> tuple[float, float, float, float]:
    """A box of the page in points as a box of the image in pixels. ``scale`` is pixels per point."""
    x0, y0, x1, y1 = (value * scale for value in box)
    edge = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1], [(x0 + x1) / 2, y0], [(x0 + x1) / 2, y1]], dtype=np.float64)
    moved = move(edge)
    left, top = moved.min(axis=0)
    right, bottom = moved.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
