"""Files that are done with, and the ledger's book of where they lie: put away, set aside when they failed, and back in the inbox.

The ledger is told after a file was moved. A crash in between is noticed at the next start (``catch_up``), so that the next file of the
same name does not take the place of this one's result.
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
from pipeline.run.archive_places import LocalShelf, Shelf, StoreShelf
from pipeline.run.job import Job
from pipeline.values.times import utc_timestamp

_GONE = "{} (put away, {})"


class Shelver:
    """Puts files away as the settings say; ``observer`` is told where."""

    def __init__(self, job: Job, observer: Observer) -> None:
        self._job, self._observer = job, observer
        self._root = job.inbox.root
        self._shelf: Shelf = StoreShelf(job.settings, job.objects) if job.objects else LocalShelf(job.settings)

    def put_away(self, found: InboxFile, status: DocumentStatus, reason: Reason | None = None, detail: str = "") -> None:
        """Move or delete a file of the inbox whose result is published, unless it is no longer the one that was read."""
        settings, path = self._job.settings, found.source.path
        if settings.after == "keep" or not path.is_relative_to(self._root):
            return
        place: Path | None
        try:
            if not self._shelf.unchanged(found):
                return
            if status == "done":
                place = self._shelf.shelve(found, settings.after)
            else:
                place = self._shelf.set_aside(found, _told(found, status, reason, detail))
        except OSError as error:
            self._observer.file_not_archived(found.source.name, error.strerror or str(error))
            return
        except StoreError as error:
            self._observer.file_not_archived(found.source.name, error.message)
            return
        self._moved(path, str(place) if place else _GONE.format(path, found.source.name))
        self._observer.file_archived(found.source.name, str(place or ""))

    def put_away_known(self, known: Iterable[InboxFile]) -> None:
        """Put away files that were published before but are still there."""
        for found in known if self._job.settings.after != "keep" else ():
            file = self._job.ledger.file_at(found.source.path)
            if file and file.status and not file.retry_at:
                reason, detail = self._job.ledger.failure_reason(file.sha256)
                self.put_away(found, file.status, reason, detail)

    def catch_up(self) -> None:
        """Files that lie no longer where the ledger has them, though they were read: a run died before it could note the move."""
        if self._job.settings.after == "keep":
            return
        read = {  # one that waits for another try was not put away
            file.source.path: file
            for file in self._job.known.values()
            if file.published_sha256 and not file.retry_at and file.source.path.is_relative_to(self._root)
        }
        for path in self._shelf.missing(read):
            file = read[path]
            self._moved(path, str(self._set_aside_as(file) or _GONE.format(path, file.source.name)))

    def _set_aside_as(self, file: FileRecord) -> Path | None:
        place = self._shelf.aside(file.source.relative)
        if file.status == "done" or self._job.ledger.file_at(place) or self._shelf.missing([place]):
            return None
        return place

    def _moved(self, path: Path, where: str) -> None:
        self._job.ledger.record_move(path, where)
        self._job.namer.moved(path, where)

    def came_back(self, found: InboxFile, sha256: str) -> InboxFile:
        """A file that was set aside and lies in the inbox again, as it was or mended: it has its old name, and is read again."""
        ledger, folder = self._job.ledger, self._job.settings.failed_folder.resolve()
        namesake = ledger.file_at(self._shelf.aside(found.source.relative))
        for file in [*([namesake] if namesake else []), *ledger.files_with_contents(sha256)]:
            place = file.source.path
            if place.is_relative_to(folder) and self._shelf.missing([place]):
                ledger.mark_for_rereading([file], failed_only=True)
                ledger.record_move(place, str(found.source.path))
                self._job.namer.moved(place, str(found.source.path))
                self._shelf.forget_reason(place)
                return replace(found, source=replace(found.source, name=file.source.name))
        return found


def _told(found: InboxFile, status: DocumentStatus, reason: Reason | None, detail: str) -> str:
    """What is written beside a file that was set aside."""
    cure = CURES[reason] if reason else ""
    lines = [
        f"file:    {found.source.relative}",
        f"status:  {status}" + (" (what could be read of it is in the outbox)" if status == "partial" else ""),
        f"reason:  {reason}: {detail}" if reason else "",
        f"cure:    {cure}" if cure else "",
        f"result:  {found.source.name}.json in the outbox",
        f"when:    {utc_timestamp()}",
        "",
        "To have it read again, move the file back into the inbox.",
        "",
    ]
    return "\n".join(line for number, line in enumerate(lines) if line or number > 4)
