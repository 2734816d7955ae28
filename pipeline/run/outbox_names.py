"""Names of results in the outbox.

A file keeps its name between runs. Two files never share a name, also not on file systems that take `A.pdf` and `a.pdf` for one file, and
no name conflicts with a folder that another name needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.name_keys import name_key

SHEET_ENDINGS = (".csv", ".parquet", ".jsonl", ".xlsx", ".sqlite")
"""A folder of the inbox with such an ending could have the path of a spreadsheet."""
MAX_NUMBERED_BYTES = 200
"""Bytes kept of a name that gets a number, so that it stays a valid file name."""


class OutboxNames:
    """Gives each file its name in the outbox.

    ``names`` are the names of the ledger's files by absolute path; ``other_names`` those of files that are at no path any more.
    """

    def __init__(self, names: dict[str, str], other_names: Iterable[str] = ()) -> None:
        self._names = dict(names)
        self._taken = set(map(name_key, (*self._names.values(), *other_names)))
        self._folders = {folder for name in self._taken for folder in _folders(name)}

    def __call__(self, path: Path, preferred: str) -> str:
        """The file's own name, or ``preferred`` for a new file. A taken name gets a number, and ``_`` in place of its folders."""
        key = str(path)
        if key not in self._names:
            name = self._free(preferred)
            self._names[key] = name
            self._taken.add(name_key(name))
            self._folders.update(_folders(name_key(name)))
        return self._names[key]

    def within(self, path: Path, preferred: str) -> str:
        """The name of a part of a container. It is not remembered, so that memory does not grow with a container.

        It may be a folder of others: a part that is a container itself comes after documents inside of it, which a killed run has read.
        """
        if str(path) in self._names or self._conflicts(preferred, is_part=True):
            return self(path, preferred)
        return preferred

    def part(self, file: str, label: str) -> str:
        """The name of a document of a file, whose own name is ``file``: ``a.pdf/1-3``."""
        name = self._free(f"{file}/{label}")
        self._taken.add(name_key(name))
        self._folders.update(_folders(name_key(name)))
        return name

    def moved(self, old: Path, new: Path) -> None:
        """The file has moved and keeps its name. Another file that comes to its old path gets a name of its own.

        The name that the new path had stays taken: a result of an earlier file may have it.
        """
        if name := self._names.pop(str(old), None):
            self._names[str(new)] = name

    def returned(self, old: Path, new: Path, name: str) -> None:
        """The file of a known result, which was thought to be at ``old``, is at ``new``."""
        if self._names.get(str(old)) == name:
            del self._names[str(old)]
        self._names[str(new)] = name
        self._taken.add(name_key(name))

    def deleted(self, path: Path) -> None:
        """The file was deleted and keeps its name. Another file that comes to its path gets a name of its own."""
        self._names.pop(str(path), None)

    def forget(self, name: str, paths: Iterable[str]) -> None:
        """No file has this name any more, and none of these paths has a name."""
        for path in paths:
            self._names.pop(path, None)
        if name not in self._names.values():
            self._taken.discard(name_key(name))

    def _free(self, preferred: str) -> str:
        name, number = preferred, 1
        while self._conflicts(name):
            number += 1
            flat = preferred.replace("/", "_").encode()[-MAX_NUMBERED_BYTES:].decode(errors="ignore")
            name = f"{flat}~{number}"
        return name

    def _conflicts(self, name: str, *, is_part: bool = False) -> bool:
        """Whether ``name.json`` is a file or folder of another name, or one of its folders is the file of another name.

        A name that is a folder of others conflicts as well: a container has the results of its parts in the folder of its name.
        """
        name = name_key(name)
        folders = list(_folders(name))
        blocked = any(folder.removesuffix(".json") in self._taken for folder in folders if folder.endswith(".json"))
        return (
            name in self._taken
            or (name in self._folders and not is_part)
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
