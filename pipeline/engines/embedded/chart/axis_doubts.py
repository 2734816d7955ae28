"""Axes that change what a mark's height means: a factor above the axis, an axis that grows downwards, a second axis at the other side.

A factor is applied. Where marks cannot be told apart by their axis, values that are measured on it are null: no value is better than a
wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pipeline.engines.embedded.chart.axes import Axis, vertical_axes
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.data_row import DataRow

_FACTOR = re.compile(r"[×x·]?\s?(?:[1lI]\s?[eE]\s?([+-]?\d{1,2})|[×x·]\s?10\s?\^?\s?([+-]?\d{1,2}))", re.ASCII)
"""``1e5`` or ``×10^5``, as plotting programs print it at the end of an axis; OCR reads a raised exponent as plain digits."""
_OFFSET = re.compile(r"(?:[1lI]e[+-]?\d{1,2}\s?)?[+-]\s?\d[\d.,]*(?:e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
MAX_DISTANCE = 4.0
"""Letter heights between a factor and the end of its axis."""
MIN_DIFFERENCE = 0.04
"""By how much of the range two axes differ at the same height, if they are two."""


def with_factor(axis: Axis | None, labels: Sequence[ChartLabel]) -> Axis | None:
    """The axis, its values times the factor that is printed at its upper or right end."""
    if axis is None or axis.log:
        return axis
    exponent = next(
        (match[1] or match[2] for label in labels if _at_end(axis, label) and (match := _FACTOR.fullmatch(_plain(label)))), None
    )
    if exponent is None:
        return axis
    factor = 10.0 ** int(exponent)
    ticks = tuple(replace(tick, number=None if tick.number is None else tick.number * Decimal(factor)) for tick in axis.ticks)
    return replace(axis, slope=axis.slope * factor, intercept=axis.intercept * factor, ticks=ticks)


def has_offset(axis: Axis | None, labels: Sequence[ChartLabel]) -> bool:
    """Whether a number that is to be added to all values, as ``+1.5e6``, is printed at the end of the axis."""
    return axis is not None and any(_at_end(axis, label) and _OFFSET.fullmatch(_plain(label)) for label in labels)


def is_inverted(axis: Axis | None) -> bool:
    """Whether a vertical axis grows downwards or a horizontal one to the left."""
    return axis is not None and (axis.slope < 0 if axis.horizontal else axis.slope > 0)


def has_second_axis(axis: Axis | None, labels: Sequence[ChartLabel], width: float) -> bool:
    """Whether another vertical axis with other values stands at least a third of the picture away."""
    if axis is None or axis.horizontal:
        return False
    top, bottom = axis.span
    for other in vertical_axes(labels):
        if abs(other.position - axis.position) < width / 3 or min(other.span[1], bottom) <= max(other.span[0], top):
            continue
        middle, scale = (top + bottom) / 2, abs(axis.value(top) - axis.value(bottom)) or 1.0
        if abs(other.value(middle) - axis.value(middle)) > MIN_DIFFERENCE * scale:
            return True
    return False


def without_measured(rows: Sequence[DataRow]) -> list[DataRow]:
    """The rows, with null instead of each value that is not printed."""
    return [row if row.printed else replace(row, value=None, error=Decimal(0)) for row in rows]


def _plain(label: ChartLabel) -> str:
    return label.text.replace("−", "-").replace("–", "-")


def _at_end(axis: Axis, label: ChartLabel) -> bool:
    """Whether a label stands just beyond the upper end of a vertical axis, or beyond or below the right end of a horizontal one."""
    if any(label.words == tick.words for tick in axis.ticks):
        return False
    reach = MAX_DISTANCE * max(tick.height for tick in axis.ticks)
    low, high = axis.span
    if axis.horizontal:
        return label.x > (low + high) / 2 and abs(label.x - high) < 2 * reach and -reach / 2 < label.y - axis.position < reach
    return 0 < low - label.y < reach and abs(label.x - axis.position) < 2 * reach
