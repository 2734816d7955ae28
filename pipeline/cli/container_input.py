"""The members of an archive as documents: unpacked one by one for the loop, and deleted after they are read.

A member is known from an earlier run when archive, name and contents are the same. The time of unpacking does not count. So the same
command, given again, continues where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.cli.console import RunScreen
from pipeline.intake.archive_worker import ArchiveWorker
from pipeline.intake.containers import SkippedMember, UnpackedFiles, UnpackedMember
from pipeline.intake.scan import InboxFile, outbox_name
from pipeline.monitoring.events import Observer
from pipeline.object_urls import url_of
from pipeline.permissions import withheld_rights, withhold
from pipeline.records import Source
from pipeline.run.job import Job

PAUSE_SECONDS = 0.5
"""After this long without a document, the loop gets control back to do its other work."""


@dataclass
class ArchiveScreen(RunScreen):
    """A RunScreen that deletes an unpacked member once the loop has finished it."""

    unpacked_files: UnpackedFiles = field(default_factory=UnpackedFiles)

    def file_finished(self, file: InboxFile) -> None:
        """See Observer."""
        self.unpacked_files.remove(file.source.path)


def unpacked_folder(job: Job, archive: Path) -> Path:
    """The folder for the members of an archive (an absolute path without links). Their paths in the ledger begin with it."""
    location = url_of(job.settings.objects_folder, archive) or archive
    return job.unpacked.resolve() / hashlib.sha256(os.fsencode(location)).hexdigest()[:16]


def archive_members(
    job: Job, worker: ArchiveWorker, archive: Path, screen: ArchiveScreen, observer: Observer, *, outdated_only: bool = False
) -> Iterator[InboxFile | None]:
    """Members to read; None when no member is ready yet. ``outdated_only`` yields only those that the ledger marks to be read again.

    Raises OutboxError when the disk is full.
    """
    folder, unpacked, last = unpacked_folder(job, archive), screen.unpacked_files, time.monotonic()
    outbox_folder = _outbox_folder(job, archive, folder)

    needed = None
    if outdated_only:
        records = job.ledger.files_by_path().values()
        needed = [file.source.path.name for file in records if file.stale and file.source.path.parent == folder]
    max_bytes = job.settings.limits.megabytes * 1_000_000
    with closing(
        worker.unpack(archive, folder, max_bytes=max_bytes, needed=needed, ignore=job.settings.intake.ignore)
    ) as members:
        while True:
            while unpacked.full:
                yield None
            member = next(members, None)
            if member is None:
                return
            file = _as_inbox_file(job, archive, outbox_folder, member, screen, observer)
            if file or time.monotonic() - last > PAUSE_SECONDS:
                yield file
                last = time.monotonic()


def _as_inbox_file(
    job: Job,
    archive: Path,
    outbox_folder: str,
    member: UnpackedMember | SkippedMember,
    screen: ArchiveScreen,
    observer: Observer,
) -> InboxFile | None:
    """A member as a file to read; None when it is skipped or up to date."""
    if isinstance(member, SkippedMember):
        shown_name = f"{archive.name}/{member.name}" if member.name else archive.name
        if member.document_lost:
            observer.file_skipped(shown_name, member.reason)
            screen.documents["failed"] += 1
        else:
            observer.file_ignored(shown_name, member.reason)
        return None
    screen.unpacked_files.add(member)
    withhold(member.path, withheld_rights(archive, job.inbox.root))
    record = job.ledger.file_at(member.path)
    if record and record.sha256 == member.sha256:
        os.utime(member.path, ns=(record.mtime_ns, record.mtime_ns))
    name = record.source.name if record else job.outbox_names.within(member.path, f"{outbox_folder}/{member.name}")
    source = Source(member.path, name, f"{archive.name}/{member.original_name}")
    file = InboxFile(source, member.size, member.path.stat().st_mtime_ns)
    if not record or not job.up_to_date(record, file):
        return file
    screen.unpacked_files.remove(member.path)
    observer.files_found(0, 1)
    screen.known_failed += record.status in ("failed", "partial")
    return None


def _outbox_folder(job: Job, archive: Path, folder: Path) -> str:
    """The archive's folder in the outbox: the one of an earlier run, else a new one."""
    name = job.ledger.first_name_below(folder)
    return name.split("/", 1)[0] if name else job.outbox_names.folder(outbox_name(archive.name))
