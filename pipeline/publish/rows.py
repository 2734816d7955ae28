"""Rows of the spreadsheets: one per document, one per line of a table field.

As text for CSV, where cells that a spreadsheet would run are defused; typed for the formats that know types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.publish.cells import Cell, Kind, as_cell, as_text
from pipeline.publish.publication import Publication
from pipeline.records import Evidence
from pipeline.templates.model import Column, Template, TemplateField

DOCUMENTS = "documents"
"""Name of the sheet that lists every document, whatever its templates; no template may have it."""
_DOCUMENT_KINDS: dict[str, Kind] = {
    "file": "text",
    "status": "text",
    "reason": "text",
    "pages": "integer",
    "templates": "text",
    "kind": "text",
    "sha256": "identifier",
}
_KINDS: Mapping[str, Kind] = {
    "identifier": "identifier",
    "date": "date",
    "time": "time",
    "money": "money",
    "number": "number",
}
"""Columns that are more than text, by the type of their field."""
XML = "xml"
"""The flag of values from an e-invoice's data: provenance, nothing to look into, so it is no entry of the ``flags`` column."""
_FORMULA = re.compile(r"^\s*[=+\-@\t\r＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?%?$")
Row = dict[str, str]
Values = dict[str, Any]
"""Cells by column, with values as they stand in the results."""


def sheet_kinds(name: str, templates: Mapping[str, Template]) -> dict[str, Kind] | None:
    """Columns of a sheet in their stable order, and what they hold; None when today's templates have no such sheet."""
    if name == DOCUMENTS:
        return dict(_DOCUMENT_KINDS)
    template, _, field = name.partition(".")
    if template not in templates:
        return None
    fields = templates[template].fields
    if field:
        if field not in fields or fields[field].type != "table":
            return None
        return {"file": "text", "row": "integer", **{key: _kind(column) for key, column in fields[field].columns.items()}}
    own = {key: _kind(spec) for key, spec in fields.items() if spec.type != "table"}
    return {"file": "text", "status": "text", "pages": "integer", **own, "flags": "text", "review": "text", "corrected": "text"}


def _kind(spec: TemplateField | Column) -> Kind:
    if isinstance(spec, TemplateField) and (spec.many or spec.merge == "all"):
        return "text"  # a list
    return _KINDS.get(spec.type, "text")


def sheet_columns(name: str, templates: Mapping[str, Template]) -> list[str] | None:
    """Columns of a sheet in their stable order; None when today's templates have no such sheet."""
    kinds = sheet_kinds(name, templates)
    return None if kinds is None else list(kinds)


def sheet_names(template: Template) -> list[str]:
    """The sheets a template fills."""
    return [template.name, *(f"{template.name}.{key}" for key, spec in template.fields.items() if spec.type == "table")]


def sheet_rows(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[Row]]:
    """Rows by sheet for one document, as text that no spreadsheet runs; see ``sheet_values``."""
    return {
        name: [{column: defuse(as_text(value)) for column, value in row.items()} for row in rows]
        for name, rows in sheet_values(publication, templates).items()
    }


def typed_rows(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[dict[str, Cell]]]:
    """Rows by sheet for one document, every column in each, for formats in which nothing is taken for a formula; see ``sheet_values``."""
    typed = {}
    for name, rows in sheet_values(publication, templates).items():
        kinds = sheet_kinds(name, templates) or {}
        typed[name] = [{column: as_cell(row.get(column), kind) for column, kind in kinds.items()} for row in rows]
    return typed


def sheet_values(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[Values]]:
    """Values by sheet for one document: one row in ``documents``, one in each of its templates', one per line of their tables."""
    document, name = publication.document, publication.source.name
    listed = {
        "file": name,
        "status": publication.status,
        "reason": publication.reason,
        "pages": document.pages,
        "templates": " ".join(publication.recipes),
        "kind": document.kind,
        "sha256": document.sha256,
    }
    rows: dict[str, list[Values]] = {DOCUMENTS: [listed]}
    for template in publication.recipes:
        if template in templates:
            fields = publication.fields.get(template, {})
            rows |= _template_values(publication, templates[template], fields)
    return rows


def _template_values(publication: Publication, template: Template, fields: Mapping[str, Evidence]) -> dict[str, list[Values]]:
    head = {"file": publication.source.name, "status": publication.status, "pages": publication.document.pages}
    own = {key: fields[key].value for key, spec in template.fields.items() if spec.type != "table" and key in fields}
    told = ((key, flag) for key, evidence in fields.items() for flag in evidence.flags if flag != XML)
    flags = "; ".join(f"{key}: {flag}" for key, flag in told)
    told_by_people = {"review": publication.to_review(template.name), "corrected": publication.corrected(template.name)}
    names = {column: "; ".join(found) for column, found in told_by_people.items()}
    rows: dict[str, list[Values]] = {template.name: [{**head, **own, "flags": flags, **names}]}
    for key, spec in template.fields.items():
        if spec.type == "table":
            items = fields[key].value if key in fields and isinstance(fields[key].value, list) else []
            rows[f"{template.name}.{key}"] = [
                {"file": head["file"], "row": number, **{column: item.get(column) for column in spec.columns}}
                for number, item in enumerate(items, 1)
            ]
    return rows


def may_run(cell: str) -> bool:
    """Whether a spreadsheet may take the text for a formula."""
    return bool(_FORMULA.match(cell)) and not _PLAIN_NUMBER.match(cell)


def defuse(cell: str) -> str:
    """A leading apostrophe before what a spreadsheet would run as a formula (OWASP, CSV injection); numbers stay numbers."""
    return f"'{cell}" if may_run(cell) else cell
