"""Where files go that are done with: moved within a file system, or copied and deleted within an object store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

from pipeline.intake.archive_moves import reason_file, set_aside, shelve
from pipeline.intake.scan import REASON_ENDING, InboxFile
from pipeline.intake.settle import restat_file
from pipeline.object_urls import beside, key_below, local_path, url_of
from pipeline.remote.object_store import ObjectGoneError, StoreEntry
from pipeline.remote.objects import MAX_SINGLE_LOOKUPS, ObjectInbox
from pipeline.settings import Settings


class Shelf(Protocol):
    """What the shelver asks of a place. All methods raise OSError, or StoreError for a store."""

    def unchanged(self, found: InboxFile) -> bool:
        """Whether a file of the inbox is still the one that was read."""
        ...

    def shelve(self, found: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """Put it away. Returns where it lies now; None when it was deleted."""
        ...

    def set_aside(self, found: InboxFile, reason: str) -> Path:
        """Move it to the failed ones, with the reason beside it. Returns where it lies now."""
        ...

    def aside(self, relative: str) -> Path:
        """Where a file with this path in the inbox lies among the failed ones."""
        ...

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """Those that are not there."""
        ...

    def forget_reason(self, place: Path) -> None:
        """The file at ``place`` is no longer set aside."""
        ...


class LocalShelf:
    """Folders of this machine; see Shelf."""

    def __init__(self, settings: Settings) -> None:
        self._archive, self._failed = settings.archive_folder, settings.failed_folder

    def unchanged(self, found: InboxFile) -> bool:
        """See Shelf."""
        return restat_file(found) == found

    def shelve(self, found: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """See Shelf."""
        return shelve(found.source.path, found.source.relative, after, self._archive)

    def set_aside(self, found: InboxFile, reason: str) -> Path:
        """See Shelf."""
        return set_aside(found.source.path, found.source.relative, self._failed.resolve(), reason)

    def aside(self, relative: str) -> Path:
        """See Shelf."""
        return self._failed.resolve() / relative

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """See Shelf."""
        return [path for path in paths if not path.exists()]

    def forget_reason(self, place: Path) -> None:
        """See Shelf."""
        reason_file(place).unlink(missing_ok=True)


class StoreShelf:
    """Folders in the inbox's store, by the paths that stand for its objects; see Shelf.

    Copied, looked at once more, deleted. A crash in between leaves the object in both places; the next move finds its own copy and goes on.
    An object that is replaced in the instant between the last look and the deletion is lost, unless the bucket keeps versions.
    """

    def __init__(self, settings: Settings, objects: ObjectInbox) -> None:
        self._objects, self._store = objects, objects.store
        archive, failed = (url_of(objects.root, folder) for folder in (settings.archive_folder, settings.failed_folder))
        self._archive, self._failed = archive or beside(objects.url, "archive"), failed or beside(objects.url, "failed")

    def unchanged(self, found: InboxFile) -> bool:
        """See Shelf."""
        return self._store.entry(self._entry(found).url) == self._entry(found)

    def shelve(self, found: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """See Shelf."""
        if after == "delete":
            self._remove(found)
            return None
        return self._moved(found, f"{self._archive}/{datetime.now(UTC):%Y-%m-%d}/{found.source.relative}")

    def set_aside(self, found: InboxFile, reason: str) -> Path:
        """See Shelf."""
        return self._moved(found, f"{self._failed}/{found.source.relative}", reason)

    def aside(self, relative: str) -> Path:
        """See Shelf."""
        return local_path(self._objects.root, f"{self._failed}/{relative}")

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """See Shelf."""
        wanted = {url: path for path in paths if (url := url_of(self._objects.root, path))}
        if len(wanted) <= MAX_SINGLE_LOOKUPS:
            return [path for url, path in wanted.items() if not self._store.entry(url)]
        within = all(key_below(url, self._objects.url) is not None for url in wanted)
        for entry in self._store.entries(self._objects.url) if within else ():
            wanted.pop(entry.url, None)
        return list(wanted.values()) if within else []

    def forget_reason(self, place: Path) -> None:
        """See Shelf."""
        if url := url_of(self._objects.root, place):
            self._store.remove(url + REASON_ENDING)

    def _entry(self, found: InboxFile) -> StoreEntry:
        return StoreEntry(url_of(self._objects.root, found.source.path) or "", found.size, found.mtime_ns)

    def _moved(self, found: InboxFile, target: str, reason: str | None = None) -> Path:
        entry = self._entry(found)
        free, there = self._free(target, entry)
        if reason is not None:
            self._store.write(free + REASON_ENDING, reason.encode(errors="replace"))
        if not there:
            try:
                self._store.copy(entry.url, free)
            except ObjectGoneError as error:
                raise FileNotFoundError("gone meanwhile") from error
        self._remove(found)
        return local_path(self._objects.root, free)

    def _remove(self, found: InboxFile) -> None:
        if not self.unchanged(found):
            raise FileNotFoundError("replaced meanwhile")
        self._store.remove(self._entry(found).url)

    def _free(self, target: str, entry: StoreEntry) -> tuple[str, bool]:
        """``target`` or the first of its kind that is not taken, and whether that is the object itself, copied before a crash."""
        folder, _, name = target.rpartition("/")
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        number, candidate = 1, target
        while taken := self._store.entry(candidate):
            if taken.same_contents(entry):
                return candidate, True
            number += 1
            candidate = f"{folder}/{stem}-{number}{dot}{suffix}"
        return candidate, False
