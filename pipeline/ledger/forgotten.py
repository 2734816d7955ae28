"""Takes documents out of the ledger, and puts them back as they were.

A document's rows are the file's own row and, unless another file has the same contents, all rows about these contents: pages read,
corrections, conversations.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.ledger.document_states import journal_entry
from pipeline.ledger.journal import append_entry
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.moved_files import insert_row, mark_obsolete

Row = dict[str, Any]
CONTENT_TABLES = (
    *("documents", "units", "corrections", "orders", "deaths", "duplicate_keys", "page_marks", "page_texts", "person_splits"),
)
"""Tables with rows about the contents of files, by their hash."""
FILE_TABLES = (("splits", "name"), ("parts", "file"))
"""Tables with rows about one file, and the column with the name of its result."""
_OF_CONTENTS = "substr(sha256, 1, instr(sha256 || '#', '#') - 1) = ?"
"""Corrections of a document of a file have more behind the hash (see ``document_key``)."""
KEY_TABLES = ("document_states", "comments")
"""Tables with rows about documents, by the key that corrections are recorded under."""
_OF_KEY = "substr(key, 1, instr(key || '#', '#') - 1) = ?"
SHARED_TABLES = ("recipes", "questions", "schemas")
"""Tables with rows that belong to no document. They are never taken out, only put back where they are missing."""


def forgotten_contents(ledger: Ledger, names: Sequence[str]) -> list[str]:
    """Hashes of the contents that no file has but those with these names."""
    going = set(names)
    hashes: dict[str, None] = {}
    kept: set[str] = set()
    for row in ledger.rows("SELECT name, sha256, published FROM files ORDER BY name"):
        for sha256 in filter(None, (row["sha256"], row["published"])):
            if row["name"] in going:
                hashes[sha256] = None
            else:
                kept.add(sha256)
    return [sha256 for sha256 in hashes if sha256 not in kept]


def document_rows(ledger: Ledger, names: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Table and row of all that the ledger knows about the documents with these names."""
    for name in names:
        for row in ledger.rows("SELECT * FROM files WHERE name = ?", [name]):
            yield "files", row
        for table, column in FILE_TABLES:
            for row in ledger.rows(f"SELECT * FROM {table} WHERE {column} = ?", [name]):  # noqa: S608 - inserted are constants
                yield table, row
        for row in ledger.rows("SELECT * FROM contained WHERE root = ? OR name = ?", [name, name]):
            yield "contained", row
    for sha256 in forgotten_contents(ledger, names):
        for table in CONTENT_TABLES:
            for row in ledger.rows(f"SELECT * FROM {table} WHERE {_OF_CONTENTS}", [sha256]):  # noqa: S608 - inserted are constants
                yield table, row
        for table in KEY_TABLES:
            for row in ledger.rows(f"SELECT * FROM {table} WHERE {_OF_KEY}", [sha256]):  # noqa: S608 - inserted are constants
                yield table, row
    for table in SHARED_TABLES:
        for row in ledger.rows(f"SELECT * FROM {table}"):  # noqa: S608 - inserted are constants
            yield table, row


def delete_documents(ledger: Ledger, names: Sequence[str], sheets: Iterable[str]) -> None:
    """Delete the rows of documents, on the disk when this returns. Their result files are marked as obsolete.

    Files that are about to be moved or deleted stay: nothing else is known of what was read of them.
    """
    contents = forgotten_contents(ledger, names)
    append_entry(ledger.path.parent, {"forgotten": contents})
    with ledger.synced_transaction():
        for name in names:
            ledger.change(
                """DELETE FROM removals WHERE EXISTS (SELECT 1 FROM files WHERE name = ? AND files.sha256 = removals.sha256
                   AND coalesce(files.path, files.deleted_path) IN (removals.path, removals.claim, removals.target))""",
                [name],
            )
            ledger.mark_parts_obsolete(name)
            ledger.change("DELETE FROM splits WHERE name = ?", [name])
            ledger.change("DELETE FROM files WHERE name = ?", [name])
            ledger.change("DELETE FROM renamed_results WHERE name = ?", [name])
            ledger.change("DELETE FROM contained WHERE root = ? OR name = ?", [name, name])
        for sha256 in contents:
            for table in CONTENT_TABLES:
                ledger.change(f"DELETE FROM {table} WHERE {_OF_CONTENTS}", [sha256])  # noqa: S608 - inserted are constants
            for table in KEY_TABLES:
                ledger.change(f"DELETE FROM {table} WHERE {_OF_KEY}", [sha256])  # noqa: S608 - inserted are constants
        mark_obsolete(ledger, names)
        ledger.mark_sheets_outdated(sorted(set(sheets)))


def occupied_names(ledger: Ledger, rows: Iterable[tuple[str, Row]]) -> list[str]:
    """Names of documents that cannot be put back: another file has the name, or another document the path."""
    occupied = []
    for table, row in rows:
        if table != "files":
            continue
        query = "SELECT name, path FROM files WHERE name = ? OR path = ?"
        if any((other["name"], other["path"]) != (row["name"], row["path"])
               for other in ledger.rows(query, [row["name"], row["path"]])):  # fmt: skip
            occupied.append(row["name"])
    return occupied


def restore_documents(ledger: Ledger, rows: Sequence[tuple[str, Row]], sheets: Iterable[str]) -> None:
    """Put the rows of documents back, on the disk when this returns. A row of the same file from a later reading is replaced.

    Orders whose number another order has now get a new one.
    """
    columns = {
        table: _columns(ledger, table)
        for table in ("files", "contained", *CONTENT_TABLES, *KEY_TABLES, *SHARED_TABLES, *dict(FILE_TABLES))
    }
    numbers: dict[int, int] = {}
    with ledger.synced_transaction():
        for table, row in rows:
            present = {column: value for column, value in row.items() if column in columns[table]}
            if table in ("files", "parts"):
                ledger.change("DELETE FROM obsolete_results WHERE name = ?", [row["name"]])
            if table == "orders":
                _restore_order(ledger, present, numbers)
            else:
                insert_row(ledger, table, present, how="INSERT OR IGNORE" if table in SHARED_TABLES else "INSERT OR REPLACE")
        ledger.mark_sheets_outdated(sorted(set(sheets)))
    _restore_journal(ledger, rows, numbers)


def _columns(ledger: Ledger, table: str) -> set[str]:
    return {row["name"] for row in ledger.rows(f"PRAGMA table_info({table})")}


def _restore_order(ledger: Ledger, row: Row, numbers: dict[int, int]) -> None:
    """Put an order back; ``numbers`` gets its new number by the old one."""
    taken = next(ledger.rows("SELECT sha256, at FROM orders WHERE id = ?", [row["id"]]), None)
    if taken and (taken["sha256"], taken["at"]) == (row["sha256"], row["at"]):
        numbers[row["id"]] = row["id"]
        return
    details = json.loads(row["details"])
    if details.get("follows") in numbers:
        details["follows"] = numbers[details["follows"]]
    new = row | {"details": json.dumps(details, ensure_ascii=False)}
    if taken:
        del new["id"]
    insert_row(ledger, "orders", new)
    number = next(ledger.rows("SELECT last_insert_rowid() AS id"))["id"]
    numbers[row["id"]] = row["id"] if not taken else number


def _restore_journal(ledger: Ledger, rows: Iterable[tuple[str, Row]], numbers: Mapping[int, int]) -> None:
    """Write corrections and orders into the journal again, from which a rebuilt ledger takes them."""
    folder = ledger.path.parent
    for table, row in rows:
        if table == "corrections":
            withdrawn = row["value"] is None
            correction = {
                **{key: row[key] for key in ("template", "field", "version", "by", "at")},
                "value": None if withdrawn else json.loads(row["value"]),
                "withdrawn": withdrawn,
                "before": json.loads(row["before"]),
            }
            append_entry(folder, {"correction": correction, "sha256": row["sha256"]})
        elif table in KEY_TABLES:
            append_entry(folder, journal_entry(table, row))
        elif table == "person_splits":
            decision = {"split": json.loads(row["decision"]), **{key: row[key] for key in ("sha256", "by", "at")}}
            append_entry(folder, decision)
        elif table == "orders" and row["kind"] != "publishing":
            number = numbers[row["id"]]
            present = next(ledger.rows("SELECT * FROM orders WHERE id = ?", [number]))
            order = {key: present[key] for key in ("id", "kind", "sha256", "by", "at")}
            append_entry(folder, {"order": {**order, "details": json.loads(present["details"])}})
            if row["ended_at"]:
                append_entry(folder, {"ended": number, "at": row["ended_at"], "outcome": json.loads(row["outcome"] or "{}")})


def encode_row(table: str, row: Mapping[str, Any]) -> str:
    """A row as a line of JSON. Bytes are objects with the key ``base64``."""
    values = {
        key: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value for key, value in row.items()
    }
    return json.dumps({"table": table, "row": values}, ensure_ascii=False)


def decode_row(line: str) -> tuple[str, Row]:
    """The table and the row that ``encode_row`` encoded."""
    entry = json.loads(line)
    values = {
        key: base64.b64decode(value["base64"]) if isinstance(value, dict) else value for key, value in entry["row"].items()
    }
    return entry["table"], values


def row_path(row: Mapping[str, Any]) -> str:
    """The absolute path in a row of ``files``."""
    return os.fsdecode(row["path"] or row.get("deleted_path") or b"")
