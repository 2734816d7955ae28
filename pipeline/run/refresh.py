"""What is new in the inbox. Looking again and again: what was known and unchanged the last time is passed over at the price of a glance."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.run.job import Job

FEW = 1_000
"""So many files are looked up one by one; for more the whole ledger is read."""


class Rescan:
    """Remembers files that are read and stay where they are. ``left`` is told of folders that cannot be looked into.

    Nothing is remembered where files are put away: one that comes back looks just as it did.
    """

    def __init__(self, job: Job, left: Callable[[str, str], None]) -> None:
        self._job, self._left = job, left
        self._unchanged: dict[str, tuple[int, int]] = {}

    def look(self) -> tuple[list[InboxFile], list[InboxFile]]:
        """Files to read, and files that are up to date and were not remembered."""
        job = self._job
        seen = list(job.scan(self._left, unchanged=self._unchanged))
        files = self._known(seen)
        todo, known = only_new(job, seen, files)
        if job.settings.after == "keep":
            for found in known:
                path = os.fspath(found.source.path)
                if not files[path].retry_at:
                    self._unchanged[path] = (found.size, found.mtime_ns)
        return todo, known

    def _known(self, seen: list[InboxFile]) -> dict[str, FileRecord]:
        ledger = self._job.ledger
        if len(seen) > FEW:
            return ledger.files_by_path()
        paths = [found.source.path for found in seen]
        return {os.fspath(path): file for path in paths if (file := ledger.file_at(path))}


def only_new(job: Job, files: Iterable[InboxFile], known: Mapping[str, FileRecord]) -> tuple[list[InboxFile], list[InboxFile]]:
    """Files that are to be read, each once, and those that are ``known`` (by absolute path) and up to date."""
    todo: dict[Path, InboxFile] = {}
    done: list[InboxFile] = []
    for found in files:
        file = known.get(os.fspath(found.source.path))
        if file and job.up_to_date(file, found):
            done.append(found)
        else:
            todo[found.source.path] = found
    return list(todo.values()), done
