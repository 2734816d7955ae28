"""The values of bars: the numbers printed at them, else lengths measured on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bars import Bar, Bars, uv
from pipeline.engines.embedded.chart.chart_labels import Label
from pipeline.records import Box

OFF = 0.75
"""Pixels by which the end of a bar may be off."""
SUPPORTED = 0.75
"""Measured values are kept as fine as this part of what they may be off: rounding shall add no error of its own."""


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


def doubt(bars: Bars) -> None:
    """Measure a bar again whose printed number is not in proportion to its length, where all the others are: it was misread."""
    printed = [(bar, float(bar.value) / bar.length) for bar in bars.all if bar.printed and bar.value and bar.length > 2]
    if len(printed) < 5 or not _based(bars):
        return
    scale = median(ratio for _, ratio in printed)
    wrong = [bar for bar, ratio in printed if abs(ratio / scale - 1) > 0.25 and abs(ratio / scale - 1) * bar.length > 3]
    fair = [ratio for bar, ratio in printed if bar not in wrong and abs(ratio / scale - 1) < 0.12]
    if scale > 0 and len(wrong) <= 0.2 * len(printed) and len(wrong) + len(fair) == len(printed):
        places = max(
            0, *(-int(bar.value.as_tuple().exponent) for bar, _ in printed if bar.value is not None and bar not in wrong)
        )
        for bar in wrong:
            bar.printed, bar.value = None, Decimal(f"{median(fair) * bar.length:.{places}f}")
            bar.error = Decimal(f"{median(fair):.9f}")


def measure(bars: Bars, axis: Axis | None) -> bool:
    """Values for the bars without a printed one: from the axis, else in proportion to those that have one."""
    missing = [bar for bar in bars.all if bar.value is None]
    sign = -1 if bars.vertical else 1
    axis = axis and _at_zero(axis, sign * bars.base)
    known = [float(bar.value) / bar.length for bar in bars.all if bar.value is not None and bar.length > 0]
    for bar in missing:
        if axis is not None:
            value, error = _measured(bar, axis, sign, bars.stacked)
        elif len(known) >= 3:
            value, error = median(known) * bar.length, abs(median(known))
        else:
            continue
        bar.value, bar.error = rounded(value, error / SUPPORTED), inexact(error)
    return axis is not None or not missing


def _measured(bar: Bar, axis: Axis, sign: int, stacked: bool) -> tuple[float, float]:
    """The value of a bar by its length, and by how much it may be off."""
    start, end = axis.value(sign * bar.start), axis.value(sign * bar.end)
    if axis.log:
        return end, abs(end) * (10 ** abs(OFF * axis.slope) - 1)
    if stacked:
        return end - start, OFF * abs(axis.slope)
    return (start if abs(start) > abs(end) and start < 0 else end), OFF * abs(axis.slope)


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


def inexact(error: float) -> Decimal:
    """An error as a decimal number, never above 10 to the power of 15."""
    return Decimal(f"{min(abs(error), 1e15):.9f}")
