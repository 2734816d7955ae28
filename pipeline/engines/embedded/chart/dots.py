"""Dots: single markers of one size, beside category labels (dot plots) or in a field of two numeric axes (scatter plots)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bar_values import inexact, rounded
from pipeline.engines.embedded.chart.chart_labels import Label
from pipeline.engines.embedded.chart.colour_regions import PIECES, Painting, filled_rings
from pipeline.engines.embedded.chart.legend import Names
from pipeline.engines.embedded.chart.summary import Row
from pipeline.records import Box

LEAST = 5
"""So many markers of one size make a dot plot."""
MOST = 400
"""More points than that are not listed."""


@dataclass(frozen=True, slots=True)
class Dot:
    """The centre of a marker in pixels."""

    x: float
    y: float
    colour: int


def find_dots(painting: Painting, height: float, swatches: Sequence[Box]) -> list[Dot]:
    """Square spots not larger than a letter, or discs not larger than two, all of one size; none when there are fewer than ``LEAST``."""
    found: list[tuple[Dot, float]] = []
    for colour in range(len(painting.colours)):
        mask = (painting.index == colour).astype(np.uint8)
        spots = cv2.morphologyEx(filled_rings(mask), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, _, stats, centres = cv2.connectedComponentsWithStats(spots, connectivity=8)
        if count > PIECES:
            continue
        for (x, y, w, h, area), (cx, cy) in zip(stats[1:count].tolist(), centres[1:count].tolist(), strict=True):
            disc = 0.7 < area / (w * h) < 0.87
            round_ = 0.65 < w / h < 1.55 and area >= 0.6 * w * h and 3 <= max(w, h) <= (2.0 if disc else 1.3) * height
            if round_ and not any(a <= x + w / 2 <= c and b <= y + h / 2 <= d for a, b, c, d in swatches):
                found.append((Dot(cx + 0.5, cy + 0.5, colour), float(max(w, h))))
    if len(found) < LEAST:
        return []
    usual = median(size for _, size in found)
    dots = [dot for dot, size in found if abs(size - usual) <= max(1.5, 0.3 * usual)]
    return dots if LEAST <= len(dots) <= MOST else []


def read_dots(dots: Sequence[Dot], axes: tuple[Axis | None, Axis | None], labels: Sequence[Label], names: Names) -> list[Row]:
    """A row for each dot; ``labels`` are the categories when only one of the axes has numbers."""
    across, up = axes
    rows: list[Row] = []
    none: tuple[int, ...] = ()
    for dot in sorted(dots, key=lambda dot: (dot.y, dot.x) if up is None else (dot.x, dot.y)):
        name = names.get(dot.colour)
        series = name.text if name else None
        if across and up:
            category, words = str(rounded(across.value(dot.x), abs(across.slope))), none
            value, step = _read(up, dot.y)
        elif across or up:
            label = _label(dot, labels, upright=up is not None)
            if label is None:
                continue
            value, step = _read(across, dot.x) if across else _read(up, dot.y) if up else (0.0, 1.0)
            category, words = label.text, label.words
        else:
            return []
        rows.append(Row(category, series, rounded(value, abs(step)), words, error=inexact(step)))
    return rows


def _read(axis: Axis, pixel: float) -> tuple[float, float]:
    """The value at a pixel, and that of one pixel there."""
    value = axis.value(pixel)
    return value, abs(value) * (10 ** abs(axis.slope) - 1) if axis.log else abs(axis.slope)


def _label(dot: Dot, labels: Sequence[Label], upright: bool) -> Label | None:
    """The label in line with a dot: below it for upright plots, else on its left."""
    off = [(abs(label.x - dot.x) if upright else abs(label.y - dot.y), label) for label in labels]
    distance, label = min(off, key=lambda pair: pair[0], default=(1e9, None))
    return label if label and distance <= (0.7 * label.width if upright else 0.7 * label.height) else None
