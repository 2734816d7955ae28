"""A watchdog for the engine: it runs in the loop's own thread, and native code that hangs there can be interrupted by nobody.

When there was no sign of life for too long, the program starts itself anew with the same command. What was committed is kept, the units
that were under way are known (``underway``), and those that hang it again and again are given up.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

RESTARTS = "_PIPELINE_RESTARTS"
"""Environment variable that counts them, so that an engine that always hangs does not restart the program for ever."""


class Heart:
    """Calls ``hung`` from a thread of its own when ``beat`` was not called for ``seconds`` while something is under way."""

    def __init__(self, seconds: float, hung: Callable[[], None]) -> None:
        self._seconds, self._hung = seconds, hung
        self._last: float | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def beat(self) -> None:
        """A sign of life: from now on the next one is waited for."""
        self._last = time.monotonic()

    def rest(self) -> None:
        """Nothing is under way."""
        self._last = None

    def _watch(self) -> None:
        while not self._end.wait(min(1.0, self._seconds / 4)):
            last = self._last
            if last is not None and time.monotonic() - last > self._seconds:
                self._last = None
                self._hung()


def restarts() -> int:
    """How often this command has started itself anew."""
    return int(os.environ.get(RESTARTS, "0") or 0)


def start_anew() -> None:
    """Replace this process by a new one with the same command; locks and files are let go of."""
    os.environ[RESTARTS] = str(restarts() + 1)
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command line
