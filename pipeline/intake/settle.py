"""Is a file fully written? A file counts as settled when its size and time have not changed for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.intake.scan import InboxFile

_NANO = 1_000_000_000


class SettleTracker:
    """Remembers how long each file has been quiet.

    A file older than ``quiet_seconds`` by its own time is settled at once; a younger one (or one from the future, as after a
    clock change) must be seen unchanged for that long.
    """

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet = quiet_seconds
        self._seen: dict[Path, tuple[int, int, float]] = {}

    def settled(self, found: InboxFile) -> bool:
        """Whether the file, as just found, can be read."""
        age = time.time() - found.mtime_ns / _NANO
        if age >= self._quiet:
            self._seen.pop(found.source.path, None)
            return True
        size, mtime_ns, since = self._seen.get(found.source.path, (-1, -1, 0.0))
        if (size, mtime_ns) != (found.size, found.mtime_ns):
            self._seen[found.source.path] = (found.size, found.mtime_ns, time.monotonic())
            return self._quiet == 0
        return time.monotonic() - since >= self._quiet

    def forget(self, path: Path) -> None:
        """The file is gone, or was read."""
        self._seen.pop(path, None)


def restat_file(found: InboxFile) -> InboxFile | None:
    """The file with its present size and time; None when it is gone."""
    try:
        status = found.source.path.stat()
    except OSError:
        return None
    return replace(found, size=status.st_size, mtime_ns=status.st_mtime_ns)


def settled_files(
    files: Iterable[InboxFile], settler: SettleTracker, patience: float, left: list[InboxFile]
) -> Iterator[InboxFile | None]:
    """Settled files first; then the others as they settle, for ``patience`` seconds at most; None where none has just now.

    Files that still change after that are appended to ``left``. Whoever takes None waits a moment before asking again.
    """
    waiting = []
    for found in files:
        if settler.settled(found):
            yield found
        else:
            waiting.append(found)
    until = time.monotonic() + patience
    while waiting and time.monotonic() < until:
        yield None
        still = []
        for present in filter(None, map(restat_file, waiting)):
            if settler.settled(present):
                yield present
            else:
                still.append(present)
        waiting = still
    left.extend(waiting)
