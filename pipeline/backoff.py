"""Growing pauses between attempts: one implementation for the whole project."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import StoreError

T = TypeVar("T")
STORE_FIRST_SECONDS, STORE_LONGEST_SECONDS = 0.5, 30.0
"""Pauses after failures of an object store."""
_MAX_EXPONENT = 60
"""Beyond this the pause no longer grows; it keeps the power within a float."""


class Backoff:
    """``first_seconds`` after the first failure in a row, ``factor`` times as long after each further one, ``longest_seconds`` at most.

    ``jitter`` spreads each pause at random by this share of it, up and down, so that several clients do not come back at the same time.
    """

    def __init__(
        self, first_seconds: float, longest_seconds: float = float("inf"), factor: float = 2.0, *, jitter: float = 0.0
    ) -> None:
        self._first, self._longest, self._factor, self._jitter = first_seconds, longest_seconds, factor, jitter
        self._failures = 0

    def seconds_after(self, failures: int) -> float:
        """The pause after so many failures in a row, from 1."""
        seconds = min(self._first * self._factor ** min(max(0, failures - 1), _MAX_EXPONENT), self._longest)
        return seconds * random.uniform(1 - self._jitter, 1 + self._jitter)  # noqa: S311 - keeps clients apart, guards nothing

    def next_seconds(self) -> float:
        """Count one more failure, and return the pause after it."""
        self._failures += 1
        return self.seconds_after(self._failures)

    def reset(self) -> None:
        """It works again: the next failure is the first one in a row."""
        self._failures = 0


def store_backoff() -> Backoff:
    """Pauses between attempts to reach an object store."""
    return Backoff(STORE_FIRST_SECONDS, STORE_LONGEST_SECONDS)


def retry_store_call(call: Callable[[], T], seconds: float, stop: threading.Event | None = None) -> T:
    """The result of ``call``, tried again while it raises a passing StoreError, for so many seconds.

    Raises StoreError when the time is over, or at once when ``stop`` is set.
    """
    until, backoff, stop = time.monotonic() + seconds, store_backoff(), stop or threading.Event()
    while True:
        try:
            return call()
        except StoreError as error:
            pause = backoff.next_seconds()
            if not error.passing or time.monotonic() + pause > until or stop.wait(pause):
                raise
