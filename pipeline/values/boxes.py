"""Arithmetic of boxes, for every room."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.records import Box


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around boxes. Raises ValueError when there is none."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
