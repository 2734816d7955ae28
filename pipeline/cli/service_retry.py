"""Pauses of a service. ``watch`` waits where ``run`` would end, for causes that may pass: a full disk, a server that is down."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from pipeline.backoff import Backoff
from pipeline.errors import (
    EngineUnavailableError,
    OutboxError,
    PipelineError,
    StoreError,
    describe_machine_fault,
    is_machine_fault,
)

TEMPORARY_ERRORS = (EngineUnavailableError, OutboxError, StoreError, sqlite3.OperationalError)
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 600.0
POLL_SECONDS = 0.1


def is_temporary(error: BaseException) -> bool:
    """Whether the cause of an error may pass. Every other error ends the service; the system's service manager starts it again."""
    return isinstance(error, TEMPORARY_ERRORS) or is_machine_fault(error)


class ServicePauses:
    """Pauses that double while errors follow each other.

    ``warn`` gets a message before each pause. A pause ends early once ``is_stopping`` returns true.
    """

    def __init__(self, warn: Callable[[str], None], is_stopping: Callable[[], bool]) -> None:
        self._warn, self._is_stopping = warn, is_stopping
        self._backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS)

    def reset(self) -> None:
        """Begin again with the shortest pause: the service works."""
        self._backoff.reset()

    def wait(self, error: Exception) -> None:
        """Report an error, then wait."""
        if isinstance(error, PipelineError):
            message = error.message
        else:
            message = describe_machine_fault(error) if isinstance(error, OSError) else f"the ledger: {error}"
        seconds = self._backoff.next_seconds()
        self._warn(f"{message}; trying again in {seconds:g} s")
        until = time.monotonic() + seconds
        while not self._is_stopping() and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
