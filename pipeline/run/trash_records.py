"""Documents that people delete, and bring back: one folder of the trash for each deletion, with a record of it and the original files.

Any process may ask for a deletion, or for its undoing, by the state of the record. The process that runs on the outbox carries it out (see
``trash``). A state is changed under a lock and is on the disk when the change returns.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.errors import OutboxError
from pipeline.ledger.file_records import FilePlace
from pipeline.publish.atomic_files import write_atomically
from pipeline.run.undo_log import FOLDER as UNDO_FOLDER
from pipeline.runtime.file_system import sync_folder
from pipeline.settings import STATE_FOLDER
from pipeline.values.times import utc_timestamp

FOLDER = "trash"
RECORD = "deletion.json"
DeletionState = Literal["deleting", "deleted", "restoring", "restored", "emptying"]
OPEN_STATES: tuple[DeletionState, ...] = ("deleting", "restoring", "emptying")
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}")


@dataclass(frozen=True)
class Origin:
    """Where an original file was, and where it is in the trash."""

    path: str
    place: FilePlace
    trash: str


@dataclass(frozen=True)
class RemovedPart:
    """A document of a file that stays: its file, the contents of that, and its pages as JSON (see ``ledger.split_json``)."""

    file: str
    sha256: str
    pages: str


@dataclass(frozen=True)
class Deletion:
    """A deletion of documents. Its ``id`` is also that of the undo log with their results."""

    id: str
    state: DeletionState
    names: Sequence[str]
    by: str
    at: str
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """The files that are in the trash, by the name of their document."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Why documents were not deleted, by name."""
    parts: Mapping[str, RemovedPart] = field(default_factory=dict)
    """Documents that were taken out of files that stay, by name."""
    error: str = ""
    """Why the last undoing failed; empty where none has."""


def trash_folder(outbox: Path) -> Path:
    """The folder of all deletions of an outbox."""
    return outbox / STATE_FOLDER / FOLDER


def request_deletion(outbox: Path, names: Sequence[str], by: str) -> Deletion:
    """Ask for a deletion; on the disk when this returns. Raises OutboxError."""
    identifier = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
    deletion = Deletion(identifier, "deleting", list(names), by, utc_timestamp())
    folder = trash_folder(outbox)
    try:
        (folder / identifier).mkdir(parents=True, mode=0o700)
        sync_folder(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error.strerror or error}", "nothing was deleted") from error
    _write(outbox, deletion)
    return deletion


def request_undoing(outbox: Path, identifier: str) -> Deletion | None:
    """Ask for the documents of a deletion; None where there is none that can be undone now. Raises OutboxError."""
    with _locked(outbox):
        deletion = find_deletion(outbox, identifier)
        if deletion is None or deletion.state != "deleted":
            return None
        return save(outbox, replace(deletion, state="restoring", error=""))


def request_emptying(outbox: Path, before: str) -> list[Deletion]:
    """Ask for good for the deletions that were made before a timestamp. Raises OutboxError."""
    with _locked(outbox):
        found = [item for item in deletions(outbox) if item.state in ("deleted", "restored") and item.at < before]
        return [save(outbox, replace(item, state="emptying")) for item in found]


def empty(outbox: Path, deletion: Deletion) -> None:
    """Delete the files and the undo log of a deletion in the state ``emptying``; its record goes last."""
    shutil.rmtree(outbox / STATE_FOLDER / UNDO_FOLDER / deletion.id, ignore_errors=True)
    folder = trash_folder(outbox) / deletion.id
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name != RECORD:
            shutil.rmtree(entry, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def deletions(outbox: Path) -> list[Deletion]:
    """All deletions, oldest first."""
    folder = trash_folder(outbox)
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return [item for name in names if (item := find_deletion(outbox, name))]


def find_deletion(outbox: Path, identifier: str) -> Deletion | None:
    """The deletion with this id; None where there is none, or its record is damaged."""
    if not _ID.fullmatch(identifier):
        return None
    try:
        content = json.loads((trash_folder(outbox) / identifier / RECORD).read_bytes())
        origins = {name: Origin(**origin) for name, origin in content.pop("origins").items()}
        parts = {name: RemovedPart(**part) for name, part in content.pop("parts", {}).items()}
        return Deletion(**content, origins=origins, parts=parts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(outbox: Path, deletion: Deletion) -> Deletion:
    """Write a record, on the disk when this returns. The process that carries a deletion out is the only one that writes it then."""
    _write(outbox, deletion)
    return deletion


def _write(outbox: Path, deletion: Deletion) -> None:
    path = trash_folder(outbox) / deletion.id / RECORD
    write_atomically(path, [json.dumps(asdict(deletion)).encode()])
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise OutboxError(f"{path}: cannot be synced: {error.strerror or error}", "check the disk") from error


@contextmanager
def _locked(outbox: Path) -> Iterator[None]:
    folder = trash_folder(outbox)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be opened: {error.strerror or error}", "check who may write there") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
