"""Rows that carry a sum from one page to the next ("Carried forward 1,500.00") are no items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.checks.value_comparison import as_decimal
from pipeline.records import Json
from pipeline.templates.template import TemplateField
from pipeline.values.carried_sums import is_carried_sum

MIN_ROWS = 2
"""So many rows a carried sum is of, at least: one row may be followed by an equal one."""


def is_carry_row(row: Json, table: TemplateField) -> bool:
    """Whether a row has one number at most, and a text that says that it is carried forward."""
    return isinstance(row, Mapping) and _has_one_number(row, table) and is_carried_sum(_text(row, table))


def carry_rows(pages: Sequence[Sequence[Json]], table: TemplateField, column: str) -> list[set[int]]:
    """For each page of a document the indices of rows that only carry a sum to it or from it, in whatever words.

    ``column`` holds the amounts. A first row of a page may be the sum of all rows before it, a last one that of the rows above.
    """
    sums: list[set[int]] = []
    carried: set[Decimal] = set()
    before, count = Decimal(0), 0
    last_page = max((n for n, rows in enumerate(pages) if rows), default=0)
    for number, rows in enumerate(pages):
        amounts = [as_decimal(row.get(column)) if isinstance(row, Mapping) else None for row in rows]
        dropped: set[int] = set()
        if (
            len(rows) > 1
            and _may_carry(rows[0], table)
            and ((amounts[0] == before and count >= MIN_ROWS) or amounts[0] in carried)
        ):
            dropped.add(0)
        above = [amount for at, amount in enumerate(amounts[:-1]) if at not in dropped and amount is not None]
        if number < last_page and len(rows) > 1 and _may_carry(rows[-1], table):
            own = sum(above, Decimal(0))
            of_page, of_all = len(above) >= MIN_ROWS and amounts[-1] == own, amounts[-1] == before + own
            if of_page or (of_all and count + len(above) >= MIN_ROWS):
                dropped.add(len(rows) - 1)
        carried |= {amount for at in dropped if (amount := amounts[at]) is not None}
        kept = [amount for at, amount in enumerate(amounts) if at not in dropped and amount is not None]
        before, count = before + sum(kept, Decimal(0)), count + len(kept)
        sums.append(dropped)
    return sums


def _may_carry(row: Json, table: TemplateField) -> bool:
    """Whether a row has no number but its amount, or words for a carried sum beside the number of a page."""
    return isinstance(row, Mapping) and (_has_one_number(row, table) or is_carried_sum(_text(row, table)))


def _text(row: Mapping[str, Json], table: TemplateField) -> str:
    return " ".join(str(row[name]) for name, column in table.main_columns().items() if column.type == "text" and row.get(name))


def _has_one_number(row: Mapping[str, Json], table: TemplateField) -> bool:
    numbers = [
        name
        for name, column in table.main_columns().items()
        if column.type in ("money", "number") and row.get(name) is not None
    ]
    return len(numbers) <= 1
