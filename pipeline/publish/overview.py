"""One line a document with what is booked: vendor, number, dates, amounts; of invoices, receipts and other kinds in one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipeline.publish.cells import Cell, ColumnKind, as_cell
from pipeline.publish.csv_dialect import CsvDialect
from pipeline.publish.list_values import printed_values
from pipeline.publish.publication import Publication
from pipeline.templates.template import Template

COLUMNS: Mapping[str, ColumnKind] = {
    "vendor": "text",
    "vendor_vat_id": "identifier",
    "number": "identifier",
    "date": "date",
    "due_date": "date",
    "net": "money",
    "tax": "money",
    "total": "money",
    "currency": "text",
    "template": "text",
    "state": "text",
    "to_check": "text",
    "file": "text",
}
_TERMS = {"vendor_vat_id": "BT-31", "due_date": "BT-9", "net": "BT-109", "tax": "BT-110"}
"""Business terms of EN 16931, by which the fields of any template are found."""


def overview_csv(
    publications: Iterable[Publication], templates: Mapping[str, Template], dialect: CsvDialect
) -> Iterator[bytes]:
    """The table as CSV with a byte order mark, without which Excel takes letters beyond ASCII for others. Documents without values are
    in it, too: an invoice that was read as a text must not be missing unseen. A mail, an archive or a stack is not: its documents are."""
    marked = replace(dialect, byte_order_mark=True)
    yield marked.header(COLUMNS)
    for publication in publications:
        if not publication.is_wrapper and not publication.documents:
            yield marked.lines([overview_row(publication, templates)], COLUMNS)


def overview_row(publication: Publication, templates: Mapping[str, Template]) -> list[Cell]:
    """The cells of a document, in the order of ``COLUMNS``."""
    template, values = printed_values(publication, templates)
    fields = publication.fields.get(template, {})
    for column, term in _TERMS.items():
        names = [name for name, field in templates[template].fields.items() if field.einvoice == term] if template else []
        values[column] = next((str(fields[name].value) for name in names if name in fields and fields[name].value), "")
    values |= {
        "template": ", ".join(publication.fields),
        "state": publication.state if publication.status == "done" else publication.status,
        "to_check": ", ".join(name for each in publication.fields for name in publication.urgent_fields(each)),
        "file": publication.source.name,
    }
    return [as_cell(values.get(column) or None, kind) for column, kind in COLUMNS.items()]
