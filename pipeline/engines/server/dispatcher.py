"""Sends requests side by side, from an event loop in its own thread, so that responses are received while the caller does other work."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pipeline.engines.base import Request
from pipeline.records import Answer

if TYPE_CHECKING:
    import httpx

AnswerRequest = Callable[["httpx.AsyncClient", Request], Awaitable[Answer]]


class Dispatcher:
    """A running event loop that answers requests with ``answer_request``. It ends with ``close``, which drops unfinished requests."""

    def __init__(self, client: httpx.AsyncClient, answer_request: AnswerRequest) -> None:
        self._client, self._answer_request = client, answer_request
        self._outcomes: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self.load = 0
        """Requests that are submitted and whose answers were not returned yet."""
        self._thread = threading.Thread(target=self._run, name="server-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Start a request."""
        self.load += 1
        self._loop.call_soon_threadsafe(self._start, request)

    def poll(self, timeout: float) -> list[Answer]:
        """Answers that are complete; where there is none, waits at most ``timeout`` seconds for the first.

        Raises the error that ended the work as a whole, once all answers that came before it were returned.
        """
        answers: list[Answer] = []
        while not self._failure and len(answers) < self.load:
            try:
                wait = timeout > 0 and not answers
                outcome = self._outcomes.get(block=wait, timeout=timeout if wait else None)
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

    def close(self) -> None:
        """Drop unfinished requests, close all connections, and end the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with self._client:
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, request: Request) -> None:
        task = self._loop.create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            self._outcomes.put(await self._answer_request(self._client, request))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # ``poll`` raises it in the caller's thread
            self._outcomes.put(error)
