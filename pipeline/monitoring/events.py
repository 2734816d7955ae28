"""The events of a run, as methods of an observer. Progress bars, logs, metrics and tests are observers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.intake.scan import InboxFile
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Page, Result, Source

STILL_BEING_WRITTEN = "still being written"
GONE = "no longer where it was listed; if it was renamed, the next run reads it"
OUT_OF_TIME = "out of time (--max-minutes)"
ABOVE_LIMIT = "above --limit"
MESSAGES_KEPT = 1_000
"""Messages that ``RecentMessages`` compares with."""
SKIPPED_FILES_KEPT = 1_000
"""Skipped files of which ``RunCounts`` keeps the name."""


class Observer:
    """Receives the events of a run. The loop calls each method in its own thread, so a method must return quickly.

    Every method does nothing here. A subclass overrides the events that it needs.
    """

    def files_found(self, documents: int, known: int) -> None:
        """``documents`` files are to be read; ``known`` others are up to date."""

    def file_started(self, source: Source, sha256: str) -> None:
        """Reading of a file begins. Later events name the file by the hash of its contents."""

    def page_read(self, sha256: str, page: Page) -> None:
        """A page of the document with these contents is read; the engine has not received them yet."""

    def answer_received(self, answer: Answer) -> None:
        """The engine has answered. The same page may go to the engine again."""

    def unit_finished(self, result: Result) -> None:
        """One page has its final result for one template."""

    def document_published(self, publication: Publication) -> None:
        """The result of a document was written to the outbox."""

    def file_skipped(self, name: str, reason: str) -> None:
        """A file that may be a document was left for a later run."""

    def file_ignored(self, name: str, reason: str) -> None:
        """Something that is no document was passed over, such as a link in an archive."""

    def file_finished(self, file: InboxFile) -> None:
        """The loop no longer needs this file: it is published, skipped or known."""

    def file_renamed(self, before: str, name: str) -> None:
        """A file was renamed or moved within the inbox; its result has the name ``name`` instead of ``before`` now."""

    def file_archived(self, name: str, place: str) -> None:
        """A finished file was moved out of the inbox to ``place``, or deleted where ``place`` is empty."""

    def file_not_archived(self, name: str, reason: str) -> None:
        """A finished file could not be moved or deleted and stays in the inbox."""

    def reader_lost(self, name: str, page: int, reason: str) -> None:
        """A reader process died or was killed, and a new one replaces it. ``page`` is the page that it read; 0: it opened the file."""

    def warning(self, message: str) -> None:
        """Something is wrong that no single file causes. This may be called from another thread."""

    def heartbeat(self) -> None:
        """The loop is alive. It calls this several times a second while there is work."""


class Observers(Observer):
    """Passes each event on to several observers, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def files_found(self, documents: int, known: int) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.files_found(documents, known)

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_started(source, sha256)

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.page_read(sha256, page)

    def answer_received(self, answer: Answer) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.answer_received(answer)

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.unit_finished(result)

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.document_published(publication)

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_skipped(name, reason)

    def file_ignored(self, name: str, reason: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_ignored(name, reason)

    def file_finished(self, file: InboxFile) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_finished(file)

    def file_renamed(self, before: str, name: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_renamed(before, name)

    def file_archived(self, name: str, place: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_archived(name, place)

    def file_not_archived(self, name: str, reason: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.file_not_archived(name, reason)

    def reader_lost(self, name: str, page: int, reason: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.reader_lost(name, page, reason)

    def warning(self, message: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.warning(message)

    def heartbeat(self) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.heartbeat()


class RecentMessages:
    """Remembers the last messages, so that a watcher which scans the inbox every minute does not repeat them every minute."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, ...], None] = {}

    def add(self, *message: str) -> bool:
        """Remember a message. Returns whether it is new among the last ``MESSAGES_KEPT``."""
        if message in self._messages:
            return False
        self._messages[message] = None
        if len(self._messages) > MESSAGES_KEPT:
            del self._messages[next(iter(self._messages))]
        return True


@dataclass
class RunCounts(Observer):
    """Counts the documents and units of a run and prints nothing."""

    to_read: int = 0
    known: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    """Published documents by status."""
    containers: Counter[str] = field(default_factory=Counter)
    """Published archives, mails and other containers without pages of their own, by status. Their parts count as documents."""
    units: Counter[str] = field(default_factory=Counter)
    """Finished units by status."""
    skipped_files: list[tuple[str, str]] = field(default_factory=list)
    """Name and reason of the first ``SKIPPED_FILES_KEPT`` files that were left for a later run, ignored, or not put away."""
    more_skipped_files: int = 0
    """Number of skipped files beyond those."""
    renamed: int = 0
    """Number of files that were renamed or moved within the inbox."""
    unread: int = 0
    """Number of files that were left for a later run."""

    def files_found(self, documents: int, known: int) -> None:
        """See Observer."""
        self.to_read += documents
        self.known += known

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        self.units[result.status] += 1

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        (self.containers if publication.is_wrapper else self.documents)[publication.status] += 1

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self.unread += 1
        self._list(name, reason)

    def file_renamed(self, before: str, name: str) -> None:
        """See Observer."""
        del before, name
        self.renamed += 1

    def file_ignored(self, name: str, reason: str) -> None:
        """See Observer."""
        self._list(name, reason)

    def file_not_archived(self, name: str, reason: str) -> None:
        """See Observer."""
        self._list(name, f"read, but cannot be put away: {reason}")

    def _list(self, name: str, reason: str) -> None:
        if len(self.skipped_files) < SKIPPED_FILES_KEPT:
            self.skipped_files.append((name, reason))
        else:
            self.more_skipped_files += 1

    @property
    def all_done(self) -> bool:
        """Whether no document failed, wholly or in part, and no file was left unread."""
        return not (
            any(counts[status] for counts in (self.documents, self.containers) for status in ("failed", "partial"))
            or self.unread
        )
