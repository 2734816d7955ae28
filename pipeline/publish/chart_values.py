"""Reads the values of a chart's data for plotting: plain numbers with short labels."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from pipeline.publish.inert_svg import clean_text

MAX_LETTERS = 60
"""Longest title or label."""
MAX_VALUE = 1e15
"""Larger numbers are misread."""


class ChartValue(NamedTuple):
    """One value with its labels, empty where there is none."""

    category: str
    series: str
    value: float

    @property
    def text(self) -> str:
        """ "Oslo, 2019: 12.5"."""
        return f"{', '.join(filter(None, self[:2]))}: {self.value:g}"


def chart_values(rows: Any) -> list[ChartValue]:
    """Return the value of each row of the field ``data`` that has a finite number."""
    return [
        ChartValue(clean_text(row.get("category"), MAX_LETTERS), clean_text(row.get("series"), MAX_LETTERS), value)
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and (value := plain_number(row.get("value"))) is not None
    ]


def plain_number(value: Any) -> float | None:
    """Return a finite number of a size that charts have; None for everything else."""
    try:
        number = Decimal(str(value)[:MAX_LETTERS])
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() and abs(number) < MAX_VALUE else None
