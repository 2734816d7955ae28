"""Rows of the tables in the outbox: one row a document, or one row a line of a table field.

``text_rows`` is for the CSV files. ``cell_rows`` is for formats with typed columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.publish.cells import Cell, ColumnKind, as_cell, as_text
from pipeline.publish.publication import Publication
from pipeline.records import Evidence
from pipeline.templates.template import Column, Template, TemplateField

DOCUMENTS = "documents"
"""Name of the sheet that lists every document. No template may have this name."""
_DOCUMENT_KINDS: dict[str, ColumnKind] = {
    "file": "text",
    "status": "text",
    "reason": "text",
    "pages": "integer",
    "templates": "text",
    "kind": "text",
    "sha256": "identifier",
    "parent": "text",
    "parts": "text",
    "state": "text",
}
_KINDS_BY_FIELD_TYPE: Mapping[str, ColumnKind] = {
    "identifier": "identifier",
    "date": "date",
    "time": "time",
    "money": "money",
    "number": "number",
    "percentage": "number",
    "integer": "number",
    "iban": "identifier",
    "bic": "identifier",
    "phone": "identifier",
}
"""Field types whose columns are not plain text."""
PAGES = "pages"
"""What the ``review`` column names where a document may have too many pages or too few."""
XML, CODE = "xml", "qr"
"""The flags of values from an e-invoice's data, and of those that a code states. They tell the source and ask for no review, so the
``flags`` column leaves them out."""
Row = dict[str, str]
Values = dict[str, Any]
"""Values of the results by column."""


def sheet_kinds(name: str, templates: Mapping[str, Template]) -> dict[str, ColumnKind] | None:
    """Kinds of a sheet's columns by name, in their stable order; None when today's templates have no such sheet."""
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


def _kind(spec: TemplateField | Column) -> ColumnKind:
    if isinstance(spec, TemplateField) and (spec.many or spec.merge == "all"):
        return "text"  # a list
    return _KINDS_BY_FIELD_TYPE.get(spec.type, "text")


def sheet_columns(name: str, templates: Mapping[str, Template]) -> list[str] | None:
    """Columns of a sheet in their stable order; None when today's templates have no such sheet."""
    kinds = sheet_kinds(name, templates)
    return None if kinds is None else list(kinds)


def sheet_names(template: Template) -> list[str]:
    """The sheets that a template fills: its own, and one a table field."""
    return [template.name, *(f"{template.name}.{key}" for key, spec in template.fields.items() if spec.type == "table")]


def text_rows(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[Row]]:
    """Rows by sheet for one document, as text; see ``sheet_values``."""
    return {
        name: [{column: as_text(value) for column, value in row.items()} for row in rows]
        for name, rows in sheet_values(publication, templates).items()
    }


def cell_rows(
    publication: Publication, templates: Mapping[str, Template], sheets: Mapping[str, Mapping[str, ColumnKind]]
) -> dict[str, list[Sequence[Cell]]]:
    """Rows by sheet for one document, with a cell for every column of ``sheets`` (kinds by column); see ``sheet_values``."""
    values = sheet_values(publication, templates)
    return {
        name: [[as_cell(row.get(column), kind) for column, kind in kinds.items()] for row in values.get(name, ())]
        for name, kinds in sheets.items()
    }


def sheet_values(publication: Publication, templates: Mapping[str, Template]) -> dict[str, list[Values]]:
    """Values by sheet for one document: one row in ``documents``, one for each of its templates, one a line of their tables.

    A file that is split has none: its documents have them.
    """
    if publication.documents:  # they have the rows
        return {}
    document = publication.document
    row = {
        "file": publication.source.name,
        "status": publication.status,
        "reason": publication.reason,
        "pages": publication.page_count,
        "templates": " ".join(name for name in publication.recipes if name not in publication.questions),
        "kind": document.kind,
        "sha256": document.sha256,
        "parent": publication.part_of.parent if publication.part_of else None,
        "parts": _part_counts(publication),
        "state": publication.state,
    }
    rows: dict[str, list[Values]] = {DOCUMENTS: [row, *_declined_rows(publication)]}
    for template in publication.recipes:
        if template in templates:
            rows |= _template_values(publication, templates[template], publication.fields.get(template, {}))
    return rows


def _part_counts(publication: Publication) -> str | None:
    """How many parts of a container ended in which way, as ``2 done, 1 failed``; None for a document without parts."""
    counts = Counter(part.status or "open" for part in publication.parts)
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or None


def _declined_rows(publication: Publication) -> list[Values]:
    """Rows of the parts of a container that are documents and could not be taken out of it: they have no result of their own."""
    return [
        {
            "file": f"{publication.source.name}/{part.shown}",
            "status": part.status,
            "reason": part.reason,
            "pages": 0,
            "parent": publication.source.name,
        }
        for part in publication.parts
        if part.name is None and part.shown and part.reason
    ]


def _template_values(publication: Publication, template: Template, fields: Mapping[str, Evidence]) -> dict[str, list[Values]]:
    file = publication.source.name
    row = {"file": file, "status": publication.status, "pages": publication.page_count}
    row |= {key: fields[key].value for key, spec in template.fields.items() if spec.type != "table" and key in fields}
    flags = ((key, flag) for key, evidence in fields.items() for flag in evidence.flags if flag not in (XML, CODE))
    row["flags"] = "; ".join(f"{key}: {flag}" for key, flag in flags)
    row["review"] = "; ".join([*publication.fields_to_review(template.name), *([PAGES] if publication.doubts else [])])
    row["corrected"] = "; ".join(publication.corrected_fields(template.name))
    rows: dict[str, list[Values]] = {template.name: [row]}
    for key, spec in template.fields.items():
        if spec.type == "table":
            items = fields[key].value if key in fields and isinstance(fields[key].value, list) else []
            rows[f"{template.name}.{key}"] = [
                {"file": file, "row": number, **{column: item.get(column) for column in spec.columns}}
                for number, item in enumerate(items, 1)
            ]
    return rows
