"""CSV files that grow at constant cost and hold every document exactly once.

The ledger stores up to which byte a sheet is valid. New rows are appended and synced, then the ledger is updated; after a crash in
between, the next append cuts off the rows that the ledger does not know. When rows replace older rows, the sheet is marked as outdated and
written anew. A sheet that another program has changed is kept under another name, and written anew as well (see ``own_files``).
"""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file, write_atomically
from pipeline.publish.cells import ColumnKind
from pipeline.publish.csv_dialect import DIALECTS, STANDARD, CsvDialect
from pipeline.publish.own_files import DISK_ERRORS, FileInUseError, OwnFiles
from pipeline.publish.publication import Publication
from pipeline.publish.rows import Row, sheet_kinds
from pipeline.records import FileMark
from pipeline.safe_open import open_file
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
    columns: Mapping[str, Mapping[str, ColumnKind]],
    scratch: Path | None = None,
    dialect: CsvDialect = STANDARD,
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
            content = [dialect.header(columns[name]), _lines(rows[name], columns[name], dialect)]
            write_atomically(new, content, sync=False)  # ``put`` syncs it
            with suppress(FileInUseError):  # the rewriting says so, when it fails as well
                marks[name] = files.put(new, path)
        elif state and not state[2] and state[0] == list(columns[name]) and _is_known(path, files, state, dialect):
            grown[path] = _lines(rows[name], columns[name], dialect)
    try:
        by_path = files.append(grown)
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error}", "free disk space; nothing is lost, run again") from error
    return marks | {name: by_path[path] for name, path in paths.items() if path in by_path}


def other_dialects(folder: Path, names: Iterable[str], ledger: SheetLedger, dialect: CsvDialect) -> list[str]:
    """The sheets that were written in another form, because the setting has changed: they are to be written anew."""
    others = [other for other in DIALECTS.values() if other != dialect]
    return [
        name for name in names if (state := ledger.sheet_state(name)) and _begins_as(folder / f"{name}.csv", state[0], others)
    ]


def _begins_as(path: Path, columns: Sequence[str], dialects: Sequence[CsvDialect]) -> bool:
    headers = [dialect.header(dict.fromkeys(columns, "text")) for dialect in dialects]
    try:
        with open_file(path.parent.resolve() / path.name) as file:
            start = file.read(max(map(len, headers)))
    except OSError:
        return False
    return bool(columns) and any(start.startswith(header) for header in headers)


def _is_known(path: Path, files: OwnFiles, state: tuple[list[str], int, bool], dialect: CsvDialect) -> bool:
    """Whether the program has a mark of a sheet, also of one of an older version, which gets one now. Raises OutboxError."""
    try:
        if not files.has_mark(path) and _is_own(path, state[0], state[1], dialect):
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
    dialect: CsvDialect = STANDARD,
) -> dict[str, str]:
    """Write whole sheets, in one pass over all documents. All their columns are text.

    Returns the sheets that cannot be written now, with the reason. Raises OutboxError.
    """
    from pipeline.publish.frames import frame_batches

    kinds = {name: sheet_kinds(name, templates) or {} for name in sheets}
    text_kinds: dict[str, dict[str, ColumnKind]] = {name: dict.fromkeys(columns, "text") for name, columns in kinds.items()}
    unwritten: dict[str, str] = {}
    with ExitStack() as stack:
        new = {name: (scratch or folder) / f".{uuid.uuid4().hex}.csv" for name in text_kinds}
        for path in new.values():
            stack.callback(path.unlink, missing_ok=True)
        with ExitStack() as writing:
            opened = {name: writing.enter_context(atomic_file(path, sync=False)) for name, path in new.items()}
            for name, columns in kinds.items():
                opened[name].write(dialect.header(columns))
            for batch in frame_batches(publications, templates, text_kinds):
                for name, file in opened.items():
                    file.write(dialect.lines(batch.frames[name].itertuples(index=False, name=None), kinds[name]))
        for name, columns in text_kinds.items():
            state = ledger.sheet_state(name)
            is_own = (
                partial(_is_own, columns=state[0], size=state[1], dialect=dialect)
                if state and state[0]
                else partial(_adds_nothing, other=new[name])
            )
            try:
                mark = files.put(new[name], folder / f"{name}.csv", is_own)
                ledger.record_sheet(name, list(columns), mark.size)
            except FileInUseError as error:
                unwritten[name] = str(error)
    return unwritten


def _lines(rows: Sequence[Row], columns: Mapping[str, ColumnKind], dialect: CsvDialect) -> bytes:
    return dialect.lines(([row.get(column, "") for column in columns] for row in rows), columns)


def _is_own(path: Path, columns: Sequence[str], size: int, dialect: CsvDialect) -> bool:
    """Whether a sheet of which an older version recorded only the size has the form in which the program writes it."""
    if not columns or path.stat().st_size != size:
        return False
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if file.readline() != dialect.header(dict.fromkeys(columns, "text")).decode():
                return False
            return all(len(row) == len(columns) for row in csv.reader(file, delimiter=dialect.delimiter, strict=True))
    except (ValueError, csv.Error):
        return False


def _adds_nothing(path: Path, other: Path) -> bool:
    """Whether every line of a sheet is in another one, in any order: the ledger was rebuilt, and nothing is lost with the old sheet."""
    with other.open("rb") as new:
        lines = {hash(line) for line in new}
    with path.open("rb") as old:
        return all(hash(line) in lines for line in old)
