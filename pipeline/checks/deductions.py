"""Amounts that a check subtracts are told without the minus that many papers print before them: ``Deposit received -1,500.00``.

EN 16931 has no sign for what was paid (BT-113) or allowed (BT-107) either: the rule takes it off, not the value (BR-CO-13, BR-CO-16).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.checks.compare import as_decimal
from pipeline.records import Json
from pipeline.templates.model import Template


def taken_off(template: Template, values: Mapping[str, Json]) -> frozenset[str]:
    """Names of the fields that checks subtract. On a credit note that counts in negative amounts there are none: all signs are meant."""
    return frozenset(_taken_off(template, values))


def _taken_off(template: Template, values: Mapping[str, Json]) -> Iterator[str]:
    for check in template.checks:
        others = [values.get(term) for term in (*check.sum, check.equals or "") if not term.startswith("-")]
        if not any((as_decimal(other) or 0) < 0 for other in others):
            yield from (term[1:] for term in check.sum if term.startswith("-"))


def without_minus(value: Json) -> Json:
    """An amount without its sign; whatever else it may be as it is."""
    amount = as_decimal(value)
    return f"{-amount:f}" if amount is not None and amount < 0 else value
