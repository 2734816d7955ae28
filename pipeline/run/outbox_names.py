"""Names in the outbox: a file keeps the one it has; two files never share one, and none stands in the way of another's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

SHEET_ENDINGS = (".csv", ".parquet", ".jsonl", ".xlsx", ".sqlite")
"""A folder of the inbox with such an ending could stand where a spreadsheet goes."""
LONGEST = 200
"""Bytes kept of a name that gets a number, so that it stays a valid file name."""


class Namer:
    """Gives each file its name below the outbox. ``names`` are those of the ledger's files by absolute path."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = dict(names)
        self._taken = set(self._names.values())
        self._folders = {folder for name in self._taken for folder in _folders(name)}

    def __call__(self, path: Path, wanted: str) -> str:
        """The file's own name, or ``wanted``; numbered, and out of its folder, where that is taken."""
        key = str(path)
        if key not in self._names:
            name, number = wanted, 1
            while self._in_the_way(name):
                number += 1
                flat = wanted.replace("/", "_").encode()[-LONGEST:].decode(errors="ignore")
                name = f"{flat}~{number}"
            self._names[key] = name
            self._taken.add(name)
            self._folders.update(_folders(name))
        return self._names[key]

    def folder(self, wanted: str) -> str:
        """``wanted``, numbered where it is taken: a folder for names that are given out elsewhere, each once."""
        name, number = wanted, 1
        while name in self._folders or self._in_the_way(f"{name}/"):
            number += 1
            name = f"{wanted}~{number}"
        self._folders.add(name)
        return name

    def within(self, path: Path, wanted: str) -> str:
        """The same as calling, for a name in such a folder; it is not remembered, so that memory does not grow with an archive."""
        if str(path) in self._names or self._in_the_way(wanted):
            return self(path, wanted)
        return wanted

    def moved(self, old: Path, new: str) -> None:
        """The file lies elsewhere now and keeps its name; another one that comes to its old place gets a name of its own."""
        own = self._names.pop(new, None)
        self._names[new] = self._names.pop(str(old))
        if own != self._names[new]:
            self._taken.discard(own or "")

    def _in_the_way(self, name: str) -> bool:
        """Whether ``name.json`` is another's file or folder, or one of its folders is another's file."""
        folders = list(_folders(name))
        blocked = any(folder.removesuffix(".json") in self._taken for folder in folders if folder.endswith(".json"))
        return (
            name in self._taken
            or f"{name}.json" in self._folders
            or blocked
            or bool(folders and folders[0].endswith(SHEET_ENDINGS))
        )


def _folders(name: str) -> Iterator[str]:
    """``a/b/c`` → ``a``, ``a/b``."""
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)
