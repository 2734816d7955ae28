"""The loop, in a process of its own: `pipeline watch` as anybody could start it, started anew when it ends.

Where another run holds the outbox, there is nothing to do but to look again now and then. The child ends by itself when this process is
gone, however that came about: its standard input ends.
"""

from __future__ import annotations

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

FIRST_SECONDS, LONGEST_SECONDS = 2.0, 60.0
LOCKED_SECONDS = 5.0
STOP_SECONDS = 60.0
"""For the pages in flight, when the server ends."""
STEADY_SECONDS = 30.0
"""After so long a start counts as a good one."""
KEPT_LINES = 20


class Keeper:
    """Keeps the child running. Use as a context manager, from the main thread."""

    def __init__(self, arguments: Sequence[str], outbox: Path) -> None:
        self._outbox = outbox
        self._command = [sys.executable, "-m", "pipeline", "watch", "--quiet", "--until-eof", *arguments]
        self._child: subprocess.Popen[bytes] | None = None
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._state, self._why = "starting", ""

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        child = self._child
        if child and child.stdin:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join(5)

    def told(self) -> dict[str, Any]:
        """``state`` is ``working``, ``elsewhere`` (another run holds the outbox), ``starting`` or ``down``, with ``why``."""
        child, run = self._child, last_run(self._outbox, locked=True)
        if child and child.poll() is None and run and run.get("pid") == child.pid and run["state"] != "ended":
            return {"state": "working", "why": ""}
        return {"state": self._state, "why": self._why}

    def _keep(self) -> None:
        backoff = Backoff(FIRST_SECONDS, LONGEST_SECONDS)
        while not self._ending.is_set():
            started = time.monotonic()
            code = self._run()
            if self._ending.is_set():
                return
            if code == ExitCode.LOCKED:
                self._state, self._why = (
                    "elsewhere",
                    "another run holds the outbox; files are taken, and read when it has ended",
                )
                self._ending.wait(LOCKED_SECONDS)
                continue
            if time.monotonic() - started > STEADY_SECONDS:
                backoff.reset()
            pause = backoff.next_seconds()
            last = next((line for line in reversed(self._lines) if line.startswith("pipeline:")), "")
            self._state, self._why = "down", f"{last or f'the reading process ended with {code}'}; trying again in {pause:g} s"
            self._ending.wait(pause)

    def _run(self) -> int:
        self._lines.clear()
        with subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        ) as child:
            self._child = child
            if self._ending.is_set() and child.stdin:
                child.stdin.close()
            assert child.stderr is not None  # noqa: S101 - a pipe
            for raw in child.stderr:
                line = raw.decode(errors="replace").rstrip()
                self._lines.append(line)
                if "another run works on" not in line:
                    print(line, file=sys.stderr, flush=True)
            return child.wait()
