"""Hands requests from the queue to the engine and takes its answers. A watchdog checks that the engine is alive."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Self

from pipeline.errors import ExitCode
from pipeline.monitoring.events import Observer
from pipeline.records import Answer
from pipeline.run.batching import Batching
from pipeline.run.chats import Chats
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.runtime.watchdog import Watchdog, restart_count, restart_program
from pipeline.runtime.worker_pool import ReaderPool

TURN_SECONDS = 1.0
"""Longest wait for the engine or the readers."""
IDLE_SECONDS = 0.05
"""Wait for readers when more files may come."""
READER_SECONDS = 0.002
"""Wait for readers while the engine works."""
ENGINE_SECONDS = 0.02
"""Wait for an answer while readers work or files may come."""


class EngineDriver:
    """Drives the engine. Use as a context manager, in which the watchdog runs.

    An engine that hangs in native code cannot be interrupted. When it gives no sign of life for ``retry.watchdog_seconds``, the driver
    calls ``before_restart`` and starts the program again with the same command, at most ``retry.stop_after_failures`` times.
    """

    def __init__(
        self,
        job: Job,
        queue: EngineQueue,
        observer: Observer,
        before_restart: Callable[[], None],
        chats: Chats | None = None,
    ) -> None:
        self._engine, self._retry, self._queue = job.engine, job.settings.retry, queue
        self._observer, self._before_restart = observer, before_restart
        self._watchdog = Watchdog(self._retry.watchdog_seconds, self._restart)
        self._batching = Batching(job.engine)
        self._chats = chats
        self.concurrency = 1
        """Requests that the engine worked on before the last ``poll``."""

    def __enter__(self) -> Self:
        self._watchdog.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.__exit__()

    @property
    def load(self) -> int:
        """Number of requests that the engine has not answered."""
        return self._engine.load

    def readers_may_work(self, pool: ReaderPool) -> bool:
        """Whether one more page should be read by the readers of ``pool``."""
        return pool.room and self._batching.readers_may_work(self._queue.waiting, pool.load)

    def reader_seconds(self, *, more_files: bool, ending: bool) -> float:
        """Seconds to wait for readers: 0 when the engine has nothing in flight and could work."""
        if self._chats and (self._chats.active or self._chats.waiting):
            return 0.0 if self._chats.active else READER_SECONDS
        if self._batching.engine_may_work and (self._engine.load or self._queue.has_next(ending=ending)):
            return READER_SECONDS if self._engine.load else 0.0
        return IDLE_SECONDS if more_files else TURN_SECONDS

    def readers_waited(self, seconds: float, *, delivered: bool) -> None:
        """Record that the loop has waited for readers; ``delivered``: whether a page came."""
        self._batching.readers_waited(seconds, delivered=delivered)

    def hand_over_chats(self) -> None:
        """Hand over conversations while the engine has room: before pages, and also while it pauses for readers."""
        if self._chats and self._chats.waiting:
            self._watchdog.heartbeat()
            self._chats.hand_over(pages_wait=bool(self._queue.waiting))

    def submit(self, reader_load: int, *, ending: bool) -> None:
        """Hand over requests from the queue while the engine has room. Raises EngineUnavailableError."""
        self._batching.update(reader_load)
        while self._batching.engine_may_work and self._engine.room and (request := self._queue.next(ending=ending)):
            self._watchdog.heartbeat()
            self._engine.submit(request)

    def poll(self, *, may_wait: bool) -> list[Answer]:
        """Complete answers. ``may_wait``: the loop has nothing else to do. Raises EngineUnavailableError."""
        has_chats = self._chats is not None and self._chats.active > 0
        if not self._engine.load or not (self._batching.engine_may_work or has_chats):
            self._watchdog.pause()
            return []
        self._watchdog.heartbeat()
        self.concurrency = max(1, self._engine.load)
        answers = self._engine.poll(TURN_SECONDS if may_wait else ENGINE_SECONDS)
        self._watchdog.heartbeat()
        for _ in answers:
            self._queue.answered()
        return answers

    def reset(self) -> None:
        """Drop all requests that the engine has not answered."""
        self._watchdog.pause()
        self._engine.reset()
        if self._chats:
            self._chats.drop_active()

    def _restart(self) -> None:
        """Called from the watchdog's thread."""
        again = restart_count() < self._retry.stop_after_failures
        action = "starting again" if again else f"ending, after {restart_count()} restarts"
        self._observer.warning(f"no sign of life from the engine for {self._retry.watchdog_seconds:g} s; {action}")
        self._before_restart()
        restart_program() if again else os._exit(ExitCode.NO_ENGINE)
