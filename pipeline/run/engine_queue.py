"""What waits to be put to the engine, in which order, and what the engine has.

A unit over which an earlier run died is suspect: it is asked alone, last of all, so that the next death accuses it and nobody else.
"""

from __future__ import annotations

from collections import deque
from typing import Self

from pipeline.engines.base import Request
from pipeline.records import UnitKey
from pipeline.run.in_flight import UnderWay, left_under_way
from pipeline.run.job import Job
from pipeline.settings import STATE_FOLDER


class Asking:
    """The queue in front of the engine. Use as a context manager."""

    def __init__(self, job: Job) -> None:
        self._job = job
        folder = job.outbox / STATE_FOLDER
        if died := left_under_way(folder):
            job.ledger.record_crash(died)
        self._deaths = job.ledger.crash_counts()
        # Engines elsewhere die by themselves; when this process does, no unit is to blame.
        self._note = UnderWay(folder) if job.cluster is None else None
        self._fresh: deque[Request] = deque()
        self._again: deque[Request] = deque()
        self._suspects: deque[Request] = deque()
        self._alone: UnitKey | None = None
        self.under_way = 0
        """Requests that the engine has not answered yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._note:
            self._note.__exit__()

    @property
    def waiting(self) -> int:
        """Requests of pages that were read and not asked about yet."""
        return len(self._fresh) + len(self._suspects)

    def deadly(self, key: UnitKey) -> bool:
        """Whether the program died over this unit too often to try it once more."""
        return self._deaths.get(key, 0) >= self._job.settings.retry.crash_attempts

    def add(self, request: Request) -> None:
        """A page that was read waits for its turn."""
        (self._suspects if request.key in self._deaths else self._fresh).append(request)

    def once_more(self, request: Request) -> None:
        """The same unit is asked again: before all others."""
        self._again.append(request)

    def next_is_there(self, *, ending: bool) -> bool:
        """Whether ``next`` has something to ask."""
        if self._again or (self._fresh and not self._alone):
            return True
        return bool(self._suspects) and not (self._alone or self.under_way or ending)

    def next(self, *, ending: bool) -> Request | None:
        """The next request to hand to the engine, if there is one for now; suspects wait for another run when this one is ``ending``."""
        if not self.next_is_there(ending=ending):
            return None
        if self._again:
            request = self._again.popleft()
        elif self._fresh:
            request = self._fresh.popleft()
        else:
            request = self._suspects.popleft()
            self._alone = request.key
        self.under_way += 1
        if self._note:
            self._note.begin(request.key)
        return request

    def begin(self) -> None:
        """The engine is asked anew, and has nothing."""
        self.under_way = 0

    def answered(self) -> None:
        """The engine gave an answer."""
        self.under_way -= 1

    def ended(self, key: UnitKey) -> None:
        """The unit is settled, or no longer wanted."""
        if self._note:
            self._note.end(key)
        if key == self._alone:
            self._alone = None
        if self._deaths.pop(key, None):
            self._job.ledger.clear_crashes(key)

    def clear(self) -> None:
        """Forget everything that waits; nothing has died."""
        for queue in (self._fresh, self._again, self._suspects):
            queue.clear()
        self._alone, self.under_way = None, 0
        if self._note:
            self._note.clear()
