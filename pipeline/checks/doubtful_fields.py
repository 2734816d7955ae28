"""Which fields of a page the embedded engine has not read for sure, so that a language model is worth its time."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.checks.arithmetic import rows_add_up
from pipeline.checks.einvoice_overlay import FROM_DATA
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

SURE = 0.95
"""Confidence from which a value, or its absence, is not asked for again."""


def doubtful_fields(fields: Mapping[str, Evidence], template: Template) -> set[str]:
    """Names of the fields to ask a model about. ``fields`` are the embedded engine's, checked and with their confidences.

    Details are not asked for: an answer to all of them takes longer than one to all other fields. A table is read for sure where its rows
    add up, or where each cell is sure. A choice that is printed has no confidence and is not asked for.
    """
    return {name for name in template.main_fields() if not _is_sure(name, fields, template)}


def _is_sure(name: str, fields: Mapping[str, Evidence], template: Template) -> bool:
    evidence, field = fields.get(name, Evidence(None)), template.fields[name]
    if FROM_DATA in evidence.flags:
        return True
    if field.type == "table" and not is_absent(evidence.value):
        cells = [sure for row in evidence.cells for sure in row.values()]
        return rows_add_up(name, fields, template) is True or bool(cells and min(cells) >= SURE)
    if field.type == "enum" and not is_absent(evidence.value):
        return True
    return evidence.confidence is not None and evidence.confidence >= SURE
