"""Categories of bars along a numeric axis: bins between ticks, or single numbers where not every bar has its own tick."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bars import Bars

TOUCH = 0.12
"""A tick under the middle of a bar is off by at most this part of the bar's thickness."""


def binned(bars: Bars, axis: Axis) -> list[str] | None:
    """ "60 – 80" for each bar whose edges are where the ticks are, or could be; None when ticks stand under the bars' middles."""
    if not bars.touching:
        return None
    thick = median(row[0].high - row[0].low for row in bars.rows)
    places = [tick.x if axis.horizontal else tick.y for tick in axis.ticks]
    inside = [place for place in places if bars.rows[0][0].low <= place <= bars.rows[-1][0].high]
    at_middle = sum(min(abs(place - row[0].middle) for row in bars.rows) <= max(3.0, TOUCH * thick) for place in inside)
    if not inside or at_middle > 0.6 * len(inside):
        return None
    width = median(b[0].middle - a[0].middle for a, b in pairwise(bars.rows)) if len(bars.rows) > 1 else thick
    step = _nice(abs(width * axis.slope))
    labels = []
    for row in bars.rows:
        low = round(axis.value(row[0].middle) / step - 0.5) * step
        labels.append(f"{_plain(low)} – {_plain(low + step)}")
    return labels


def _nice(step: float) -> float:
    """The step of the bins: the nearest of 1, 2, 2.5, 4, 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return min((factor * power for factor in (1, 2, 2.5, 4, 5, 10)), key=lambda nice: abs(nice - step))


def _plain(value: float) -> str:
    return f"{Decimal(f'{value:.6f}').normalize():f}"
