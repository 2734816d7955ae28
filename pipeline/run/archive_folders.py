"""Where finished files go: to folders of this machine, or to other keys of the same object store."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

from pipeline.intake.scan import REASON_ENDING, InboxFile
from pipeline.intake.settle import restat_file
from pipeline.object_urls import key_below, local_path, sibling_url, url_of
from pipeline.remote.object_store import ObjectGoneError, StoreEntry
from pipeline.remote.objects import MAX_SINGLE_LOOKUPS, ObjectInbox
from pipeline.settings import Settings

MAX_CUT_BYTES = 240
"""Bytes of a name to which a suffix is added."""


class ArchiveFolders(Protocol):
    """The folders for finished and for failed files. All methods raise OSError, or StoreError for an object store."""

    def is_unchanged(self, file: InboxFile) -> bool:
        """Whether a file of the inbox is still the one that was read."""
        ...

    def archive(self, file: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """Move or delete a file. Returns its new path; None when it was deleted."""
        ...

    def move_to_failed(self, file: InboxFile, reason: str) -> Path:
        """Move a file to the folder of failed files, with the reason beside it. Returns its new path."""
        ...

    def failed_path(self, relative: str) -> Path:
        """The path in the folder of failed files for a path in the inbox."""
        ...

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """The paths where no file is."""
        ...

    def remove_reason(self, path: Path) -> None:
        """Delete the reason beside a failed file."""
        ...


class LocalFolders:
    """Folders of this machine; see ArchiveFolders."""

    def __init__(self, settings: Settings) -> None:
        self._archive, self._failed = settings.archive_folder, settings.failed_folder

    def is_unchanged(self, file: InboxFile) -> bool:
        """See ArchiveFolders."""
        return restat_file(file) == file

    def archive(self, file: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """See ArchiveFolders."""
        return move_or_delete(file.source.path, file.source.relative, after, self._archive)

    def move_to_failed(self, file: InboxFile, reason: str) -> Path:
        """See ArchiveFolders."""
        return move_with_reason(file.source.path, file.source.relative, self._failed.resolve(), reason)

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders."""
        return self._failed.resolve() / relative

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """See ArchiveFolders."""
        return [path for path in paths if not path.exists()]

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""
        reason_file(path).unlink(missing_ok=True)


class StoreFolders:
    """Folders in the inbox's object store, by the paths that stand for its objects; see ArchiveFolders.

    An object is copied, checked once more and deleted. A crash in between leaves the object in both places; the next move recognises the
    copy and goes on. An object that is replaced between the last check and the deletion is lost, unless the bucket keeps versions.
    """

    def __init__(self, settings: Settings, objects: ObjectInbox) -> None:
        self._objects, self._store = objects, objects.store
        archive, failed = (url_of(objects.root, folder) for folder in (settings.archive_folder, settings.failed_folder))
        self._archive, self._failed = (
            archive or sibling_url(objects.url, "archive"),
            failed or sibling_url(objects.url, "failed"),
        )

    def is_unchanged(self, file: InboxFile) -> bool:
        """See ArchiveFolders."""
        return self._store.entry(self._entry(file).url) == self._entry(file)

    def archive(self, file: InboxFile, after: Literal["move", "delete"]) -> Path | None:
        """See ArchiveFolders."""
        if after == "delete":
            self._remove(file)
            return None
        return self._move(file, f"{self._archive}/{datetime.now(UTC):%Y-%m-%d}/{file.source.relative}")

    def move_to_failed(self, file: InboxFile, reason: str) -> Path:
        """See ArchiveFolders."""
        return self._move(file, f"{self._failed}/{file.source.relative}", reason)

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders."""
        return local_path(self._objects.root, f"{self._failed}/{relative}")

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """See ArchiveFolders."""
        by_url = {url: path for path in paths if (url := url_of(self._objects.root, path))}
        if len(by_url) <= MAX_SINGLE_LOOKUPS:
            return [path for url, path in by_url.items() if not self._store.entry(url)]
        within = all(key_below(url, self._objects.url) is not None for url in by_url)
        for entry in self._store.entries(self._objects.url) if within else ():
            by_url.pop(entry.url, None)
        return list(by_url.values()) if within else []

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""
        if url := url_of(self._objects.root, path):
            self._store.remove(url + REASON_ENDING)

    def _entry(self, file: InboxFile) -> StoreEntry:
        return StoreEntry(url_of(self._objects.root, file.source.path) or "", file.size, file.mtime_ns)

    def _move(self, file: InboxFile, target: str, reason: str | None = None) -> Path:
        entry = self._entry(file)
        free, is_copied = self._free(target, entry)
        if reason is not None:
            self._store.write(free + REASON_ENDING, reason.encode(errors="replace"))
        if not is_copied:
            try:
                self._store.copy(entry.url, free)
            except ObjectGoneError as error:
                raise FileNotFoundError("no longer there") from error
        self._remove(file)
        return local_path(self._objects.root, free)

    def _remove(self, file: InboxFile) -> None:
        if not self.is_unchanged(file):
            raise FileNotFoundError("replaced since it was read")
        self._store.remove(self._entry(file).url)

    def _free(self, target: str, entry: StoreEntry) -> tuple[str, bool]:
        """``target``, or the first ``name-2.ext``, ``name-3.ext`` … that is free, and whether it is a copy from before a crash."""
        folder, _, name = target.rpartition("/")
        stem, dot, suffix = name.rpartition(".") if "." in name[1:] else (name, "", "")
        number, candidate = 1, target
        while taken := self._store.entry(candidate):
            if taken.same_contents(entry):
                return candidate, True
            number += 1
            candidate = f"{folder}/{stem}-{number}{dot}{suffix}"
        return candidate, False


# ---- moves within file systems --------------------------------------------------------------------------


def move_or_delete(path: Path, relative: str, after: Literal["move", "delete"], archive: Path) -> Path | None:
    """Move ``path`` to the archive's folder of the day, or delete it. Returns its new path; None when deleted. Raises OSError."""
    if after == "delete":
        path.unlink(missing_ok=True)
        return None
    return _rename(path, _free_path(archive / datetime.now(UTC).strftime("%Y-%m-%d") / relative))


def move_with_reason(path: Path, relative: str, folder: Path, reason: str) -> Path:
    """Move ``path`` below ``folder``. A file with ``reason`` is written beside it first. Returns its new path. Raises OSError."""
    target = _free_path(folder / relative)
    _make_folders(target.parent)
    reason_file(target).write_text(reason, encoding="utf-8", errors="replace")
    return _rename(path, target)


def reason_file(path: Path) -> Path:
    """The file that says why the file at ``path`` failed."""
    return path.with_name(_cut(path.name) + REASON_ENDING)


def _rename(path: Path, target: Path) -> Path:
    """Rename ``path``. To another file system it is copied beside the target and renamed there: a crash leaves no half file as target."""
    _make_folders(target.parent)
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        unfinished = target.with_name(f".{_cut(target.name)}.part")
        shutil.copy2(path, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(target)
        path.unlink()
    return target


def _cut(name: str) -> str:
    """A file name with room for a suffix: file systems take 255 bytes."""
    short = name[:200]
    raw = os.fsencode(short)
    return short if len(raw) <= MAX_CUT_BYTES else raw[:200].decode(errors="ignore")


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it. ``Path.mkdir(parents=True)`` fails by recursion a thousand folders below."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)


def _free_path(target: Path) -> Path:
    """``target``, or the first ``name-2.ext``, ``name-3.ext`` … that is free."""
    candidate, number = target, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return candidate
