"""Polls an inbox that can only be listed, such as an object store. It has the interface of FolderWatcher."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from pipeline.intake.folder_watch import MAX_WAIT_SECONDS, RESCAN_FACTOR
from pipeline.intake.scan import InboxFile


class InboxPoller:
    """A queue of files to read. ``scan`` lists them every ``seconds``, and takes a twentieth of the time at most."""

    def __init__(self, scan: Callable[[], Iterable[InboxFile]], seconds: float) -> None:
        self._scan, self.seconds = scan, seconds
        self.polling = True
        """Whether files are noticed by lists only; false where a server gives notice and calls ``request_scan``."""
        self._queue: deque[InboxFile] = deque()
        self._next_scan = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def wait(self) -> bool:
        """Wait for a file, for a second at most, and return whether there is one. The caller handles signals in between."""
        self._scan_if_due()
        if not self._queue:
            time.sleep(min(MAX_WAIT_SECONDS, max(0.0, self._next_scan - time.monotonic())))
        return bool(self._queue)

    def pending(self, busy: Callable[[], bool] = lambda: False) -> Iterator[InboxFile | None]:
        """The queued files, and those that arrive meanwhile. None means that no file is queued now while the caller is ``busy``."""
        while True:
            if self._queue:
                yield self._queue.popleft()
            elif busy():
                yield None
                self._scan_if_due()
            else:
                return

    def request_scan(self) -> None:
        """Scan at the next opportunity. Safe to call from any thread."""
        self._next_scan = 0.0

    def backlog(self) -> int:
        """Number of queued files. Safe to call from any thread."""
        return len(self._queue)

    def _scan_if_due(self) -> None:
        started = time.monotonic()
        if self._queue or started < self._next_scan:
            return
        self._next_scan = started + self.seconds  # a request during the scan stands
        self._queue.extend(self._scan())
        if self._next_scan:
            self._next_scan = started + max(self.seconds, RESCAN_FACTOR * (time.monotonic() - started))
