"""Moves or deletes finished files, moves failed files to a folder of their own, and recognises failed files that come back.

Many files at a time go through three steps: what was read of them is on the disk (the publisher sees to that); the ledger has on the disk
that they are about to be moved or deleted (``plan``); they are moved or deleted, and the ledger records that (``carry_out``). A crash in
between leaves open removals, and the next start finishes or undoes them (``catch_up``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import OutboxError, StoreError, cure_of
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.removal_records import Removal, RemovalPlace
from pipeline.monitoring.events import Observer
from pipeline.records import DocumentStatus, Reason
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.archive_folders import ArchiveFolders, Outcome
from pipeline.run.container_moves import with_parts
from pipeline.run.file_removal import CHANGED, ClaimLeftError, KeptFileError
from pipeline.run.job import Job
from pipeline.run.local_folders import LocalFolders
from pipeline.run.lost_claims import give_back_lost_claims
from pipeline.run.mail_folders import MailFolders
from pipeline.run.store_folders import StoreFolders
from pipeline.values.times import utc_timestamp

BATCH = 100
"""Files that are moved or deleted before their folders are synced and the ledger records it."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file whose result is published, with what the result says."""

    file: InboxFile
    sha256: str
    status: DocumentStatus
    reason: Reason | None = None
    detail: str = ""


class Archive:
    """Moves or deletes files as the settings say, and reports each to ``observer``."""

    def __init__(self, job: Job, observer: Observer) -> None:
        self._job, self._observer = job, observer
        self._root = job.inbox.root
        self._failed_root = job.settings.failed_folder.resolve()
        self._folders = self._open_folders()
        self._planned: dict[Path, tuple[Removal, ReadFile]] = {}

    def _open_folders(self) -> ArchiveFolders:
        job = self._job
        if is_mail_inbox(job.objects):
            return MailFolders(job.settings, job.objects)
        if job.objects:
            return StoreFolders(job.settings, job.objects, self._is_taken)
        return LocalFolders(job.settings, self._is_taken)

    def _is_taken(self, path: Path) -> bool:
        return self._job.ledger.file_at(path) is not None

    # ---- files that were read -----------------------------------------------------------------------

    def plan(self, files: Iterable[ReadFile]) -> None:
        """Record on the disk that these files of the inbox, whose results are on the disk, are about to be moved or deleted."""
        if self._job.settings.after == "keep":
            return
        planned: dict[Path, tuple[Removal, ReadFile]] = {}
        targets: set[Path] = set()
        for item in files:
            try:
                removal = self._removal(item)
            except (KeptFileError, OSError, StoreError) as error:
                self._observer.file_not_archived(item.file.source.name, _describe(error))
                continue
            if removal and removal.target not in targets:  # else it follows with the next plan
                planned[removal.path] = (removal, item)
                targets |= {removal.target} if removal.target else set()
        if planned:
            self._job.ledger.begin_removals(removal for removal, _ in planned.values())
            self._planned |= planned

    def _removal(self, item: ReadFile) -> Removal | None:
        """The removal of a file; None for one that stays where it is."""
        path = item.file.source.path
        record = self._job.ledger.file_at(path)
        if record is None or record.source.name != item.file.source.name:  # e.g. published again after it was deleted
            return None
        if item.file.size == 0:  # no document yet
            return None
        if self._is_marked(record) and self._job.settings.after in ("seen", "flagged"):
            return None
        if path.is_relative_to(self._failed_root):  # it changed there, and was read again
            if item.status != "done":
                self._folders.write_reason(path, _reason_text(item), path)
                return None
        elif not path.is_relative_to(self._root):
            return None
        place: RemovalPlace = "deleted" if self._job.settings.after == "delete" else "archive"
        return self._folders.plan(item.file, item.sha256, place if item.status == "done" else "failed")

    def _is_marked(self, record: FileRecord) -> bool:
        """Whether a message was marked after it was read, and is still in its folder."""
        return is_mail_inbox(self._job.objects) and self._job.objects.is_marked(record)

    def plan_published(self, files: Iterable[InboxFile]) -> None:
        """``plan`` for files that an earlier run published and that are still in the inbox."""
        self.plan(self._published(files) if self._job.settings.after != "keep" else ())

    def may_leave(self, file: InboxFile) -> bool:
        """Whether something is left to do with a file that is up to date."""
        record = self._job.ledger.file_at(file.source.path)
        return record is not None and not self._is_marked(record) and not (record.status == "failed" and self._keeps_failed)

    @property
    def _keeps_failed(self) -> bool:
        return self._job.settings.is_mailbox and not self._job.settings.mailbox.failed

    def _published(self, files: Iterable[InboxFile]) -> Iterable[ReadFile]:
        ledger = self._job.ledger
        for file in files:
            record = ledger.file_at(file.source.path)
            if record and record.status and record.published_sha256 and not record.retry_at:
                yield ReadFile(file, record.published_sha256, record.status, *ledger.failure_reason(record.sha256))

    def carry_out(self) -> None:
        """Move or delete the planned files."""
        planned, self._planned = list(self._planned.values()), {}
        for start in range(0, len(planned), BATCH):
            self._carry_out(planned[start : start + BATCH])

    def _carry_out(self, batch: Sequence[tuple[Removal, ReadFile]]) -> None:
        done: list[tuple[Removal, ReadFile]] = []
        undone: list[Removal] = []
        try:
            for removal, item in batch:
                name = item.file.source.name
                try:
                    if removal.place == "failed" and removal.target:
                        self._folders.write_reason(removal.target, _reason_text(item), removal.path)
                    self._folders.remove(removal)
                    done.append((removal, item))
                except ClaimLeftError as error:
                    self._observer.file_not_archived(name, _describe(error))
                except (KeptFileError, OSError, StoreError) as error:
                    if isinstance(error, KeptFileError) and error.reason == CHANGED and restat_file(item.file) == item.file:
                        self._job.ledger.mark_stale(name)  # its size and time do not show that it was replaced
                    undone.append(removal)
                    if removal.place == "failed" and removal.target:
                        with suppress(OSError, StoreError):  # where its folder is a file, there is none
                            self._folders.remove_reason(removal.target)
                    self._observer.file_not_archived(name, _describe(error))
        finally:
            self._sync()
            self._end([removal for removal, _ in done], undone)
        for removal, item in done:
            if item.file.source.path.is_relative_to(self._failed_root):
                self._folders.remove_reason(removal.path)
            self._observer.file_archived(item.file.source.name, str(removal.target or ""))

    def _end(self, done: Sequence[Removal], undone: Sequence[Removal], copied: Sequence[Removal] = ()) -> None:
        for removal, path in self._job.ledger.end_removals(done, undone, copied):
            self._job.file_records.pop(str(path), None)
            if removal.target:
                self._job.outbox_names.moved(path, removal.target)
            else:
                self._job.outbox_names.deleted(path)

    # ---- after a crash ------------------------------------------------------------------------------

    def recover(self, *, whole_inbox: bool) -> None:
        """Finish or undo what a crash interrupted. In the ``whole_inbox``, files that it left hidden get their names back."""
        self.record_places()
        self.catch_up()
        if whole_inbox:
            give_back_lost_claims(self._job, self._observer.warning)

    def catch_up(self, *, may_delete: bool = True) -> None:
        """Finish or undo the removals that a crash interrupted; without ``may_delete``, files that were to be deleted stay.

        What cannot be decided now, because a share is not there, stays open.
        """
        if self._planned:
            return
        outcomes: dict[Outcome, list[Removal]] = {"done": [], "undone": [], "copied": [], "in doubt": []}
        for removal in self._job.ledger.open_removals():
            try:
                outcomes[self._folders.resolve(removal, may_delete=may_delete)].append(removal)
            except ClaimLeftError as error:
                self._observer.file_not_archived(removal.path.name, _describe(error))
        if outcomes["done"] or outcomes["undone"] or outcomes["copied"]:
            self._sync()
            self._end(outcomes["done"], outcomes["undone"], outcomes["copied"])

    def set_aside(self, record: FileRecord) -> bool:
        """Whether the file of a record is about to leave, and another file may have come to its path; its record then leaves that path.

        It keeps its name in the outbox. Not so a file that this run is about to move or delete: whether it was replaced is looked at then.
        """
        path = record.source.path
        removal = self._job.ledger.leaving_file(path, record.sha256)
        if removal is None or path in self._planned:
            return False
        if removal.claim and removal.claim != path:
            self._job.ledger.record_move(path, removal.claim, "original")
            self._job.outbox_names.moved(path, removal.claim)
        else:
            self._job.ledger.record_deletion(path)
            self._job.outbox_names.deleted(path)
        return True

    def _sync(self) -> None:
        """Bring the removals to the disk. Raises OutboxError."""
        try:
            self._folders.sync()
        except OSError as error:
            raise OutboxError(
                f"{error.filename or 'the archive'}: cannot be synced: {error.strerror or error}",
                "check the disk; nothing is lost, the next run goes on",
            ) from error

    def record_places(self) -> None:
        """Record the places of files that an older version has moved."""
        settings, ledger = self._job.settings, self._job.ledger
        with ledger.transaction():
            for folder in {settings.archive_folder, settings.archive_folder.resolve()}:
                ledger.record_place_below(folder, "archive")
            ledger.record_place_below(self._failed_root, "failed")

    # ---- failed files that come back ----------------------------------------------------------------

    def restore(self, file: InboxFile, sha256: str) -> InboxFile:
        """The file with its old name in the outbox, if it failed before and was moved back into the inbox; else the file as it is."""
        ledger = self._job.ledger
        namesake = ledger.file_at(self._folders.failed_path(file.source.relative))
        for record in [*([namesake] if namesake else []), *ledger.files_with_contents(sha256)]:
            path = record.source.path
            came_back = file.source.path if record.sha256 != sha256 else None
            if came_back and record.status != "failed" and not self._folders.has_reason(came_back):
                continue  # pages of it were read: another file of that name must not replace its result
            is_failed = record.place != "deleted" and path.is_relative_to(self._failed_root)
            if is_failed and self._folders.was_taken_out(path, came_back):
                ledger.mark_for_rereading(with_parts(self._job, [record]), failed_only=True)
                ledger.record_move(path, file.source.path, "original")
                self._job.outbox_names.moved(path, file.source.path)
                self._folders.remove_reason(path)
                return replace(file, source=replace(file.source, name=record.source.name))
        return file


def _describe(error: Exception) -> str:
    """Why a file stays, in words."""
    if isinstance(error, KeptFileError):
        return error.reason
    if isinstance(error, StoreError):
        return error.message
    return getattr(error, "strerror", None) or str(error)


def _reason_text(item: ReadFile) -> str:
    """The text of the file that lies beside a failed file."""
    file, status, reason = item.file, item.status, item.reason
    cure = cure_of(reason, file.source.name) if reason else ""
    lines = [
        f"file:    {file.source.relative}",
        f"status:  {status}" + (" (what could be read of it is in the outbox)" if status == "partial" else ""),
        f"reason:  {reason}: {item.detail}" if reason else "",
        f"cure:    {cure}" if cure else "",
        f"result:  {file.source.name}.json in the outbox",
        f"when:    {utc_timestamp()}",
        "",
        "To have it read again, move the file back into the inbox."
        + (" A repaired copy also needs this text beside it." if status == "partial" else ""),
        "",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or number > 4)
