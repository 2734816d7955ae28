"""Names the bars of a histogram by the bins of its numeric axis."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bars import Bars

MIDDLE_TOLERANCE = 0.12
"""Most distance of a tick from the middle of its bar, as a share of the bar's thickness."""


def bin_names(bars: Bars, axis: Axis) -> list[str] | None:
    """Return a bin ("60 – 80") for each bar; None when bars do not touch, or when ticks stand under the bars' middles."""
    if not bars.touching:
        return None
    thickness = median(row[0].high - row[0].low for row in bars.rows)
    positions = [tick.x if axis.horizontal else tick.y for tick in axis.ticks]
    inside = [position for position in positions if bars.rows[0][0].low <= position <= bars.rows[-1][0].high]
    at_middle = sum(
        min(abs(position - row[0].middle) for row in bars.rows) <= max(3.0, MIDDLE_TOLERANCE * thickness) for position in inside
    )
    if not inside or at_middle > 0.6 * len(inside):
        return None
    width = median(b[0].middle - a[0].middle for a, b in pairwise(bars.rows)) if len(bars.rows) > 1 else thickness
    step = _round_step(abs(width * axis.slope))
    labels = []
    for row in bars.rows:
        low = round(axis.value(row[0].middle) / step - 0.5) * step
        labels.append(f"{_format_number(low)} – {_format_number(low + step)}")
    return labels


def _round_step(step: float) -> float:
    """Return the nearest of 1, 2, 2.5, 4 and 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return min((factor * power for factor in (1, 2, 2.5, 4, 5, 10)), key=lambda candidate: abs(candidate - step))


def _format_number(value: float) -> str:
    return f"{Decimal(f'{value:.6f}').normalize():f}"
