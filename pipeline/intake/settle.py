"""Waits until a file is completely written: its size and time do not change for some seconds."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.safe_open import file_status

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
    """The file with its present size and time; None when no file is there, or a link that did not lead to it before.

    Device and inode are present ones, too, where the given file has them.
    """
    try:
        if file.target and os.path.realpath(file.source.path, strict=True) != os.fspath(file.target):
            return None
        status = file_status(file.location)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    numbers = file.numbers and (status.st_dev, status.st_ino)
    return replace(file, size=status.st_size, mtime_ns=status.st_mtime_ns, numbers=numbers)


def settled_files(
    files: Iterable[InboxFile],
    tracker: SettleTracker,
    timeout_seconds: float,
    unsettled: list[InboxFile],
    gone: list[InboxFile],
    is_busy: Callable[[], bool] = lambda: False,
) -> Iterator[InboxFile | None]:
    """The settled files first, then the others as they settle. None means that no file is settled now, and the caller waits a moment.

    ``timeout_seconds`` counts only the time in which the caller is not busy with other files. Files that still change after it are
    appended to ``unsettled``, files that cannot be found any more to ``gone``.
    """
    waiting = []
    for file in files:
        if tracker.is_settled(file):
            yield file
        else:
            waiting.append(file)
    idle_seconds, late = 0.0, False
    while waiting and not late:
        began, was_busy = time.monotonic(), is_busy()
        yield None
        if not (was_busy or is_busy()):
            idle_seconds += time.monotonic() - began
        late = idle_seconds >= timeout_seconds
        changing = []
        for file in waiting:
            present = restat_file(file)
            if present is None:
                gone.append(file)
            elif tracker.is_settled(present):
                yield present
            else:
                changing.append(present)
        waiting = changing
    unsettled.extend(waiting)
