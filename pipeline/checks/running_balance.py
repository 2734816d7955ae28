"""Balances that run down a table, as on bank statements: each is the one before it with the amounts of its row.

So no row is missing between two balances that are both right, at the end of a page neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pipeline.checks.value_comparison import as_decimal
from pipeline.records import Evidence, Json
from pipeline.templates.template import Check, Template


@dataclass(frozen=True, slots=True)
class BalanceErrors:
    """Where balances do not follow from each other."""

    rows: tuple[int, ...]
    """Numbers of rows, from 1, whose balance is another than that before it with the row's amounts."""
    difference: Decimal
    """The balance behind the last row less the one that the document states; 0 where they are equal."""


def check_balances(check: Check, fields: Mapping[str, Evidence], template: Template) -> BalanceErrors | None:
    """The rows that break a ``running`` check; None where there is no table, or no balance to compare with."""
    table, column = template.split_term(check.running or "")
    rows = fields[table].value if table in fields else None
    if not isinstance(rows, list) or not rows:
        return None
    tolerance = as_decimal(check.tolerance) or Decimal(0)
    balance = _opening(check, fields, template)
    compared = False
    failed = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            continue
        printed = as_decimal(row.get(column))
        expected = None if balance is None else balance + _change(check, row, template)
        if printed is not None and expected is not None:
            compared = True
            if abs(printed - expected) > tolerance:
                failed.append(number)
        balance = printed if printed is not None else expected
    closing = fields.get(check.equals or "")
    stated = as_decimal(closing.value) if closing else None
    difference = balance - stated if balance is not None and stated is not None else Decimal(0)
    if not compared and not difference and stated is None:
        return None
    return BalanceErrors(tuple(failed), difference if abs(difference) > tolerance else Decimal(0))


def _opening(check: Check, fields: Mapping[str, Evidence], template: Template) -> Decimal | None:
    """The balance before the first row; None where a part of it is missing."""
    total = Decimal(0)
    for term in check.sum:
        name, column = template.split_term(term)
        if column:
            continue
        amount = as_decimal(fields[name].value) if name in fields else None
        if amount is None:
            return None
        total += -amount if term.startswith("-") else amount
    return total


def _change(check: Check, row: Mapping[str, Json], template: Template) -> Decimal:
    """What the amounts of a row change. A column that is subtracted has the same effect with a minus of its own: "Paid out -5.00"."""
    change = Decimal(0)
    for term in check.sum:
        column = template.split_term(term)[1]
        amount = as_decimal(row.get(column)) if column else None
        if amount is not None:
            change += -abs(amount) if term.startswith("-") else amount
    return change
