"""Members of an archive on their way into the loop: unpacked as it takes them, deleted as it is done with them.

A member is the same as in an earlier run when archive, name and contents are the same; the time at which it was unpacked does not
count. So the same command again goes on where it was.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.cli.console import Screen
from pipeline.intake.containers import SkippedMember, UnpackedFiles, UnpackedMember, unpack
from pipeline.intake.scan import InboxFile, outbox_name
from pipeline.monitoring.events import Observer
from pipeline.object_urls import url_of
from pipeline.records import Source
from pipeline.run.job import Job

PAUSE_SECONDS = 0.5
"""After so long without a document the loop gets to look after everything else."""


@dataclass
class UnpackingScreen(Screen):
    """A Screen that has members deleted when the loop is done with them."""

    lying: UnpackedFiles = field(default_factory=UnpackedFiles)

    def file_finished(self, found: InboxFile) -> None:
        """See Observer."""
        self.lying.remove(found.source.path)


def place(job: Job, archive: Path) -> Path:
    """Where the members of an archive (absolute, without links) lie: the ledger knows them by this place."""
    named = url_of(job.settings.objects_folder, archive) or archive
    return job.unpacked.resolve() / hashlib.sha256(os.fsencode(named)).hexdigest()[:16]


def members(
    job: Job, archive: Path, screen: UnpackingScreen, eyes: Observer, *, asked_only: bool = False
) -> Iterator[InboxFile | None]:
    """Members to read; None where none can be had just now. ``asked_only``: those that somebody asked to have read again.

    Raises OutboxError when the disk is full.
    """
    into, lying, last = place(job, archive), screen.lying, time.monotonic()
    folder = _folder(job, archive, into)

    def wanted(path: Path) -> bool:
        known = job.ledger.file_at(path) if asked_only else None
        return not asked_only or bool(known and known.stale)

    with closing(unpack(archive, into, max_bytes=job.settings.limits.megabytes * 1_000_000, is_needed=wanted)) as unpacking:
        while True:
            while lying.full:
                yield None
            item = next(unpacking, None)
            if item is None:
                return
            found = _look_at(job, archive, folder, item, screen, eyes)
            if found or time.monotonic() - last > PAUSE_SECONDS:
                yield found
                last = time.monotonic()


def _look_at(
    job: Job, archive: Path, folder: str, item: UnpackedMember | SkippedMember, screen: UnpackingScreen, eyes: Observer
) -> InboxFile | None:
    """A member as an InboxFile; None for those that are passed over or up to date."""
    if isinstance(item, SkippedMember):
        eyes.file_skipped(f"{archive.name}/{item.name}" if item.name else archive.name, item.reason)
        if item.document_lost:
            screen.documents["failed"] += 1
        return None
    screen.lying.add(item)
    known = job.ledger.file_at(item.path)
    if known and known.sha256 == item.sha256:
        os.utime(item.path, ns=(known.mtime_ns, known.mtime_ns))
    name = known.source.name if known else job.namer.within(item.path, f"{folder}/{item.name}")
    found = InboxFile(Source(item.path, name, f"{archive.name}/{item.original_name}"), item.size, item.path.stat().st_mtime_ns)
    if not known or not job.up_to_date(known, found):
        return found
    screen.lying.remove(item.path)
    eyes.files_found(0, 1)
    screen.known_failed += known.status in ("failed", "partial")
    return None


def _folder(job: Job, archive: Path, into: Path) -> str:
    """The archive's folder in the outbox: the one it has, else one that nobody else has."""
    name = job.ledger.first_name_below(into)
    return name.split("/", 1)[0] if name else job.namer.folder(outbox_name(archive.name))
