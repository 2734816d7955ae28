"""A service goes on where a command would end: what may pass by itself (a full disk, a server that is gone) is waited for."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from pipeline.backoff import Backoff
from pipeline.errors import EngineUnavailableError, OutboxError, PipelineError, StoreError

PASSING = (EngineUnavailableError, OutboxError, StoreError, sqlite3.OperationalError)
"""Troubles that may be over in a while; whatever else comes up ends the service, and its supervisor starts it anew."""
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 600.0


class Pauses:
    """Pauses that double as long as the trouble lasts. ``stopped`` tells whether somebody wants to end; ``say`` is told why it waits."""

    def __init__(self, say: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        self._say, self._stopped = say, stopped
        self._backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS)

    def over(self) -> None:
        """It works again."""
        self._backoff.reset()

    def wait(self, error: Exception) -> None:
        """Say what is wrong, then wait, looking at ``stopped`` in between."""
        what = error.message if isinstance(error, PipelineError) else f"the ledger: {error}"
        seconds = self._backoff.next_seconds()
        self._say(f"{what}; trying again in {seconds:g} s")
        until = time.monotonic() + seconds
        while not self._stopped() and time.monotonic() < until:
            time.sleep(0.1)
