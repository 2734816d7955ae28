"""Finds axes: numbers printed at even steps along a line, calibrated to pixels by medians."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log10
from statistics import median

from pipeline.engines.embedded.chart.chart_labels import ChartLabel

TICK_TOLERANCE = 0.02
"""Most distance between a tick and the position of its number, as a share of the axis's length."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Values along x (or y, downwards): ``value = slope * pixel + intercept``, as a power of ten when ``log``."""

    slope: float
    intercept: float
    log: bool
    ticks: tuple[ChartLabel, ...]
    horizontal: bool

    def value(self, pixel: float) -> float:
        """Return the value at a pixel."""
        linear = self.slope * pixel + self.intercept
        return float(10**linear) if self.log else linear

    def pixel(self, value: float) -> float:
        """Return the pixel of a value."""
        return ((log10(value) if self.log else value) - self.intercept) / self.slope

    @property
    def position(self) -> float:
        """Mean y of the ticks of a horizontal axis, mean x of those of a vertical one."""
        return sum(tick.y if self.horizontal else tick.x for tick in self.ticks) / len(self.ticks)

    @property
    def span(self) -> tuple[float, float]:
        """First and last pixel that has a tick."""
        positions = [tick.x if self.horizontal else tick.y for tick in self.ticks]
        return min(positions), max(positions)


def find_axes(labels: Sequence[ChartLabel]) -> tuple[Axis | None, Axis | None]:
    """Return the horizontal and the vertical numeric axis, each None when there is none. Labels are single words or phrases."""
    numbers = [label for label in labels if label.number is not None]
    return _axis(numbers, True), _axis([label for label in numbers if not label.rotated], False)


def vertical_axes(labels: Sequence[ChartLabel]) -> list[Axis]:
    """Return all vertical numeric axes, also those that are not the longest."""
    numbers = [label for label in labels if label.number is not None and not label.rotated]
    return [axis for group in _groups(numbers, False) if (axis := _calibrate(group, False))]


def _axis(numbers: Sequence[ChartLabel], horizontal: bool) -> Axis | None:
    axes = [axis for group in _groups(numbers, horizontal) if (axis := _calibrate(group, horizontal))]
    return max(axes, key=lambda axis: (len(axis.ticks), axis.span[1] - axis.span[0]), default=None)


def _groups(numbers: Sequence[ChartLabel], horizontal: bool) -> list[list[ChartLabel]]:
    """Return groups of numbers in one row, or in one column that is aligned left, right or in the middle."""
    alignments: list[Callable[[ChartLabel], float]] = [lambda label: label.y]
    if not horizontal:
        alignments = [lambda label: label.box[2], lambda label: label.x, lambda label: label.box[0]]
    groups: list[list[ChartLabel]] = []
    for coordinate in alignments:
        ordered = sorted(numbers, key=coordinate)
        current: list[ChartLabel] = []
        for label in ordered:
            if current and coordinate(label) - coordinate(current[0]) > 0.7 * min(label.height, label.width):
                groups.append(current)
                current = []
            current.append(label)
        groups.append(current)
    return [group for group in groups if len(group) >= 3]


def _calibrate(group: Sequence[ChartLabel], horizontal: bool) -> Axis | None:
    points = [((tick.x if horizontal else tick.y), float(tick.number), tick) for tick in group if tick.number is not None]

    def length(ticks: Sequence[ChartLabel]) -> float:
        positions = [tick.x if horizontal else tick.y for tick in ticks]
        return max(positions) - min(positions)

    for log in (False, True):
        usable = [(position, log10(value) if log else value, tick) for position, value, tick in points if value > 0 or not log]
        best = _best_line(usable)
        if log and best and (len(best[2]) < 4 or abs(best[0]) * length(best[2]) < 0.6):
            continue
        if best and len(best[2]) >= max(3, 0.6 * len(usable)):
            return Axis(best[0], best[1], log, tuple(best[2]), horizontal)
    return None


def _best_line(points: Sequence[tuple[float, float, ChartLabel]]) -> tuple[float, float, list[ChartLabel]] | None:
    """Return slope, intercept and ticks of the line through two points that most others lie on; None without three distinct values."""
    if len(points) < 3:
        return None
    length = max(position for position, _, _ in points) - min(position for position, _, _ in points)
    best: tuple[float, float, list[ChartLabel]] | None = None
    for (p, a, _), (q, b, _) in combinations(points[:40], 2):
        if abs(p - q) < 0.1 * length or a == b:
            continue
        slope = (b - a) / (q - p)
        ticks = [
            tick
            for position, value, tick in points
            if abs((value - a) / slope + p - position) <= max(2.5, TICK_TOLERANCE * length)
        ]
        if best is None or len(ticks) > len(best[2]):
            best = slope, a - slope * p, ticks
    return _fit_by_medians(best, points) if best and len({tick.number for tick in best[2]}) >= 3 else None


def _fit_by_medians(
    line: tuple[float, float, list[ChartLabel]], points: Sequence[tuple[float, float, ChartLabel]]
) -> tuple[float, float, list[ChartLabel]]:
    """Return the same line fitted by medians (Theil and Sen). Labels at the ends of an axis are often moved inwards."""
    ticks = line[2]
    pairs = [(position, value) for position, value, tick in points if tick in ticks]
    slopes = [(b - a) / (q - p) for (p, a), (q, b) in combinations(pairs, 2) if abs(q - p) > 1]
    slope = median(slopes) if slopes else line[0]
    return slope, median(value - slope * position for position, value in pairs), ticks


def axis_signals(axis: Axis | None, column: Sequence[ChartLabel], on_rules: bool) -> dict[str, float]:
    """What the confidence of values measured on an axis depends on.

    ``column`` are all numbers in its row or column; ``on_rules``: it was calibrated on tick marks or grid lines.
    """
    if axis is None:
        return {"no_axis": 1.0}
    distances = [
        abs(axis.pixel(float(tick.number)) - (tick.x if axis.horizontal else tick.y))
        for tick in axis.ticks
        if tick.number is not None and (tick.number > 0 or not axis.log)
    ]
    return {
        "three_ticks": float(len(axis.ticks) <= 3),
        "three_ticks_without_rules": float(len(axis.ticks) <= 3 and not on_rules),
        "without_rules": float(not on_rules),
        "four_ticks": float(len(axis.ticks) == 4),
        "tick_distance": min(1.0, max(distances, default=0.0) / 8),
        "strange_ticks": 1 - len(axis.ticks) / max(len(column), len(axis.ticks)),
        "log": float(axis.log),
    }
