"""Fields that a document leaves unsaid because another one says it: what is due is the total, where nothing was paid before.

EN 16931, BR-CO-16: amount due = invoice total - paid amount + rounding amount.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.compare import as_decimal, is_absent
from pipeline.records import Evidence, Json
from pipeline.templates.model import Template

FALLBACK_FLAG = "as:"
"""Beginning of the flag that names the field whose value, page and box are shown."""


def apply_fallbacks(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields of a document, the absent ones filled from their ``otherwise``, unless its ``unless`` has a value."""
    filled = dict(fields)
    for name, field in template.fields.items():
        other = fields.get(field.otherwise or "", Evidence(None))
        hindered = field.unless is not None and _says_something(fields.get(field.unless, Evidence(None)).value)
        if is_absent(fields.get(name, Evidence(None)).value) and not is_absent(other.value) and not hindered:
            filled[name] = replace(other, flags=(*other.flags, f"{FALLBACK_FLAG}{field.otherwise}"))
    return filled


def _says_something(value: Json) -> bool:
    """Whether there is a value other than nought: nothing paid before is as good as unsaid."""
    return not is_absent(value) and as_decimal(value) != 0
