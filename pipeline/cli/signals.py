"""Stopping cleanly: the first SIGINT or SIGTERM lets what is in flight end, the second stops now."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def graceful(stop: Callable[[], None], told: Callable[[str], None]) -> Iterator[None]:
    """Call ``stop`` at the first signal; raise KeyboardInterrupt at the second. ``told`` hears the name of each, before."""
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del frame
        told(signal.Signals(number).name)
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
