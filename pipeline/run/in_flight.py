"""Which units the engine has just now, in a small file that outlives the process.

Whoever finds units in it at the start knows that a run died over them: a page that exhausts memory or crashes native code would
otherwise kill every run at the same place. The file is written without syncing: it must survive the process, not the machine.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path
from typing import Self

from pipeline.records import UnitKey

FILE_NAME = "underway"


class UnderWay:
    """The file: a line for every unit that is handed out (+) or answered (-). Use as a context manager; leaving it empties it."""

    def __init__(self, folder: Path) -> None:
        self._keys: set[UnitKey] = set()
        self._file = (folder / FILE_NAME).open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._file.close()

    def begin(self, key: UnitKey) -> None:
        """The engine gets this unit."""
        if key not in self._keys:
            self._keys.add(key)
            self._note("+", key)

    def end(self, key: UnitKey) -> None:
        """The unit was answered, or is no longer wanted."""
        if key in self._keys:
            self._keys.discard(key)
            self._note("-", key) if self._keys else self.clear()

    def clear(self) -> None:
        """The engine has nothing."""
        self._keys.clear()
        self._file.seek(0)
        self._file.truncate()

    def _note(self, sign: str, key: UnitKey) -> None:
        self._file.write(f"{sign}{json.dumps(astuple(key))}\n".encode())


def left_under_way(folder: Path) -> list[UnitKey]:
    """Units that the engine had when the last run died."""
    try:
        lines = (folder / FILE_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    keys: dict[UnitKey, None] = {}
    for line in lines:
        try:
            key = UnitKey(*json.loads(line[1:]))
        except (ValueError, TypeError):
            continue
        if line.startswith("+"):
            keys[key] = None
        else:
            keys.pop(key, None)
    return list(keys)
