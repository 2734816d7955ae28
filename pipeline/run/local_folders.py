"""Archive and failed files in folders of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.run.archive_folders import Outcome, reason_path
from pipeline.run.file_removal import (
    CHANGED,
    GONE,
    ClaimLeftError,
    KeptFileError,
    claim_path,
    copy_path,
    finish,
    has_contents,
    numbered,
    remove,
)
from pipeline.runtime.file_system import FolderSync, make_folders
from pipeline.settings import Settings

_SIGNED = 2**63 - 1
"""SQLite's integers have 63 bits and a sign; inodes may have 64."""


class LocalFolders:
    """Folders of this machine; see ArchiveFolders. ``is_taken``: whether the ledger has a file at a path, though it may be gone."""

    def __init__(self, settings: Settings, is_taken: Callable[[Path], bool]) -> None:
        self._is_taken = is_taken
        self._inbox = settings.inbox.resolve()
        self._archive, self._failed = settings.archive_folder.resolve(), settings.failed_folder.resolve()
        self._folder_sync = FolderSync()
        self._targets: dict[Path, None] = {}
        self._sources: dict[Path, None] = {}

    def plan(self, file: InboxFile, sha256: str, place: RemovalPlace) -> Removal:
        """See ArchiveFolders."""
        present = restat_file(file)
        if present != file:
            raise KeptFileError(CHANGED if present else GONE)
        path = file.source.path
        status = path.stat()
        return Removal(
            *(path, place, self._target(file.source.relative, place), claim_path(path), status.st_dev & _SIGNED),
            *(status.st_ino & _SIGNED, path.parent.stat().st_ino & _SIGNED, file.size, file.mtime_ns, sha256),
        )

    def _target(self, relative: str, place: RemovalPlace) -> Path | None:
        if place == "deleted":
            return None
        folder = self._failed if place == "failed" else self._archive / f"{datetime.now(UTC):%Y-%m-%d}"
        target = candidate = folder / relative
        number = 1
        while os.path.lexists(candidate) or self._is_taken(candidate):
            number += 1
            candidate = numbered(target, number)
        return candidate

    def remove(self, removal: Removal) -> None:
        """See ArchiveFolders."""
        remove(removal, self._sync_target)
        self._note(removal)

    def _note(self, removal: Removal) -> None:
        self._sources[removal.path] = None
        if removal.target:
            self._targets[removal.target] = None

    def sync(self) -> None:
        """See ArchiveFolders. The targets come first: a file may be in both folders after a power cut, and never in none."""
        for target in self._targets:
            self._sync_target(target)
        present = [path for path in self._sources if path.parent.is_dir()]  # a share may have left after a crash
        self._folder_sync.sync(present, self._inbox)
        self._targets.clear()
        self._sources.clear()

    def _sync_target(self, target: Path) -> None:
        root = self._failed if target.is_relative_to(self._failed) else self._archive
        self._folder_sync.sync([target], root)

    def resolve(self, removal: Removal) -> Outcome:
        """See ArchiveFolders."""
        path, claim, target = removal.path, removal.claim, removal.target
        if claim is None:  # an object of an inbox that was in a store
            return "in doubt"
        if target:
            with suppress(OSError):
                copy_path(removal, target).unlink(missing_ok=True)
        try:
            if os.path.lexists(claim):
                finish(removal, self._sync_target)
                self._note(removal)
                return "done"
            if target and _is_moved(removal, target):
                self._note(removal)
                return "done"
            if not os.path.lexists(path) and path.parent.stat().st_ino & _SIGNED != removal.folder:
                return "in doubt"  # the folder is that of a share which is not there
            if target and has_contents(target, removal):
                self._sync_target(target)
                with suppress(KeptFileError):  # a file that was copied and, before a power cut, not deleted
                    remove(replace(removal, target=None), self._sync_target)
                self._note(removal)
                return "done"
            if os.path.lexists(path):  # another file in its place: the one that was read has left
                return "undone" if has_contents(path, removal) else "done"
            return self._without_trace(target) if target else "done"
        except KeptFileError:
            return "undone"
        except ClaimLeftError:
            raise
        except OSError:
            return "in doubt"

    def _without_trace(self, target: Path) -> Outcome:
        """What to conclude of a file that is neither at its path nor at its target: somebody took it, or the archive is not there."""
        root = self._failed if target.is_relative_to(self._failed) else self._archive
        with os.scandir(root) as entries:  # an empty folder may be the mount point of a share that is not there
            return "undone" if next(entries, None) else "in doubt"

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders."""
        return self._failed / relative

    def was_taken_out(self, path: Path, other: Path | None) -> bool:
        """See ArchiveFolders. A folder that holds nothing may be the mount point of a share that is not there."""
        if os.path.lexists(path):
            return False
        if other is None or reason_path(other).exists():  # its reason was taken out, too
            return True
        try:
            with os.scandir(self._failed) as entries:
                return next(entries, None) is not None
        except OSError:
            return False

    def write_reason(self, path: Path, reason: str) -> None:
        """See ArchiveFolders."""
        make_folders(path.parent)
        reason_path(path).write_text(reason, encoding="utf-8", errors="replace")

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""
        reason_path(path).unlink(missing_ok=True)


def _is_moved(removal: Removal, target: Path) -> bool:
    """Whether the file at the target is the very file that was read, though it may have changed since."""
    try:
        status = target.lstat()
    except FileNotFoundError:
        return False
    return (status.st_dev & _SIGNED, status.st_ino & _SIGNED) == (removal.device, removal.inode)
