"""A SQLite file: the spreadsheets as tables that refer to each other, the pages, and every value with its place.

Amounts are numbers, so that they can be added up. A number of SQLite holds fifteen digits; ``fields.value`` is exact.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_path
from pipeline.publish.cells import Cell, Kind, as_plain
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import to_review
from pipeline.publish.rows import DOCUMENTS, typed_rows
from pipeline.templates.model import Template

_TYPES: Mapping[Kind, str] = {
    "text": "TEXT",
    "identifier": "TEXT",
    "integer": "INTEGER",
    "number": "REAL",
    "money": "REAL",
    "date": "DATE",
    "time": "TEXT",
}
_PAGES = """
    CREATE TABLE pages (
        file TEXT NOT NULL REFERENCES documents, page INTEGER NOT NULL, status TEXT NOT NULL, source TEXT, seconds REAL,
        reason TEXT, detail TEXT, PRIMARY KEY (file, page))
"""
_FIELDS = """
    CREATE TABLE fields (
        file TEXT NOT NULL REFERENCES documents, template TEXT NOT NULL, field TEXT NOT NULL, value TEXT, printed TEXT,
        page INTEGER, x0 REAL, y0 REAL, x1 REAL, y1 REAL, grounding TEXT, confidence REAL, flags TEXT, review INTEGER NOT NULL,
        PRIMARY KEY (file, template, field))
"""
_REVIEW = """
    CREATE VIEW review AS
    SELECT file, template, field, value, printed, page, confidence, flags FROM fields WHERE review
"""
_TAKEN = ("documents", "pages", "fields", "review")
_Cells = Sequence[str | int | float | None]


def write_database(
    path: Path,
    sheets: Mapping[str, Mapping[str, Kind]],
    publications: Iterable[Publication],
    templates: Mapping[str, Template],
    scratch: Path | None = None,
) -> None:
    """Write sheets (columns and their kinds by name) as tables, in one pass over all documents. Raises OutboxError."""
    with atomic_path(path, scratch) as temporary:
        try:
            with closing(sqlite3.connect(temporary, isolation_level=None)) as database:
                _fill(database, sheets, publications, templates)
        except sqlite3.Error as error:
            raise OutboxError(f"{path}: cannot be written: {error}", "free disk space, then run again") from error


def _fill(
    database: sqlite3.Connection,
    sheets: Mapping[str, Mapping[str, Kind]],
    publications: Iterable[Publication],
    templates: Mapping[str, Template],
) -> None:
    for pragma in (
        "journal_mode = OFF",
        "synchronous = OFF",
        "foreign_keys = ON",
    ):  # the file is new: it is whole or thrown away
        database.execute(f"PRAGMA {pragma}")
    tables = table_names(sheets)
    database.execute("BEGIN")
    for name, kinds in sheets.items():
        database.execute(_table(name, kinds, tables))
    for statement in (_PAGES, _FIELDS, _REVIEW):
        database.execute(statement)
    inserts = {name: _insert(tables[name], len(kinds)) for name, kinds in sheets.items()}
    for publication in publications:
        for name, rows in typed_rows(publication, templates).items():
            database.executemany(inserts[name], (list(map(_stored, row.values())) for row in rows))
        database.executemany(_insert("pages", 7), _pages(publication))
        database.executemany(_insert("fields", 14), _fields(publication))
    database.execute("COMMIT")


def table_names(sheets: Iterable[str]) -> dict[str, str]:
    """A table's name for each sheet: that of the sheet with ``_`` for the point, numbered where it is taken or SQLite's own."""
    names = {DOCUMENTS: DOCUMENTS}
    taken = set(_TAKEN)
    for sheet in sheets:
        if sheet in names:
            continue
        wanted = sheet.replace(".", "_")
        wanted = f"_{wanted}" if wanted.startswith("sqlite_") else wanted
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        names[sheet] = name
    return names


def _table(sheet: str, kinds: Mapping[str, Kind], tables: Mapping[str, str]) -> str:
    columns = [f'"{column}" {_TYPES[kind]}' for column, kind in kinds.items()]
    template, _, field = sheet.partition(".")
    if field:
        columns[0] += f' NOT NULL REFERENCES "{tables[template]}"'
        columns.append('PRIMARY KEY ("file", "row")')
    else:
        columns[0] += " PRIMARY KEY NOT NULL" + ("" if sheet == DOCUMENTS else " REFERENCES documents")
    return f'CREATE TABLE "{tables[sheet]}" ({", ".join(columns)})'


def _insert(table: str, columns: int) -> str:
    return f'INSERT INTO "{table}" VALUES ({", ".join("?" * columns)})'  # noqa: S608 -- names of our own making


def _pages(publication: Publication) -> Iterator[_Cells]:
    for page in publication.pages():
        texts = (_text(page.get(key)) for key in ("reason", "detail"))
        yield publication.source.name, page["page"], page["status"], page["source"], page["seconds"], *texts


def _fields(publication: Publication) -> Iterator[_Cells]:
    for template, fields in publication.fields.items():
        review = set(to_review(fields, publication.accepted_error))
        for name, evidence in fields.items():
            value = evidence.value if isinstance(evidence.value, str | None) else json.dumps(evidence.value, ensure_ascii=False)
            yield (
                publication.source.name,
                template,
                name,
                _text(value),
                _text(evidence.printed),
                evidence.page,
                *(evidence.box or (None,) * 4),
                evidence.grounding,
                evidence.confidence,
                "; ".join(evidence.flags),
                name in review,
            )


def _stored(cell: Cell) -> str | int | None:
    """A cell as SQLite takes it: decimals as text, of which a column of numbers makes numbers."""
    return cell if cell is None or isinstance(cell, int) else as_plain(cell)


def _text(text: str | None) -> str | None:
    return text and as_plain(text)
