"""One run at a time on an outbox in a store, from any machine: a lease with a time at which it ends.

Leases are numbered objects. A machine takes a number by creating its object where none is; stores allow that to exactly one of several
machines that try at the same time (If-None-Match). The holder renews its lease before it ends. Another machine that finds the highest
number ended takes the next one, and a holder that finds a higher number than its own has lost its lease. Objects with lower numbers are
deleted; the highest one is never deleted, so that no number comes twice.
"""

from __future__ import annotations

import json
import platform
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

from pipeline.errors import LockedError, StoreError
from pipeline.remote.object_store import ObjectStore

LEASE_SECONDS = 120.0
"""A holder that did not renew its lease for so long is dead; clocks of machines must agree within half of it."""
RENEWALS = 4
"""How often a lease is renewed within that time."""
PREFIX = ".pipeline/lease"


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The contents of a lease's object."""

    number: int
    holder: str
    """Random name of the holder's folder for this outbox: after a crash the holder continues its own lease."""
    machine: str
    until: float
    """Seconds of the epoch; 0 when it was released."""


class Lease:
    """The lease on the outbox at ``url``. Use as a context manager; it is renewed by a thread of its own."""

    def __init__(self, store: ObjectStore, url: str, holder: str, seconds: float = LEASE_SECONDS) -> None:
        self._store, self._url, self._holder, self._seconds = store, url, holder, seconds
        self._record: LeaseRecord | None = None
        self._lost: str | None = None
        self._changing, self._end = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._renew_regularly, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Raises LockedError while another machine holds the lease, StoreError."""
        self.acquire()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        try:
            self.check()
            self._write(0.0)
        except (LockedError, StoreError):  # the lease ends by itself
            return

    def check(self) -> None:
        """Make sure that the lease is held, before something is written. Raises LockedError when another machine has it, StoreError."""
        with self._changing:
            if self._lost:
                raise LockedError(self._lost, "this run ends; what it had published is kept")
            if self._record and self._record.until - time.time() < self._seconds / 2:
                self._renew()

    def _renew_regularly(self) -> None:
        while not self._end.wait(self._seconds / RENEWALS):
            try:
                with self._changing:
                    if not self._lost:
                        self._renew()
            except (LockedError, StoreError):  # the next check raises it
                continue

    def _renew(self) -> None:
        assert self._record is not None  # noqa: S101 - only after acquire
        current = self._current()
        if current and current.number > self._record.number:
            self._lost = f"{self._url}: {current.machine} has taken over: this machine was not heard of for {self._seconds:g} s"
            raise LockedError(self._lost, "this run ends; what it had published is kept")
        self._write(time.time() + self._seconds)

    def _write(self, until: float) -> None:
        assert self._record is not None  # noqa: S101 - only after acquire
        self._record = LeaseRecord(self._record.number, self._holder, platform.node(), until)
        self._store.write(self._object(self._record.number), _encode(self._record))

    def acquire(self) -> None:
        """Take the lease, without renewing it. Raises LockedError while another machine holds it, StoreError."""
        before = self._current()
        if before and before.holder != self._holder and before.until > time.time():
            raise _locked(self._url, before)
        until = time.time() + self._seconds
        mine = LeaseRecord(before.number + 1 if before else 1, self._holder, platform.node(), until)
        created = self._store.write(self._object(mine.number), _encode(mine), new=True)
        current = self._current()
        if not created or current is None or (current.number, current.holder) != (mine.number, mine.holder):
            raise _locked(self._url, current or mine)
        for number in self._numbers():
            if number < mine.number:
                self._store.remove(self._object(number))
        self._record = mine

    def _current(self) -> LeaseRecord | None:
        return current_lease(self._store, self._url)

    def _numbers(self) -> list[int]:
        return _numbers(self._store, self._url)

    def _object(self, number: int) -> str:
        return f"{self._url}/{PREFIX}/{number:09}.json"


def current_lease(store: ObjectStore, url: str) -> LeaseRecord | None:
    """The lease with the highest number; None where there never was one. Raises StoreError."""
    for number in sorted(_numbers(store, url), reverse=True):
        content = store.read(f"{url}/{PREFIX}/{number:09}.json")
        if content is not None:
            try:
                return LeaseRecord(**json.loads(content))
            except (ValueError, TypeError) as error:
                raise StoreError(f"{url}/{PREFIX}/{number:09}.json: not a lease", "delete it, if no run is at work") from error
    return None


def _numbers(store: ObjectStore, url: str) -> list[int]:
    names = (entry.url.rpartition("/")[2].removesuffix(".json") for entry in store.entries(f"{url}/{PREFIX}"))
    return [int(name) for name in names if name.isascii() and name.isdigit()]


def _encode(record: LeaseRecord) -> bytes:
    return json.dumps(asdict(record)).encode()


def _locked(url: str, record: LeaseRecord) -> LockedError:
    until = (
        f", until {datetime.fromtimestamp(record.until, UTC):%Y-%m-%d %H:%M:%S} UTC unless it goes on" if record.until else ""
    )
    return LockedError(f"another run works on {url}: on {record.machine}{until}", "wait for it to end, or stop it")
