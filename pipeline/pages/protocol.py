"""The interface of an opened document, the same for all libraries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.records import Box, PageImage

POINTS_PER_INCH = 72.0
LOCKED = "the file is encrypted; `pipeline unlock` takes its password"
"""Why a file with a password is not read."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a page in points, as displayed (rotation applied)."""

    width: float
    height: float


class OpenDocument(Protocol):
    """An opened file. Pages are counted from 1. All methods may raise DocumentError or crash, so they run in a worker."""

    kind: str
    pages: int

    def size(self, number: int) -> Size:
        """The page's size in points."""
        ...

    def native_scale(self, number: int) -> float | None:
        """Pixels per point of a scanned page; None for a page that is not one picture."""
        ...

    def draw(self, number: int, scale: float) -> PageImage:
        """The page as an image with ``scale`` pixels per point."""
        ...

    def loss_warning(self, number: int) -> str:
        """A message on why a blank drawing may have lost content; empty where the page is really blank."""
        ...

    def native_page(self, number: int) -> Any:
        """The library's page object, from which words can be read; None for images."""
        ...

    def image_boxes(self, number: int) -> list[Box]:
        """Boxes of the raster images on the page, in points."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def fit_scale(size: Size, preferred: float, max_pixels: float) -> float:
    """``preferred`` pixels per point, or less where the page would have more than ``max_pixels``."""
    area = max(1e-6, size.width * size.height)
    return min(preferred, math.sqrt(max_pixels / area))
