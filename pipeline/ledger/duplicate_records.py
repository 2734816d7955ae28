"""The table ``duplicate_keys``: by which texts equal documents are found, in the order in which they were read first."""

from __future__ import annotations

import time
from collections.abc import Collection

from pipeline.ledger.connection import LedgerConnection


class DuplicateRecords(LedgerConnection):
    """Keys of documents (see ``checks.duplicates``) by the hash of their contents."""

    def record_duplicate_keys(self, sha256: str, keys: Collection[str]) -> None:
        """Record the keys of a document in place of its earlier ones. A key that stays keeps its place in the order."""
        known = {row["key"] for row in self.rows("SELECT key FROM duplicate_keys WHERE sha256 = ?", [sha256])}
        if known == set(keys):
            return
        with self.transaction():
            for key in known - set(keys):
                self._db.execute("DELETE FROM duplicate_keys WHERE sha256 = ? AND key = ?", [sha256, key])
            for key in set(keys) - known:
                self._db.execute("INSERT INTO duplicate_keys VALUES (?, ?, ?)", [key, sha256, time.time_ns()])

    def earlier_duplicate(self, sha256: str, key: str) -> str | None:
        """The name of the first document with other contents that had this key before; None where there is none in the ledger."""
        query = """SELECT files.name FROM duplicate_keys AS other JOIN files ON files.sha256 = other.sha256
                   LEFT JOIN duplicate_keys AS own ON own.key = other.key AND own.sha256 = ?
                   WHERE other.key = ? AND other.sha256 != ? AND other.first_ns < coalesce(own.first_ns, other.first_ns + 1)
                   ORDER BY other.first_ns, files.name LIMIT 1"""
        row = next(iter(self.rows(query, [sha256, key, sha256])), None)
        return str(row["name"]) if row else None
