"""Files that were renamed or moved within the inbox: rows of the table ``files`` that get other paths and names.

The result files follow after the transaction. What is left to do for them is recorded with it: ``renamed_results`` are published again,
``obsolete_results`` are removed from the outbox.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.records import Source

FEW_SIZES = 100
"""Up to so many sizes are looked up one by one; for more, the ledger's own sizes are listed first."""

_MARK = "\1"
"""Before new names while several documents change their names with each other; names in the outbox hold no such character."""


@dataclass(frozen=True, slots=True)
class FileMove:
    """A document that is now at another path: its record, and the file where it is now."""

    record: FileRecord
    source: Source
    size: int
    mtime_ns: int
    inode: str | None


def record_moves(ledger: Ledger, moves: Sequence[FileMove], sheets: Iterable[str]) -> None:
    """Give documents their new paths and names in one transaction, also where they change places with each other.

    A record that had one of the paths and is not moved itself is replaced: its file was overwritten. ``sheets`` hold rows of these
    documents. They are on the disk when this returns.
    """
    with ledger.synced_transaction():
        rows = {move.record.source.name: _row(ledger, move.record.source.name) for move in moves}
        replaced = [
            row["name"]
            for move in moves
            for row in ledger.rows("SELECT name FROM files WHERE path = ?", [os.fsencode(move.source.path)])
        ]
        names = {move.source.name for move in moves}
        splits = {name: list(ledger.rows("SELECT * FROM splits WHERE name = ?", [name])) for name in rows}
        for name in {*rows, *replaced}:
            ledger.mark_parts_obsolete(name)  # they are published again under the new name
            ledger.change("DELETE FROM splits WHERE name = ?", [name])
            ledger.change("DELETE FROM files WHERE name = ?", [name])
        mark_obsolete(ledger, {*rows, *replaced} - names)
        for move in moves:
            insert_row(
                ledger,
                "files",
                rows[move.record.source.name]
                | {
                    "name": move.source.name,
                    "path": os.fsencode(move.source.path),
                    "relative": move.source.relative,
                    "size": move.size,
                    "mtime_ns": move.mtime_ns,
                    "inode": move.inode,
                },
            )
            ledger.change(
                """UPDATE orders SET details = json_set(details, '$.name', ?)
                   WHERE kind = 'reading' AND sha256 = ? AND json_extract(details, '$.name') = ?""",
                [move.source.name, move.record.sha256, move.record.source.name],
            )
            for split in splits[move.record.source.name]:
                insert_row(ledger, "splits", split | {"name": move.source.name}, how="INSERT OR REPLACE")
            ledger.change("DELETE FROM obsolete_results WHERE name = ?", [move.source.name])
            ledger.change("INSERT OR IGNORE INTO renamed_results VALUES (?)", [move.source.name])
        _rename_parts(ledger, {move.record.source.name: move.source.name for move in moves})
        ledger.mark_sheets_outdated(sorted(set(sheets)))


def _rename_parts(ledger: Ledger, names: Mapping[str, str]) -> None:
    """Give the rows of parts of containers the new names of results, also where names change places."""
    names = {old: new for old, new in names.items() if old != new}
    for column in ("root", "parent", "name"):
        for old, new in names.items():
            ledger.change(f"UPDATE contained SET {column} = ? WHERE {column} = ?", [_MARK + new, old])  # noqa: S608 - inserted are constants
        ledger.change(f"UPDATE contained SET {column} = substr({column}, 2) WHERE substr({column}, 1, 1) = ?", [_MARK])  # noqa: S608 - the same


def insert_row(ledger: Ledger, table: str, row: Mapping[str, Any], *, how: str = "INSERT") -> None:
    """Write a row by column name, as part of an open transaction."""
    columns, marks = ", ".join(f'"{column}"' for column in row), ", ".join("?" * len(row))
    ledger.change(f"{how} INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def _row(ledger: Ledger, name: str) -> dict[str, Any]:
    return next(ledger.rows("SELECT * FROM files WHERE name = ?", [name]))


# ---- what is left to do -------------------------------------------------------------------------


def renamed_results(ledger: Ledger) -> list[str]:
    """Names of results that are to be published again, because their files were renamed or moved."""
    return [row["name"] for row in ledger.rows("SELECT name FROM renamed_results ORDER BY name")]


def clear_renamed(ledger: Ledger, names: Iterable[str]) -> None:
    """Record that these results are published under their names."""
    with ledger.transaction():
        for name in names:
            ledger.change("DELETE FROM renamed_results WHERE name = ?", [name])


def mark_obsolete(ledger: Ledger, names: Iterable[str]) -> None:
    """Record that the files of these results are to be removed, as part of an open transaction."""
    for name in names:
        ledger.change("INSERT OR IGNORE INTO obsolete_results VALUES (?)", [name])


def obsolete_results(ledger: Ledger) -> list[str]:
    """Names of results whose files are to be removed from the outbox: no document has them any more."""
    return [row["name"] for row in ledger.rows("SELECT name FROM obsolete_results ORDER BY name")]


def clear_obsolete(ledger: Ledger, names: Iterable[str]) -> None:
    """Record that the files of these results are removed."""
    with ledger.transaction():
        for name in names:
            ledger.change("DELETE FROM obsolete_results WHERE name = ?", [name])


# ---- candidates and folders ---------------------------------------------------------------------


def files_of_sizes(ledger: Ledger, sizes: Iterable[int]) -> list[FileRecord]:
    """Files that were not moved by the program and have one of these sizes in bytes."""
    wanted = set(sizes)
    if len(wanted) > FEW_SIZES:
        wanted &= {row["size"] for row in ledger.rows("SELECT DISTINCT size FROM files")}
    return [record for size in wanted for record in ledger.files_of_size(size) if record.place == "original"]


def folder_marks(ledger: Ledger) -> dict[Path, tuple[str, bool]]:
    """Number and kind of the inbox's folders as they were when files were found in them, by path."""
    rows = ledger.rows("SELECT * FROM inbox_folders")
    return {Path(os.fsdecode(row["path"])): (row["inode"], bool(row["is_mount"])) for row in rows}


def record_folders(ledger: Ledger, marks: Mapping[Path, tuple[str, bool]]) -> None:
    """Record number and kind of folders."""
    with ledger.transaction():
        for path, mark in marks.items():
            ledger.change("INSERT OR REPLACE INTO inbox_folders VALUES (?, ?, ?)", [os.fsencode(path), *mark])
