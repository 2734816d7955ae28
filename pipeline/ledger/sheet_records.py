"""The growing CSV files of the outbox in the ledger: up to which byte each is complete, and which hold outdated rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pipeline.ledger.connection import LedgerConnection


class SheetRecords(LedgerConnection):
    """The table ``sheets``."""

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

    def outdated_sheets(self) -> list[str]:
        """Names of the sheets to rebuild."""
        return [row[0] for row in self._db.execute("SELECT name FROM sheets WHERE dirty ORDER BY name")]
