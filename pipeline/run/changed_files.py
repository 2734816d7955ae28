"""Finds moved files that have changed since they were read: a scanner may add a page to a file that is in the archive already.

Such a file is read again where it is, and its new result replaces the old one. A failed file is looked at as long as it is in its folder;
once it can be read, it goes where finished files go. A file in the archive is looked at until it is found unchanged a day or more after it
was moved, so that a program which was stopped for a week looks once more. A file that is absent says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import SettleTracker
from pipeline.ledger.file_records import FileRecord
from pipeline.run.job import Job
from pipeline.values.times import utc_timestamp

LOOK_FOR = timedelta(days=1)
"""How long a file in the archive is looked at, at least."""
ABSENT_FOR = timedelta(days=30)
"""How long a file that is no longer in the archive is looked for."""


class ChangedFiles:
    """The moved files of a job that have changed. ``settled`` looks every ``rescan_seconds``, for a program that goes on."""

    def __init__(self, job: Job, quiet_seconds: float = 0.0, rescan_seconds: float = 0.0) -> None:
        self._job = job
        self._tracker, self._rescan_seconds = SettleTracker(quiet_seconds), rescan_seconds
        self._next_look = 0.0

    def changed(self) -> list[InboxFile]:
        """Files that differ from what was read of them, in size or time, and are not empty."""
        if self._job.objects:  # an object does not change; one that is replaced is another one
            return []
        found: list[InboxFile] = []
        unchanged: list[Path] = []
        for record in self._job.ledger.watched_files():
            present = self._job.present_file(record.source)
            if present is None or (present.size, present.mtime_ns) == (record.size, record.mtime_ns):
                if _is_over(record, ABSENT_FOR if present is None else LOOK_FOR):
                    unchanged.append(record.source.path)
            elif present.size:
                found.append(present)
        if unchanged:
            self._job.ledger.end_watch(unchanged)
        return found

    def settled(self) -> Sequence[InboxFile]:
        """Changed files that no longer change. Empty until the next look is due."""
        if time.monotonic() < self._next_look:
            return ()
        self._next_look = time.monotonic() + self._rescan_seconds
        return [file for file in self.changed() if self._tracker.is_settled(file)]


def _is_over(record: FileRecord, period: timedelta) -> bool:
    return record.place == "archive" and (record.archived_at or "") < utc_timestamp(-period)
