"""One document under way: which of its pages are to be read by which templates, and what has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.intake.scan import InboxFile
from pipeline.records import AnyImage, DocumentInfo, Page, Reason


@dataclass(slots=True)
class Held:
    """A page that was read while nobody knew yet which template is for it."""

    page: Page | None
    """None when it could not be read; then ``reason`` and ``detail`` say why."""
    images: Mapping[str, AnyImage] = field(default_factory=dict)
    reason: Reason | None = None
    detail: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Task:
    """The state of one document in a run."""

    number: int
    """Tells replies about this task from late ones about an earlier task of the same contents."""
    found: InboxFile
    sha256: str
    before: Mapping[str, str]
    """Template to recipe of what is already published of these contents."""
    told: tuple[str, ...] = ()
    """Templates that somebody named on the command line for this file, now or before."""
    document: DocumentInfo | None = None
    recipes: dict[str, str] | None = None
    """Template to recipe of all that will be published; None while the classifier has not chosen."""
    missing: dict[int, list[str]] = field(default_factory=dict)
    """Templates still to answer, by page."""
    unread: list[int] = field(default_factory=list)
    """Pages to hand to a reader, last one first."""
    pages: dict[int, Page] = field(default_factory=dict)
    """Pages that engines are working on."""
    held: dict[int, Held] = field(default_factory=dict)
    waiting: list[InboxFile] = field(default_factory=list)
    """Other files with the same contents; their turn comes when this one is published."""

    def settle(self, page: int, template: str) -> None:
        """A unit has ended."""
        left = self.missing.get(page, [])
        if template in left:
            left.remove(template)
        if not left:
            self.missing.pop(page, None)
            self.pages.pop(page, None)

    @property
    def covered(self) -> bool:
        """Whether a cover was held back: charts and photographs behind it belong to a report, and make no template."""
        return any(held.page and not held.page.blank for held in self.held.values())

    @property
    def complete(self) -> bool:
        """Whether every unit has ended."""
        return self.recipes is not None and not self.missing
