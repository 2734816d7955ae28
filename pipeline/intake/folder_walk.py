"""Walks through a folder and all folders below it, without links and without recursion.

Every folder is opened through the folder above it, so that a folder which another program replaces by a link in the meantime is not
entered. A folder that cannot be listed, and a path that is too long for the operating system, cost nothing but themselves.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.safe_open import open_folder, open_subfolder, shortened

MAX_PATH_BYTES = 4_095
"""Bytes of the longest path that Linux opens by name (PATH_MAX without the byte at its end). A file with a longer path could be read, but
neither moved nor shown."""
OPEN_LEVELS = 32
"""Folders that are open at the same time; those further up are opened again when their turn comes."""
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE})

SkipCallback = Callable[[str, str], None]
"""Called with the name and the reason of each file or folder that may hold documents but cannot be read."""
IsIgnored = Callable[[str, bool], bool]
"""Whether the file (the folder, where the second argument is true) at this path is passed over for its name."""
IsOwn = Callable[[str, os.stat_result], bool]
"""Whether the folder at this path is one of the program's own."""


def walk_files(
    folder: Path, is_ignored: IsIgnored, is_own: IsOwn, on_skip: SkipCallback
) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of everything below ``folder`` that is no folder, sorted by path. A link has its own status.

    ``folder`` is a path without links.
    """
    levels: list[_Level] = []
    try:
        levels += _opened(_Level(os.fspath(folder), None), None, is_ignored, on_skip)
        while levels:
            level = levels[-1]
            name = next(level.names, None)
            if name is None:
                levels.pop().close()
                continue
            path = level.path_of(name)
            try:
                status = os.stat(name, dir_fd=level.descriptor(), follow_symlinks=False)
            except OSError as error:
                if error.errno not in _GONE:
                    on_skip(path, f"cannot be read: {error.strerror or error}")
                continue
            if not stat.S_ISDIR(status.st_mode):
                yield path, status
            elif not is_own(path, status):
                levels += _opened(_Level(path, name), level, is_ignored, on_skip)
                if len(levels) > OPEN_LEVELS:
                    levels[-1 - OPEN_LEVELS].close()
    finally:
        for level in levels:
            level.close()


class _Level:
    """A folder on the way from the top to the place that the walk has reached."""

    def __init__(self, path: str, name: str | None) -> None:
        self.path, self.name = path, name
        self.names: Iterator[str] = iter(())
        self._descriptor: int | None = None

    def path_of(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"

    def open(self, above: _Level | None) -> None:
        """Open the folder through the one above it. Raises OSError."""
        if above is None or self.name is None:
            self._descriptor = open_folder(Path(self.path))
        else:
            self._descriptor = open_subfolder(self.name, above.descriptor())

    def descriptor(self) -> int:
        """The folder's descriptor; the folder is opened again where it was closed. Raises OSError."""
        if self._descriptor is None:
            self._descriptor = open_folder(Path(self.path))
        return self._descriptor

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _opened(level: _Level, above: _Level | None, is_ignored: IsIgnored, on_skip: SkipCallback) -> list[_Level]:
    """The level with the names in its folder; nothing where the folder cannot be listed or is gone."""
    names: list[str] = []
    try:
        level.open(above)
        with os.scandir(level.descriptor()) as entries:
            for entry in entries:
                path = level.path_of(entry.name)
                if is_ignored(path, entry.is_dir(follow_symlinks=False)):
                    continue
                if len(path) > MAX_PATH_BYTES // 4 and len(os.fsencode(path)) > MAX_PATH_BYTES:
                    on_skip(
                        shortened(path), f"its path is longer than {MAX_PATH_BYTES:,} bytes; move it to a folder further up"
                    )
                else:
                    names.append(entry.name)
    except OSError as error:
        if above is None or error.errno not in _GONE:
            on_skip(shortened(level.path), f"cannot be listed: {error.strerror or error}")
    if not names:
        level.close()
        return []
    level.names = iter(sorted(names))
    return [level]
