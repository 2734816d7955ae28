"""The SQLite file, read back by sqlite3: types, references between tables, table names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import OutboxError
from pipeline.publish.database import table_names, write_database
from pipeline.publish.frames import frame_batches
from pipeline.publish.publication import Publication
from pipeline.publish.rows import DOCUMENTS, sheet_kinds, sheet_names
from pipeline.templates.template import Template
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
    write_database(folder / "documents.sqlite", sheets, frame_batches(publications, templates, sheets, max_rows=2))
    return folder / "documents.sqlite"


def query_rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def test_documents_tables_and_rows_have_their_types(tmp_path: Path) -> None:
    path = write(tmp_path, [publication("a.pdf", VALUES), publication("b.pdf", None)])
    assert query_rows(path, "SELECT file, status, reason, pages FROM documents ORDER BY file") == [
        ("a.pdf", "done", None, 1),
        ("b.pdf", "failed", "unreadable", 0),
    ]
    assert query_rows(path, "SELECT number, day, at, total, weight, note, tags FROM bill") == [
        ("007", "1815-06-18", "09:42", 1200.0, 6.5, "ab ? 'c'", "x; y"),
        (None,) * 7,
    ]
    assert query_rows(path, "SELECT total / 7 FROM bill WHERE total")[0][0] == pytest.approx(171.428571)
    assert query_rows(path, "SELECT file, row, code, price FROM bill_items") == [
        ("a.pdf", 1, "01", 0.1),
        ("a.pdf", 2, "02", 0.2),
    ]


def test_columns_have_the_order_of_the_csv(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    columns = [row[0] for row in query_rows(path, "SELECT name FROM pragma_table_info('bill')")]
    assert columns == list(sheet_kinds("bill", {"bill": BILL}) or {})
    assert query_rows(path, "SELECT count(*) FROM documents") == [(0,)]


def test_tables_refer_to_each_other(tmp_path: Path) -> None:
    path = write(tmp_path, [publication("a.pdf", VALUES, pages=("done", "failed"))])
    assert query_rows(path, "SELECT page, status FROM pages ORDER BY page") == [(1, "done"), (2, "failed")]
    references = {
        (table, row[2])
        for table in ("bill", "bill_items", "pages", "fields")
        for row in query_rows(path, f"PRAGMA foreign_key_list({table})")
    }
    assert references == {("bill", "documents"), ("bill_items", "bill"), ("pages", "documents"), ("fields", "documents")}
    assert query_rows(path, "PRAGMA foreign_key_check") == []
    assert query_rows(path, "PRAGMA integrity_check") == [("ok",)]


def test_references_hold_for_names_with_characters_that_no_table_has(tmp_path: Path) -> None:
    path = write(tmp_path, [publication("a\rb\0.pdf", VALUES)])
    query = "SELECT count(*) FROM documents JOIN bill USING (file) JOIN pages USING (file) JOIN fields USING (file)"
    assert query_rows(path, query) == [(len(VALUES),)]


def test_the_fields_table_holds_exact_values_with_their_boxes(tmp_path: Path) -> None:
    amount = "12345678901234567890.12"
    path = write(tmp_path, [publication("a.pdf", {"total": amount, "note": "=1+1"}, confidence=0.5)])
    assert query_rows(path, "SELECT value, page, x0, y1 FROM fields WHERE field = 'total'") == [(amount, 1, 1.0, 4.0)]
    assert query_rows(path, "SELECT typeof(total), note FROM bill") == [("real", "=1+1")]
    assert [row[0] for row in query_rows(path, "SELECT field FROM review")] == ["total", "note"]


def test_reserved_table_names_are_changed(tmp_path: Path) -> None:
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
    assert query_rows(path, 'SELECT "group", "from" FROM _sqlite_master JOIN _sqlite_master_select USING (file)') == [
        ("x", "y")
    ]


def test_a_failing_export_leaves_the_old_file(tmp_path: Path) -> None:
    before = write(tmp_path, [publication("a.pdf", VALUES)]).read_bytes()

    def same_name_twice() -> Iterator[Publication]:
        yield publication("b.pdf", VALUES)
        yield publication("b.pdf", VALUES)

    with pytest.raises(OutboxError, match="UNIQUE"):
        write(tmp_path, same_name_twice())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("documents.sqlite", before)]
