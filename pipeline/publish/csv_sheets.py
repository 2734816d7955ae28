"""CSV files that grow at constant cost and hold every document exactly once.

The ledger stores up to which byte a sheet is valid. New rows are appended and synced, then the ledger is updated; after a crash in
between, the next append cuts off the rows that the ledger does not know. When rows replace older rows, the sheet is marked as outdated and
written anew. A sheet that another program has changed is also written anew.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file, write_atomically
from pipeline.publish.cells import Cell, ColumnKind, as_text
from pipeline.publish.csv_cells import defuse_row
from pipeline.publish.publication import Publication
from pipeline.publish.rows import Row, sheet_columns
from pipeline.templates.template import Template


class SheetLedger(Protocol):
    """The part of the ledger that knows the sheets."""

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        """Columns, valid bytes, and whether the sheet is outdated; None for an unknown sheet."""
        ...

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        """Store that the sheet is valid up to ``size`` bytes."""
        ...

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        """Mark sheets as outdated: they must be written again."""
        ...


def append_rows(
    folder: Path, ledger: SheetLedger, name: str, columns: Sequence[str], rows: Sequence[Row], scratch: Path | None = None
) -> int | None:
    """Append rows to ``folder/name.csv`` and sync it. Returns its size in bytes; None when the sheet has to be written anew.

    The rows are written by the ``csv`` module: a run that publishes a few documents need not import pandas. ``rebuild`` writes the same
    bytes. The caller stores the size in the transaction that marks the documents as published. Raises OutboxError.
    """
    path = folder / f"{name}.csv"
    state = ledger.sheet_state(name)
    if state is None and not path.exists():
        return write_atomically(path, [_header(columns), _lines(rows, columns)], scratch)
    if state is None or state[2] or state[0] != list(columns) or _size(path) < state[1]:
        return None
    try:
        with path.open("r+b") as file:
            file.truncate(state[1])
            file.seek(state[1])
            file.write(_lines(rows, columns))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except OSError as error:
        raise OutboxError(
            f"{path}: cannot be written: {error}", "close the program that has it open, then run again"
        ) from error


def rebuild(
    folder: Path,
    ledger: SheetLedger,
    sheets: Iterable[str],
    publications: Iterable[Publication],
    templates: Mapping[str, Template],
    scratch: Path | None = None,
) -> None:
    """Write whole sheets, in one pass over all documents. All their columns are text. Raises OutboxError."""
    from pipeline.publish.frames import frame_batches

    text_kinds: dict[str, dict[str, ColumnKind]] = {
        name: dict.fromkeys(sheet_columns(name, templates) or (), "text") for name in sheets
    }
    with ExitStack() as stack:
        files = {name: stack.enter_context(atomic_file(folder / f"{name}.csv", scratch)) for name in text_kinds}
        for name, columns in text_kinds.items():
            files[name].write(_header(list(columns)))
        for batch in frame_batches(publications, templates, text_kinds):
            for name, file in files.items():
                file.write(_encode(batch.frames[name].itertuples(index=False, name=None)))
        sizes = {name: file.tell() for name, file in files.items()}
    for name, size in sizes.items():
        ledger.record_sheet(name, list(text_kinds[name]), size)


def _header(columns: Sequence[str]) -> bytes:
    return _encode([columns])


def _lines(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    return _encode([row.get(column, "") for column in columns] for row in rows)


def _encode(lines: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(defuse_row([as_text(cell) for cell in line]) for line in lines)
    return text.getvalue().encode(errors="replace")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
