"""Outboxes in object stores for commands that only look: this machine's folder brought up to date, beside whatever run is at work."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.errors import LockedError
from pipeline.remote.lease import highest
from pipeline.remote.mirror import refresh
from pipeline.remote.object_store import open_store
from pipeline.runtime.lock import locked
from pipeline.settings import Settings

LOOK_SECONDS = 0.1


def look_into(settings: Settings) -> str | None:
    """Bring this machine's folder up to date, unless a run here is at work. Returns which machine's run holds the outbox in the store.

    Nothing is done and told of an outbox that is a folder. Raises StoreError.
    """
    url = settings.outbox_url
    if url is None:
        return None
    try:
        with locked(settings.outbox, LOOK_SECONDS):
            refresh(settings)
    except LockedError:  # then it is up to date
        pass
    held = highest(open_store(url), url)
    return held.machine if held and held.until > time.time() else None


def sent(settings: Settings, path: Path) -> str:
    """Send a file that a command wrote into the outbox after it. Returns the place as people know it. Raises StoreError."""
    url = settings.outbox_url
    if url is None or not path.is_relative_to(settings.outbox):
        return str(path)
    target = f"{url}/{path.relative_to(settings.outbox).as_posix()}"
    open_store(url).put(target, path)
    return target
