"""Archive and failed files under other keys of the inbox's object store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.intake.scan import REASON_ENDING, InboxFile
from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.object_urls import local_path, sibling_url, url_of
from pipeline.remote.object_store import ObjectGoneError, StoreEntry, open_store
from pipeline.remote.objects import ObjectInbox
from pipeline.run.archive_folders import Outcome
from pipeline.run.file_removal import CHANGED, GONE, KeptFileError
from pipeline.settings import Settings


class StoreFolders:
    """Folders in the inbox's object store, by the paths that stand for its objects; see ArchiveFolders.

    An object is copied, the copy is compared with it, and the object is deleted on condition that it is still the one that was read. S3
    keeps that condition (``If-Match``); where a store has none, an object that is replaced between the check and the deletion is lost,
    unless the bucket keeps versions. ``is_taken``: whether the ledger has a file at a path, though it may be gone.
    """

    def __init__(self, settings: Settings, objects: ObjectInbox, is_taken: Callable[[Path], bool]) -> None:
        self._objects, self._store, self._is_taken = objects, open_store(objects.url), is_taken
        archive, failed = (url_of(objects.root, folder) for folder in (settings.archive_folder, settings.failed_folder))
        self._archive, self._failed = (
            archive or sibling_url(objects.url, "archive"),
            failed or sibling_url(objects.url, "failed"),
        )

    def plan(self, file: InboxFile, sha256: str, place: RemovalPlace) -> Removal:
        """See ArchiveFolders."""
        entry = StoreEntry(self._url(file.source.path), file.size, file.mtime_ns)
        present = self._store.entry(entry.url)
        if present != entry:
            raise KeptFileError(CHANGED if present else GONE)
        folder = self._failed if place == "failed" else f"{self._archive}/{datetime.now(UTC):%Y-%m-%d}"
        target = None if place == "deleted" else self._path(self._free(f"{folder}/{file.source.relative}", entry))
        return Removal(file.source.path, place, target, None, 0, 0, 0, file.size, file.mtime_ns, sha256)

    def _free(self, target: str, entry: StoreEntry) -> str:
        """``target``, or the first ``name-2.ext``, ``name-3.ext`` … that is free or a copy from before a crash."""
        folder, _, name = target.rpartition("/")
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        number, candidate = 1, target
        while self._is_taken(self._path(candidate)) or (
            (taken := self._store.entry(candidate)) and not taken.same_contents(entry)
        ):
            number += 1
            candidate = f"{folder}/{stem}-{number}{dot}{suffix}"
        return candidate

    def remove(self, removal: Removal) -> None:
        """See ArchiveFolders."""
        entry = self._entry(removal)
        if removal.target:
            target = self._url(removal.target)
            taken = self._store.entry(target)
            if taken and not taken.same_contents(entry):
                raise FileExistsError(f"{target} is taken")
            try:
                if not taken:
                    self._store.copy(entry.url, target)
            except ObjectGoneError as error:
                raise KeptFileError(GONE) from error
            copied = self._store.entry(target)
            if copied is None or copied.size != entry.size:
                raise KeptFileError(CHANGED)
        try:
            self._store.remove_unchanged(entry)
        except ObjectGoneError as error:
            if removal.target and not taken:
                self._store.remove(self._url(removal.target))  # of an object that was replaced before it was copied
            raise KeptFileError(CHANGED) from error

    def sync(self) -> None:
        """See ArchiveFolders. A store has an object when it says so."""

    def resolve(self, removal: Removal, *, may_delete: bool = True) -> Outcome:
        """See ArchiveFolders. An object that is still there stays, unless it was copied."""
        del may_delete
        try:
            entry = self._entry(removal)
            present = self._store.entry(entry.url)
            target = self._store.entry(self._url(removal.target)) if removal.target else None
            if present and present.same_contents(entry):
                if target is None or not target.same_contents(entry):
                    return "undone"
                if present == entry:
                    self._store.remove_unchanged(entry)
                return "done"
            if present or (target and target.size == entry.size):  # another object in its place: the one that was read has left
                return "done"
            return self._without_trace(removal)
        except (ObjectGoneError, StoreError, ValueError):
            return "in doubt"

    def _without_trace(self, removal: Removal) -> Outcome:
        """What to conclude of an object that is neither at its URL nor at its target.

        A folder in which nothing is listed may be that of another store.
        """
        if removal.target is None:
            return "done" if self._holds_something(self._objects.url) else "in doubt"
        folder = self._failed if removal.place == "failed" else self._archive
        return "undone" if self._holds_something(folder) else "in doubt"

    def _holds_something(self, url: str) -> bool:
        return next(self._store.entries(url), None) is not None

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders."""
        return self._path(f"{self._failed}/{relative}")

    def was_taken_out(self, path: Path, other: Path | None) -> bool:
        """See ArchiveFolders. A folder that lists nothing may be that of another store."""
        url = url_of(self._objects.root, path)
        if url is None or self._store.entry(url) is not None:
            return False
        return other is None or self.has_reason(other) or self._holds_something(self._failed)

    def has_reason(self, path: Path) -> bool:
        """See ArchiveFolders."""
        url = url_of(self._objects.root, path)
        return url is not None and self._store.entry(url + REASON_ENDING) is not None

    def write_reason(self, path: Path, reason: str, document: Path) -> None:
        """See ArchiveFolders. Rights in a store are those of its bucket."""
        del document
        self._store.write(self._url(path) + REASON_ENDING, reason.encode(errors="replace"))

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""
        if url := url_of(self._objects.root, path):
            self._store.remove(url + REASON_ENDING)

    def _entry(self, removal: Removal) -> StoreEntry:
        return StoreEntry(self._url(removal.path), removal.size, removal.mtime_ns)

    def _path(self, url: str) -> Path:
        return local_path(self._objects.root, url)

    def _url(self, path: Path) -> str:
        """The URL of a path that stands for an object. Raises ValueError for another path."""
        if url := url_of(self._objects.root, path):
            return url
        raise ValueError(f"{path} stands for no object")
