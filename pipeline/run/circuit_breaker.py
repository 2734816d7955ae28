"""Stops a run when the engine fails on several documents in a row. The rest of the inbox stays unread.

Documents are counted, not pages: one long unreadable document is no reason to stop.
"""

from __future__ import annotations

from pipeline.errors import EngineUnavailableError
from pipeline.records import Result


class CircuitBreaker:
    """Opens when the engine has failed on ``limit`` documents in a row."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failing: set[str] = set()

    def record(self, result: Result) -> None:
        """Count the result of one unit. Raises EngineUnavailableError when the limit is reached."""
        if result.reason != "engine":
            self._failing.clear()
            return
        self._failing.add(result.key.sha256)
        if len(self._failing) >= self._limit:
            self._failing.clear()
            raise EngineUnavailableError(
                f"the engine failed on {self._limit} documents in a row, the last time: {result.detail}",
                "run `pipeline doctor`; the same command then goes on, and reads what failed again after a while",
            )
