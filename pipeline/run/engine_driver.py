"""Hands requests of the queue to the engine and takes its answers, while a watchdog looks for signs of life."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Self

from pipeline.errors import ExitCode
from pipeline.monitoring.events import Observer
from pipeline.records import Answer
from pipeline.run.batching import Batching
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.runtime.watchdog import Watchdog, restart_count, restart_program

TURN_SECONDS = 1.0
"""How long the engine or the readers are waited for at most."""
IDLE_SECONDS = 0.05
"""How long readers are waited for when more files may settle meanwhile."""
READER_SECONDS = 0.002
"""How long readers are waited for while the engine works."""
ENGINE_SECONDS = 0.02
"""How long an answer is waited for while readers work, or files may come."""


class EngineDriver:
    """Use as a context manager: the watchdog runs inside.

    An engine that gives no sign of life for ``retry.watchdog_seconds`` cannot be interrupted, since it may hang in native code. The
    program then calls ``before_restart`` and starts again with the same command, at most ``retry.stop_after_failures`` times.
    """

    def __init__(self, job: Job, queue: EngineQueue, observer: Observer, before_restart: Callable[[], None]) -> None:
        self._engine, self._retry, self._queue = job.engine, job.settings.retry, queue
        self._observer, self._before_restart = observer, before_restart
        self._watchdog = Watchdog(self._retry.watchdog_seconds, self._restart)
        self._batching = Batching(job.engine)

    def __enter__(self) -> Self:
        self._watchdog.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.__exit__()

    @property
    def load(self) -> int:
        """Requests that the engine has not answered."""
        return self._engine.load

    def readers_may_work(self, reader_load: int) -> bool:
        """Whether one more page should be read, with ``reader_load`` calls at the readers."""
        return self._batching.readers_may_work(self._queue.waiting, reader_load)

    def reader_seconds(self, *, more_files: bool, ending: bool) -> float:
        """How long to wait for readers: not at all when the engine could work."""
        if self._batching.engine_may_work and (self._engine.load or self._queue.has_next(ending=ending)):
            return READER_SECONDS if self._engine.load else 0.0
        return IDLE_SECONDS if more_files else TURN_SECONDS

    def readers_waited(self, seconds: float, *, delivered: bool) -> None:
        """The loop has waited for readers, which ``delivered`` or not."""
        self._batching.readers_waited(seconds, delivered=delivered)

    def submit(self, reader_load: int, *, ending: bool) -> None:
        """Hand over what waits in the queue, as far as the engine has room. Raises EngineUnavailableError."""
        self._batching.update(reader_load)
        while self._batching.engine_may_work and self._engine.room and (request := self._queue.next(ending=ending)):
            self._watchdog.heartbeat()
            self._engine.submit(request)

    def poll(self, *, may_wait: bool) -> list[Answer]:
        """Answers that are complete; ``may_wait`` says that nothing else is to be done meanwhile. Raises EngineUnavailableError."""
        if not self._engine.load or not self._batching.engine_may_work:
            self._watchdog.pause()
            return []
        self._watchdog.heartbeat()
        answers = self._engine.poll(TURN_SECONDS if may_wait else ENGINE_SECONDS)
        self._watchdog.heartbeat()
        for _ in answers:
            self._queue.answered()
        return answers

    def reset(self) -> None:
        """Drop what the engine has not answered."""
        self._watchdog.pause()
        self._engine.reset()

    def _restart(self) -> None:
        """Called from the watchdog's thread."""
        again = restart_count() < self._retry.stop_after_failures
        action = "starting again" if again else f"ending, after {restart_count()} restarts"
        self._observer.warning(f"no sign of life from the engine for {self._retry.watchdog_seconds:g} s; {action}")
        self._before_restart()
        restart_program() if again else os._exit(ExitCode.NO_ENGINE)
