"""Finds the files of the inbox that a run has to read.

A run that scans the inbox again and again passes over files that were up to date at the last scan and have not changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.job import Job

MAX_SINGLE_RECORDS = 1_000
"""Up to this many files are looked up in the ledger one by one; for more, the whole table is read."""


class InboxScanner:
    """Scans the inbox and remembers the files that are up to date. ``on_skip`` gets the folders that cannot be listed.

    With ``after: move`` or ``delete`` no file is remembered: one that comes back has the same size and time as before. A message that was
    marked is. ``recognise``
    gets the files to read and those that are up to date, and returns how many of the former it has recognised as known ones.
    """

    def __init__(
        self,
        job: Job,
        on_skip: Callable[[str, str], None],
        recognise: Callable[[list[InboxFile], list[InboxFile]], int] = lambda *_: 0,
    ) -> None:
        self._job, self._on_skip, self._recognise = job, on_skip, recognise
        self._unchanged: dict[str, tuple[int, int]] = {}

    def scan(self) -> tuple[list[InboxFile], list[InboxFile]]:
        """Files to read, and files that are up to date; the remembered ones are left out."""
        job = self._job
        while job.vacated_paths:
            self._unchanged.pop(job.vacated_paths.pop(), None)
        files = list(job.scan(self._on_skip, unchanged=self._unchanged))
        records = self._records(files)
        to_read, up_to_date = split_up_to_date(job, files, records)
        if self._recognise(to_read, up_to_date):
            records = self._records(files)
            to_read, up_to_date = split_up_to_date(job, files, records)
        messages = job.objects if is_mail_inbox(job.objects) else None
        for file in up_to_date:
            path = os.fspath(file.source.path)
            stays = job.settings.after == "keep" or (messages is not None and messages.is_marked(records[path]))
            if stays and not records[path].retry_at:
                self._unchanged[path] = (file.size, file.mtime_ns)
        return to_read, up_to_date

    def _records(self, files: list[InboxFile]) -> dict[str, FileRecord]:
        ledger = self._job.ledger
        if len(files) > MAX_SINGLE_RECORDS:
            return ledger.files_by_path()
        paths = [file.source.path for file in files]
        return {os.fspath(path): record for path in paths if (record := ledger.file_at(path))}


def split_up_to_date(
    job: Job, files: Iterable[InboxFile], records: Mapping[str, FileRecord]
) -> tuple[list[InboxFile], list[InboxFile]]:
    """Files to read, each once, and files that are up to date. ``records`` are the ledger's files by absolute path."""
    to_read: dict[Path, InboxFile] = {}
    up_to_date: list[InboxFile] = []
    for file in files:
        record = records.get(os.fspath(file.source.path))
        if record and job.up_to_date(record, file):
            up_to_date.append(file)
        else:
            to_read[file.source.path] = file
    return list(to_read.values()), up_to_date
