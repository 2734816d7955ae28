"""Finds the values of bars: the numbers printed at them, else their lengths measured on the axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bars import Bar, Bars, is_waterfall, uv_box
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.records import Box

EDGE_ERROR = 0.75
"""Largest error of the end of a bar, in pixels."""
ROUNDING_SHARE = 0.75
"""Rounding step of measured values, as a share of their error: rounding then adds almost no error."""


def assign_printed_values(bars: Bars, numbers: Sequence[ChartLabel]) -> None:
    """Give each bar the number printed in it, else just beyond its end, else before its start where bars may run backwards."""
    remaining = list(numbers)
    for matches in (_is_inside, _is_beyond_end, *((_is_before_start,) if bars.stacked or not _share_base(bars) else ())):
        for bar in bars.all:
            if bar.value_label is None and (
                label := next((each for each in remaining if matches(bar, uv_box(each.box, bars.vertical))), None)
            ):
                bar.value_label, bar.value = label, label.number
                remaining.remove(label)
    labelled = [bar for bar in bars.all if bar.value_label]
    if len(labelled) < 0.4 * len(bars.all):
        for bar in labelled:
            bar.value_label = bar.value = None


def _share_base(bars: Bars) -> bool:
    """Return whether all bars begin at one position."""
    starts = [bar.start for bar in bars.all]
    return max(starts) - min(starts) <= 4


def _is_inside(bar: Bar, box: Box) -> bool:
    u, v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bar.start <= u <= bar.end and bar.low <= v <= bar.high


def _is_beyond_end(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= box[0] - bar.end <= reach


def _is_before_start(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= bar.start - box[2] <= reach


def replace_misread_values(bars: Bars) -> None:
    """Measure a bar again when its printed number is out of proportion to its length, and those of all others are in proportion."""
    labelled = [(bar, float(bar.value) / bar.length) for bar in bars.all if bar.value_label and bar.value and bar.length > 2]
    if len(labelled) < 5 or not _share_base(bars):
        return
    scale = median(ratio for _, ratio in labelled)
    wrong = [bar for bar, ratio in labelled if abs(ratio / scale - 1) > 0.25 and abs(ratio / scale - 1) * bar.length > 3]
    fitting = [ratio for bar, ratio in labelled if bar not in wrong and abs(ratio / scale - 1) < 0.12]
    if scale > 0 and len(wrong) <= 0.2 * len(labelled) and len(wrong) + len(fitting) == len(labelled):
        places = max(
            0, *(-int(bar.value.as_tuple().exponent) for bar, _ in labelled if bar.value is not None and bar not in wrong)
        )
        for bar in wrong:
            bar.value_label, bar.value = None, Decimal(f"{median(fitting) * bar.length:.{places}f}")
            bar.error = Decimal(f"{median(fitting):.9f}")


def measure_values(bars: Bars, axis: Axis | None, edge_error: float = EDGE_ERROR, *, on_rules: bool = False) -> None:
    """Give each bar without a printed value a measured one: from the axis, else in proportion to the labelled bars.

    ``edge_error`` is the largest error of an end, in pixels. ``on_rules``: the axis was calibrated on tick marks or grid lines, so that
    it is more exact than where bars begin.
    """
    missing = [bar for bar in bars.all if bar.value is None]
    sign = -1 if bars.vertical else 1
    if axis and not on_rules:
        axis = _shift_to_zero(axis, sign * bars.base)
    ratios = [float(bar.value) / bar.length for bar in bars.all if bar.value is not None and bar.length > 0]
    steps = _waterfall_steps(bars)
    for bar in missing:
        if axis is not None and steps and not axis.log:
            value, error = steps[id(bar)] * sign * axis.slope, edge_error * abs(axis.slope)
        elif axis is not None:
            value, error = _measure_bar(bar, axis, sign, edge_error, stacked=bars.stacked)
        elif len(ratios) >= 3:
            value, error = median(ratios) * bar.length, abs(median(ratios))
        else:
            continue
        bar.value, bar.error = round_to_step(value, error / ROUNDING_SHARE), decimal_error(error)


def _waterfall_steps(bars: Bars) -> dict[int, float]:
    """Return the signed length of each bar by its id when each bar begins where the one before ends; empty for other bars."""
    ordered = [row[0] for row in bars.rows]
    if len(bars.all) != len(ordered) or not is_waterfall(ordered):
        return {}
    level, steps = ordered[0].end, {id(ordered[0]): ordered[0].length}
    for bar in ordered[1:]:
        up, down = abs(bar.start - level), abs(bar.end - level)
        steps[id(bar)] = bar.length if up <= down else -bar.length
        level = bar.end if up <= down else bar.start
    return steps


def _measure_bar(bar: Bar, axis: Axis, sign: int, edge_error: float, *, stacked: bool) -> tuple[float, float]:
    """Return the value of a bar by its length, and its largest error."""
    start, end = axis.value(sign * bar.start), axis.value(sign * bar.end)
    if axis.log:
        return end, abs(end) * (10 ** abs(edge_error * axis.slope) - 1)
    if stacked:
        return end - start, edge_error * abs(axis.slope)
    return (start if abs(start) > abs(end) and start < 0 else end), edge_error * abs(axis.slope)


def _shift_to_zero(axis: Axis, base: float) -> Axis:
    """Return the axis moved so that bars stand on zero, when they nearly do."""
    base_value = axis.value(base)
    nearly_zero = not axis.log and abs(base_value) < 5 * abs(axis.slope)
    return replace(axis, intercept=axis.intercept - base_value) if nearly_zero else axis


def round_to_step(value: float, step: float) -> Decimal:
    """Return a measured value with as many digits as ``step`` (the value of one pixel) supports."""
    if step >= 20:
        unit = 10 ** floor(log10(step))
        return Decimal(round(value / unit) * unit)
    digits = 0
    while digits < 9 and step < 0.2 * 10.0**-digits:
        digits += 1
    return Decimal(f"{value:.{digits}f}") + 0


def decimal_error(error: float) -> Decimal:
    """Return an error as a decimal number, at most 10 to the power of 15."""
    return Decimal(f"{min(abs(error), 1e15):.9f}")


def bar_signals(bars: Bars) -> list[dict[str, float]]:
    """For each bar, in the order of ``bars.all``, what its confidence depends on: how far it is from the scale of the printed bars."""
    lengths = [
        (abs(float(bar.value)), bar.length) for bar in bars.all if bar.value_label and bar.value is not None and bar.length > 2
    ]
    scale = median(value / length for value, length in lengths) if len(lengths) >= 3 else 0.0
    signals = []
    for bar in bars.all:
        own = {"unchecked": float(not scale), "floating": float(not bars.stacked and abs(bar.start - bars.base) > 3)}
        if scale and bar.value is not None:
            distance = abs(abs(float(bar.value)) / scale - bar.length)
            own["off_scale"] = min(1.0, max(0.0, distance - 1) / (0.1 * bar.length + 2))
        own["short"] = float(bar.length < 4)
        signals.append(own)
    return signals
