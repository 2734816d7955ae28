"""The state of one document in a run: opening → choosing → reading → complete.

The state is pure: no files, no engine, no ledger. The loop reports what has happened and gets back the actions to do next.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.intake.scan import InboxFile
from pipeline.records import AnyImage, DocumentInfo, Page, Reason, UnitStatus
from pipeline.split_records import PageMarks
from pipeline.templates.routing import FALLBACK
from pipeline.templates.template import PageKind

Phase = Literal["opening", "choosing", "reading", "complete"]


@dataclass(frozen=True, slots=True)
class ChooseTemplate:
    """The classifier's choice for the whole document: record it, then plan with it."""

    document: DocumentInfo
    template: str


@dataclass(frozen=True, slots=True)
class AskEngine:
    """Put a page to the engine with one template."""

    page: Page
    template: str
    image: AnyImage | None = None


@dataclass(frozen=True, slots=True)
class EndPages:
    """End all open units of some pages without the engine."""

    pages: Sequence[int]
    status: UnitStatus
    reason: Reason | None = None
    detail: str = ""
    seconds: float = 0.0


Action = ChooseTemplate | AskEngine | EndPages


@dataclass(frozen=True, slots=True)
class PageReply:
    """A reader's reply about one page: the page, or the reason why it cannot be read."""

    number: int
    page: Page | None = None
    kind: PageKind | None = None
    """None for a page that is blank or a cover, and where no template has to be chosen."""
    images: Mapping[str, AnyImage] = field(default_factory=dict)
    """Images for the engine by template, or by kind of page while no template is chosen."""
    reason: Reason | None = None
    detail: str = ""
    seconds: float = 0.0
    marks: PageMarks | None = None
    """What the page shows about the document that it belongs to; None in a file of one page."""


class DocumentRun:
    """One document between its admission and its publication.

    ``published`` is template to recipe of the present result for the same contents. ``named`` are the templates that the command line
    names for the file, in this run or an earlier one. At most ``page_limit`` pages are read. ``templates_by_kind`` says which
    template reads which kind of page. ``seconds`` is the time that it has taken already, in an earlier run that did not finish it, and
    ``seconds_limit`` the most that it may take.
    """

    def __init__(
        self,
        file: InboxFile,
        sha256: str,
        *,
        published: Mapping[str, str],
        named: tuple[str, ...] = (),
        page_limit: int,
        templates_by_kind: Mapping[PageKind, str],
        seconds: float = 0.0,
        seconds_limit: float = math.inf,
    ) -> None:
        self.file, self.sha256, self.published, self.named = file, sha256, published, named
        self.twins: list[InboxFile] = []
        """Other files with the same contents; they are admitted when this one is published."""
        self.document: DocumentInfo | None = None
        self.recipes: dict[str, str] | None = None
        """Template to recipe of all that is to be published; None while no template is chosen."""
        self.open_units: dict[int, list[str]] = {}
        """Templates whose units have not ended, by page."""
        self.pages_with_engine: set[int] = set()
        """Pages of which the engine has at least one unit."""
        self.marks: dict[int, PageMarks] = {}
        """Marks of pages that no committed unit has brought to the ledger yet, by page."""
        self.texts: dict[int, str] = {}
        """Words of pages that no committed unit has brought to the ledger yet, by page."""
        self.seconds = seconds
        """Time that readers and the engine have taken."""
        self._seconds_limit = seconds_limit
        self._page_limit, self._templates_by_kind = page_limit, templates_by_kind
        self._unread: list[int] = []
        """Pages that no reader has had, the last one first."""
        self._replies: dict[int, PageReply] = {}
        """Replies from before a template is chosen, by page."""
        self._choice_is_pending = False
        """Whether a reader has a page whose kind may choose the template."""

    @property
    def phase(self) -> Phase:
        """The step that the document is in."""
        if self.document is None:
            return "opening"
        if self.recipes is None:
            return "choosing"
        return "reading" if self.open_units else "complete"

    @property
    def out_of_time(self) -> bool:
        """Whether it has taken all the time that it may take."""
        return self.seconds >= self._seconds_limit

    @property
    def has_page_to_read(self) -> bool:
        """Whether a reader can be given a page now. While no template is chosen, pages are read one at a time."""
        return bool(self._unread) and not self._choice_is_pending

    def next_page(self) -> int:
        """The number of the next page to read. Raises IndexError when there is none."""
        self._choice_is_pending = self.recipes is None
        return self._unread.pop()

    def plan(
        self, document: DocumentInfo, recipes: Mapping[str, str] | None, ended: Mapping[str, Collection[int]]
    ) -> list[Action]:
        """Plan the units of a document that is open or cannot be opened. With ``recipes`` None its template must be chosen first.

        ``ended``: pages by template whose units an earlier run has ended.
        """
        self.document = document
        if document.reason or not document.pages:
            self.recipes = dict(recipes or {})
            return []
        pages = range(1, document.pages + 1)
        if recipes is None:
            self._unread = list(pages[: self._page_limit])[::-1]
            return []
        self.recipes = dict(recipes)
        for template in recipes:
            for page in pages:
                if page not in ended[template]:
                    self.open_units.setdefault(page, []).append(template)
        skipped = [page for page in self.open_units if page > self._page_limit]
        self._unread = sorted(set(self.open_units) - set(self._replies) - set(skipped), reverse=True)
        actions: list[Action] = [EndPages(skipped, "skipped", "too_large", "above limits.pages")] if skipped else []
        replies, self._replies = self._replies, {}
        for reply in replies.values():
            images = {template: image for image in reply.images.values() for template in recipes}
            actions += self._page_actions(reply, images)
        return actions

    def page_replied(self, reply: PageReply) -> list[Action]:
        """Take the reply of a reader."""
        if reply.marks:
            self.marks[reply.number] = reply.marks
        if reply.page and reply.page.words:
            self.texts[reply.number] = " ".join(word.text for word in reply.page.words)
        if self.recipes is not None or self.document is None:
            return self._page_actions(reply, reply.images)
        self._choice_is_pending = False
        template = self._template_for(reply)
        self._replies[reply.number] = reply
        if template is None and self._unread and not self.out_of_time:
            return []
        return [ChooseTemplate(self.document, template or FALLBACK)]

    def end_open_pages(self) -> EndPages:
        """End all pages that have no result: the document is out of time."""
        self._unread.clear()
        detail = f"the document took more than {self._seconds_limit / 60:g} minutes (limits.document_minutes)"
        return EndPages(sorted(self.open_units), "failed", "too_slow", detail)

    def unit_ended(self, page: int, template: str) -> None:
        """Record that a unit has its final status in the ledger."""
        templates = self.open_units.get(page, [])
        if template in templates:
            templates.remove(template)
        if not templates:
            self.open_units.pop(page, None)
            self.pages_with_engine.discard(page)

    def _template_for(self, reply: PageReply) -> str | None:
        """The template for the kind of a page. Behind a cover, a chart or a photograph belongs to a report."""
        kind = reply.kind
        if kind in ("chart", "photo") and any(earlier.page and not earlier.page.blank for earlier in self._replies.values()):
            kind = "text"
        return self._templates_by_kind.get(kind) if kind else None

    def _page_actions(self, reply: PageReply, images: Mapping[str, AnyImage]) -> list[Action]:
        page = reply.page
        if reply.number not in self.open_units:  # an earlier run has ended the units of a page that was read for its kind
            return []
        if page is None:
            return [EndPages([reply.number], "failed", reply.reason, reply.detail, reply.seconds)]
        if page.blank:
            return [EndPages([page.number], "blank", seconds=page.seconds)]
        self.pages_with_engine.add(page.number)
        return [AskEngine(page, template, images.get(template)) for template in self.open_units.get(page.number, ())]
