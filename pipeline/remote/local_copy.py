"""Outboxes in object stores for commands that only read: this machine's folder is brought up to date, also while a run works."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.errors import LockedError
from pipeline.remote.lease import current_lease
from pipeline.remote.mirror import bring_up_to_date, holder_name
from pipeline.remote.object_store import open_store
from pipeline.runtime.lock import locked
from pipeline.settings import STATE_FOLDER, Settings

LOCK_TIMEOUT_SECONDS = 0.1


def update_local_copy(settings: Settings) -> str | None:
    """Bring this machine's folder up to date, unless a run here is at work. Returns the name of the machine whose run holds the outbox.

    For an outbox that is a folder it does nothing and returns None. Raises StoreError.
    """
    url = settings.outbox_url
    if url is None:
        return None
    try:
        with locked(settings.outbox, LOCK_TIMEOUT_SECONDS):
            bring_up_to_date(settings)
    except LockedError:  # the run here keeps it up to date
        pass
    lease = current_lease(open_store(url), url)
    return lease.machine if lease and lease.until > time.time() else None


def other_machine(settings: Settings) -> str | None:
    """The name of another machine whose run holds the outbox: that run does not see what is ordered here. Raises StoreError."""
    url = settings.outbox_url
    lease = current_lease(open_store(url), url) if url else None
    if lease is None or lease.until <= time.time() or lease.holder == holder_name(settings.outbox / STATE_FOLDER):
        return None
    return lease.machine


def send_file(settings: Settings, path: Path) -> str:
    """Send a file that a command wrote into the outbox. Returns its path or URL for people. Raises StoreError."""
    url = settings.outbox_url
    if url is None or not path.is_relative_to(settings.outbox):
        return str(path)
    target = f"{url}/{path.relative_to(settings.outbox).as_posix()}"
    open_store(url).put(target, path)
    return target
