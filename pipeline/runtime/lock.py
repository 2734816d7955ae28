"""The outbox's lock: one run at a time writes to an outbox.

The operating system releases the lock when its process ends, also after a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from pipeline.errors import LockedError, OutboxError
from pipeline.permissions import make_private_folder
from pipeline.settings import STATE_FOLDER

LOCK_SECONDS = 1.0
"""How long a run waits for the lock. ``is_locked`` in another process may hold it for a moment."""
PROBE_SECONDS = 0.1
"""How long ``is_locked`` waits: long enough for another probe to let go of the lock."""


@contextmanager
def locked(outbox: Path, timeout_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the outbox's lock.

    Raises LockedError when another run still holds it after ``timeout_seconds``; OutboxError when the outbox cannot be written.
    """
    folder = outbox / STATE_FOLDER
    try:
        make_private_folder(folder)
        lock = filelock.FileLock(folder / "lock", timeout=timeout_seconds)
        lock.acquire()
    except filelock.Timeout as error:
        raise LockedError(
            f"another run works on {outbox}", "wait for it to end, or stop it; `pipeline status` shows how far it is"
        ) from error
    except OSError as error:
        raise OutboxError(
            f"{outbox}: cannot be written: {error}", "check that the folder exists and that you may write there"
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_locked(outbox: Path) -> bool:
    """Whether a run holds the outbox's lock. Raises OutboxError when the outbox cannot be written."""
    if not (outbox / STATE_FOLDER).is_dir():
        return False
    try:
        with locked(outbox, PROBE_SECONDS):
            return False
    except LockedError:
        return True
