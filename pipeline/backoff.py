"""Trying again what a store refuses for a reason that may pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import StoreError

T = TypeVar("T")
FIRST_SECONDS, LONGEST_SECONDS = 0.5, 30.0


def patiently(call: Callable[[], T], seconds: float, over: threading.Event | None = None) -> T:
    """What ``call`` returns; tried again, with growing pauses, while it raises what may pass, for so many seconds.

    Raises StoreError when that is over, or at once when ``over`` is set.
    """
    until, pause, over = time.monotonic() + seconds, FIRST_SECONDS, over or threading.Event()
    while True:
        try:
            return call()
        except StoreError as error:
            if not error.passing or time.monotonic() + pause > until or over.wait(pause):
                raise
        pause = min(2 * pause, LONGEST_SECONDS)
