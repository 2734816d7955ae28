"""A SQLite file: the sheets as tables with references between them, the pages, and every value with its place on the page.

Amounts are numbers, so that queries can add them up. A number of SQLite has fifteen exact digits; ``fields.value`` has them all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pandas.errors import DatabaseError

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_path
from pipeline.publish.cells import Cell, ColumnKind, as_plain_text, as_text
from pipeline.publish.frames import Batch, Sheets, make_frame, map_cells
from pipeline.publish.publication import Publication
from pipeline.publish.rows import DOCUMENTS

_TYPES: Mapping[ColumnKind, str] = {
    "text": "TEXT",
    "identifier": "TEXT",
    "integer": "INTEGER",
    "number": "REAL",
    "money": "REAL",
    "date": "DATE",
    "time": "TEXT",
}
_PAGES = {
    "file": "TEXT NOT NULL REFERENCES documents",
    "page": "INTEGER NOT NULL",
    "status": "TEXT NOT NULL",
    "source": "TEXT",
    "seconds": "REAL",
    "reason": "TEXT",
    "detail": "TEXT",
}
_FIELDS = {
    "file": "TEXT NOT NULL REFERENCES documents",
    "template": "TEXT NOT NULL",
    "field": "TEXT NOT NULL",
    "value": "TEXT",
    "printed": "TEXT",
    "page": "INTEGER",
    "x0": "REAL",
    "y0": "REAL",
    "x1": "REAL",
    "y1": "REAL",
    "grounding": "TEXT",
    "confidence": "REAL",
    "flags": "TEXT",
    "review": "INTEGER NOT NULL",
}
_REVIEW_VIEW = """
    CREATE VIEW review AS
    SELECT file, template, field, value, printed, page, confidence, flags FROM fields WHERE review
"""
_RESERVED = ("documents", "pages", "fields", "review")
_Row = Sequence[str | int | float | None]


def write_database(path: Path, sheets: Sheets, batches: Iterable[Batch], scratch: Path | None = None) -> None:
    """Write sheets as tables, in one pass over all documents. Raises OutboxError."""
    with atomic_path(path, scratch) as temporary:
        try:
            with closing(sqlite3.connect(temporary)) as database:
                _fill(database, sheets, batches)
        except (sqlite3.Error, DatabaseError) as error:  # pandas gives SQLite's message as the cause of its own error
            message = error.__cause__ or error
            raise OutboxError(f"{path}: cannot be written: {message}", "free disk space, then run again") from error


def _fill(database: sqlite3.Connection, sheets: Sheets, batches: Iterable[Batch]) -> None:
    # The file is new and is thrown away when something fails, so it needs no journal.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = ON"):
        database.execute(f"PRAGMA {pragma}")
    tables = table_names(sheets)
    for name, kinds in sheets.items():
        database.execute(_create_sheet(name, kinds, tables))
    database.execute(_create("pages", _PAGES, "file, page"))
    database.execute(_create("fields", _FIELDS, "file, template, field"))
    database.execute(_REVIEW_VIEW)
    for batch in batches:
        for name, frame in batch.frames.items():
            map_cells(frame, _stored).to_sql(tables[name], database, if_exists="append", index=False)
        make_frame(_pages(batch.publications), _PAGES).to_sql("pages", database, if_exists="append", index=False)
        make_frame(_fields(batch.publications), _FIELDS).to_sql("fields", database, if_exists="append", index=False)


def table_names(sheets: Iterable[str]) -> dict[str, str]:
    """A table name for each sheet: dots become ``_``; a name that another table or SQLite itself has gets a number or a prefix."""
    names = {DOCUMENTS: DOCUMENTS}
    used = set(_RESERVED)
    for sheet in sheets:
        if sheet in names:
            continue
        base = sheet.replace(".", "_")
        base = f"_{base}" if base.startswith("sqlite_") else base
        name, number = base, 1
        while name in used:
            number += 1
            name = f"{base}_{number}"
        used.add(name)
        names[sheet] = name
    return names


def _create_sheet(sheet: str, kinds: Mapping[str, ColumnKind], tables: Mapping[str, str]) -> str:
    columns = {column: _TYPES[kind] for column, kind in kinds.items()}
    template, _, field = sheet.partition(".")
    parent = tables[template] if field else DOCUMENTS
    columns["file"] += " NOT NULL" + ("" if sheet == DOCUMENTS else f' REFERENCES "{parent}"')
    return _create(tables[sheet], columns, '"file", "row"' if field else '"file"')


def _create(table: str, columns: Mapping[str, str], primary_key: str) -> str:
    definitions = ", ".join(f'"{column}" {definition}' for column, definition in columns.items())
    return f'CREATE TABLE "{table}" ({definitions}, PRIMARY KEY ({primary_key}))'


def _pages(publications: Iterable[Publication]) -> Iterator[_Row]:
    for publication in publications:
        for page in publication.pages():
            texts = (_text(page.get(key)) for key in ("reason", "detail"))
            yield _file(publication), page["page"], page["status"], page["source"], page["seconds"], *texts


def _fields(publications: Iterable[Publication]) -> Iterator[_Row]:
    for publication in publications:
        for template, fields in publication.fields.items():
            review = set(publication.fields_to_review(template))
            for name, evidence in fields.items():
                value = evidence.value
                yield (
                    _file(publication),
                    template,
                    name,
                    _text(value if isinstance(value, str | None) else json.dumps(value, ensure_ascii=False)),
                    _text(evidence.printed),
                    evidence.page,
                    *(evidence.box or (None,) * 4),
                    evidence.grounding,
                    evidence.confidence,
                    "; ".join(evidence.flags),
                    name in review,
                )


def _file(publication: Publication) -> str:
    """The file's name as the sheets have it."""
    return as_plain_text(as_text(publication.source.name))


def _stored(cell: Cell) -> str | int | None:
    """A cell as SQLite takes it. Decimals are text, which a REAL column converts to numbers."""
    return cell if cell is None or isinstance(cell, int) else as_plain_text(cell)


def _text(text: str | None) -> str | None:
    return text and as_plain_text(text)
