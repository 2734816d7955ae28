"""CSV files that grow at constant cost and hold every document exactly once.

The ledger stores up to which byte a sheet is valid. New rows are appended and synced, then the ledger is updated; after a crash in
between, the next append cuts off the rows that the ledger does not know. When rows replace older rows, the sheet is marked as outdated and
written anew. A sheet that another program has changed is kept under another name, and written anew as well (see ``own_files``).
"""

from __future__ import annotations

import csv
import io
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file, write_atomically
from pipeline.publish.cells import Cell, ColumnKind, as_text
from pipeline.publish.csv_cells import defuse_row
from pipeline.publish.own_files import DISK_ERRORS, FileInUseError, OwnFiles
from pipeline.publish.publication import Publication
from pipeline.publish.rows import Row, sheet_columns
from pipeline.records import FileMark
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
    folder: Path,
    ledger: SheetLedger,
    files: OwnFiles,
    rows: Mapping[str, Sequence[Row]],
    columns: Mapping[str, Sequence[str]],
    scratch: Path | None = None,
) -> dict[str, FileMark]:
    """Append rows to sheets in ``folder`` and sync them. Returns their new marks by name; a sheet without one has to be written anew.

    The rows are written by the ``csv`` module: a run that publishes a few documents need not import pandas. ``rebuild`` writes the same
    bytes. The caller stores the marks in the transaction that marks the documents as published. Raises OutboxError.
    """
    paths = {name: folder / f"{name}.csv" for name in rows}
    marks: dict[str, FileMark] = {}
    grown: dict[Path, bytes] = {}
    for name, path in paths.items():
        state = ledger.sheet_state(name)
        if state is None and not os.path.lexists(path):
            new = (scratch or folder) / f".{uuid.uuid4().hex}.tmp"
            write_atomically(new, [_header(columns[name]), _lines(rows[name], columns[name])], sync=False)  # ``put`` syncs it
            with suppress(FileInUseError):  # the rewriting says so, when it fails as well
                marks[name] = files.put(new, path)
        elif state and not state[2] and state[0] == list(columns[name]) and _is_known(path, files, state):
            grown[path] = _lines(rows[name], columns[name])
    try:
        by_path = files.append(grown)
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error}", "free disk space; nothing is lost, run again") from error
    return marks | {name: by_path[path] for name, path in paths.items() if path in by_path}


def _is_known(path: Path, files: OwnFiles, state: tuple[list[str], int, bool]) -> bool:
    """Whether the program has a mark of a sheet, also of one of an older version, which gets one now. Raises OutboxError."""
    try:
        if not files.has_mark(path) and _is_own(path, state[0], state[1]):
            files.adopt(path)
    except OSError as error:
        if error.errno in DISK_ERRORS:
            raise OutboxError(f"{path}: cannot be read: {error}", "check the disk; nothing is lost, run again") from error
        return False
    return files.has_mark(path)


def rebuild(
    folder: Path,
    ledger: SheetLedger,
    files: OwnFiles,
    sheets: Iterable[str],
    publications: Iterable[Publication],
    templates: Mapping[str, Template],
    scratch: Path | None = None,
) -> dict[str, str]:
    """Write whole sheets, in one pass over all documents. All their columns are text.

    Returns the sheets that cannot be written now, with the reason. Raises OutboxError.
    """
    from pipeline.publish.frames import frame_batches

    text_kinds: dict[str, dict[str, ColumnKind]] = {
        name: dict.fromkeys(sheet_columns(name, templates) or (), "text") for name in sheets
    }
    unwritten: dict[str, str] = {}
    with ExitStack() as stack:
        new = {name: (scratch or folder) / f".{uuid.uuid4().hex}.csv" for name in text_kinds}
        for path in new.values():
            stack.callback(path.unlink, missing_ok=True)
        with ExitStack() as writing:
            opened = {name: writing.enter_context(atomic_file(path, sync=False)) for name, path in new.items()}
            for name, columns in text_kinds.items():
                opened[name].write(_header(list(columns)))
            for batch in frame_batches(publications, templates, text_kinds):
                for name, file in opened.items():
                    file.write(_encode(batch.frames[name].itertuples(index=False, name=None)))
        for name, columns in text_kinds.items():
            state = ledger.sheet_state(name)
            is_own = (
                partial(_is_own, columns=state[0], size=state[1])
                if state and state[0]
                else partial(_adds_nothing, other=new[name])
            )
            try:
                mark = files.put(new[name], folder / f"{name}.csv", is_own)
                ledger.record_sheet(name, list(columns), mark.size)
            except FileInUseError as error:
                unwritten[name] = str(error)
    return unwritten


def _header(columns: Sequence[str]) -> bytes:
    return _encode([columns])


def _lines(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    return _encode([row.get(column, "") for column in columns] for row in rows)


def _encode(lines: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(defuse_row([as_text(cell) for cell in line]) for line in lines)
    return text.getvalue().encode(errors="replace")


def _is_own(path: Path, columns: Sequence[str], size: int) -> bool:
    """Whether a sheet of which an older version recorded only the size has the form in which the program writes it."""
    if not columns or path.stat().st_size != size:
        return False
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if file.readline() != _header(columns).decode():
                return False
            return all(len(row) == len(columns) for row in csv.reader(file, strict=True))
    except (ValueError, csv.Error):
        return False


def _adds_nothing(path: Path, other: Path) -> bool:
    """Whether every line of a sheet is in another one, in any order: the ledger was rebuilt, and nothing is lost with the old sheet."""
    with other.open("rb") as new:
        lines = {hash(line) for line in new}
    with path.open("rb") as old:
        return all(hash(line) in lines for line in old)
