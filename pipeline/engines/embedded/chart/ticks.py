"""Calibrates axes on their tick marks or grid lines, which are more exact than the positions of the printed numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import log10
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import ColourRegions

RULE_DISTANCE = 3
"""Distance, in pixels, at which a rule is compared with its surroundings."""
MIN_CONTRAST = 14
"""Least difference in a channel between a rule and its surroundings."""
MIN_GRID_SHARE = 0.25
"""Least length of a grid line, as a share of the picture."""
MIN_TICK_PIXELS = 3
"""Fewest pixels of a tick mark."""
TICK_REACH = 16
"""Most pixels between a tick mark and its number."""
CRISP_SHARE = 0.12
"""Strength of a rule's row, as a share of its strongest, below which it is none."""
CRISP_OFFSET = 0.4
"""Pixels by which rules of one pixel are usually drawn too far down or right, to be crisp."""
RULE_TOLERANCE = 1.3
"""Most distance of a rule from the line through all of them, in pixels."""
Profile = NDArray[np.float64]
"""Rule pixels for each row (or column) of the picture."""


def snap_to_rules(axis: Axis | None, regions: ColourRegions) -> Axis | None:
    """Return the axis calibrated on the rules beside its numbers; unchanged when there are none at even steps."""
    if axis is None:
        return None
    lines, marks = _positions(axis, regions)
    return fit_axis(axis, lines) or fit_axis(axis, marks) or axis


def rule_positions(axis: Axis, regions: ColourRegions) -> dict[ChartLabel, float]:
    """Return the position of the grid line, else of the tick mark, at each number of an axis that has one, in pixels."""
    lines, marks = _positions(axis, regions)
    return lines if len(lines) >= len(marks) else marks


def _positions(axis: Axis, regions: ColourRegions) -> tuple[dict[ChartLabel, float], dict[ChartLabel, float]]:
    """Return the positions of the grid lines and of the tick marks at the numbers of an axis."""
    pixels = regions.pixels.transpose(1, 0, 2) if axis.horizontal else regions.pixels
    rules = _rule_pixels(pixels)
    grid = rules.mean(axis=1)
    whole = slice(0, pixels.shape[1])
    lines, marks = dict[ChartLabel, float](), dict[ChartLabel, float]()
    for tick in axis.ticks:
        beside = _columns_beside(tick, axis, rules)
        for positions, profile, columns, least in (
            (lines, grid, whole, MIN_GRID_SHARE),
            (marks, rules[:, beside].sum(axis=1).astype(np.float64), beside, MIN_TICK_PIXELS),
        ):
            rows = _rule_rows(tick, axis, profile, least)
            if rows is not None:
                positions[tick] = _rule_middle(pixels, rules, rows, columns)
    return lines, marks


def _rule_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return a mask of thin lines along the rows: pixels that differ from those above and from those below."""
    rules = np.zeros(pixels.shape[:2], bool)
    if len(pixels) > 2 * RULE_DISTANCE:
        middle = pixels[RULE_DISTANCE:-RULE_DISTANCE].astype(np.int16)
        unlike = [
            np.abs(middle - side).max(axis=2) > MIN_CONTRAST
            for side in (pixels[: -2 * RULE_DISTANCE], pixels[2 * RULE_DISTANCE :])
        ]
        rules[RULE_DISTANCE:-RULE_DISTANCE] = unlike[0] & unlike[1]
    return rules


def _columns_beside(tick: ChartLabel, axis: Axis, rules: NDArray[np.bool_]) -> slice:
    """Return the ``TICK_REACH`` columns beside a number, on the side that has more rules."""
    low, high = (tick.box[1], tick.box[3]) if axis.horizontal else (tick.box[0], tick.box[2])
    sides = [slice(max(0, round(low) - TICK_REACH), max(0, round(low))), slice(round(high), round(high) + TICK_REACH)]
    near = slice(*rule_window(tick, axis))
    return max(sides, key=lambda side: int(rules[near, side].sum(axis=1).max(initial=0)))


def rule_window(tick: ChartLabel, axis: Axis) -> tuple[int, int]:
    """Return the first pixel at which the rule of a number may be, and the one behind the last."""
    middle, size = (tick.x, tick.width) if axis.horizontal else (tick.y, tick.height)
    reach = max(4.0, 0.4 * min(size, tick.height))
    return max(0, round(middle - reach)), max(0, round(middle + reach)) + 1


def _rule_rows(tick: ChartLabel, axis: Axis, profile: Profile, least: float) -> tuple[int, int] | None:
    """Return the first and last row of the one rule near a number; None without one."""
    start, end = rule_window(tick, axis)
    near = profile[start:end]
    if not len(near) or near.max() < least:
        return None
    high = np.flatnonzero(near >= 0.6 * near.max())
    return None if high[-1] - high[0] > RULE_DISTANCE else (start + int(high[0]), start + int(high[-1]))


def _rule_middle(pixels: NDArray[np.uint8], rules: NDArray[np.bool_], rows: tuple[int, int], columns: slice) -> float:
    """Return the middle of a rule, in pixels (0.5 is the middle of the first), by how much its rows differ from what is beside it.

    A rule that is one crisp row was moved to a whole pixel when it was drawn.
    """
    first, last = max(0, rows[0] - 1), min(len(pixels) - 1, rows[1] + 1)
    on = np.flatnonzero(rules[rows[0] : rows[1] + 1, columns].any(axis=0)) + (columns.start or 0)
    strip = pixels[first : last + 1, on].astype(np.float64)
    ground = (pixels[max(0, first - 1), on].astype(np.float64) + pixels[min(len(pixels) - 1, last + 1), on]) / 2
    weights = np.median(np.abs(strip - ground).max(axis=2), axis=1)
    weights = np.where(weights < CRISP_SHARE * weights.max(initial=0.0), 0.0, weights)
    if not weights.any():
        return (rows[0] + rows[1] + 1) / 2 - CRISP_OFFSET
    middle = first + float((weights * np.arange(len(weights))).sum() / weights.sum()) + 0.5
    return middle - CRISP_OFFSET if (weights > 0).sum() == 1 else middle


def fit_axis(axis: Axis, positions: dict[ChartLabel, float]) -> Axis | None:
    """Return the axis fitted to the rules by medians (Theil and Sen); None unless most of them lie on it."""
    points = [
        (position, log10(float(tick.number)) if axis.log else float(tick.number))
        for tick, position in positions.items()
        if tick.number is not None
    ]
    slopes = [(b - a) / (q - p) for (p, a), (q, b) in combinations(points[:40], 2) if abs(q - p) > 2]
    if len(points) < max(3, 0.6 * len(axis.ticks)) or not slopes or not (slope := median(slopes)):
        return None
    start = median(value - slope * position for position, value in points)
    on = sum(abs((value - start) / slope - position) <= RULE_TOLERANCE for position, value in points)
    return replace(axis, slope=slope, intercept=start) if on >= 0.8 * len(points) else None
