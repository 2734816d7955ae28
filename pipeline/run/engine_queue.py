"""The queue in front of the engine: the requests that wait, their order, and the units that the engine has.

A unit that the engine had when an earlier run died is a suspect. The engine gets it when no other request waits, and nothing beside it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Self

from pipeline.engines.base import Request
from pipeline.records import UnitKey
from pipeline.run.in_flight import InFlightFile, forget_interrupted_units, interrupted_units
from pipeline.run.job import Job
from pipeline.run.request_turns import RequestTurns
from pipeline.runtime.quarantine import Quarantine
from pipeline.settings import STATE_FOLDER


class EngineQueue:
    """At most one request of each unit at a time. Use as a context manager."""

    def __init__(self, job: Job) -> None:
        self._job = job
        folder = job.outbox / STATE_FOLDER
        if interrupted := interrupted_units(folder):
            job.ledger.record_crash(interrupted)
        forget_interrupted_units(folder)
        self._crash_counts = job.ledger.crash_counts()
        # In a cluster the engines run in other processes. A unit is then no suspect when this process dies.
        self._file = InFlightFile(folder) if job.cluster is None else None
        self._requests = RequestTurns()
        self._priority_requests: OrderedDict[UnitKey, Request] = OrderedDict()
        self._quarantine: Quarantine[UnitKey, EngineQueue] = Quarantine()
        self.in_flight = 0
        """Requests that the engine has not answered yet."""
        self.reserved = False
        """Whether the engine may get nothing but one suspect."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.__exit__()

    @property
    def waiting(self) -> int:
        """Number of pages that are read and not with the engine yet."""
        return len(self._requests) + self._quarantine.count_waiting()

    def is_given_up(self, key: UnitKey) -> bool:
        """Whether the program died over this unit too often to try it once more."""
        return self._crash_counts.get(key, 0) >= self._job.settings.retry.crash_attempts

    def add(self, request: Request) -> None:
        """Queue a page that was read."""
        key = request.key
        if key in self._crash_counts:
            self._quarantine.add(key, lambda _: self.add_first(request))
        else:
            self._requests.add(request)

    def add_first(self, request: Request) -> None:
        """Queue a request before all others: the retry of a unit, or a person's question."""
        self._priority_requests[request.key] = request

    def has_next(self, *, ending: bool) -> bool:
        """Whether ``next`` would return a request."""
        return self._next_key() is not None or self._may_isolate(ending=ending)

    def next(self, *, ending: bool) -> Request | None:
        """The next request to hand to the engine; None when there is none for now.

        Suspects wait for another run when this one is ``ending``.
        """
        if self._next_key() is None and self._may_isolate(ending=ending):
            self._quarantine.assign((self,))
        key = self._next_key()
        if key is None:
            return None
        request = self._priority_requests.pop(key, None) or self._requests.take(key)
        self.in_flight += 1
        if self._file:
            self._file.add(key)
        return request

    def answered(self) -> None:
        """Record that the engine has answered a request."""
        self.in_flight -= 1

    def discard(self, key: UnitKey) -> None:
        """Remove the waiting request of a unit that has ended or whose file is skipped; the unit is no suspect any more."""
        self._priority_requests.pop(key, None)
        self._requests.discard(key)
        if self._file:
            self._file.discard(key)
        if key in self._crash_counts:
            self._quarantine.discard(lambda suspect: suspect == key)
            self._quarantine.release(key, self)
        if self._crash_counts.pop(key, None):
            self._job.ledger.clear_crashes(key)

    def clear(self) -> None:
        """Remove all requests, waiting and in flight, without counting a crash."""
        self._priority_requests.clear()
        self._requests.clear()
        self._quarantine.clear()
        self.in_flight = 0
        if self._file:
            self._file.clear()

    def _next_key(self) -> UnitKey | None:
        if self.reserved:
            suspect = self._quarantine.suspect_at(self)
            return suspect if suspect in self._priority_requests else None
        return next(iter(self._priority_requests), None) or self._requests.next_key()

    def _may_isolate(self, *, ending: bool) -> bool:
        """Whether the engine is free for a suspect, and one waits."""
        return not (ending or self.reserved or self.in_flight) and self._quarantine.count_waiting() > 0
