"""Stopping in good order: the first SIGINT or SIGTERM lets the pages in work finish, the second stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals(stop: Callable[[], None], on_signal: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` at the first signal and raise KeyboardInterrupt at the second. ``on_signal`` gets the name of each signal first."""
    stopping = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        del frame
        on_signal(signal.Signals(number).name)
        if stopping:
            raise KeyboardInterrupt
        stopping = True
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
