"""Gives each member of an archive a name of its own in the outbox, in the order of the archive, also when the archive repeats names.

The names in use are in a temporary file, not in memory. The same archive gives the same names every time, so that an interrupted run finds
its members again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import PurePosixPath
from typing import Self

from pipeline.intake.container_members import folders_and_name
from pipeline.intake.scan import outbox_name
from pipeline.name_keys import name_key

MAX_NAME_BYTES = 1_000
"""Bytes of a member's name with its folders. Together with the outbox's own path it must fit into 4,096."""
MAX_NUMBERED_BYTES = 200
"""Bytes kept of a name that gets a number."""
_RESULT = ".json"


class MemberNames:
    """Call it with a member's name in the archive to get a name that no earlier member has. A context manager.

    Names in the outbox are apart also on file systems that take `A.pdf` and `a.pdf`, or two spellings of one accent, for one file.
    With ``exact`` such names are different: ledgers know members by the paths that follow from these names.
    """

    def __init__(self, *, exact: bool = False) -> None:
        self._key = str if exact else name_key
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("CREATE TABLE names (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def __call__(self, member: str) -> str:
        """The member's name, or, where that conflicts with an earlier one, its folders joined by ``_`` and a number."""
        preferred = name = short_name(member)
        if self._conflicts(name):
            flat = preferred.replace("/", "_").encode()[-MAX_NUMBERED_BYTES:].decode(errors="ignore")
            number = self._number(f"number {self._key(flat)}") or 1
            while self._conflicts(name):
                number += 1
                name = f"{flat}~{number}"
            self._store(f"number {self._key(flat)}", number)
        self._store(f"name {self._key(name)}")
        for folder in PurePosixPath(self._key(name)).parents:
            if folder.name.endswith(_RESULT):
                self._store(f"folder {folder}")
        return name

    def _conflicts(self, name: str) -> bool:
        """Whether ``name.json`` is a file or folder of another member, or one of its folders is another member's file."""
        name = self._key(name)
        folders = [str(folder) for folder in PurePosixPath(name).parents if folder.name.endswith(_RESULT)]
        keys = [f"name {name}", f"folder {name}{_RESULT}", *(f"name {folder.removesuffix(_RESULT)}" for folder in folders)]
        return any(self._number(key) is not None for key in keys)

    def _number(self, key: str) -> int | None:
        row = self._db.execute("SELECT number FROM names WHERE key = ?", [key]).fetchone()
        return row[0] if row else None

    def _store(self, key: str, number: int = 0) -> None:
        self._db.execute("INSERT OR REPLACE INTO names VALUES (?, ?)", [key, number])


def short_name(member: str) -> str:
    """A member's name that every file system accepts. A name with very many folders loses them and gets a hash."""
    parts = folders_and_name(member)
    name = outbox_name("/".join(parts))
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    digest = hashlib.sha256(member.encode(errors="surrogateescape")).hexdigest()[:8]
    return outbox_name(parts[-1]).encode()[:MAX_NUMBERED_BYTES].decode(errors="ignore") + "~" + digest
