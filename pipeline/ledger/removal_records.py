"""Files that are about to be moved or deleted, in the ledger.

A removal is on the disk before its file is touched, with everything that was read of the file. It ends when the move or the deletion is on
the disk. After a crash the next start looks at the open removals, and at no other file: an absent file says nothing by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
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
        columns = "path, place, target, claim, device, inode, folder, size, mtime_ns, sha256"
        with self.synced_transaction():
            self._db.executemany(f"INSERT INTO removals ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - inserted are constants

    def end_removals(
        self, done: Sequence[Removal], undone: Sequence[Removal] = (), copied: Sequence[Removal] = ()
    ) -> list[tuple[Removal, Path]]:
        """Record in one transaction which files were moved or deleted, and which stay where they are.

        The removals of ``copied`` files stay open. Returns those of which a file's row was changed, with the path that it had before.
        Changes of files that were moved to folders of this machine are looked for from now on.
        """
        changed = []
        with self.transaction():
            for item in (*done, *copied):
                old = self._path_of_leaving(item)
                if old is None:  # the row is that of another file by now
                    continue
                changed.append((item, old))
                if item.target is None:
                    self.record_deletion(old)
                else:
                    self.record_move(old, item.target, item.place, watch=item.claim is not None)
            self._db.executemany(
                "DELETE FROM removals WHERE path = ? AND sha256 = ? AND claim IS ? AND target IS ?",
                [
                    (os.fsencode(item.path), item.sha256, _encoded(item.claim), _encoded(item.target))
                    for item in (*done, *undone)
                ],
            )
        return changed

    def _path_of_leaving(self, item: Removal) -> Path | None:
        """Where the ledger has the file of a removal: at its path, or at its claim when another file came to that path."""
        query = "SELECT path FROM files WHERE sha256 = ? AND path IN (?, ?) ORDER BY path = ? LIMIT 1"
        path, claim = os.fsencode(item.path), _encoded(item.claim)
        row = self._db.execute(query, [item.sha256, path, claim, path]).fetchone()
        return Path(os.fsdecode(row[0])) if row else None

    def leaving_file(self, path: Path, sha256: str) -> Removal | None:
        """The open removal of a file with these contents, which the ledger has at this path or under the name of its claim."""
        removals = self._removals(
            "WHERE sha256 = ? AND (path = ? OR claim = ?)", [sha256, os.fsencode(path), os.fsencode(path)]
        )
        return next(iter(removals), None)

    def open_removals(self) -> list[Removal]:
        """Removals that have begun and not ended."""
        return self._removals("", [])

    def _removals(self, condition: str, parameters: Sequence[object]) -> list[Removal]:
        return [
            Removal(
                Path(os.fsdecode(row["path"])),
                row["place"],
                Path(os.fsdecode(row["target"])) if row["target"] else None,
                Path(os.fsdecode(row["claim"])) if row["claim"] else None,
                *(row[column] % 2**64 for column in ("device", "inode", "folder")),
                *(row[column] for column in ("size", "mtime_ns", "sha256")),
            )
            for row in self.rows(f"SELECT * FROM removals {condition} ORDER BY path, id", parameters)  # noqa: S608 - inserted are constants
        ]


def _signed(number: int) -> int:
    """A number of 64 bits as SQLite takes it: network file systems give inodes above 2**63."""
    return number - 2**64 if number >= 2**63 else number


def _encoded(path: Path | None) -> bytes | None:
    return os.fsencode(path) if path else None
