"""An inbox that can only be listed: looked through again and again. Does for object stores what a FolderWatcher does for folders."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from pipeline.intake.folder_watch import RESCAN_SHARE, ROUND_SECONDS
from pipeline.intake.scan import InboxFile


class InboxPoller:
    """Files that wait for their turn. ``scan`` gives those that are to be read; it is asked every ``seconds``, and no more than a
    twentieth of the time."""

    polling = True

    def __init__(self, scan: Callable[[], Iterable[InboxFile]], seconds: float) -> None:
        self._scan, self._seconds = scan, seconds
        self._waiting: deque[InboxFile] = deque()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def wait(self) -> bool:
        """Wait until there is a file (True), for a second at most (False): signals are looked at in between."""
        self._scan_if_due()
        if not self._waiting:
            time.sleep(min(1.0, max(0.0, self._next - time.monotonic())))
        return bool(self._waiting)

    def pending(self, busy: Callable[[], bool] = lambda: False) -> Iterator[InboxFile | None]:
        """The files, also those that come while these are read; None stands for "none just now" while somebody is ``busy``."""
        until = time.monotonic() + ROUND_SECONDS
        while time.monotonic() < until:
            if self._waiting:
                yield self._waiting.popleft()
            elif busy():
                yield None
                self._scan_if_due()
            else:
                return

    def look_around(self) -> None:
        """Look at the next opportunity."""
        self._next = 0.0

    def backlog(self) -> int:
        """Files that wait for their turn; may be asked by any thread."""
        return len(self._waiting)

    def _scan_if_due(self) -> None:
        begun = time.monotonic()
        if self._waiting or begun < self._next:
            return
        self._waiting.extend(self._scan())
        self._next = begun + max(self._seconds, RESCAN_SHARE * (time.monotonic() - begun))
