"""Files that are about to be moved or deleted, in the ledger.

A removal is on the disk before its file is touched, with everything that was read of the file. It ends when the move or the deletion is on
the disk. After a crash the next start looks at the open removals, and at no other file: an absent file says nothing by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.ledger.file_records import FileRecords

RemovalPlace = Literal["archive", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A file that is about to be moved or deleted, as it was when it was read."""

    path: Path
    place: RemovalPlace
    target: Path | None
    """Where it is moved to; None: it is deleted."""
    claim: Path | None
    """The name that it has meanwhile, in its own folder; None in an object store."""
    device: int
    inode: int
    folder: int
    """Inode of its folder."""
    size: int
    mtime_ns: int
    sha256: str


class RemovalRecords(FileRecords):
    """The table ``removals``, and the end of a removal in the table ``files``."""

    def begin_removals(self, removals: Iterable[Removal]) -> None:
        """Record removals. They, and all that was recorded before, are on the disk when this returns."""
        rows = [
            (
                *(os.fsencode(item.path), item.place, _encoded(item.target), _encoded(item.claim)),
                *map(_signed, (item.device, item.inode, item.folder)),
                *(item.size, item.mtime_ns, item.sha256),
            )
            for item in removals
        ]
        with self.synced_transaction():
            self._db.executemany("INSERT OR REPLACE INTO removals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def end_removals(self, done: Iterable[Removal], undone: Iterable[Removal] = ()) -> None:
        """Record in one transaction which files were moved or deleted, and which stay where they are.

        Changes of files that were moved to folders of this machine are looked for from now on.
        """
        with self.transaction():
            for item in done:
                row = self._db.execute("SELECT sha256 FROM files WHERE path = ?", [os.fsencode(item.path)]).fetchone()
                if row and row[0] != item.sha256:  # another file has come to this path since then
                    continue
                if item.target is None:
                    self.record_deletion(item.path)
                else:
                    self.record_move(item.path, item.target, item.place, watch=item.claim is not None)
            paths = [(os.fsencode(item.path),) for item in (*done, *undone)]
            self._db.executemany("DELETE FROM removals WHERE path = ?", paths)

    def open_removals(self) -> list[Removal]:
        """Removals that have begun and not ended."""
        return [
            Removal(
                Path(os.fsdecode(row["path"])),
                row["place"],
                Path(os.fsdecode(row["target"])) if row["target"] else None,
                Path(os.fsdecode(row["claim"])) if row["claim"] else None,
                *(row[column] % 2**64 for column in ("device", "inode", "folder")),
                *(row[column] for column in ("size", "mtime_ns", "sha256")),
            )
            for row in self.rows("SELECT * FROM removals ORDER BY path")
        ]


def _signed(number: int) -> int:
    """A number of 64 bits as SQLite takes it: network file systems give inodes above 2**63."""
    return number - 2**64 if number >= 2**63 else number


def _encoded(path: Path | None) -> bytes | None:
    return os.fsencode(path) if path else None
