"""The SQLite file, read back by sqlite3: types, references between tables, names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OutboxError
from pipeline.publish.database import table_names, write_database
from pipeline.publish.publication import Publication
from pipeline.publish.rows import DOCUMENTS, sheet_kinds, sheet_names
from pipeline.templates.model import Template
from tests.publish.building import BILL, publication

VALUES = {
    "number": "007",
    "day": "1815-06-18",
    "at": "09:42",
    "total": "1200.00",
    "weight": "6.5",
    "note": "a\0b \ud800 'c'",
    "tags": ["x", "y"],
    "items": [{"code": "01", "price": "0.10"}, {"code": "02", "price": "0.20"}],
}


def write(folder: Path, publications: Iterable[Publication], template: Template = BILL) -> Path:
    templates = {template.name: template}
    sheets = {name: sheet_kinds(name, templates) or {} for name in (DOCUMENTS, *sheet_names(template))}
    write_database(folder / "documents.sqlite", sheets, publications, templates)
    return folder / "documents.sqlite"


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_documents_tables_and_rows_have_their_types(tmp_path: Path) -> None:
    path = write(tmp_path, [publication("a.pdf", VALUES), publication("b.pdf", None)])
    assert ask(path, "SELECT file, status, reason, pages FROM documents ORDER BY file") == [
        ("a.pdf", "done", None, 1),
        ("b.pdf", "failed", "unreadable", 0),
    ]
    assert ask(path, "SELECT number, day, at, total, weight, note, tags FROM bill") == [
        ("007", "1815-06-18", "09:42", 1200.0, 6.5, "ab ? 'c'", "x; y"),
        (None,) * 7,
    ]
    assert ask(path, "SELECT total / 7 FROM bill WHERE total")[0][0] == pytest.approx(171.428571)
    assert ask(path, "SELECT file, row, code, price FROM bill_items") == [("a.pdf", 1, "01", 0.1), ("a.pdf", 2, "02", 0.2)]


def test_columns_stand_in_the_order_of_the_csv(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    columns = [row[0] for row in ask(path, "SELECT name FROM pragma_table_info('bill')")]
    assert columns == list(sheet_kinds("bill", {"bill": BILL}) or {})
    assert ask(path, "SELECT count(*) FROM documents") == [(0,)]


def test_tables_refer_to_each_other(tmp_path: Path) -> None:
    path = write(tmp_path, [publication("a.pdf", VALUES, pages=("done", "failed"))])
    assert ask(path, "SELECT page, status FROM pages ORDER BY page") == [(1, "done"), (2, "failed")]
    found = {
        (table, row[2])
        for table in ("bill", "bill_items", "pages", "fields")
        for row in ask(path, f"PRAGMA foreign_key_list({table})")
    }
    assert found == {("bill", "documents"), ("bill_items", "bill"), ("pages", "documents"), ("fields", "documents")}
    assert ask(path, "PRAGMA foreign_key_check") == []
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def test_values_are_exact_however_long_and_have_their_place(tmp_path: Path) -> None:
    amount = "12345678901234567890.12"
    path = write(tmp_path, [publication("a.pdf", {"total": amount, "note": "=1+1"}, confidence=0.5)])
    assert ask(path, "SELECT value, page, x0, y1 FROM fields WHERE field = 'total'") == [(amount, 1, 1.0, 4.0)]
    assert ask(path, "SELECT typeof(total), note FROM bill") == [("real", "=1+1")]
    assert [row[0] for row in ask(path, "SELECT field FROM review")] == ["total", "note"]


def test_names_of_templates_that_sqlite_or_we_have_taken(tmp_path: Path) -> None:
    names = table_names(["documents", "bill.items", "bill_items", "pages", "sqlite_master", "order"])
    assert names == {
        "documents": "documents",
        "bill.items": "bill_items",
        "bill_items": "bill_items_2",
        "pages": "pages_2",
        "sqlite_master": "_sqlite_master",
        "order": "order",
    }
    fields = {
        "select": {"type": "table", "columns": {"from": {"type": "text"}}},
        "group": {"type": "text"},
        "rowid": {"type": "date"},
    }
    template = Template.model_validate({"name": "sqlite_master", "prompt": "Read.", "fields": fields})
    path = write(tmp_path, [publication("a.pdf", {"group": "x", "select": [{"from": "y"}]}, template)], template)
    assert ask(path, 'SELECT "group", "from" FROM _sqlite_master JOIN _sqlite_master_select USING (file)') == [("x", "y")]


def test_a_file_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    before = write(tmp_path, [publication("a.pdf", VALUES)]).read_bytes()

    def twice() -> Iterator[Publication]:
        yield publication("b.pdf", VALUES)
        yield publication("b.pdf", VALUES)

    with pytest.raises(OutboxError, match="UNIQUE"):
        write(tmp_path, twice())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("documents.sqlite", before)]
