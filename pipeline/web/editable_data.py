"""The data of a document that people can correct: what the interface shows of any document, and how each value is entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.records import Correction, Json
from pipeline.templates.template import Template, TemplateField
from pipeline.web.correction_input import input_kind
from pipeline.web.export_data import document_data, visible_text
from pipeline.web.view import DocumentView, FieldView, ResultView


def editable_document_data(
    view: DocumentView, published_at: str | None, templates: Mapping[str, Template], *, is_split: bool
) -> dict[str, Any]:
    """As ``document_data``, with the keys ``edit``, ``corrected`` and ``history`` of each field.

    A file that is split has no fields: its documents have them.
    """

    def more(result: ResultView, field: FieldView) -> dict[str, Any]:
        template = templates.get(result.template)
        return {
            "raw_name": field.name,
            "edit": _edit(field),
            **_sums(field, template, {other.name: other.evidence.value for other in result.fields}),
            **_corrections(field),
        }

    data = document_data(view, published_at, "there", more)
    if is_split:
        data["results"] = []
    return data


def _edit(field: FieldView) -> dict[str, Any]:
    """How the value is entered: its ``kind``, its whole ``value``, the ``version`` that a correction names, choices and columns."""
    spec, value = field.spec, field.evidence.value
    return {
        "kind": input_kind(spec, value),
        "value": value,
        "version": field.corrections[-1].version if field.corrections else 0,
        "multiline": bool(spec and spec.type == "text"),
        "choices": list(spec.values) if spec else [],
        "columns": list(spec.columns) if spec else [],
        "numeric": _numeric_columns(spec),
    }


def _numeric_columns(spec: TemplateField | None) -> list[str]:
    return [name for name, column in spec.columns.items() if column.type in ("money", "number")] if spec else []


def _sums(field: FieldView, template: Template | None, values: Mapping[str, Json]) -> dict[str, Any]:
    """For a table: the column that a check of the template adds up, and the field and value that its sum should be."""
    for check in template.checks if template else ():
        terms = [term.partition(".") for term in check.sum]
        if check.equals and len(terms) == 1 and terms[0][0] == field.name and terms[0][2]:
            return {"sums": {"column": terms[0][2], "equals": check.equals, "expected": values.get(check.equals)}}
    return {}


def _corrections(field: FieldView) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if field.corrections:
        data["history"] = [_history_entry(entry) for entry in field.corrections]
    if active := field.active_correction:
        data["corrected"] = {
            "by": visible_text(active.by),
            "at": active.at,
            "confirmed": active.value == field.value_read,
            "read": field.value_read,
        }
    return data


def _history_entry(entry: Correction) -> dict[str, Any]:
    return {
        "value": entry.value,
        "before": entry.before,
        "withdrawn": entry.withdrawn,
        "by": visible_text(entry.by),
        "at": entry.at,
    }
