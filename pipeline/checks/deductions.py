"""Removes the minus that many documents print before a deduction: ``Deposit received -1,500.00``.

In EN 16931 paid amounts (BT-113) and allowances (BT-107) are positive too, and the rule subtracts them (BR-CO-13, BR-CO-16).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipeline.checks.value_comparison import as_decimal
from pipeline.records import Json
from pipeline.templates.template import Check, Template


def unsigned_deductions(template: Template, values: Mapping[str, Json]) -> frozenset[str]:
    """Names of the deductions whose sign has no meaning. In checks with negative amounts, as of some credit notes, it has one."""
    signed = {name for check in template.checks if _is_negative(check, values) for name in check.subtracted}
    return frozenset(name for name, field in template.fields.items() if field.deduction and name not in signed)


def _is_negative(check: Check, values: Mapping[str, Json]) -> bool:
    others = [term for term in (*check.sum, check.equals or "") if not term.startswith("-")]
    return any((as_decimal(values.get(name)) or Decimal(0)) < 0 for name in others)


def without_minus(value: Json) -> Json:
    """An amount without its sign. Other values are returned unchanged."""
    amount = as_decimal(value)
    return f"{abs(amount):f}" if amount is not None and amount.is_signed() else value
