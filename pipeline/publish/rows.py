"""Rows of the spreadsheets: one per document, one per line of a table field; cells that a spreadsheet would run are defused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.publish.document import Publication
from pipeline.records import Evidence
from pipeline.templates.model import Template

DOCUMENTS = "documents"
"""Name of the sheet that lists every document, whatever its templates; no template may have it."""
DOCUMENT_COLUMNS = ("file", "status", "reason", "pages", "templates", "kind", "sha256")
XML = "xml"
"""The flag of values from an e-invoice's data: provenance, nothing to look into, so it is no entry of the ``flags`` column."""
_FORMULA = re.compile(r"^\s*[=+\-@\t\r＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?%?$")
_UNQUOTED = {ord("\r"): "\n", 0: None}
"""A lone carriage return ends a row for some readers, though it is not quoted."""
Row = dict[str, str]


def sheet_columns(name: str, templates: Mapping[str, Template]) -> list[str] | None:
    """Columns of a sheet in their stable order; None when today's templates have no such sheet."""
    if name == DOCUMENTS:
        return list(DOCUMENT_COLUMNS)
    template, _, field = name.partition(".")
    if template not in templates:
        return None
    fields = templates[template].fields
    if field:
        return ["file", "row", *fields[field].columns] if field in fields and fields[field].type == "table" else None
    return [
        "file",
        "status",
        "pages",
        *(key for key, spec in fields.items() if spec.type != "table"),
        "flags",
        "review",
        "corrected",
    ]


def sheet_names(template: Template) -> list[str]:
    """The sheets a template fills."""
    return [template.name, *(f"{template.name}.{key}" for key, spec in template.fields.items() if spec.type == "table")]


def sheet_rows(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[Row]]:
    """Rows by sheet for one document: one in ``documents``, one in each of its templates', one per line of their tables."""
    document, name = publication.document, publication.source.name
    listed = {
        "file": name,
        "status": publication.status,
        "reason": publication.reason or "",
        "pages": str(document.pages),
        "templates": " ".join(publication.recipes),
        "kind": document.kind,
        "sha256": document.sha256,
    }
    rows = {DOCUMENTS: [_defused(listed)]}
    for template in publication.recipes:
        if template in templates:
            fields = publication.fields.get(template, {})
            rows |= _template_rows(publication, templates[template], fields)
    return rows


def _template_rows(publication: Publication, template: Template, fields: Mapping[str, Evidence]) -> dict[str, list[Row]]:
    head = {"file": publication.source.name, "status": publication.status, "pages": str(publication.document.pages)}
    cells = {key: _cell(fields[key].value) for key, spec in template.fields.items() if spec.type != "table" and key in fields}
    told = ((key, flag) for key, evidence in fields.items() for flag in evidence.flags if flag != XML)
    flags = "; ".join(f"{key}: {flag}" for key, flag in told)
    told_by_people = {"review": publication.to_review(template.name), "corrected": publication.corrected(template.name)}
    names = {column: "; ".join(found) for column, found in told_by_people.items()}
    rows = {template.name: [_defused({**head, **cells, "flags": flags, **names})]}
    for key, spec in template.fields.items():
        if spec.type == "table":
            items = fields[key].value if key in fields and isinstance(fields[key].value, list) else []
            rows[f"{template.name}.{key}"] = [
                _defused(
                    {"file": head["file"], "row": str(number), **{column: _cell(item.get(column)) for column in spec.columns}}
                )
                for number, item in enumerate(items, 1)
            ]
    return rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n\n".join(map(_cell, value)) if any("\n" in _cell(item) for item in value) else "; ".join(map(_cell, value))
    return str(value).translate(_UNQUOTED)


def _defused(row: Row) -> Row:
    return {column: defuse(cell) for column, cell in row.items()}


def defuse(cell: str) -> str:
    """A leading apostrophe before what a spreadsheet would run as a formula (OWASP, CSV injection); numbers stay numbers."""
    return f"'{cell}" if _FORMULA.match(cell) and not _PLAIN_NUMBER.match(cell) else cell
