"""What every opened document can do, whatever library opened it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.records import Box, PageImage

POINTS_PER_INCH = 72.0


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a page in points, as displayed (rotation applied)."""

    width: float
    height: float


class OpenDocument(Protocol):
    """An opened file. Pages are counted from 1. Everything may raise DocumentError, or crash: it runs in a worker."""

    kind: str
    pages: int

    def size(self, number: int) -> Size:
        """The page's size in points."""
        ...

    def native_scale(self, number: int) -> float | None:
        """Pixels per point at which the page was scanned; None where it is not one picture."""
        ...

    def draw(self, number: int, scale: float) -> PageImage:
        """The page in pixels, ``scale`` pixels per point."""
        ...

    def loss_warning(self, number: int) -> str:
        """Why an empty drawing of the page may be a loss, for people; empty where it means that the page is empty."""
        ...

    def native_page(self, number: int) -> Any:
        """The library's own page, from which words can be read; None for images."""
        ...

    def image_boxes(self, number: int) -> list[Box]:
        """Boxes of raster images on the page."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def fit_scale(size: Size, wanted: float, max_pixels: float) -> float:
    """``wanted`` pixels per point, or less where the page would have more than ``max_pixels``."""
    area = max(1e-6, size.width * size.height)
    return min(wanted, math.sqrt(max_pixels / area))
