"""Requests under way: an event loop in a thread of its own, so that responses are taken while the caller does something else."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self

from pipeline.engines.base import Request
from pipeline.records import Answer

if TYPE_CHECKING:
    import httpx

Work = Callable[["httpx.AsyncClient", Request], Awaitable[Answer]]


class Flight:
    """A context in which requests are answered side by side; leaving it drops those that are still under way."""

    def __init__(self, client: httpx.AsyncClient, work: Work) -> None:
        self._client, self._work = client, work
        self._landed: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="server-engine", daemon=True)
        self._failure: BaseException | None = None
        self.load = 0
        """Requests that were sent off and whose answer was not taken yet."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def send(self, request: Request) -> None:
        """Send a request off."""
        self.load += 1
        self._loop.call_soon_threadsafe(self._launch, request)

    def landed(self, wait: float | None) -> list[Answer]:
        """Answers that are there; when none is, wait for the first: ``wait`` seconds, None for as long as it takes.

        Raises what ended the work as a whole, once the answers that came before it are taken.
        """
        answers: list[Answer] = []
        while not self._failure:
            try:
                outcome = self._landed.get(block=not answers and wait != 0, timeout=wait or None)
            except queue.Empty:
                break
            if isinstance(outcome, BaseException):
                self._failure = outcome
            else:
                answers.append(outcome)
        if self._failure and not answers:
            raise self._failure
        self.load -= len(answers)
        return answers

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with self._client:
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _launch(self, request: Request) -> None:
        task = self._loop.create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            self._landed.put(await self._work(self._client, request))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._landed.put(error)
