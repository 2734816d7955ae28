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

from pipeline.errors import OutboxError
from pipeline.records import UnitKey

FILE_NAME = "in_flight"
EARLIER_FILE_NAME = "underway"
"""The name that earlier versions gave this file; it is still read."""


class InFlightFile:
    """A line for every unit that the engine gets (+) or that ends (-). Use as a context manager; its end empties the file.

    The file is an aid: where it cannot be written (a full disk), the run goes on, and it is written anew as soon as that is possible.
    Raises OutboxError when it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._keys: dict[UnitKey, None] = {}
        self._incomplete = False
        try:
            self._file = (folder / FILE_NAME).open("wb", buffering=0)
        except OSError as error:
            raise OutboxError(
                f"{folder / FILE_NAME}: cannot be written: {error.strerror or error}", "free disk space or check permissions"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._file.close()

    def add(self, key: UnitKey) -> None:
        """Record that the engine gets a unit."""
        if key not in self._keys:
            self._keys[key] = None
            self._append("+", key)

    def discard(self, key: UnitKey) -> None:
        """Record that a unit has ended, or that its file is skipped."""
        if key in self._keys:
            del self._keys[key]
            self._append("-", key) if self._keys else self.clear()

    def clear(self) -> None:
        """Record that the engine has no units."""
        self._keys.clear()
        self._write_anew()

    def _append(self, sign: str, key: UnitKey) -> None:
        if self._incomplete:
            self._write_anew()
        else:
            self._write(_line(sign, key))

    def _write_anew(self) -> None:
        """Write the units that the engine has now."""
        self._incomplete = False
        try:
            self._file.seek(0)
            self._file.truncate()
        except OSError:
            self._incomplete = True
            return
        self._write(b"".join(_line("+", key) for key in self._keys))

    def _write(self, lines: bytes) -> None:
        try:
            written = self._file.write(lines) if lines else 0
        except OSError:
            written = -1
        self._incomplete = written != len(lines)


def _line(sign: str, key: UnitKey) -> bytes:
    return f"{sign}{json.dumps(astuple(key))}\n".encode()


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

    The present file keeps its inode: another loop of this process may hold it open (``reread_orders``). Raises OutboxError.
    """
    try:
        (folder / EARLIER_FILE_NAME).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            os.truncate(folder / FILE_NAME, 0)
    except OSError as error:
        raise OutboxError(
            f"{folder}: cannot be written: {error.strerror or error}", "check permissions and the disk"
        ) from error
