"""Flags what a template asks of single values and a document does not meet: ``required`` and ``pattern``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

REQUIRED, PATTERN = "required", "pattern"
LONGEST = 2000
"""Characters of a value that is compared with a pattern; a longer one does not match."""


def check_requirements(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields, those with a flag that are missing and required, or have a value that their pattern does not match."""
    return {name: _checked(evidence, template, name) for name, evidence in fields.items()}


def _checked(evidence: Evidence, template: Template, name: str) -> Evidence:
    field = template.fields.get(name)
    if field is None or not (field.required or field.pattern):
        return evidence
    if is_absent(evidence.value):
        return _flagged(evidence, REQUIRED) if field.required else evidence
    values = evidence.value if isinstance(evidence.value, list) else [evidence.value]
    matches = field.pattern is None or all(_matches(field.pattern, str(value)) for value in values)
    return evidence if matches else _flagged(evidence, PATTERN)


def _flagged(evidence: Evidence, flag: str) -> Evidence:
    return replace(evidence, flags=tuple(dict.fromkeys((*evidence.flags, flag))))


def _matches(pattern: str, value: str) -> bool:
    return len(value) <= LONGEST and _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
