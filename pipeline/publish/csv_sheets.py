"""CSV files that grow by a row at constant cost and still hold every document exactly once.

The book (the ledger) knows up to which byte a sheet is good. New rows are appended and synced, then the book is told; a crash in
between leaves a tail that the next append cuts off. Rows that replace older ones make a sheet dirty; it is then written anew, beside
its place, and renamed over it. A sheet that somebody else changed is also written anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file, write_atomically
from pipeline.publish.rows import Row

CHUNK = 2_000
"""Rows held in memory while a sheet is written anew."""


class Book(Protocol):
    """What the ledger remembers of sheets."""

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        """Columns, good bytes and dirtiness."""
        ...

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        """The sheet is good up to ``size`` bytes."""
        ...

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        """The sheets must be written anew."""
        ...


def append_rows(
    folder: Path, book: Book, name: str, columns: Sequence[str], rows: Sequence[Row], scratch: Path | None = None
) -> int | None:
    """Append rows to ``folder/name.csv`` and sync it. Returns its size, for the book; None when the sheet is dirty or foreign.

    The caller tells the book, in the same transaction that marks the documents as published. Raises OutboxError.
    """
    path = folder / f"{name}.csv"
    known = book.sheet_state(name)
    if known is None and not path.exists():
        return write_atomically(path, [_csv([], columns, header=True), _csv(rows, columns)], scratch)
    if known is None or known[2] or known[0] != list(columns) or _size(path) < known[1]:
        return None
    try:
        with path.open("r+b") as file:
            file.truncate(known[1])
            file.seek(known[1])
            file.write(_csv(rows, columns))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except OSError as error:
        raise OutboxError(
            f"{path}: cannot be written: {error}", "close the program that has it open, then run again"
        ) from error


def rebuild(
    folder: Path,
    book: Book,
    sheets: Mapping[str, Sequence[str]],
    documents: Iterable[Mapping[str, Sequence[Row]]],
    scratch: Path | None = None,
) -> None:
    """Write sheets (columns by name) anew, in one pass over the rows of all documents (by sheet)."""
    sizes: dict[str, int] = {}
    with ExitStack() as stack:
        files = {name: stack.enter_context(atomic_file(folder / f"{name}.csv", scratch)) for name in sheets}
        waiting: dict[str, list[Row]] = {name: [] for name in sheets}
        for name, columns in sheets.items():
            files[name].write(_csv([], columns, header=True))
        for rows in documents:
            for name, chunk in waiting.items():
                chunk += rows.get(name, ())
                if len(chunk) >= CHUNK:
                    files[name].write(_csv(chunk, sheets[name]))
                    chunk.clear()
        for name, chunk in waiting.items():
            files[name].write(_csv(chunk, sheets[name]))
            sizes[name] = files[name].tell()
    for name, size in sizes.items():
        book.record_sheet(name, sheets[name], size)


def _csv(rows: Sequence[Row], columns: Sequence[str], *, header: bool = False) -> bytes:
    if not rows and not header:
        return b""
    import pandas as pd  # takes as long as all else that a run with nothing to do does

    frame = pd.DataFrame(list(rows), columns=list(columns), dtype=str).fillna("")
    return frame.to_csv(index=False, header=header, lineterminator="\n").encode(errors="replace")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
