"""A breaker for engines: one that fails on one document after the other is out of order, and what it has not seen stays unread.

It counts documents, not pages: one long document full of noise is no reason to stop.
"""

from __future__ import annotations

from pipeline.errors import EngineUnavailableError
from pipeline.records import Result


class Breaker:
    """Breaks when an engine failed on ``most`` documents in a row."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._failing: set[str] = set()

    def note(self, result: Result) -> None:
        """What the engine made of one unit. Raises EngineUnavailableError."""
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
