"""The row of a chart's data that every reader of marks returns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DataRow:
    """One mark: its labels as printed (None where there is none) and its value."""

    category: str | None
    series: str | None
    value: Decimal | None
    words: tuple[int, ...] = ()
    printed: bool = False
    """Whether the value is printed at the mark. Otherwise it is measured."""
    error: Decimal = Decimal(0)
    """Largest error of a measured value."""
    category_certain: bool = True
    """Whether the category is printed, or measured so precisely that no other is possible."""
