"""Finds an axis of which only two numbers are printed: each must stand at its own tick mark or grid line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import ColourRegions
from pipeline.engines.embedded.chart.ticks import rule_positions

MIN_DISTANCE = 0.12
"""Least distance of the two ticks, as a share of the picture's side."""
ALIGNED = 0.3
"""Most distance of the two numbers from one row or column, over their height."""


def axis_of_two_ticks(labels: Sequence[ChartLabel], regions: ColourRegions, horizontal: bool) -> Axis | None:
    """Return the axis through two numbers of a row or column, each at a rule; None without such numbers, or with several pairs."""
    numbers = [label for label in labels if label.number is not None and not label.rotated]
    side = regions.pixels.shape[1] if horizontal else regions.pixels.shape[0]
    axes = []
    for first, second in combinations(numbers[:60], 2):
        if not _are_aligned(first, second, horizontal):
            continue
        p, q = (first.x, second.x) if horizontal else (first.y, second.y)
        a, b = float(first.number or 0), float(second.number or 0)
        if abs(p - q) < MIN_DISTANCE * side or a == b or (b - a) * (q - p) * (1 if horizontal else -1) <= 0:
            continue
        slope = (b - a) / (q - p)
        rough = Axis(slope, a - slope * p, False, (first, second), horizontal)
        rules = rule_positions(rough, regions)
        if len(rules) == 2:
            p, q = rules[first], rules[second]
            slope = (b - a) / (q - p)
            axes.append(Axis(slope, a - slope * p, False, (first, second), horizontal))
    return axes[0] if len(axes) == 1 else None


def _are_aligned(first: ChartLabel, second: ChartLabel, horizontal: bool) -> bool:
    near = ALIGNED * min(first.height, second.height)
    if horizontal:
        return abs(first.y - second.y) <= near
    return abs(first.box[2] - second.box[2]) <= near or abs(first.x - second.x) <= near
