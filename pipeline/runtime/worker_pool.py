"""Calls in child processes with limits of time and memory: a crash costs one call.

Documents are hostile, and the libraries that open them are written in C. Each worker is a spawned process that does one call at a
time. The parent waits with a deadline, kills a worker that hangs, and replaces one that died. It never unpickles what a worker sends:
replies are bytes, which the caller parses as data.

The pool has no threads. ``submit`` and ``poll`` are called from one loop; all waiting happens in ``poll``, and callbacks run in it.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import resource
import signal
import socket
import struct
import subprocess
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.connection import Connection, Pipe
from typing import Protocol, Self, cast, get_args

import psutil

from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.records import Reason, RemotePixels
from pipeline.runtime.child_process import bind_to_parent, start_child
from pipeline.runtime.garbage_collection import collect_later_objects, collect_rarely

Handler = Callable[[bytes], list[bytes]]
"""Runs in the worker: a request as bytes to a reply as parts of bytes; raises DocumentError for a document that cannot be read.

It is named as ``module:function`` and imported only in the worker, so that the parent stays light.
"""

CALLS_PER_WORKER = 1_000
"""After so many calls a worker is replaced: native libraries leak a little with every file."""
MAX_REPLY = 1 << 30
LARGEST_IDLE = 2_000_000_000
"""Bytes of memory that a worker may hold between two calls before it is replaced; OCR with plans for all lengths of lines takes 1.5e9."""
REPLY_TIMEOUT_SECONDS = 10
"""How long a reply may take from its first byte to its last."""
NICE = 10
"""Added to the niceness of workers."""
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of one call: ``parts`` when it succeeded, else ``error``; ``seconds`` as the parent measured them."""

    parts: list[bytes] = field(default_factory=list)
    remote_parts: list[RemotePixels] = field(default_factory=list)
    """All parts but the first, where they stay on another machine; ``parts`` then has the first alone."""
    error: DocumentError | None = None
    seconds: float = 0.0


OnReply = Callable[[Reply], None]
"""Called once for each call, from ``poll``."""
OnLoss = Callable[[str], None]
"""Called from ``poll`` each time a worker died or was killed over a call, with the cause."""


@dataclass(slots=True)
class _Call:
    request: bytes
    on_reply: OnReply
    on_loss: OnLoss | None
    attempts: int = 0
    seconds: float = 0.0
    """Time of the attempts that failed."""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    call: _Call | None = None
    started: float = 0.0
    calls: int = 0
    status: psutil.Process | None = None
    """Of the process; made once, because making it costs more than asking it."""

    def resident_bytes(self) -> int:
        """Bytes that the process holds in memory; 0 where it is gone."""
        try:
            self.status = self.status or psutil.Process(self.process.pid)
            return int(self.status.memory_info().rss)
        except psutil.Error:
            return 0


class ReaderPool(Protocol):
    """What the loop knows of a pool: calls go in, replies come out in completion order."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def load(self) -> int:
        """Calls that are submitted and not replied to yet."""
        ...

    @property
    def room(self) -> bool:
        """Whether more should be submitted."""
        ...

    def submit(self, request: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call."""
        ...

    def poll(self, timeout: float | None = None) -> int:
        """Deliver the replies that are there to their callbacks, in this thread; returns how many were delivered.

        Waits for the first reply: ``timeout`` seconds at most, and no longer than there is a reason to wait. Exceptions of callbacks
        pass through. Raises EngineUnavailableError when workers cannot start.
        """
        ...

    def close(self) -> None:
        """End the workers; calls in flight get no reply."""
        ...


class WorkerPool:
    """``size`` workers that run ``handler``; replies are delivered in completion order. See ReaderPool for the methods.

    A call that crashes its worker or exceeds ``seconds`` is tried ``attempts`` times in all, each time in a fresh process. A worker is
    replaced after ``calls_per_worker`` calls; one whose handler keeps something from call to call must not be.
    """

    def __init__(
        self,
        handler: str,
        *,
        size: int,
        seconds: float,
        memory_mb: int,
        attempts: int = 1,
        calls_per_worker: int = CALLS_PER_WORKER,
    ) -> None:
        self._calls_per_worker = calls_per_worker
        self._handler, self._seconds, self._memory_mb, self._attempts = handler, seconds, memory_mb, attempts
        self._size = max(1, size)
        self._workers: list[_Worker] = []
        self._waiting: deque[_Call] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def load(self) -> int:
        """Calls that are submitted and not replied to yet."""
        return len(self._waiting) + sum(worker.call is not None for worker in self._workers)

    @property
    def room(self) -> bool:
        """Whether a worker would be idle soon: submit more now, or the cores wait."""
        return self.load < 2 * self._size

    def submit(self, request: bytes, on_reply: OnReply, on_loss: OnLoss | None = None) -> None:
        """Queue one call."""
        self._waiting.append(_Call(request, on_reply, on_loss))
        self._hand_out()

    def poll(self, timeout: float | None = None) -> int:
        """Deliver replies; wait for the first one until ``timeout`` seconds pass or no call is in flight."""
        until = None if timeout is None else time.monotonic() + timeout
        delivered = 0
        while self.load and not delivered:
            self._hand_out()
            busy = [worker for worker in self._workers if worker.call]
            now = time.monotonic()
            deadline = min(worker.started + self._seconds for worker in busy)
            wait = min(deadline, until) - now if until is not None else deadline - now
            ready = connection.wait([worker.pipe for worker in busy], max(0.0, wait))
            now = time.monotonic()
            for worker in busy:
                if worker.pipe in ready:
                    delivered += self._receive(worker)
                elif now - worker.started >= self._seconds:
                    delivered += self._lose(
                        worker, DocumentError("timeout", f"not read within {self._seconds:g} s (limits.seconds)")
                    )
            if until is not None and time.monotonic() >= until:
                break
        return delivered

    def call(self, request: bytes, on_loss: OnLoss | None = None) -> Reply:
        """Submit one call and wait for its reply."""
        replies: list[Reply] = []
        self.submit(request, replies.append, on_loss)
        while not replies and self.load:
            self.poll()
        return replies[0] if replies else Reply(error=DocumentError("unreadable", "its reader gave no reply"))

    def close(self) -> None:
        """Kill the workers; calls in flight get no reply."""
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
            except OSError:  # it died while idle: the call is not to blame
                call.attempts -= 1
                self._waiting.appendleft(call)
                self._workers.remove(worker)
                self._end(worker)

    def _idle_worker(self) -> _Worker | None:
        for worker in self._workers:
            if worker.call is None and worker.calls < self._calls_per_worker:
                return worker
            if worker.call is None:
                self._workers.remove(worker)
                self._end(worker)
                break
        if len(self._workers) >= self._size:
            return None
        try:
            return self._start()
        except OSError as error:  # no more processes, memory or open files
            if self._workers:
                return None
            raise EngineUnavailableError(
                f"readers cannot start: {error.strerror or error}", "raise the limits of this machine or end other programs"
            ) from error

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        try:
            with theirs:
                _set_read_timeout(ours)
                arguments = [self._handler, theirs.fileno(), self._memory_mb, os.getpid()]
                process = start_child("pipeline.runtime.worker_pool:serve", arguments, [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _receive(self, worker: _Worker) -> int:
        """Deliver the reply that a worker sends. Returns how many replies were delivered: 0 when the call is tried again."""
        call, seconds = worker.call, time.monotonic() - worker.started
        assert call is not None  # noqa: S101 - only busy workers are waited for
        try:
            head, *parts = unpack_parts(worker.pipe.recv_bytes(MAX_REPLY))
        except BlockingIOError:
            return self._lose(worker, DocumentError("timeout", "its reader began to reply and did not end"))
        except (EOFError, OSError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(5)
            return self._lose(worker, DocumentError("unreadable", f"its reader crashed ({_exit_cause(worker.process)})"))
        except ValueError as error:
            return self._lose(worker, DocumentError("unreadable", f"its reader replied nonsense: {error}"))
        if head == b"broken":
            raise EngineUnavailableError(
                f"readers cannot start: {parts[0].decode()}", "install the pipeline again; raise limits.memory_mb"
            )
        worker.call = None
        if worker.resident_bytes() > LARGEST_IDLE:
            worker.calls = self._calls_per_worker
        if head == b"ok":
            call.on_reply(Reply(parts, seconds=call.seconds + seconds))
            return 1
        reason, detail = (part.decode(errors="replace") for part in parts)
        known = reason if reason in get_args(Reason) else "unreadable"
        call.on_reply(Reply(error=DocumentError(cast(Reason, known), detail), seconds=call.seconds + seconds))
        return 1

    def _lose(self, worker: _Worker, error: DocumentError) -> int:
        """Remove a worker that is gone with its call: queue the call again, or deliver the error. Returns how many were delivered."""
        call, seconds = worker.call, time.monotonic() - worker.started
        assert call is not None  # noqa: S101 - as above
        self._workers.remove(worker)
        self._end(worker)
        call.seconds += seconds
        if call.on_loss:
            call.on_loss(error.detail)
        if call.attempts < self._attempts:
            self._waiting.append(call)
            return 0
        call.on_reply(Reply(error=error, seconds=call.seconds))
        return 1

    @staticmethod
    def _end(worker: _Worker) -> None:
        worker.process.kill()
        worker.pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(5)


def _set_read_timeout(pipe: Connection) -> None:
    """Let a read fail that has begun and gets no further: half a reply must not hold up the parent."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", REPLY_TIMEOUT_SECONDS, 0))


def _exit_cause(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return signal.Signals(-code).name if code and code < 0 else f"exit status {code}"


def pack_parts(parts: list[bytes]) -> bytes:
    """Parts as one message: how many, their lengths, then the parts."""
    return struct.pack(f"<I{len(parts)}Q", len(parts), *map(len, parts)) + b"".join(parts)


def unpack_parts(message: bytes) -> list[bytes]:
    """The parts of a message. Raises ValueError for anything that ``pack_parts`` did not make."""
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


def serve(handler_name: str, descriptor: int, memory_mb: int, parent: int) -> None:
    """The worker's main: one request, one reply, until the pipe closes."""
    pipe = Connection(descriptor)
    _confine(memory_mb, parent)
    module, _, function = handler_name.partition(":")
    thresholds = collect_rarely()
    try:
        handler: Handler = getattr(importlib.import_module(module), function)
    except BaseException as error:
        pipe.send_bytes(pack_parts([b"broken", f"{type(error).__name__}: {error}".encode(errors="replace")]))
        return
    collect_later_objects(thresholds)  # as often as usual: garbage of a reader may hold large pictures
    while True:
        try:
            request = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        pipe.send_bytes(pack_parts(_call(handler, request)))


def _call(handler: Handler, request: bytes) -> list[bytes]:
    try:
        return [b"ok", *handler(request)]
    except DocumentError as error:
        return [b"error", error.reason.encode(), error.detail.encode(errors="replace")]
    except MemoryError:
        return [b"error", b"too_large", b"needs more memory than limits.memory_mb allows"]
    except Exception as error:  # parsers of hostile files raise anything: the page fails, the worker goes on
        return [b"error", b"unreadable", f"{type(error).__name__}: {error}"[:500].encode(errors="replace")]


def _confine(memory_mb: int, parent: int) -> None:
    """Set up a worker: it ends with its parent, ignores signals, has a lower priority than the parent and a memory limit, and native
    libraries cannot print to the terminal."""
    os.nice(NICE)
    bind_to_parent(parent)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * _MEGABYTE,) * 2)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
