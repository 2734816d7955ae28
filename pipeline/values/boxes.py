"""Arithmetic of boxes."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.records import Box


def bounding_box(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all boxes. Raises ValueError without boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
