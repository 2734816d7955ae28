"""One run at a time on an outbox in a store, whatever machine it comes from: a lease with a time at which it ends.

Leases are numbered objects, and a number is taken by creating its object where none is: stores do that for exactly one of those who try at
the same time (If-None-Match). Whoever holds one renews it before it ends; who finds the highest number ended takes the next one, and a
holder who finds a higher number than its own has lost. Objects with lower numbers are deleted, the highest one stays for ever, so
that no number comes twice.
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
from pipeline.remote.object_store import Store

SECONDS = 120.0
"""A holder that was not heard of for so long is dead; clocks of machines must agree within half of it."""
RENEWALS = 4
"""How often a lease is renewed within that time."""
PREFIX = ".pipeline/lease"


@dataclass(frozen=True, slots=True)
class Held:
    """What a lease's object says."""

    number: int
    holder: str
    """Random name of the holder's folder for this outbox: after a crash it takes up its own lease again."""
    machine: str
    until: float
    """Seconds of the epoch; 0 when it was given back."""


class Lease:
    """The lease on the outbox at ``url``. Use as a context manager; it is renewed by a thread of its own."""

    def __init__(self, store: Store, url: str, holder: str, seconds: float = SECONDS) -> None:
        self._store, self._url, self._holder, self._seconds = store, url, holder, seconds
        self._held: Held | None = None
        self._lost: str | None = None
        self._changing, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Take it. Raises LockedError while another holds it, StoreError."""
        self._held = self._take()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        try:
            self.check()
            self._write(0.0)
        except (LockedError, StoreError):  # it ends by itself
            return

    def check(self) -> None:
        """Make sure that it is held, before something is written. Raises LockedError when another has it, StoreError."""
        with self._changing:
            if self._lost:
                raise LockedError(self._lost, "this run ends; what it had published is kept")
            if self._held and self._held.until - time.time() < self._seconds / 2:
                self._renew()

    def _keep(self) -> None:
        while not self._over.wait(self._seconds / RENEWALS):
            try:
                with self._changing:
                    if not self._lost:
                        self._renew()
            except (LockedError, StoreError):  # whoever writes next is told
                continue

    def _renew(self) -> None:
        assert self._held is not None  # noqa: S101 - only once it was taken
        highest = self._highest()
        if highest and highest.number > self._held.number:
            self._lost = f"{self._url}: {highest.machine} has taken over: this machine was not heard of for {self._seconds:g} s"
            raise LockedError(self._lost, "this run ends; what it had published is kept")
        self._write(time.time() + self._seconds)

    def _write(self, until: float) -> None:
        assert self._held is not None  # noqa: S101 - only once it was taken
        self._held = Held(self._held.number, self._holder, platform.node(), until)
        self._store.write(self._object(self._held.number), _told(self._held))

    def _take(self) -> Held:
        before = self._highest()
        if before and before.holder != self._holder and before.until > time.time():
            raise _locked(self._url, before)
        until = time.time() + self._seconds
        mine = Held(before.number + 1 if before else 1, self._holder, platform.node(), until)
        created = self._store.write(self._object(mine.number), _told(mine), new=True)
        highest = self._highest()
        if not created or highest is None or (highest.number, highest.holder) != (mine.number, mine.holder):
            raise _locked(self._url, highest or mine)
        for number in self._numbers():
            if number < mine.number:
                self._store.remove(self._object(number))
        return mine

    def _highest(self) -> Held | None:
        return highest(self._store, self._url)

    def _numbers(self) -> list[int]:
        return _numbers(self._store, self._url)

    def _object(self, number: int) -> str:
        return f"{self._url}/{PREFIX}/{number:09}.json"


def highest(store: Store, url: str) -> Held | None:
    """The lease that counts; None where nobody ever had one. Raises StoreError."""
    for number in sorted(_numbers(store, url), reverse=True):
        content = store.read(f"{url}/{PREFIX}/{number:09}.json")
        if content is not None:
            try:
                return Held(**json.loads(content))
            except (ValueError, TypeError) as error:
                raise StoreError(f"{url}/{PREFIX}/{number:09}.json: not a lease", "delete it, if no run is at work") from error
    return None


def _numbers(store: Store, url: str) -> list[int]:
    names = (entry.url.rpartition("/")[2].removesuffix(".json") for entry in store.entries(f"{url}/{PREFIX}"))
    return [int(name) for name in names if name.isascii() and name.isdigit()]


def _told(held: Held) -> bytes:
    return json.dumps(asdict(held)).encode()


def _locked(url: str, held: Held) -> LockedError:
    until = f", until {datetime.fromtimestamp(held.until, UTC):%Y-%m-%d %H:%M:%S} UTC unless it goes on" if held.until else ""
    return LockedError(f"another run works on {url}: on {held.machine}{until}", "wait for it to end, or stop it")
