"""Names in the outbox: a file keeps the one it has; two files never share one, and none stands in the way of another's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.ledger.ledger import KnownFile


class Namer:
    """Gives each file its name below the outbox. ``known`` are the ledger's files by absolute path."""

    def __init__(self, known: dict[str, KnownFile]) -> None:
        self._names = {path: file.source.name for path, file in known.items()}
        self._taken = set(self._names.values())
        self._folders = {folder for name in self._taken for folder in _folders(name)}

    def __call__(self, path: Path, wanted: str) -> str:
        """The file's own name, or ``wanted``; with a hash of the path, and out of its folder, where that is taken."""
        key = str(path)
        if key not in self._names:
            name = wanted
            if self._in_the_way(name):
                digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:8]
                name = f"{wanted.replace('/', '_')[-200:]}~{digest}"
            self._names[key] = name
            self._taken.add(name)
            self._folders.update(_folders(name))
        return self._names[key]

    def _in_the_way(self, name: str) -> bool:
        """Whether ``name.json`` is another's file or folder, or one of its folders is another's file."""
        blocked = any(folder.removesuffix(".json") in self._taken for folder in _folders(name) if folder.endswith(".json"))
        return name in self._taken or f"{name}.json" in self._folders or blocked


def _folders(name: str) -> Iterator[str]:
    """``a/b/c`` → ``a``, ``a/b``."""
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)
