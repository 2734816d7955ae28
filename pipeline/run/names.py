"""Names in the outbox: a file keeps the one it has; two files never share one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.ledger.ledger import KnownFile


class Namer:
    """Gives each file its name below the outbox. ``known`` are the ledger's files by absolute path."""

    def __init__(self, known: dict[str, KnownFile]) -> None:
        self._names = {path: file.source.name for path, file in known.items()}
        self._owners = {name: path for path, name in self._names.items()}
        self._folders = {folder for name in self._owners for folder in _folders(name)}

    def __call__(self, path: Path, wanted: str) -> str:
        """The file's own name, or ``wanted``, or ``wanted`` with a hash of the path where that is taken."""
        key = str(path)
        if key not in self._names:
            name = wanted
            if (
                self._owners.get(name, key) != key
                or f"{name}.json" in self._folders
                or any(folder.removesuffix(".json") in self._owners for folder in _folders(name) if folder.endswith(".json"))
            ):
                name = f"{wanted}~{hashlib.sha256(key.encode(errors='surrogateescape')).hexdigest()[:8]}"
            self._names[key] = name
            self._owners[name] = key
            self._folders.update(_folders(name))
        return self._names[key]


def _folders(name: str) -> list[str]:
    """``a/b/c`` → ``a``, ``a/b``."""
    parts = name.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
