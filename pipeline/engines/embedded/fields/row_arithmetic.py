"""Quantity times price is the amount: fills or corrects one number of a row from the others printed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.records import Json
from pipeline.templates.template import Column

QUANTITY, PRICE, AMOUNT = 1, 2, 3
"""The roles of columns in a row of goods."""
TOLERANCE = Decimal("0.02")
"""By how much a product or a sum may differ from what is printed."""


def column_roles(columns: Mapping[str, Column]) -> dict[int, str]:
    """The template's columns by role: the first number, the first of several money columns, the last money column."""
    money = [name for name, column in columns.items() if column.type == "money"]
    number = [name for name, column in columns.items() if column.type == "number"]
    roles = {QUANTITY: number[:1], PRICE: money[:1] if len(money) > 1 else [], AMOUNT: money[-1:]}
    return {role: names[0] for role, names in roles.items() if names}


def complete_row(row: dict[str, Json], columns: Mapping[str, Column], printed: list[Candidate]) -> None:
    """Replace at most one of quantity, price and amount by a number printed in the row, so that the product holds."""
    by_role = column_roles(columns)
    roles = [by_role[role] for role in (QUANTITY, PRICE, AMOUNT) if role in by_role]
    if len(roles) < 3 or sum(row.get(name) is not None for name in roles) < 2:
        return
    values = [None if row.get(name) is None else Decimal(str(row[name])) for name in roles]
    if product_holds(values):
        return
    if (other := _other_reading(row.get(roles[0]))) and product_holds([Decimal(other), *values[1:]]):
        row[roles[0]] = other
        return
    order = [at for at, value in enumerate(values) if value is None] or [2, 0, 1]
    for at in order:
        for candidate in printed:
            completed = [*values[:at], Decimal(candidate.value), *values[at + 1 :]]
            if candidate.value not in row.values() and product_holds(completed):
                row[roles[at]] = candidate.value
                return


def _other_reading(quantity: Json) -> str | None:
    """A quantity with the mark before its last three digits read the other way: 1.250 as 1250, and 1250 as 1.250."""
    whole, point, decimals = str(quantity or "").partition(".")
    if point:
        return whole + decimals if len(decimals) == 3 and 1 <= len(whole.lstrip("-")) <= 3 and whole != "0" else None
    return f"{whole[:-3]}.{whole[-3:]}" if 4 <= len(whole.lstrip("-")) <= 6 else None


def product_holds(values: Sequence[Decimal | None]) -> bool:
    """Whether quantity times price is the amount, where all three are known."""
    quantity, price, amount = values
    if quantity is None or price is None or amount is None:
        return False
    return abs(quantity * price - amount) <= TOLERANCE
