"""When readers work and when the engine works.

An engine that ``prefers_batches`` computes on the cores that readers need. When both work, the engine needs twice the time for a page. So a
batch of pages is read while the engine pauses, and none while it works. Other engines get each page as soon as it is read.
"""

from __future__ import annotations

from pipeline.engines.base import Engine

MAX_WAITING = 64
"""Requests that may wait for the engine before no more pages are read."""
BATCH_PAGES = 16
"""Pages that are read at a time for an engine that prefers batches."""
READER_TIMEOUT_SECONDS = 10.0
"""How long the engine pauses for a page that a reader does not deliver."""


class Batching:
    """Decides whether readers or the engine work now, from the requests that wait and those in flight."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wait_seconds = 0.0
        self.engine_may_work = not engine.prefers_batches

    def readers_may_work(self, waiting: int, reader_load: int) -> bool:
        """Whether one more page should be read, with ``waiting`` requests in the queue and ``reader_load`` calls at the readers."""
        if not self._engine.prefers_batches:
            return waiting < MAX_WAITING
        if self.engine_may_work and waiting:  # the next batch is read when the engine has all of this one
            return False
        return waiting + reader_load < BATCH_PAGES and (self._engine.room or not self._engine.load)

    def update(self, reader_load: int) -> None:
        """Set ``engine_may_work``. A reader that hangs does not hold up answers for longer than READER_TIMEOUT_SECONDS."""
        self.engine_may_work = not (
            self._engine.prefers_batches and reader_load and self._wait_seconds < READER_TIMEOUT_SECONDS
        )

    def readers_waited(self, seconds: float, *, delivered: bool) -> None:
        """Record that the loop has waited for readers; ``delivered``: whether a page came."""
        self._wait_seconds = 0.0 if delivered else self._wait_seconds + seconds
