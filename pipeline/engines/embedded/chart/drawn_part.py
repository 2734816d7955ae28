"""A polygon or line that a PDF draws, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Box

LEVEL = 0.05
"""Pixels by which the ends of a level line may differ in height."""
Points = NDArray[np.float64]
"""Corners, one a row: x and y."""


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """A polygon or line in pixels of the painted image. A colour is a number of ``ColourRegions``, or ``BACKGROUND``."""

    points: Points
    fill: int | None
    stroke: int | None
    width: float
    """Of the stroke."""
    curved: bool

    @property
    def box(self) -> Box:
        """The box around the corners."""
        (x0, y0), (x1, y1) = self.points.min(axis=0).tolist(), self.points.max(axis=0).tolist()
        return x0, y0, x1, y1

    @property
    def is_rectangle(self) -> bool:
        """Whether it is a rectangle with level sides."""
        if self.curved or not 4 <= len(self.points) <= 6:
            return False
        steps = np.abs(np.diff(self.points, axis=0))
        x0, y0, x1, y1 = self.box
        reach = max(LEVEL, 0.002 * max(x1 - x0, y1 - y0))
        level = bool((steps.min(axis=1) <= reach).all())
        return level and abs(self.area - (x1 - x0) * (y1 - y0)) <= 0.02 * max(1e-6, (x1 - x0) * (y1 - y0))

    @property
    def area(self) -> float:
        """Area of the polygon."""
        x, y = self.points[:, 0], self.points[:, 1]
        return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
