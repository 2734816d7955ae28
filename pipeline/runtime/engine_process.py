"""An engine in a process of its own, asked by many threads at the same time.

It gets the process's main thread, as in a local run: time limits work there only. When the process dies or gives no sign of life, those
that wait for an answer hear of it, and another process takes its place.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.errors import EngineUnavailableError, PipelineError
from pipeline.records import Answer, UnitKey
from pipeline.runtime.worker_pool import bind_to_parent
from pipeline.settings import Settings
from pipeline.templates.model import Template

if TYPE_CHECKING:
    from pipeline.engines.base import Engine, Request

GLANCE_SECONDS = 0.002
"""How long an engine with units under way waits for the next one."""
BEAT_SECONDS = 1.0
"""How often it says that it lives, at most."""
STARTS = 3
"""Processes in a row that die before they are ready, after which the engine counts as unavailable."""


@dataclass(frozen=True, slots=True)
class Described:
    """An actor that is ready, and what its engine is."""

    version: str
    """Of the pipeline."""
    identity: str
    retries: int
    needs_whole_page: bool
    batch: int
    """Units that the engine answers at the same time."""
    host: str = ""
    node: str = ""
    """Ray's name of the machine."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A Request with all that belongs to it, as an engine's process gets it; ``ticket`` comes back with the answer."""

    ticket: int
    request: Request


class EngineDiedError(Exception):
    """The process of an engine died over its units, or was killed because it gave no sign of life."""


class EngineApart:
    """The engine's keeper. All methods may be called by any thread."""

    def __init__(self, settings: Settings, make: str, cores: tuple[int, ...] = ()) -> None:
        """``make`` names what makes the engine from the settings, as ``module:function``; ``cores`` are its processors."""
        self._settings, self._make, self._cores = settings, make, cores
        self._seconds = settings.retry.engine_seconds
        self._lock = threading.Lock()
        self._pipe: Connection | None = None
        self._described: Future[Described] = Future()
        self._waiting: dict[int, Future[Any]] = {}
        self._tickets = 0
        self._heard = 0.0
        self._closed = False
        self._process: SpawnProcess | None = None
        # A child dies with the thread that started it, so that one must live as long as this object.
        threading.Thread(target=self._keep, name="engine", daemon=True).start()

    def describe(self) -> Described:
        """What the engine is, once it is ready. Raises EngineUnavailableError."""
        with self._lock:
            described = self._described
        return described.result()

    def wants_image(self, template: Template) -> bool:
        """As Engine's. Raises EngineUnavailableError, EngineDiedError."""
        return bool(self._ask(template))

    def answer(self, request: Request) -> Answer:
        """Ask the engine, and wait. Raises EngineUnavailableError, EngineDiedError."""
        answer: Answer = self._ask(request)
        return answer

    def close(self) -> None:
        """Kill the process; nobody gets an answer any more."""
        self._closed = True
        if self._process:
            self._process.kill()

    def _ask(self, what: Request | Template) -> Any:
        future: Future[Any] = Future()
        while not self._send(what, future):
            self.describe()
        return future.result()

    def _send(self, what: Request | Template, future: Future[Any]) -> bool:
        """Whether there is a process that can be asked just now."""
        with self._lock:
            if self._pipe is None:
                return False
            self._tickets += 1
            if not self._waiting:
                self._heard = time.monotonic()
            self._waiting[self._tickets] = future
            with contextlib.suppress(OSError):  # of its death those hear who wait
                self._pipe.send((self._tickets, what) if isinstance(what, Template) else Sent(self._tickets, what))
        return True

    # ---- the thread that keeps the process ----------------------------------------------------------

    def _keep(self) -> None:
        starts = 0
        while not self._closed:
            pipe = self._start()
            error: Exception = EngineDiedError("")
            try:
                ready = self._receive(pipe)
                if isinstance(ready, Described):
                    starts = 0
                    with self._lock:
                        self._pipe = pipe
                        self._described.set_result(ready)
                    while not isinstance(error := self._receive(pipe), Exception):
                        pass
                elif isinstance(ready, Exception):
                    error = ready
            except TimeoutError as silent:
                error = EngineDiedError(str(silent))
            except (EOFError, OSError):
                error = EngineDiedError(f"its process ended ({self._how_it_ended()})")
            starts += 1
            if isinstance(error, EngineDiedError) and starts > STARTS:
                error = EngineUnavailableError(
                    f"the engine's process dies when it starts: {error}", "run `pipeline doctor` there"
                )
            self._end(pipe, error)
            if isinstance(error, EngineUnavailableError):
                return

    def _start(self) -> Connection:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, self._settings, self._make, self._cores, os.getpid()), daemon=True
        )
        self._process.start()
        theirs.close()
        self._heard = time.monotonic()
        return ours

    def _receive(self, pipe: Connection) -> Any:
        """What opens or ends the process's life; answers are handed to whom they belong. Raises EOFError, OSError, TimeoutError."""
        while True:
            if not pipe.poll(BEAT_SECONDS):
                silent = time.monotonic() - self._heard
                if silent > self._seconds and (self._waiting or not self._described.done()):
                    raise TimeoutError(f"no sign of life from the engine for {self._seconds:g} s")
                continue
            message = pipe.recv()
            self._heard = time.monotonic()
            if isinstance(message, Described | Exception):
                return message
            if message is not None:
                ticket, told = message
                with self._lock:
                    future = self._waiting.pop(ticket, None)
                if future:
                    future.set_result(told)

    def _end(self, pipe: Connection, error: Exception) -> None:
        """Tell everyone who waits."""
        with self._lock:
            waiting, self._waiting, self._pipe = list(self._waiting.values()), {}, None
            described = self._described
            if isinstance(error, EngineUnavailableError):
                self._described = Future()
                self._described.set_exception(error)
            elif described.done():
                self._described = Future()
        if not described.done() and isinstance(error, EngineUnavailableError):
            described.set_exception(error)
        for future in waiting:
            future.set_exception(error)
        assert self._process is not None  # noqa: S101 - it was started
        self._process.kill()
        self._process.join(5)
        pipe.close()

    def _how_it_ended(self) -> str:
        assert self._process is not None  # noqa: S101 - it was started
        self._process.join(5)
        code = self._process.exitcode
        return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"


# ---- in the process -----------------------------------------------------------------------------------


def serve(pipe: Connection, settings: Settings, make: str, cores: tuple[int, ...], parent: int) -> None:
    """The process's main: make the engine, then answer until the pipe closes."""
    bind_to_parent(parent)
    keep_to(cores)
    engine_pipe = _Voice(pipe)
    try:
        module, _, name = make.partition(":")
        engine: Engine = getattr(importlib.import_module(module), name)(settings)
    except PipelineError as error:
        engine_pipe.say(EngineUnavailableError(error.message, error.cure))
        return
    asked: queue.SimpleQueue[Sent] = queue.SimpleQueue()
    engine_pipe.say(
        Described(__version__, engine.identity, engine.retries, engine.needs_whole_page, batch_of(engine.identity, settings))
    )
    threading.Thread(target=_listen, args=(pipe, engine_pipe, engine, asked), daemon=True).start()
    tickets: dict[UnitKey, deque[int]] = defaultdict(deque)
    try:
        for answer in engine.answer(_requests(asked, tickets)):
            if answer is None:
                engine_pipe.beat()
                continue
            engine_pipe.say((tickets[answer.key].popleft(), answer))
            if not tickets[answer.key]:
                del tickets[answer.key]
    except PipelineError as error:
        engine_pipe.say(EngineUnavailableError(error.message, error.cure))
    except Exception as error:
        engine_pipe.say(EngineDiedError(f"{type(error).__name__}: {error}"))


def batch_of(identity: str, settings: Settings) -> int:
    """Units that an engine answers at the same time."""
    if identity.startswith("vlm/"):
        return settings.vlm.batch
    return settings.server.concurrency if identity.startswith("server/") else 1


class _Voice:
    """The sending end of the pipe, for two threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock, self._last = pipe, threading.Lock(), 0.0

    def say(self, what: Any) -> None:
        """Send it."""
        with self._lock:
            self._pipe.send(what)
            self._last = time.monotonic()

    def beat(self) -> None:
        """A sign of life, unless there was one just now."""
        if time.monotonic() - self._last > BEAT_SECONDS:
            self.say(None)


def _listen(pipe: Connection, voice: _Voice, engine: Engine, asked: queue.SimpleQueue[Sent]) -> None:
    """The thread that takes what comes, while the engine works."""
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        if isinstance(message, Sent):
            asked.put(message)
        else:
            ticket, template = message
            voice.say((ticket, engine.wants_image(template)))


def _requests(asked: queue.SimpleQueue[Sent], tickets: dict[UnitKey, deque[int]]) -> Iterator[Request | None]:
    """Requests as they come; None while none does and others are unanswered."""
    while True:
        try:
            sent = asked.get(timeout=GLANCE_SECONDS if tickets else None)
        except queue.Empty:
            yield None
            continue
        tickets[sent.request.key].append(sent.ticket)
        yield sent.request


def keep_to(cores: tuple[int, ...]) -> None:
    """Run on these processors only, as far as there are such."""
    if cores and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cores)
