"""An engine in a process of its own, used by many threads at the same time.

The engine runs in the main thread of its process, as in a local run, because time limits work there only. When the process dies or
gives no sign of life, all calls that wait for an answer raise EngineDiedError, and another process takes its place.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections import defaultdict, deque
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.errors import EngineUnavailableError, PipelineError
from pipeline.records import Answer, UnitKey
from pipeline.runtime.child_process import bind_to_parent, start_child
from pipeline.settings import Settings
from pipeline.templates.template import Template

if TYPE_CHECKING:
    from pipeline.engines.base import Engine, Request

GATHER_SECONDS = 0.002
"""How long an engine that has work and room waits for one more request before it goes on."""
POLL_SECONDS = 0.02
"""How long an engine that works elsewhere is waited for while there is room for one more request."""
HEARTBEAT_SECONDS = 1.0
"""How often the process says that it is alive, at most."""
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
MAX_STARTS = 3
"""Processes in a row that die before they are ready, after which the engine counts as unavailable."""


@dataclass(frozen=True, slots=True)
class EngineDescription:
    """What an engine is, and where it runs."""

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
class NumberedRequest:
    """A request on its way to the engine's process; its number comes back with the answer."""

    number: int
    request: Request


class EngineDiedError(Exception):
    """The process of an engine died over its units, or was killed because it gave no sign of life."""


class EngineProcess:
    """Starts the process, replaces it when it dies, and carries calls to it. All methods may be called by any thread."""

    def __init__(self, settings: Settings, factory: str, cores: tuple[int, ...] = ()) -> None:
        """``factory`` names the function that makes the engine from the settings, as ``module:function``; ``cores`` are its processors."""
        self._settings, self._factory, self._cores = settings, factory, cores
        self._timeout = settings.retry.watchdog_seconds
        self._lock = threading.Lock()
        self._pipe: Connection | None = None
        self._description: Future[EngineDescription] = Future()
        self._waiting: dict[int, Future[Any]] = {}
        """Calls without an answer, by number."""
        self._number = 0
        self._last_sign = 0.0
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        threading.Thread(target=self._supervise, name="engine", daemon=True).start()

    def describe(self) -> EngineDescription:
        """The engine's description, once it is ready. Raises EngineUnavailableError."""
        with self._lock:
            description = self._description
        return description.result()

    def wants_image(self, template: Template) -> bool:
        """As Engine's. Raises EngineUnavailableError, EngineDiedError."""
        return bool(self._call(template))

    def answer(self, request: Request) -> Answer:
        """The engine's answer to one request; waits for it. Raises EngineUnavailableError, EngineDiedError."""
        answer: Answer = self._call(request)
        return answer

    def close(self) -> None:
        """Kill the process. Calls that wait raise EngineDiedError."""
        self._closed = True
        if self._process:
            self._process.kill()

    def _call(self, argument: Request | Template) -> Any:
        future: Future[Any] = Future()
        while not self._send(argument, future):
            self.describe()
        return future.result()

    def _send(self, argument: Request | Template, future: Future[Any]) -> bool:
        """Send a call. Returns False when no process is ready."""
        with self._lock:
            if self._pipe is None:
                return False
            self._number += 1
            if not self._waiting:
                self._last_sign = time.monotonic()
            self._waiting[self._number] = future
            numbered = (self._number, argument) if isinstance(argument, Template) else NumberedRequest(self._number, argument)
            with contextlib.suppress(OSError):  # when the process is dead, _end reports it to this future, too
                self._pipe.send(numbered)
        return True

    # ---- the thread that supervises the process -----------------------------------------------------

    def _supervise(self) -> None:
        starts = 0
        while not self._closed:
            pipe = self._start()
            error: Exception = EngineDiedError("")
            try:
                ready = self._receive(pipe)
                if isinstance(ready, EngineDescription):
                    starts = 0
                    with self._lock:
                        self._pipe = pipe
                        self._description.set_result(ready)
                    while not isinstance(error := self._receive(pipe), Exception):
                        pass
                elif isinstance(ready, Exception):
                    error = ready
            except TimeoutError as silence:
                error = EngineDiedError(str(silence))
            except (EOFError, OSError):
                error = EngineDiedError(f"its process ended ({self._exit_cause()})")
            starts += 1
            if isinstance(error, EngineDiedError) and starts > MAX_STARTS:
                error = EngineUnavailableError(
                    f"the engine's process dies when it starts: {error}", "run `pipeline doctor` there"
                )
            self._end(pipe, error)
            if isinstance(error, EngineUnavailableError):
                return

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        with theirs:
            self._process = start_child(
                "pipeline.runtime.engine_process:serve",
                [theirs.fileno(), self._factory, os.getpid()],
                [theirs.fileno()],
                also=needed_variables(self._settings),
                folder=None,  # a model may be named by a relative path
            )
        self._last_sign = time.monotonic()
        with contextlib.suppress(OSError):  # it has died already, which the first wait for it reports
            ours.send((self._settings, self._cores))
        return ours

    def _receive(self, pipe: Connection) -> Any:
        """The message that begins or ends the engine's life; answers before it go to their futures.

        Raises EOFError, OSError, TimeoutError.
        """
        while True:
            if not pipe.poll(HEARTBEAT_SECONDS):
                silence = time.monotonic() - self._last_sign
                if silence > self._timeout and (self._waiting or not self._description.done()):
                    raise TimeoutError(f"no sign of life from the engine for {self._timeout:g} s")
                continue
            message = pipe.recv()
            self._last_sign = time.monotonic()
            if isinstance(message, EngineDescription | Exception):
                return message
            if message is not None:
                number, result = message
                with self._lock:
                    future = self._waiting.pop(number, None)
                if future:
                    future.set_result(result)

    def _end(self, pipe: Connection, error: Exception) -> None:
        """Kill the process, and raise the error in all calls that wait."""
        with self._lock:
            waiting, self._waiting, self._pipe = list(self._waiting.values()), {}, None
            description = self._description
            if isinstance(error, EngineUnavailableError):
                self._description = Future()
                self._description.set_exception(error)
            elif description.done():
                self._description = Future()
        if not description.done() and isinstance(error, EngineUnavailableError):
            description.set_exception(error)
        for future in waiting:
            future.set_exception(error)
        assert self._process is not None  # noqa: S101 - it was started
        self._process.kill()
        self._wait(self._process)
        pipe.close()

    def _exit_cause(self) -> str:
        assert self._process is not None  # noqa: S101 - it was started
        code = self._wait(self._process)
        return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"

    @staticmethod
    def _wait(process: subprocess.Popen[bytes]) -> int | None:
        """The exit code of a process that ends; None where it takes longer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        return process.returncode


def needed_variables(settings: Settings) -> tuple[str, ...]:
    """Names of the variables that the engine needs beyond those of all children: the key of a server and proxies, where one is asked."""
    return (settings.server.key_variable, *PROXY_VARIABLES) if settings.engine == "server" else ()


# ---- in the process -----------------------------------------------------------------------------------


def serve(descriptor: int, factory: str, parent: int) -> None:
    """The process's main: make the engine, then answer until the pipe closes."""
    bind_to_parent(parent)
    pipe = Connection(descriptor)
    settings, cores = pipe.recv()
    pin_to_cores(cores)
    sender = _Sender(pipe)
    try:
        module, _, name = factory.partition(":")
        engine: Engine = getattr(importlib.import_module(module), name)(settings)
    except PipelineError as error:
        sender.send(EngineUnavailableError(error.message, error.cure))
        return
    requests: queue.SimpleQueue[NumberedRequest] = queue.SimpleQueue()
    sender.send(
        EngineDescription(
            __version__, engine.identity, engine.retries, engine.needs_whole_page, batch_size(engine.identity, settings)
        )
    )
    threading.Thread(target=_receive_calls, args=(pipe, sender, engine, requests), daemon=True).start()
    try:
        _answer_requests(engine, requests, sender)
    except PipelineError as error:
        sender.send(EngineUnavailableError(error.message, error.cure))
    except Exception as error:
        sender.send(EngineDiedError(f"{type(error).__name__}: {error}"))


def batch_size(identity: str, settings: Settings) -> int:
    """Units that an engine answers at the same time."""
    if identity.startswith("vlm/"):
        return settings.vlm.batch
    return settings.server.concurrency if identity.startswith("server/") else 1


class _Sender:
    """The sending end of the pipe, for two threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock, self._last = pipe, threading.Lock(), 0.0

    def send(self, message: Any) -> None:
        """Send a message."""
        with self._lock:
            self._pipe.send(message)
            self._last = time.monotonic()

    def heartbeat(self) -> None:
        """A sign of life, unless a message was sent just now."""
        if time.monotonic() - self._last > HEARTBEAT_SECONDS:
            self.send(None)


def _receive_calls(pipe: Connection, sender: _Sender, engine: Engine, requests: queue.SimpleQueue[NumberedRequest]) -> None:
    """The thread that takes calls from the pipe while the engine works."""
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        if isinstance(message, NumberedRequest):
            requests.put(message)
        else:
            number, template = message
            sender.send((number, engine.wants_image(template)))


def _answer_requests(engine: Engine, requests: queue.SimpleQueue[NumberedRequest], sender: _Sender) -> None:
    """Submit requests as they come, and send the answers. Raises what the engine raises."""
    numbers: dict[UnitKey, deque[int]] = defaultdict(deque)
    while True:
        while engine.room or not engine.load:
            try:
                numbered = requests.get(timeout=GATHER_SECONDS if engine.load else None)
            except queue.Empty:
                break
            numbers[numbered.request.key].append(numbered.number)
            engine.submit(numbered.request)
        for answer in engine.poll(POLL_SECONDS if engine.room else HEARTBEAT_SECONDS):
            sender.send((numbers[answer.key].popleft(), answer))
            if not numbers[answer.key]:
                del numbers[answer.key]
        sender.heartbeat()


def pin_to_cores(cores: tuple[int, ...]) -> None:
    """Run on these processors only, as far as they exist."""
    if cores and hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cores)
