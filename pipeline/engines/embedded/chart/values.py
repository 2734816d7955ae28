"""The values of bars: the numbers printed at them, else lengths measured on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bars import Bar, Bars, uv
from pipeline.engines.embedded.chart.labels import Label
from pipeline.records import Box


def print_values(bars: Bars, numbers: Sequence[Label]) -> None:
    """Give each bar the number printed in it, else just beyond its end (or before its start, where bars run that way)."""
    free = list(numbers)
    for place in (_within, _beyond, *((_before,) if bars.stacked or not _based(bars) else ())):
        for bar in bars.all:
            if bar.printed is None and (
                label := next((each for each in free if place(bar, uv(each.box, bars.vertical))), None)
            ):
                bar.printed, bar.value = label, label.number
                free.remove(label)
    got = [bar for bar in bars.all if bar.printed]
    if len(got) < 0.4 * len(bars.all):
        for bar in got:
            bar.printed = bar.value = None


def _based(bars: Bars) -> bool:
    """Whether all bars begin at one place."""
    starts = [bar.start for bar in bars.all]
    return max(starts) - min(starts) <= 4


def _within(bar: Bar, box: Box) -> bool:
    u, v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bar.start <= u <= bar.end and bar.low <= v <= bar.high


def _beyond(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= box[0] - bar.end <= reach


def _before(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= bar.start - box[2] <= reach


def measure(bars: Bars, axis: Axis | None) -> bool:
    """Values for the bars without a printed one: from the axis, else in proportion to those that have one."""
    missing = [bar for bar in bars.all if bar.value is None]
    sign = -1 if bars.vertical else 1
    axis = axis and _at_zero(axis, sign * bars.base)
    known = [float(bar.value) / (bar.end - bar.start) for bar in bars.all if bar.value is not None and bar.end > bar.start]
    for bar in missing:
        if axis is not None and not axis.log:
            start = axis.value(sign * bar.start)
            value = axis.value(sign * bar.end) - (start if bars.stacked else 0.0)
            if not bars.stacked and abs(start) > abs(value) and start < 0:
                value = start
            bar.value = rounded(value, abs(axis.slope))
        elif axis is not None:
            bar.value = rounded(axis.value(sign * bar.end), abs(axis.value(sign * bar.end)) / 200)
        elif len(known) >= 3:
            bar.value = rounded(median(known) * (bar.end - bar.start), median(known))
    return axis is not None or not missing


def _at_zero(axis: Axis, base: float) -> Axis:
    """Bars stand on zero: where the axis nearly says so, it is moved to say so exactly."""
    off = axis.value(base)
    return replace(axis, start=axis.start - off) if not axis.log and abs(off) < 5 * abs(axis.slope) else axis


def rounded(value: float, step: float) -> Decimal:
    """A measured value, to as many digits as ``step`` (the value of one pixel) carries."""
    if step >= 20:
        unit = 10 ** floor(log10(step))
        return Decimal(round(value / unit) * unit)
    digits = 0
    while digits < 9 and step < 0.2 * 10.0**-digits:
        digits += 1
    return Decimal(f"{value:.{digits}f}") + 0
