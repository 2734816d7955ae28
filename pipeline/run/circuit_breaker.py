"""Stops a run whose engine fails on one document after the other; the rest of the inbox stays unread.

It counts documents, not pages: one long document full of noise is no reason to stop.
"""

from __future__ import annotations

from pipeline.errors import EngineUnavailableError
from pipeline.records import Result


class CircuitBreaker:
    """Opens when the engine failed on ``most`` documents in a row."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._failing: set[str] = set()

    def record(self, result: Result) -> None:
        """Count the result of one unit. Raises EngineUnavailableError when it is one failure too many."""
        if result.reason != "engine":
            self._failing.clear()
            return
        self._failing.add(result.key.sha256)
        if len(self._failing) >= self._most:
            self._failing.clear()
            raise EngineUnavailableError(
                f"the engine failed on {self._most} documents in a row, the last time: {result.detail}",
                "run `pipeline doctor`; the same command then goes on, and reads what failed again after a while",
            )
