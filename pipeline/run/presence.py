"""Whether the file of a record is where the ledger says, was replaced or touched, or is gone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import FileChangedError, StoreError
from pipeline.intake.absence import FolderMark, InboxFolders
from pipeline.intake.hashing import content_hash
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.moved_files import folder_marks, record_folders
from pipeline.run.job import Job

NEIGHBOURS = 50
"""Known files of a folder that are looked at to find one that is there."""


class Presence:
    """Looks for the files of a job's inbox. It remembers nothing about files, so that each answer is the present one."""

    def __init__(self, job: Job) -> None:
        self._job, self._root = job, job.inbox.root
        self._own_folders = tuple(folder.resolve() for folder in job.inbox.own_folders)
        self._folders: InboxFolders | None = None

    @property
    def folders(self) -> InboxFolders:
        """The folders of the inbox, with what the ledger knows of them."""
        if self._folders is None:
            marks = {path: FolderMark(*mark) for path, mark in folder_marks(self._job.ledger).items()}
            self._folders = InboxFolders(self._root, marks, self._holds_known_file)
        return self._folders

    def observe(self, found: Iterable[InboxFile], known: Iterable[InboxFile]) -> None:
        """Record the folders in which a scan has found files; ``known`` are the files that are up to date."""
        if self._job.objects is None:
            known_paths = [file.source.path for file in known]
            marks = self.folders.observe([*(file.source.path for file in found), *known_paths], known_paths)
            if marks:
                record_folders(self._job.ledger, {path: (mark.inode, mark.is_mount) for path, mark in marks.items()})

    def is_in_inbox(self, path: Path) -> bool:
        """Whether a path is one of the inbox: a file of it, or an object."""
        objects = self._job.objects
        if objects:
            return objects.is_object(path)
        return path.is_relative_to(self._root) and not any(path.is_relative_to(folder) for folder in self._own_folders)

    def is_gone(self, record: FileRecord) -> bool:
        """Whether a file of the inbox no longer exists. False where that cannot be known: its share may not be mounted."""
        if self._job.objects:
            try:
                return self._job.objects.restat_file(record.source) is None
            except StoreError:
                return False
        return self.folders.is_gone(record.source.path)

    def has_left(self, record: FileRecord) -> bool:
        """Whether a document is no longer at its path: the file is gone, or has other contents now."""
        if self._job.objects:
            return self.is_gone(record)
        present = self._job.present_file(record.source)
        if present is None:
            return self.is_gone(record)
        is_same_file = record.inode is None or present.inode in (None, record.inode)
        if (present.size, present.mtime_ns) == (record.size, record.mtime_ns) and is_same_file:
            return False
        if 0 <= record.size != present.size:
            return True
        try:
            sha256 = content_hash(present)
        except (OSError, FileChangedError):
            return False
        return sha256 is not None and sha256 != record.sha256

    def _holds_known_file(self, folder: Path) -> bool:
        for record in self._job.ledger.original_below(folder, NEIGHBOURS):
            try:
                status = record.source.path.stat()
            except OSError:
                continue
            if (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns):
                return True
        return False
