"""Notices new and changed files in a folder by listing it again and again, in a thread, where the operating system reports no changes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

Listing = Callable[[], Iterator[tuple[str, os.stat_result]]]
"""Path and status of everything in the folder that may be a document."""


class FolderPoller(threading.Thread):
    """Calls ``on_path`` for each path that is new or has changed since the listing before, and ``on_ready`` after the first listing.

    A scan after ``on_ready`` finds what was there before. Listings follow each other after ``seconds``, or after as long as a listing took
    where that is more. Memory: one number for each path.
    """

    def __init__(self, listing: Listing, on_path: Callable[[Path], None], on_ready: Callable[[], None], seconds: float) -> None:
        super().__init__(name="folder-poll", daemon=True)
        self._listing, self._on_path, self._on_ready, self._seconds = listing, on_path, on_ready, seconds
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End soon; ``join`` waits for it."""
        self._stopping.set()

    def run(self) -> None:
        """See Thread."""
        states: dict[str, int] | None = None
        while not self._stopping.is_set():
            started = time.monotonic()
            with suppress(OSError):  # the folder is not there now
                states = self._next_states(states)
            self._stopping.wait(max(self._seconds, time.monotonic() - started))

    def _next_states(self, before: dict[str, int] | None) -> dict[str, int]:
        states: dict[str, int] = {}
        for path, status in self._listing():
            states[path] = hash((status.st_size, status.st_mtime_ns, status.st_ino))
            if before is not None and before.get(path) != states[path]:
                self._on_path(Path(path))
            if self._stopping.is_set():
                break
        if before is None:
            self._on_ready()
        return states
