"""Moves or deletes finished files, moves failed files to a folder of their own, and recognises failed files that come back.

The ledger records a move after it has happened. The next start notices a crash in between (``catch_up``), so that the next file of the
same name does not replace this one's result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.errors import CURES, StoreError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.monitoring.events import Observer
from pipeline.records import DocumentStatus, Reason
from pipeline.run.archive_folders import ArchiveFolders, LocalFolders, StoreFolders
from pipeline.run.job import Job
from pipeline.values.times import utc_timestamp


class Archive:
    """Moves or deletes files as the settings say, and reports each to ``observer``."""

    def __init__(self, job: Job, observer: Observer) -> None:
        self._job, self._observer = job, observer
        self._root = job.inbox.root
        self._folders: ArchiveFolders = StoreFolders(job.settings, job.objects) if job.objects else LocalFolders(job.settings)

    def archive(self, file: InboxFile, status: DocumentStatus, reason: Reason | None = None, detail: str = "") -> None:
        """Move or delete a file of the inbox whose result is published, unless it is no longer the one that was read."""
        settings, path = self._job.settings, file.source.path
        if settings.after == "keep" or not path.is_relative_to(self._root):
            return
        new_path: Path | None
        try:
            if not self._folders.is_unchanged(file):
                return
            if status == "done":
                new_path = self._folders.archive(file, settings.after)
            else:
                new_path = self._folders.move_to_failed(file, _reason_text(file, status, reason, detail))
        except OSError as error:
            self._observer.file_not_archived(file.source.name, error.strerror or str(error))
            return
        except StoreError as error:
            self._observer.file_not_archived(file.source.name, error.message)
            return
        self._record_move(path, new_path, failed=status != "done")
        self._observer.file_archived(file.source.name, str(new_path or ""))

    def archive_published(self, files: Iterable[InboxFile]) -> None:
        """Move or delete files that an earlier run published and that are still in the inbox."""
        for file in files if self._job.settings.after != "keep" else ():
            record = self._job.ledger.file_at(file.source.path)
            if record and record.status and not record.retry_at:
                reason, detail = self._job.ledger.failure_reason(record.sha256)
                self.archive(file, record.status, reason, detail)

    def catch_up(self) -> None:
        """Record the moves that a run made just before it died: of files that are published, and no longer at their path."""
        if self._job.settings.after == "keep":
            return
        published = {  # a file that waits for a retry was not moved
            file.source.path: file
            for file in self._job.file_records.values()
            if file.published_sha256 and not file.retry_at and file.source.path.is_relative_to(self._root)
        }
        for path in self._folders.missing(published):
            file = published[path]
            self._record_move(path, self._failed_path_of(file), failed=file.status != "done")

    def _failed_path_of(self, file: FileRecord) -> Path | None:
        """Where a failed file was moved to; None when it is not there."""
        path = self._folders.failed_path(file.source.relative)
        if file.status == "done" or self._job.ledger.file_at(path) or self._folders.missing([path]):
            return None
        return path

    def _record_move(self, path: Path, new_path: Path | None, *, failed: bool) -> None:
        if new_path is None:
            self._job.ledger.record_deletion(path)
            self._job.outbox_names.deleted(path)
        else:
            self._job.ledger.record_move(path, new_path, "failed" if failed else "archive")
            self._job.outbox_names.moved(path, new_path)

    def restore(self, file: InboxFile, sha256: str) -> InboxFile:
        """The file with its old name in the outbox, if it failed before and was moved back into the inbox; else the file as it is."""
        ledger, folder = self._job.ledger, self._job.settings.failed_folder.resolve()
        namesake = ledger.file_at(self._folders.failed_path(file.source.relative))
        for record in [*([namesake] if namesake else []), *ledger.files_with_contents(sha256)]:
            path = record.source.path
            if path.is_relative_to(folder) and self._folders.missing([path]):
                ledger.mark_for_rereading([record], failed_only=True)
                ledger.record_move(path, file.source.path, "original")
                self._job.outbox_names.moved(path, file.source.path)
                self._folders.remove_reason(path)
                return replace(file, source=replace(file.source, name=record.source.name))
        return file


def _reason_text(file: InboxFile, status: DocumentStatus, reason: Reason | None, detail: str) -> str:
    """The text of the file that lies beside a failed file."""
    cure = CURES[reason] if reason else ""
    lines = [
        f"file:    {file.source.relative}",
        f"status:  {status}" + (" (what could be read of it is in the outbox)" if status == "partial" else ""),
        f"reason:  {reason}: {detail}" if reason else "",
        f"cure:    {cure}" if cure else "",
        f"result:  {file.source.name}.json in the outbox",
        f"when:    {utc_timestamp()}",
        "",
        "To have it read again, move the file back into the inbox.",
        "",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or number > 4)
