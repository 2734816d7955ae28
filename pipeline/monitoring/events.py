"""Who wants to know how a run goes: progress bars, logs, metrics, tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.errors import FILE_CHANGED
from pipeline.intake.scan import Found
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Page, Result, Source

STILL_WRITTEN = "still being written"
OUT_OF_TIME = "out of time (--max-minutes)"
MERELY_WAITS = frozenset({STILL_WRITTEN, FILE_CHANGED, OUT_OF_TIME})
"""Why a file is left for later though nothing is wrong with it."""
REMEMBERED = 1_000

LEFT_KEPT = 1_000
"""Files left for later that are remembered by name."""


class Observer:
    """Told by the loop, in its own thread; must be quick. Does nothing by itself: override what you want to know."""

    def found(self, documents: int, known: int) -> None:
        """So many documents are to be read, so many are known and up to date."""

    def taken(self, source: Source, sha256: str) -> None:
        """A file's turn has come; its units will be told by the hash of its contents."""

    def page(self, page: Page) -> None:
        """A page was read; the engine has not seen it yet."""

    def answered(self, answer: Answer) -> None:
        """The engine has answered; it may be asked again."""

    def unit(self, result: Result) -> None:
        """A unit has ended."""

    def document(self, publication: Publication) -> None:
        """A document was written to the outbox."""

    def left(self, name: str, why: str) -> None:
        """A file was left for later."""

    def over(self, found: Found) -> None:
        """The loop needs this file no longer: it is published, left for later, or known."""

    def put_away(self, name: str, place: str) -> None:
        """A file that is done with was moved to ``place``; deleted where that is empty."""

    def not_put_away(self, name: str, why: str) -> None:
        """A file that is done with stays in the inbox, though it should not."""

    def reader_lost(self, name: str, page: int, why: str) -> None:
        """A reader process died or was killed over a page (0: over opening the file); another one takes its place."""

    def trouble(self, what: str) -> None:
        """Something that no file is to blame for, and that people should know; may come from another thread."""

    def turn(self) -> None:
        """The loop has come round: several times a second while anything goes on."""


class Observers(Observer):
    """Tells each of several observers, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def found(self, documents: int, known: int) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.found(documents, known)

    def taken(self, source: Source, sha256: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.taken(source, sha256)

    def page(self, page: Page) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.page(page)

    def answered(self, answer: Answer) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.answered(answer)

    def unit(self, result: Result) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.unit(result)

    def document(self, publication: Publication) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.document(publication)

    def left(self, name: str, why: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.left(name, why)

    def over(self, found: Found) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.over(found)

    def put_away(self, name: str, place: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.put_away(name, place)

    def not_put_away(self, name: str, why: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.not_put_away(name, why)

    def reader_lost(self, name: str, page: int, why: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.reader_lost(name, page, why)

    def trouble(self, what: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.trouble(what)

    def turn(self) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.turn()


class Once:
    """Remembers what was said lately, so that a watcher that looks again every minute does not say it every minute."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, ...], None] = {}

    def new(self, *said: str) -> bool:
        """Whether this was not said before, as far as is remembered."""
        if said in self._said:
            return False
        self._said[said] = None
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return True


@dataclass
class Tally(Observer):
    """Counts what a run did; the quiet observer."""

    to_read: int = 0
    known: int = 0
    documents: Counter[str] = field(default_factory=Counter)
    """Published documents by status."""
    units: Counter[str] = field(default_factory=Counter)
    """Ended units by status."""
    left_for_later: list[tuple[str, str]] = field(default_factory=list)
    """The first files that were left for later, with the reason."""
    left_more: int = 0
    """How many others."""

    def found(self, documents: int, known: int) -> None:
        """See Observer."""
        self.to_read += documents
        self.known += known

    def unit(self, result: Result) -> None:
        """See Observer."""
        self.units[result.status] += 1

    def document(self, publication: Publication) -> None:
        """See Observer."""
        self.documents[publication.status] += 1

    def left(self, name: str, why: str) -> None:
        """See Observer."""
        if len(self.left_for_later) < LEFT_KEPT:
            self.left_for_later.append((name, why))
        else:
            self.left_more += 1

    def not_put_away(self, name: str, why: str) -> None:
        """See Observer; told where files that were left for later are."""
        self.left(name, f"read, but cannot be put away: {why}")

    @property
    def all_done(self) -> bool:
        """Whether no document failed, wholly or in part."""
        return not (self.documents["failed"] or self.documents["partial"])
