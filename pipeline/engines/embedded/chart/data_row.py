"""A row of a chart's data."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class DataRow:
    """One mark: labels as printed (None where none was found) and its value."""

    category: str | None
    series: str | None
    value: Decimal | None
    words: tuple[int, ...] = ()
    printed: bool = False
    """Whether the value is printed at the mark; else it was measured."""
    error: Decimal = Decimal(0)
    """By how much a measured value may be off."""
    category_certain: bool = True
    """Whether the category is printed, or measured so well that it must be this one."""
