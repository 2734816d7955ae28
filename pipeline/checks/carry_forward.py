"""Rows that carry a sum from one page to the next ("Carried forward 1,500.00") are no items."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Json
from pipeline.templates.template import TemplateField
from pipeline.values.carried_sums import is_carried_sum


def is_carry_row(row: Json, table: TemplateField) -> bool:
    """Whether a row has one number at most, and a text that says that it is carried forward."""
    if not isinstance(row, Mapping):
        return False
    texts = [str(row[name]) for name, column in table.columns.items() if column.type == "text" and row.get(name)]
    numbers = [
        name for name, column in table.columns.items() if column.type in ("money", "number") and row.get(name) is not None
    ]
    return len(numbers) <= 1 and is_carried_sum(" ".join(texts))
