"""A summary in words that states only what was read: every number in it stands in the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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


@dataclass(frozen=True, slots=True)
class Row:
    """One mark: labels as printed (None where none was found) and its value."""

    category: str | None
    series: str | None
    value: Decimal | None
    words: tuple[int, ...] = ()
    printed: bool = False
    """Whether the value is printed at the mark; else it was measured."""


def summarize(kind: str, title: str | None, rows: Sequence[Row]) -> str:
    """Two or three sentences; only type and title when no values were read."""
    name = _KINDS.get(kind, "chart")
    sentences = [f"A {name} titled “{title}”." if title else f"A {name} without a title."]
    known = _told(rows)
    if len(known) >= 2:
        highest = max(known, key=lambda pair: pair[1])
        lowest = min(known, key=lambda pair: pair[1])
        if highest[1] != lowest[1]:
            sentences.append(f"The highest value is {_said(*highest)}; the lowest is {_said(*lowest)}.")
        if kind.startswith("line") or kind == "area":
            sentences += _trends(known)
    return " ".join(sentences)


def _told(rows: Sequence[Row]) -> list[tuple[Row, Decimal]]:
    """The rows that can be talked about: printed values where there are mostly such, and none when many have no label."""
    valued = [(row, row.value) for row in rows if row.value is not None]
    named = [(row, value) for row, value in valued if row.category or row.series]
    if len(named) < 0.8 * len(valued):
        return []
    printed = [(row, value) for row, value in named if row.printed]
    return printed if 2 * len(printed) >= len(named) and len(printed) >= 2 else named


def _said(row: Row, value: Decimal) -> str:
    return f"{number(value)} for {_name(row)}"


def _name(row: Row) -> str:
    return ", ".join(part for part in (row.category, row.series) if part)


def number(value: Decimal) -> str:
    """A number as people write it in English: thousands grouped, no trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _trends(known: Sequence[tuple[Row, Decimal]]) -> list[str]:
    """Whether each series (at most four) ends above or below where it begins."""
    series: dict[str | None, list[Decimal]] = {}
    for row, value in known:
        series.setdefault(row.series, []).append(value)
    said = []
    for name, values in list(series.items())[:4]:
        if len(values) >= 2 and values[0] != values[-1]:
            way = "rises" if values[-1] > values[0] else "falls"
            said.append(f"{name or 'The line'} {way} from first to last.")
    return said
