"""The outbox's lock: one run at a time writes to an outbox.

The system releases the lock when its process ends, however it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from pipeline.errors import LockedError, OutboxError
from pipeline.settings import STATE_FOLDER

LOCK_SECONDS = 1.0
"""How long a run waits for the lock: ``status`` holds it for an instant to see whether a run does."""


@contextmanager
def locked(outbox: Path, patience: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the outbox's lock; the system releases it when the process ends, however it ends.

    Raises LockedError after ``patience`` seconds, OutboxError.
    """
    folder = outbox / STATE_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "lock", timeout=patience)
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
