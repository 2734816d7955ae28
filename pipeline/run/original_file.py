"""Files of documents as they were read, and of outermost containers: fetched once more from an object store or a mailbox."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

from pipeline.errors import DocumentError, OutboxError, SettingsError, StoreError
from pipeline.intake.scan import file_location
from pipeline.ledger.file_records import FileRecord
from pipeline.object_urls import url_of
from pipeline.remote.mail_inbox import open_originals
from pipeline.remote.object_store import ObjectGoneError
from pipeline.run.job import PARTS_FOLDER
from pipeline.settings import STATE_FOLDER, Settings

GONE = "its file is no longer where it was read: put it back, or into the inbox again"
CHANGED = "its file has changed since it was read: read that again (`pipeline run`)"


class OriginalFiles:
    """Opens the files of records. The one that was fetched last is kept: several parts of it may be wanted. Close it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._folder: Path | None = None

    def close(self) -> None:
        """Delete what was fetched."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def open(self, record: FileRecord) -> Iterator[Path]:
        """The file of a record until the block ends, without symbolic links. An object or a message is there for one caller at a time.

        Raises DocumentError where it is gone, cannot be fetched, or, fetched, is not what was read; OutboxError when the disk is full.
        """
        if record.place == "deleted":  # another file may be at its path
            raise DocumentError("unreadable", GONE)
        url = url_of(self._settings.objects_folder, record.source.path)
        if url is None:
            yield _present(record, self._settings)
            return
        with self._lock:
            yield self._fetched(url, record)

    def _fetched(self, url: str, record: FileRecord) -> Path:
        """An object or a message as a file, with the time that the ledger has of it."""
        path = self._new_folder() / record.sha256
        if path.is_file():
            return path
        try:
            for other in path.parent.iterdir():
                other.unlink()
            unfinished = path.with_suffix(".tmp")
            fetch_original(url, unfinished, self._settings)
            with unfinished.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != record.sha256:
                    raise DocumentError("unreadable", CHANGED)
            os.utime(unfinished, ns=(record.mtime_ns, record.mtime_ns))
            unfinished.replace(path)
        except OSError as error:
            raise OutboxError(f"{path.parent}: cannot be written: {error.strerror or error}", "free disk space") from error
        return path

    def _new_folder(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            self._folder = new_parts_folder(self._settings)
        return self._folder


def new_parts_folder(settings: Settings) -> Path:
    """A new folder for files that one process fetches or unpacks. A run that starts deletes those of all. Raises OutboxError."""
    parent = settings.outbox.resolve() / STATE_FOLDER / PARTS_FOLDER
    try:
        parent.mkdir(exist_ok=True)
        return Path(mkdtemp(dir=parent))
    except OSError as error:
        raise OutboxError(f"{parent}: cannot be written: {error.strerror or error}", "free disk space") from error


def is_remote(record: FileRecord, settings: Settings) -> bool:
    """Whether a file is in an object store or a mailbox."""
    return url_of(settings.objects_folder, record.source.path) is not None


def _present(record: FileRecord, settings: Settings) -> Path:
    try:
        found = file_location(record.source.path, settings.inbox)
        if found.is_file():
            return found
    except (OSError, ValueError):
        pass
    raise DocumentError("unreadable", GONE)


def fetch_original(url: str, path: Path, settings: Settings) -> None:
    """Fetch what is at a URL as ``path``. Raises DocumentError where that is not possible, OSError when the disk is full."""
    try:
        store = open_originals(settings, url)
        entry = store.entry(url)
        if entry is None:
            raise DocumentError("unreadable", GONE)
        if entry.size > settings.limits.megabytes * 1_000_000:
            raise DocumentError("too_large", f"it is above limits.megabytes ({settings.limits.megabytes})")
        store.fetch(entry, path)
        os.utime(path, ns=(entry.stamp, entry.stamp))
    except ObjectGoneError as error:
        raise DocumentError("unreadable", GONE) from error
    except (SettingsError, StoreError) as error:
        raise DocumentError("unreadable", f"it cannot be fetched: {error.message}") from error
