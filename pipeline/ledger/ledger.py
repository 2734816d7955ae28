"""The ledger: one SQLite file in the outbox with one writer. A unit that is committed here is never read twice."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.ledger.document_records import DocumentRecords
from pipeline.ledger.duplicate_records import DuplicateRecords
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.part_records import PartRecords
from pipeline.ledger.removal_records import RemovalRecords
from pipeline.ledger.sheet_records import SheetRecords
from pipeline.ledger.unit_records import UnitRecords


class Ledger(RemovalRecords, DocumentRecords, UnitRecords, PartRecords, SheetRecords, DuplicateRecords):
    """All records of an outbox: files, documents, units, parts of files and sheets. Raises LedgerError when the file cannot be opened."""

    def mark_for_rereading(self, files: Iterable[FileRecord], *, failed_only: bool = False) -> int:
        """Mark the units of these files to be read again, with ``failed_only`` those that failed or were skipped.

        The published results stay until then. Returns the number of files.
        """
        units = " AND status IN ('failed', 'skipped')" if failed_only else ""
        choice = "" if failed_only else ", chosen = NULL"
        count = 0
        with self.transaction():
            for file in files:
                self._db.execute(f"UPDATE units SET stale = 1, attempts = 0 WHERE sha256 = ?{units}", [file.sha256])  # noqa: S608 - the inserted text is written above
                self._db.execute("DELETE FROM deaths WHERE sha256 = ?", [file.sha256])
                self._db.execute(f"UPDATE documents SET stale = 1{choice} WHERE sha256 = ?", [file.sha256])  # noqa: S608 - the inserted text is written above
                self._db.execute("UPDATE files SET stale = 1, pinned = 0 WHERE sha256 = ?", [file.sha256])
                count += 1
        return count
