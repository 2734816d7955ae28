"""Restarts the program when the engine gives no sign of life. Native code that hangs in the loop's thread cannot be interrupted.

The program starts again with the same command. Committed units are kept, the units that were with the engine are known
(``in_flight``), and a unit that hangs the program again and again is given up.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Self

from pipeline.runtime.safe_path import same_command, use_safe_environment

RESTARTS = "_PIPELINE_RESTARTS"
"""Environment variable that counts restarts, so that an engine that always hangs does not restart the program for ever."""


class Watchdog:
    """Calls ``on_hang`` from a thread of its own when the last heartbeat is ``seconds`` ago. Use as a context manager."""

    def __init__(self, seconds: float, on_hang: Callable[[], None]) -> None:
        self._seconds, self._on_hang = seconds, on_hang
        self._last: float | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def heartbeat(self) -> None:
        """A sign of life. From now on the next one is expected."""
        self._last = time.monotonic()

    def pause(self) -> None:
        """The engine has nothing to do: no sign of life is expected until the next heartbeat."""
        self._last = None

    def _watch(self) -> None:
        while not self._end.wait(min(1.0, self._seconds / 4)):
            last = self._last
            if last is not None and time.monotonic() - last > self._seconds:
                self._last = None
                self._on_hang()


def restart_count() -> int:
    """How often this command has restarted itself."""
    return int(os.environ.get(RESTARTS, "0") or 0)


def restart_program() -> None:
    """Replace this process by a new one with the same command; its locks and files are released."""
    os.environ[RESTARTS] = str(restart_count() + 1)
    sys.stderr.flush()
    use_safe_environment()  # libraries may have changed it since the start
    command = same_command()
    os.execv(command[0], command)  # noqa: S606 - our own command line
