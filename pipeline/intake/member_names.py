"""Names of an archive's members: each its own, in the order of the archive, whatever names the archive repeats.

What has been given out is kept in a temporary file, not in memory. The same archive gives the same names every time, so that a run
that was interrupted finds its members again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import PurePosixPath
from typing import Self

from pipeline.intake.members import folders_and_name
from pipeline.intake.scan import outbox_name

LONGEST = 1_000
"""Bytes of a member's name with its folders; the outbox's own path must fit into 4,096 with it."""
LONGEST_NUMBERED = 200
"""Bytes kept of a name that gets a number."""
_RESULT = ".json"


class MemberNames:
    """Gives each member its name below the archive's folder in the outbox. Use as a context manager."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def __call__(self, member: str) -> str:
        """The member's name; numbered, and out of its folders, where another's result stands in the way."""
        wanted = name = short_name(member)
        if self._in_the_way(name):
            flat = wanted.replace("/", "_").encode()[-LONGEST_NUMBERED:].decode(errors="ignore")
            number = self._number(f"number {flat}") or 1
            while self._in_the_way(name):
                number += 1
                name = f"{flat}~{number}"
            self._keep(f"number {flat}", number)
        self._keep(f"name {name}")
        for folder in PurePosixPath(name).parents:
            if folder.name.endswith(_RESULT):
                self._keep(f"folder {folder}")
        return name

    def _in_the_way(self, name: str) -> bool:
        """Whether ``name.json`` is another's file or folder, or one of its folders is another's file."""
        folders = [str(folder) for folder in PurePosixPath(name).parents if folder.name.endswith(_RESULT)]
        keys = [f"name {name}", f"folder {name}{_RESULT}", *(f"name {folder.removesuffix(_RESULT)}" for folder in folders)]
        return any(self._number(key) is not None for key in keys)

    def _number(self, key: str) -> int | None:
        row = self._db.execute("SELECT number FROM seen WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def _keep(self, key: str, number: int = 0) -> None:
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", [key, number])


def short_name(member: str) -> str:
    """A member's name that every file system takes; one of very many folders loses them, and gets a hash instead."""
    parts = folders_and_name(member)
    name = outbox_name("/".join(parts))
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(member.encode(errors="surrogateescape")).hexdigest()[:8]
    return outbox_name(parts[-1]).encode()[:LONGEST_NUMBERED].decode(errors="ignore") + "~" + digest
