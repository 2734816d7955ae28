"""Waits until a file is completely written: its size and time do not change for some seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.intake.scan import InboxFile

_NANO = 1_000_000_000


class SettleTracker:
    """Remembers since when each file has not changed.

    A file whose own time is more than ``quiet_seconds`` ago is settled at once. A younger file, or one with a time in the future (as after
    a change of the clock), is settled when it was observed unchanged for that long.
    """

    def __init__(self, quiet_seconds: float) -> None:
        self._quiet_seconds = quiet_seconds
        self._states: dict[Path, tuple[int, int, float]] = {}

    def is_settled(self, file: InboxFile) -> bool:
        """Whether a file in this state can be read."""
        path = file.source.path
        age = time.time() - file.mtime_ns / _NANO
        if age >= self._quiet_seconds:
            self._states.pop(path, None)
            return True
        size, mtime_ns, since = self._states.get(path, (-1, -1, 0.0))
        if (size, mtime_ns) != (file.size, file.mtime_ns):
            self._states[path] = (file.size, file.mtime_ns, time.monotonic())
            return self._quiet_seconds == 0
        return time.monotonic() - since >= self._quiet_seconds

    def forget(self, path: Path) -> None:
        """Drop the state of a file that is gone or was read."""
        self._states.pop(path, None)


def restat_file(file: InboxFile) -> InboxFile | None:
    """The file with its present size and time; None when it is gone."""
    try:
        status = file.source.path.stat()
    except OSError:
        return None
    return replace(file, size=status.st_size, mtime_ns=status.st_mtime_ns)


def settled_files(
    files: Iterable[InboxFile], tracker: SettleTracker, timeout_seconds: float, unsettled: list[InboxFile]
) -> Iterator[InboxFile | None]:
    """The settled files first, then the others as they settle. None means that no file is settled now, and the caller waits a moment.

    Files that still change after ``timeout_seconds`` are appended to ``unsettled``.
    """
    waiting = []
    for file in files:
        if tracker.is_settled(file):
            yield file
        else:
            waiting.append(file)
    deadline, late = time.monotonic() + timeout_seconds, False
    while waiting and not late:
        yield None
        late = time.monotonic() >= deadline  # reading the settled files may take longer: the others are then checked once more
        changing = []
        for present in filter(None, map(restat_file, waiting)):
            if tracker.is_settled(present):
                yield present
            else:
                changing.append(present)
        waiting = changing
    unsettled.extend(waiting)
