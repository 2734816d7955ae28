"""Calls in child processes that can be killed: time and memory limits, crashes that hurt nobody else.

Documents are hostile, and the libraries that open them are written in C. Each worker is a spawned process that does one call at a
time; the parent waits with a deadline, kills what hangs, starts a new one where one died, and never unpickles what a
worker sends: replies are bytes, which the caller parses as data.

The pool has no threads: ``submit`` and ``next_reply`` are called from one loop, and all waiting happens in ``next_reply``.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import signal
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Protocol, Self, cast, get_args

import psutil

from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.records import Reason

Handler = Callable[[bytes], list[bytes]]
"""Runs in the worker: a request as bytes to a reply as parts of bytes; raises DocumentError for what cannot be read.

It is named as ``module:function`` and imported only in the worker, so that the parent stays light.
"""

Lost = Callable[[Hashable, str], None]
"""Told of a worker that died or was killed: the key of its call, and why."""

CALLS_PER_WORKER = 1_000
"""After so many calls a worker is replaced: native libraries leak a little with every file."""
MAX_REPLY = 1 << 30
LARGEST_IDLE = 2_000_000_000
"""Bytes of memory that a worker may hold between two calls before it is replaced; OCR with plans for all lengths of lines takes 1.5e9."""
STALLED_SECONDS = 10
NICE = 10
"""Added to the niceness of workers."""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one call: ``parts`` when it succeeded, else ``error``; ``seconds`` as the parent saw it."""

    key: Hashable
    parts: list[bytes] = field(default_factory=list)
    error: DocumentError | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class _Call:
    key: Hashable
    request: bytes
    attempts: int = 0


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    call: _Call | None = None
    started: float = 0.0
    calls: int = 0


class Readers(Protocol):
    """What the loop knows of a pool: calls go in, replies come out in completion order."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def load(self) -> int:
        """Calls submitted and not yet replied to."""
        ...

    @property
    def room(self) -> bool:
        """Whether more should be submitted."""
        ...

    def submit(self, key: Hashable, request: bytes) -> None:
        """Queue one call."""
        ...

    def next_reply(self, timeout: float | None = None) -> Reply | None:
        """The next reply; None when ``timeout`` seconds pass, or there is no reason to wait any longer."""
        ...

    def close(self) -> None:
        """Calls under way are lost."""
        ...


class Pool:
    """``size`` workers that run ``handler``; replies come in completion order.

    A call that crashes its worker or exceeds ``seconds`` is tried ``attempts`` times in all, each time in a fresh process; ``lost`` is
    told each time.
    """

    def __init__(
        self, handler: str, *, size: int, seconds: float, memory_mb: int, attempts: int = 1, lost: Lost | None = None
    ) -> None:
        self._handler, self._seconds, self._memory_mb, self._attempts = handler, seconds, memory_mb, attempts
        self._size, self._lost = max(1, size), lost
        self._workers: list[_Worker] = []
        self._waiting: deque[_Call] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def load(self) -> int:
        """Calls submitted and not yet replied to."""
        return len(self._waiting) + sum(worker.call is not None for worker in self._workers)

    @property
    def room(self) -> bool:
        """Whether a worker would be idle soon: submit more now, or the cores wait."""
        return self.load < 2 * self._size

    def submit(self, key: Hashable, request: bytes) -> None:
        """Queue one call."""
        self._waiting.append(_Call(key, request))
        self._hand_out()

    def next_reply(self, timeout: float | None = None) -> Reply | None:
        """The next reply; None when ``timeout`` seconds pass, or nothing is under way."""
        until = None if timeout is None else time.monotonic() + timeout
        while self.load:
            self._hand_out()
            busy = [worker for worker in self._workers if worker.call]
            now = time.monotonic()
            deadline = min(worker.started + self._seconds for worker in busy)
            patience = min(deadline, until) - now if until is not None else deadline - now
            ready = connection.wait([worker.pipe for worker in busy], max(0.0, patience))
            for worker in busy:
                if worker.pipe in ready and (reply := self._receive(worker)):
                    return reply
                if worker.call and time.monotonic() - worker.started >= self._seconds:
                    timed_out = DocumentError("timeout", f"not read within {self._seconds:g} s (limits.seconds)")
                    if reply := self._lose(worker, timed_out):
                        return reply
            if until is not None and time.monotonic() >= until:
                return None
        return None

    def close(self) -> None:
        """Kill the workers; calls under way are lost."""
        for worker in self._workers:
            self._end(worker)
        self._workers.clear()
        self._waiting.clear()

    def _hand_out(self) -> None:
        while self._waiting and (worker := self._idle_worker()):
            call = self._waiting.popleft()
            call.attempts += 1
            worker.call, worker.started, worker.calls = call, time.monotonic(), worker.calls + 1
            try:
                worker.pipe.send_bytes(call.request)
            except OSError:  # it died while idle: not this call's doing
                call.attempts -= 1
                self._waiting.appendleft(call)
                self._workers.remove(worker)
                self._end(worker)

    def _idle_worker(self) -> _Worker | None:
        for worker in self._workers:
            if worker.call is None and worker.calls < CALLS_PER_WORKER:
                return worker
            if worker.call is None:
                self._workers.remove(worker)
                self._end(worker)
                break
        return self._start() if len(self._workers) < self._size else None

    def _start(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(self._handler, theirs, self._memory_mb, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        _limit_waiting(ours)
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _receive(self, worker: _Worker) -> Reply | None:
        """A reply, or None when the call is tried again."""
        call, seconds = worker.call, time.monotonic() - worker.started
        assert call is not None  # noqa: S101 - only busy workers are waited for
        try:
            head, *parts = _unpack(worker.pipe.recv_bytes(MAX_REPLY))
        except BlockingIOError:
            return self._lose(worker, DocumentError("timeout", "its reader began to reply and did not end"))
        except (EOFError, OSError):
            worker.process.join(5)
            return self._lose(worker, DocumentError("unreadable", f"its reader crashed ({_how_it_ended(worker.process)})"))
        except ValueError as error:
            return self._lose(worker, DocumentError("unreadable", f"its reader replied nonsense: {error}"))
        if head == b"broken":
            raise EngineUnavailableError(
                f"readers cannot start: {parts[0].decode()}", "install the pipeline again; raise limits.memory_mb"
            )
        worker.call = None
        if _resident(worker.process) > LARGEST_IDLE:
            worker.calls = CALLS_PER_WORKER
        if head == b"ok":
            return Reply(call.key, parts, seconds=seconds)
        reason, detail = (part.decode(errors="replace") for part in parts)
        known = reason if reason in get_args(Reason) else "unreadable"
        return Reply(call.key, error=DocumentError(cast(Reason, known), detail), seconds=seconds)

    def _lose(self, worker: _Worker, error: DocumentError) -> Reply | None:
        """The worker is gone with its call: try the call again, or report the error."""
        call, seconds = worker.call, time.monotonic() - worker.started
        assert call is not None  # noqa: S101 - as above
        self._workers.remove(worker)
        self._end(worker)
        if self._lost:
            self._lost(call.key, error.detail)
        if call.attempts < self._attempts:
            self._waiting.append(call)
            return None
        return Reply(call.key, error=error, seconds=seconds)

    @staticmethod
    def _end(worker: _Worker) -> None:
        worker.process.kill()
        worker.pipe.close()
        worker.process.join(5)


def _limit_waiting(pipe: Connection) -> None:
    """Let a read fail that has begun and gets no further: whoever sends half a reply must not hold up the parent."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALLED_SECONDS, 0))


def _resident(process: SpawnProcess) -> int:
    """Bytes that a process holds in memory."""
    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _how_it_ended(process: SpawnProcess) -> str:
    code = process.exitcode
    return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"


def _pack(parts: list[bytes]) -> bytes:
    """Parts as one message: how many, their lengths, then the parts."""
    return struct.pack(f"<I{len(parts)}Q", len(parts), *map(len, parts)) + b"".join(parts)


def _unpack(message: bytes) -> list[bytes]:
    """The parts of a message. Raises ValueError for anything that ``_pack`` did not make."""
    try:
        (count,) = struct.unpack_from("<I", message)
        lengths = struct.unpack_from(f"<{count}Q", message, 4)
    except struct.error as error:
        raise ValueError(str(error)) from error
    at, parts = 4 + 8 * count, []
    for length in lengths:
        parts.append(message[at : at + length])
        at += length
    if at != len(message) or len(parts) < 1 or (parts[0] == b"error" and len(parts) != 3):
        raise ValueError("lengths do not fit")
    return parts


def _serve(handler_name: str, pipe: Connection, memory_mb: int, parent: int) -> None:
    """The worker's main: one request, one reply, until the pipe closes."""
    _confine(memory_mb, parent)
    module, _, function = handler_name.partition(":")
    try:
        handler: Handler = getattr(importlib.import_module(module), function)
    except BaseException as error:
        pipe.send_bytes(_pack([b"broken", f"{type(error).__name__}: {error}".encode(errors="replace")]))
        return
    while True:
        try:
            request = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        pipe.send_bytes(_pack(_call(handler, request)))


def _call(handler: Handler, request: bytes) -> list[bytes]:
    try:
        return [b"ok", *handler(request)]
    except DocumentError as error:
        return [b"error", error.reason.encode(), error.detail.encode(errors="replace")]
    except MemoryError:
        return [b"error", b"too_large", b"needs more memory than limits.memory_mb allows"]
    except Exception as error:  # whatever a parser throws at a hostile file: this page's failure, not the worker's
        return [b"error", b"unreadable", f"{type(error).__name__}: {error}"[:500].encode(errors="replace")]


def belong_to(parent: int) -> None:
    """Die with the process that started this one, and leave signals to it: they are sent to the whole group."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def _confine(memory_mb: int, parent: int) -> None:
    """Die with the parent, leave signals to it, make way for its arithmetic, stay below the memory limit, keep native libraries'
    chatter off the terminal."""
    os.nice(NICE)
    belong_to(parent)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * _MEGABYTE,) * 2)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
