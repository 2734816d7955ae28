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
from pipeline.permissions import make_folder_like, rights_to_withhold, withheld_rights, withhold
from pipeline.run.archive_folders import Outcome, reason_path
from pipeline.run.file_removal import (
    CHANGED,
    GONE,
    ClaimLeftError,
    KeptFileError,
    claim_path,
    copy_path,
    finish,
    give_back,
    has_contents,
    numbered,
    remove,
)
from pipeline.run.trash_records import trash_folder
from pipeline.runtime.file_system import FolderSync
from pipeline.settings import Settings

_SIGNED = 2**63 - 1
"""SQLite's integers have 63 bits and a sign; inodes may have 64."""


class LocalFolders:
    """Folders of this machine; see ArchiveFolders and TargetFolders.

    ``is_taken``: whether the ledger has a file at a path, though it may be gone.
    """

    def __init__(self, settings: Settings, is_taken: Callable[[Path], bool]) -> None:
        self._is_taken = is_taken
        self._inbox = settings.inbox.resolve()
        self._archive, self._failed = settings.archive_folder.resolve(), settings.failed_folder.resolve()
        self._trash = trash_folder(settings.outbox).resolve()
        self._folder_sync = FolderSync()
        self._copied: set[Removal] = set()
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
        remove(removal, self)
        self._note(removal)

    def _note(self, removal: Removal) -> None:
        self._sources[removal.path] = None
        if removal.target:
            self._targets[removal.target] = None

    def sync(self) -> None:
        """See ArchiveFolders. The targets come first: a file may be in both folders after a power cut, and never in none."""
        for target in self._targets:
            self.sync_target(target)
        for path in self._sources:
            if path.parent.is_dir():  # a share may have left after a crash
                self._folder_sync.sync([path], self._trash if path.is_relative_to(self._trash) else self._inbox)
        self._targets.clear()
        self._sources.clear()

    def sync_target(self, target: Path) -> None:
        """See TargetFolders."""
        self._folder_sync.sync([target], self._root_of(target))

    def _root_of(self, target: Path) -> Path:
        """The folder of the user, or of the trash, in which a file is moved to ``target``."""
        roots = (self._trash, self._failed, self._archive, self._inbox)
        return next((root for root in roots if target.is_relative_to(root)), self._archive)

    def make(self, removal: Removal) -> None:
        """See TargetFolders."""
        if removal.target:
            self._make_folder(removal.target.parent, removal.path.parent)

    def _make_folder(self, folder: Path, model: Path) -> None:
        """Make a folder and those above it, each with the rights of its model, as far as the models are in the inbox."""
        top = self._failed if model.is_relative_to(self._failed) else self._inbox
        missing = []
        while not folder.is_dir() and folder != folder.parent:
            missing.append((folder, model))
            folder, model = folder.parent, model.parent if model != top and model.is_relative_to(top) else top
        for path, inbox_folder in reversed(missing):
            make_folder_like(path, inbox_folder)

    def resolve(self, removal: Removal, *, may_delete: bool = True) -> Outcome:
        """See ArchiveFolders."""
        path, claim, target = removal.path, removal.claim, removal.target
        if claim is None:  # an object of an inbox that was in a store
            return "in doubt"
        if target:
            with suppress(OSError):
                copy_path(removal, target).unlink(missing_ok=True)
        try:
            if os.path.lexists(claim):
                if target is None and not may_delete:
                    give_back(claim, path)
                    return "undone"
                finish(removal, self)
                self._note(removal)
                return "done"
            if target and _is_moved(removal, target):
                self._note(removal)
                return "done"
            return self._without_claim(removal)
        except KeptFileError:
            return "undone"
        except ClaimLeftError:
            raise
        except OSError:
            return "undone" if _is_given_back(removal) else "in doubt"

    def _without_claim(self, removal: Removal) -> Outcome:
        """What came of a removal whose file has not the name of its claim, or lies with that name on a share that is not there."""
        path, target = removal.path, removal.target
        is_at_path = os.path.lexists(path)
        is_known_copy = removal in self._copied and not is_at_path
        if target and (is_known_copy or has_contents(target, removal)):
            self.sync_target(target)
            if is_at_path:
                with suppress(KeptFileError):  # a file that was copied and, before a power cut, not deleted
                    remove(replace(removal, target=None), self)
            elif not _has_its_folder(removal):
                self._copied.add(removal)
                return "copied"
            self._note(removal)
            return "done"
        if is_at_path and has_contents(path, removal):
            return "undone"
        if not _has_its_folder(removal):
            return "in doubt"
        if is_at_path:  # another file in its place: the one that was read has left
            return "done"
        return self._without_trace(target) if target else "done"

    def _without_trace(self, target: Path) -> Outcome:
        """What to conclude of a file that is neither at its path nor at its target: somebody took it, or the archive is not there."""
        with os.scandir(
            self._root_of(target)
        ) as entries:  # an empty folder may be the mount point of a share that is not there
            return "undone" if next(entries, None) else "in doubt"

    def failed_path(self, relative: str) -> Path:
        """See ArchiveFolders."""
        return self._failed / relative

    def was_taken_out(self, path: Path, other: Path | None) -> bool:
        """See ArchiveFolders. A folder that holds nothing may be the mount point of a share that is not there."""
        if os.path.lexists(path):
            return False
        if other is None or self.has_reason(other):
            return True
        try:
            with os.scandir(self._failed) as entries:
                return next(entries, None) is not None
        except OSError:
            return False

    def has_reason(self, path: Path) -> bool:
        """See ArchiveFolders."""
        return reason_path(path).exists()

    def write_reason(self, path: Path, reason: str, document: Path) -> None:
        """See ArchiveFolders."""
        self._make_folder(path.parent, document.parent)
        top = self._failed if document.is_relative_to(self._failed) else self._inbox
        withheld = rights_to_withhold(withheld_rights(document, top), path.parent, document.stat().st_gid)
        descriptor = os.open(reason_path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666 & ~withheld)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            withhold(descriptor, withheld)
            file.write(reason)

    def remove_reason(self, path: Path) -> None:
        """See ArchiveFolders."""
        reason_path(path).unlink(missing_ok=True)


def _is_given_back(removal: Removal) -> bool:
    """Whether the file has its name and the contents that were read: nothing came of its removal."""
    try:
        return not os.path.lexists(removal.claim or removal.path) and has_contents(removal.path, removal)
    except OSError:
        return False


def _has_its_folder(removal: Removal) -> bool:
    """Whether the folder of a file is there. A share that is not mounted leaves another folder at its path, or none."""
    try:
        return removal.path.parent.stat().st_ino & _SIGNED == removal.folder
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_moved(removal: Removal, target: Path) -> bool:
    """Whether the file at the target is the very file that was read, though it may have changed since."""
    try:
        status = target.lstat()
    except (FileNotFoundError, NotADirectoryError):  # a file may be in the place of the target's folder
        return False
    return (status.st_dev & _SIGNED, status.st_ino & _SIGNED) == (removal.device, removal.inode)
