"""One server for an outbox: the second one says where the first one is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from pipeline.errors import LockedError
from pipeline.publish.atomic_files import write_atomically
from pipeline.settings import STATE_FOLDER

LOCK, ADDRESS = "serve.lock", "serve.address"
LOCK_SECONDS = 0.2


@contextmanager
def only_server(outbox: Path) -> Iterator[None]:
    """Hold the lock of servers. Raises LockedError with the address of the server that holds it; it has no token."""
    folder = outbox / STATE_FOLDER
    lock = filelock.FileLock(folder / LOCK, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        address = recorded_address(outbox)
        address = f" at {address}" if address else ""
        raise LockedError(
            f"`pipeline serve` runs already for {outbox}{address}",
            "open the address that it has printed, with its token, or stop it first",
        ) from error
    try:
        yield
    finally:
        (folder / ADDRESS).unlink(missing_ok=True)
        lock.release()


def recorded_address(outbox: Path) -> str:
    """Where the server of this outbox is, as it has printed it, without the token; empty where none runs."""
    try:
        return (outbox / STATE_FOLDER / ADDRESS).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def record_address(outbox: Path, address: str) -> None:
    """Record where the server is. Raises OutboxError."""
    write_atomically(outbox / STATE_FOLDER / ADDRESS, [address.encode()], sync=False)
