"""Who wants to know how a run goes: progress bars, logs, tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.intake.scan import Found
from pipeline.publish.document import Publication
from pipeline.records import Result

LEFT_KEPT = 1_000
"""Files left for later that are remembered by name."""


class Observer(Protocol):
    """Told by the loop, in its own thread; must be quick."""

    def found(self, documents: int, known: int) -> None:
        """So many documents are to be read, so many are known and up to date."""
        ...

    def unit(self, result: Result) -> None:
        """A unit has ended."""
        ...

    def document(self, publication: Publication) -> None:
        """A document was written to the outbox."""
        ...

    def left(self, name: str, why: str) -> None:
        """A file was left for later."""
        ...

    def over(self, found: Found) -> None:
        """The loop needs this file no longer: it is published, left for later, or known."""
        ...


@dataclass
class Tally:
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

    def over(self, found: Found) -> None:
        """See Observer."""

    @property
    def all_done(self) -> bool:
        """Whether no document failed, wholly or in part."""
        return not (self.documents["failed"] or self.documents["partial"])
