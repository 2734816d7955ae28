"""Fills absent fields from another field: the amount due is the total where nothing was paid before.

EN 16931, BR-CO-16: amount due = invoice total - paid amount + rounding amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.value_comparison import as_decimal, is_absent
from pipeline.records import Evidence, Json
from pipeline.templates.template import Template

FALLBACK_FLAG = "as:"
"""Prefix of the flag that names the field from which the value, page and box come."""


def apply_fallbacks(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields, with each absent one filled from the field in its ``otherwise``, unless the field in its ``unless`` has a value."""
    filled = dict(fields)
    for name, field in template.fields.items():
        other = fields.get(field.otherwise or "", Evidence(None))
        blocked = field.unless is not None and _has_amount(fields.get(field.unless, Evidence(None)).value)
        if is_absent(fields.get(name, Evidence(None)).value) and not is_absent(other.value) and not blocked:
            filled[name] = replace(other, flags=(*other.flags, f"{FALLBACK_FLAG}{field.otherwise}"))
    return filled


def _has_amount(value: Json) -> bool:
    """Whether there is a value other than zero. Zero paid before counts as absent."""
    return not is_absent(value) and as_decimal(value) != 0
