"""What a template says of a field besides its labels, as numbers: its place in sums and orders, its role, how pages are merged.

A scorer that sees these instead of the field's name serves templates that it never saw.
"""

from __future__ import annotations

from pipeline.templates.template import Template

STRUCTURE = (
    "is a result",
    "is a first term",
    "is a further term",
    "is a remainder",
    "is a deduction",
    "is the sum of a table",
    "is in no sum",
    "takes the last page",
    "has a fallback",
    "is first in an order",
    "is last in an order",
    "is in no order",
    "has rivals of its type",
    "is a tax number",
    "is the seller's",
    "is the buyer's",
    "has a buyer beside it",
    "has a table",
)
"""Names of the numbers that ``field_structure`` gives, each 0 or 1."""


def field_structure(template: Template, name: str) -> tuple[float, ...]:
    """The numbers of one field, in the order of STRUCTURE."""
    return _structure_of(template)[name]


_CACHE: dict[int, tuple[Template, dict[str, tuple[float, ...]]]] = {}


def _structure_of(template: Template) -> dict[str, tuple[float, ...]]:
    found = _CACHE.get(id(template))
    if found is None or found[0] is not template:
        if len(_CACHE) > 32:
            _CACHE.clear()
        found = _CACHE[id(template)] = (template, {name: _of_field(template, name) for name in template.fields})
    return found[1]


def _of_field(template: Template, name: str) -> tuple[float, ...]:
    field = template.fields[name]
    sums = [check for check in template.checks if check.sum]
    plain = [check for check in sums if not check.subtracted]
    orders = [check.order for check in template.checks if check.order]
    facts = {
        "is a result": any(check.equals == name and not template.split_term(check.sum[0])[1] for check in plain),
        "is a first term": any(check.sum[0] == name for check in plain),
        "is a further term": any(name in check.sum[1:] for check in plain),
        "is a remainder": any(check.equals == name for check in sums if check.subtracted),
        "is a deduction": any(name in check.subtracted for check in sums) or field.deduction,
        "is the sum of a table": any(check.equals == name and template.split_term(check.sum[0])[1] != "" for check in plain),
        "is in no sum": not any(name in (check.equals, *(term.lstrip("-") for term in check.sum)) for check in sums),
        "takes the last page": field.merge == "last",
        "has a fallback": field.otherwise is not None,
        "is first in an order": any(order[0] == name for order in orders),
        "is last in an order": any(order[-1] == name for order in orders),
        "is in no order": not any(name in order for order in orders),
        "has rivals of its type": sum(other.type == field.type for other in template.fields.values()) > 1,
        "is a tax number": field.format == "vat",
        "is the seller's": field.role == "seller",
        "is the buyer's": field.role == "buyer",
        "has a buyer beside it": any(other.role == "buyer" for other in template.fields.values()),
        "has a table": any(other.type == "table" for other in template.fields.values()),
    }
    return tuple(float(facts[fact]) for fact in STRUCTURE)
