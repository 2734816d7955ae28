"""The ledger of an outbox as an object beside the results, so that another machine can go on from it.

Each copy is an object of its own; a small object names the one that counts, and is replaced as the last step. So there is a whole ledger in
the store at any instant.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.remote.object_store import ObjectGoneError, ObjectStore

NAME = ".pipeline/ledger.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The contents of the small object."""

    id: str
    folder: str
    """State folder of the machine that wrote it: paths of that ledger that stand for objects and members of archives lie below it."""

    def url(self, outbox: str) -> str:
        """The ledger's own object."""
        return f"{outbox}/.pipeline/ledger-{self.id}.sqlite"


def new_snapshot(folder: Path) -> Snapshot:
    """A snapshot with a new random id, for ``put_snapshot``."""
    return Snapshot(uuid.uuid4().hex, str(folder))


def latest_snapshot(store: ObjectStore, outbox: str) -> Snapshot | None:
    """The snapshot that counts; None where there is none. Raises StoreError."""
    content = store.read(f"{outbox}/{NAME}")
    if content is None:
        return None
    try:
        snapshot = Snapshot(**json.loads(content))
        if not re.fullmatch(r"[0-9a-f]{32}", snapshot.id):
            raise ValueError(snapshot.id)
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"{outbox}/{NAME}: cannot be understood", "delete it to begin anew from what this machine has of the outbox"
        ) from error
    return snapshot


def put_snapshot(store: ObjectStore, outbox: str, snapshot: Snapshot, ledger: Path, before: Snapshot | None) -> None:
    """Put a ledger as the one that counts, and delete the one ``before``. Raises StoreError."""
    store.put(snapshot.url(outbox), ledger)
    store.write(f"{outbox}/{NAME}", json.dumps(asdict(snapshot)).encode())
    if before:
        store.remove(before.url(outbox))


def fetch_snapshot(store: ObjectStore, outbox: str, snapshot: Snapshot, path: Path) -> None:
    """Fetch a ledger. Raises StoreError."""
    entry = store.entry(snapshot.url(outbox))
    try:
        if entry is None:
            raise ObjectGoneError(snapshot.url(outbox))
        store.fetch(entry, path)
    except ObjectGoneError as error:
        raise StoreError(f"{snapshot.url(outbox)} is not there", f"delete {outbox}/{NAME} to begin anew") from error
