"""Keeps a ``pipeline watch`` running as a child process: it is started again whenever it ends.

When another run holds the outbox, the child ends at once and is tried again every few seconds. When this process ends for any reason, the
child's standard input is closed, and the child ends too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.backoff import Backoff
from pipeline.errors import ExitCode
from pipeline.monitoring.progress import last_run
from pipeline.printable import one_line
from pipeline.runtime.safe_path import pipeline_command, safe_environment

FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 2.0, 60.0
LOCKED_RETRY_SECONDS = 5.0
STOP_SECONDS = 60.0
"""Time for the pages in flight when the server ends."""
STABLE_SECONDS = 30.0
"""A child that ran for so long counts as a successful start."""
MAX_LINES = 20


class Supervisor:
    """Keeps the child running. Use as a context manager, from the main thread."""

    def __init__(self, arguments: Sequence[str], outbox: Path) -> None:
        self._outbox = outbox
        self._command = [*pipeline_command(), "watch", "--quiet", "--until-eof", *arguments]
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._state, self._why = "starting", ""

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        child = self._child
        if child and child.stdin:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join(5)

    def status(self) -> dict[str, Any]:
        """``state`` is ``working``, ``elsewhere`` (another run holds the outbox), ``starting`` or ``down``; ``why`` says why."""
        child, run = self._child, last_run(self._outbox, locked=True)
        if child and child.poll() is None and run and run.get("pid") == child.pid and run["state"] != "ended":
            return {"state": "working", "why": ""}
        return {"state": self._state, "why": self._why}

    def _supervise(self) -> None:
        backoff = Backoff(FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS)
        while not self._stopping.is_set():
            started = time.monotonic()
            code = self._run_child()
            if self._stopping.is_set():
                return
            if code == ExitCode.LOCKED:
                self._state = "elsewhere"
                self._why = "another run holds the outbox; new files are read when it has ended"
                self._stopping.wait(LOCKED_RETRY_SECONDS)
                continue
            if time.monotonic() - started > STABLE_SECONDS:
                backoff.reset()
            pause = backoff.next_seconds()
            message = next((line for line in reversed(self._lines) if line.startswith("pipeline:")), "")
            self._state = "down"
            self._why = f"{message or f'the reading process ended with {code}'}; the next try is in {pause:g} s"
            self._stopping.wait(pause)

    def _run_child(self) -> int:
        self._lines.clear()
        with subprocess.Popen(
            self._command,
            env=safe_environment(dict(os.environ)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as child:
            self._child = child
            if self._stopping.is_set() and child.stdin:
                child.stdin.close()
            assert child.stderr is not None  # noqa: S101 - a pipe
            for raw in child.stderr:
                line = raw.decode(errors="replace").rstrip()
                self._lines.append(line)
                if "another run works on" not in line:
                    print(one_line(line), file=sys.stderr, flush=True)
            return child.wait()
