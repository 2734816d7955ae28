"""A file with the units that the engine has now, for the run after a crash.

The units in it were with the engine when the last run died. Without this file, a page that exhausts memory or crashes native code would
kill every run at the same page. It is written without syncing: it must survive the process, not the machine.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Self

from pipeline.records import UnitKey

FILE_NAME = "in_flight"
EARLIER_FILE_NAME = "underway"
"""The name that earlier versions gave this file; it is still read."""


class InFlightFile:
    """A line for every unit that the engine gets (+) or that ends (-). Use as a context manager; its end empties the file."""

    def __init__(self, folder: Path) -> None:
        self._keys: set[UnitKey] = set()
        self._file = (folder / FILE_NAME).open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._file.close()

    def add(self, key: UnitKey) -> None:
        """Record that the engine gets a unit."""
        if key not in self._keys:
            self._keys.add(key)
            self._append("+", key)

    def discard(self, key: UnitKey) -> None:
        """Record that a unit has ended, or that its file is skipped."""
        if key in self._keys:
            self._keys.discard(key)
            self._append("-", key) if self._keys else self.clear()

    def clear(self) -> None:
        """Record that the engine has no units."""
        self._keys.clear()
        self._file.seek(0)
        self._file.truncate()

    def _append(self, sign: str, key: UnitKey) -> None:
        self._file.write(f"{sign}{json.dumps(astuple(key))}\n".encode())


def interrupted_units(folder: Path) -> list[UnitKey]:
    """Units that the engine had when the last run died."""
    keys: dict[UnitKey, None] = {}
    for name in (EARLIER_FILE_NAME, FILE_NAME):
        try:
            lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
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


def forget_interrupted_units(folder: Path) -> None:
    """Empty the files of runs that died. Call this after the ledger has recorded their units.

    The present file keeps its inode: another loop of this process may hold it open (``reread_orders``).
    """
    (folder / EARLIER_FILE_NAME).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.truncate(folder / FILE_NAME, 0)
