"""The row of a chart's data that every reader of marks returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    signals: Mapping[str, float] = field(default_factory=dict)
    """What else the confidence of this row depends on, by name, mostly 0 to 1."""
    confidence: float | None = None
    """The probability that labels and value are right; None before it was assessed."""
