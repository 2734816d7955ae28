"""Summarises a chart in words. Every number of the summary stands in the data, rounded to what the scale supports.

Printed values are given as printed, measured ones with "about"; a measured value with a large error is left out. Comparisons and trends
are given in words, and only where they are larger than the errors of measuring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from math import floor, log10
from statistics import correlation

from pipeline.engines.embedded.chart.data_row import DataRow

_KINDS = {
    "bar": "bar chart",
    "bar_horizontal": "horizontal bar chart",
    "bar_grouped": "grouped bar chart",
    "bar_grouped_horizontal": "horizontal grouped bar chart",
    "stacked_bar": "stacked bar chart",
    "stacked_bar_horizontal": "horizontal stacked bar chart",
    "histogram": "histogram",
    "line": "line chart",
    "line_multi": "line chart",
    "area": "area chart",
    "scatter": "scatter plot",
    "dot": "dot plot",
    "pie": "pie chart",
    "donut": "donut chart",
    "other": "chart",
}
_HAS_VALUE = re.compile(r"%|[^\W\d].*\s\d{1,3}(?:[.,]\d+)?$")
"""A name that a value may be glued to: "Oslo 69", "2.2%"."""
MAX_RELATIVE_ERROR = Decimal("0.045")
"""Largest error of a value that the summary gives, as a share of the value."""
MIN_CORRELATION = 0.6
"""Least correlation of points that rise or fall together."""
MAX_SERIES = 4
"""Most series whose trends the summary gives, the first ones."""
RowValue = tuple[DataRow, Decimal]
"""A row that has a value, and the value."""


def summarize(kind: str, title: str | None, rows: Sequence[DataRow], unmatched: int = 0, sure_from: float = 0.0) -> str:
    """Return a few sentences; only type and title without values. ``unmatched`` numbers are printed among the marks but have no row.

    Rows that are less sure than ``sure_from`` are in no sentence; one says that there are some.
    """
    name = _KINDS.get(kind, "chart")
    article = "An" if name[0] in "aeiou" else "A"
    sentences = [f"{article} {name} titled “{title}”." if title else f"{article} {name} without a title."]
    sure = [row for row in rows if row.value is not None and (row.confidence is None or row.confidence >= sure_from)]
    if 2 * sum(row.printed for row in rows) >= len(rows):
        sure = [row for row in sure if row.printed]  # beside printed numbers a measured one is seldom as exact
    reportable = _reportable_rows(sure)
    printed = sum(row.printed for row, _ in reportable)
    complete = len(reportable) == len(rows) and not (printed and unmatched)
    if kind == "scatter":
        sentences += _correlation_sentence(reportable)
    elif len(reportable) >= 2 and not (0 < printed < unmatched):
        sentences += _extreme_sentences(reportable, kind, complete)
        sentences += (
            _trend_sentences(reportable)
            if kind.startswith("line") or kind == "area"
            else _comparison_sentences(reportable, complete)
        )
    return " ".join([*sentences, *_unread_sentence(rows, sure, len(sentences) > 1)])


def _unread_sentence(rows: Sequence[DataRow], sure: Sequence[DataRow], has_values: bool) -> list[str]:
    """Return what could not be read."""
    if not rows or (not sure and not has_values):
        return ["Its values could not be read for sure."]
    return ["Not all of its values could be read for sure."] if len(sure) < len(rows) else []


def _reportable_rows(rows: Sequence[DataRow]) -> list[RowValue]:
    """Return the rows that the summary may use: only printed values when most are printed; none when many rows have no label.

    When most rows belong to a series, the others are misread marks and left out.
    """
    valued = [(row, row.value) for row in rows if row.value is not None]
    named = [(row, value) for row, value in valued if row.category or row.series]
    if len(named) < 0.8 * len(valued):
        return []
    named = [
        (row, value) for row, value in named if not any(_HAS_VALUE.search(name) for name in (row.category, row.series) if name)
    ]
    in_series = [(row, value) for row, value in named if row.series]
    named = in_series if 2 * len(in_series) > len(named) else named
    printed = [(row, value) for row, value in named if row.printed]
    return printed if 2 * len(printed) >= len(named) and len(printed) >= 2 else named


def _extreme_sentences(reportable: Sequence[RowValue], kind: str, complete: bool) -> list[str]:
    highest = max(reportable, key=lambda pair: pair[1])
    lowest = min(reportable, key=lambda pair: pair[1])
    if highest[1] == lowest[1]:
        return []
    read = "" if complete else " that was read"
    if kind in ("pie", "donut"):
        return [f"The largest share{read} is {_value_phrase(*highest)}; the smallest is {_value_phrase(*lowest)}."]
    return [f"The highest value{read} is {_value_phrase(*highest)}; the lowest is {_value_phrase(*lowest)}."]


def _value_phrase(row: DataRow, value: Decimal) -> str:
    """Return "about 12.5 for Oslo", or "that of Oslo" when the error is large."""
    name, number = _name(row), _number(row, value)
    if number is None:
        return f"that of {name}" if name else "too small to be told"
    return f"{number} for {name}" if name else number


def _number(row: DataRow, value: Decimal) -> str | None:
    """Return a printed value as printed, a measured one with "about"; None when its error is large."""
    if row.error > MAX_RELATIVE_ERROR * abs(value):
        return None
    return format_number(value) if row.printed else f"about {format_number(round_to_error(value, row.error))}"


def _name(row: DataRow) -> str:
    return ", ".join(part for part in (row.category if row.category_certain else None, row.series) if part)


def round_to_error(value: Decimal, error: Decimal) -> Decimal:
    """Return a measured value rounded to the largest 1, 2 or 5 times a power of ten that is not above its error."""
    if error <= 0:
        return value
    power = Decimal(10) ** floor(log10(error))
    unit = max(step * power for step in (1, 2, 5) if step * power <= error)
    return (value / unit).to_integral_value() * unit


def format_number(value: Decimal) -> str:
    """Return a number as people write it in English: thousands grouped, no trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_clearly_above(high: RowValue, low: RowValue) -> bool:
    """Return whether one value is above the other by more than both errors together."""
    return high[1] - low[1] > high[0].error + low[0].error


def _comparison_sentences(reportable: Sequence[RowValue], complete: bool) -> list[str]:
    """Return which series is highest in every category; for a single series, which value comes second. Both need all values."""
    by_series: dict[str | None, dict[str | None, RowValue]] = {}
    for row, value in reportable:
        by_series.setdefault(row.series, {})[row.category] = (row, value)
    if not complete:
        return []
    if len(by_series) == 1 and len(reportable) >= 4:
        first, second, third = sorted(reportable, key=lambda pair: -pair[1])[:3]
        if not (_is_clearly_above(first, second) and _is_clearly_above(second, third) and second[0].category):
            return []
        number = _number(*second)
        return [f"Next comes {second[0].category} with {number}." if number else f"Next comes {second[0].category}."]
    for name, values in by_series.items():
        others = [other for each, other in by_series.items() if each != name]
        whole = len(values) >= 2 and all(set(other) == set(values) for other in others)
        if name and others and whole and all(_is_clearly_above(values[at], other[at]) for other in others for at in values):
            return [f"{name} is the highest in every category."]
    return []


def _correlation_sentence(reportable: Sequence[RowValue]) -> list[str]:
    """Return whether the points of a scatter plot rise or fall from left to right."""
    points = [(float(row.category), float(value)) for row, value in reportable if row.category]
    if len(points) < 5 or len({x for x, _ in points}) < 2 or len({y for _, y in points}) < 2:
        return []
    coefficient = correlation([x for x, _ in points], [y for _, y in points])
    direction = "rise" if coefficient > 0 else "fall"
    return [f"The points {direction} from left to right."] if abs(coefficient) > MIN_CORRELATION else []


def _trend_sentences(reportable: Sequence[RowValue]) -> list[str]:
    """Return whether each series ends above or below its start."""
    series: dict[str | None, list[RowValue]] = {}
    for row, value in reportable:
        series.setdefault(row.series, []).append((row, value))
    sentences = []
    for name, values in list(series.items())[:MAX_SERIES]:
        first, last = values[0], values[-1]
        direction = "rises" if _is_clearly_above(last, first) else "falls" if _is_clearly_above(first, last) else None
        if direction:
            sentences.append(f"{name or 'The line'} {direction} from first to last.")
    return sentences
