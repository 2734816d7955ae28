"""The files of the outbox that are written again: how the program wrote each last, and which CSV files hold outdated rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence

from pipeline.ledger.connection import LedgerConnection
from pipeline.records import FileMark


class SheetRecords(LedgerConnection):
    """The tables ``sheets`` and ``written_files``."""

    def sheet_state(self, name: str) -> tuple[list[str], int, bool] | None:
        """Columns of a sheet, its complete length in bytes, and whether it holds outdated rows."""
        row = self._db.execute("SELECT columns, bytes, dirty FROM sheets WHERE name = ?", [name]).fetchone()
        return (json.loads(row[0]), row[1], bool(row[2])) if row else None

    def record_sheet(self, name: str, columns: Sequence[str], size: int) -> None:
        """Record that a sheet is complete up to ``size`` bytes."""
        self._db.execute("INSERT OR REPLACE INTO sheets VALUES (?, ?, ?, 0)", [name, json.dumps(list(columns)), size])

    def mark_sheets_outdated(self, names: Iterable[str]) -> None:
        """Record that these sheets hold outdated rows. They are rebuilt before the run ends."""
        self._db.executemany(
            "INSERT INTO sheets VALUES (?, '[]', 0, 1) ON CONFLICT (name) DO UPDATE SET dirty = 1", [(name,) for name in names]
        )

    def file_mark(self, key: str) -> FileMark | None:
        """How the program wrote a file last; None when it did not. ``key`` is its name in the outbox, or an absolute path."""
        query = "SELECT size, crc, stamp, next_size, next_crc, next_tail FROM written_files WHERE path = ?"
        row = self._db.execute(query, [os.fsencode(key)]).fetchone()
        return FileMark(*row) if row else None

    def record_file_mark(self, key: str, mark: FileMark) -> None:
        """Record how the program has written a file."""
        self._db.execute(
            "INSERT OR REPLACE INTO written_files (path, size, crc, stamp, next_size, next_crc, next_tail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [os.fsencode(key), mark.size, mark.crc, mark.stamp, mark.next_size, mark.next_crc, mark.next_tail],
        )

    def begin_writes(self, marks: Mapping[str, FileMark]) -> None:
        """Record how the program is about to write files. That is on the disk when this returns: no power cut keeps the bytes of a
        write and loses the record of it. Raises LedgerError."""
        with self.synced_transaction():
            for key, mark in marks.items():
                self.record_file_mark(key, mark)

    def outdated_sheets(self) -> list[str]:
        """Names of the sheets to rebuild."""
        return [row[0] for row in self._db.execute("SELECT name FROM sheets WHERE dirty ORDER BY name")]
