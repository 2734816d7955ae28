"""Which files this machine has sent to an outbox in a store, with size and time; files that differ from that are still to be sent."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pipeline.errors import LedgerError

FILE_NAME = "sent.sqlite"
SentFile = tuple[str, int, int]
"""Name below the outbox, size, time in nanoseconds."""


class SentLog:
    """A database in the outbox's state folder. Use as a context manager, in one thread. Raises LedgerError when it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        try:
            self._db = sqlite3.connect(folder / FILE_NAME, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS sent (name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER) WITHOUT ROWID"
            )
            self._db.execute("CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        except sqlite3.Error as error:
            raise LedgerError(
                f"{folder / FILE_NAME}: {error}", "delete it: everything in the outbox is then sent once more"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def record(self, sent: Iterable[SentFile]) -> None:
        """These files were sent with this size and time."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", sent)
        self._db.execute("COMMIT")

    def clear(self) -> None:
        """Forget all files: everything is to be sent again."""
        self._db.execute("DELETE FROM sent")

    def unsent(self, outbox: Path) -> Iterator[str]:
        """Names of files in the outbox that were not sent with their present size and time, spreadsheets last."""
        sheets = []
        for name, path in _files(outbox, ""):
            status = path.stat()
            row = self._db.execute("SELECT size, mtime_ns FROM sent WHERE name = ?", [name]).fetchone()
            if row != (status.st_size, status.st_mtime_ns):
                if name.endswith(".json"):
                    yield name
                else:
                    sheets.append(name)
        yield from sheets

    def mark(self, name: str) -> str | None:
        """The value of a mark; None where it was not set."""
        row = self._db.execute("SELECT value FROM marks WHERE name = ?", [name]).fetchone()
        return row[0] if row else None

    def set_mark(self, name: str, value: str) -> None:
        """Set a mark, which outlives the run."""
        self._db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", [name, value])


def _files(folder: Path, before: str) -> Iterator[tuple[str, Path]]:
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), f"{before}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield f"{before}{entry.name}", Path(entry.path)
