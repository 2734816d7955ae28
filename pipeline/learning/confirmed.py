"""Documents whose values people have corrected or confirmed, read again from their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.checks.arithmetic import check_document
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.checks.value_comparison import is_absent, same_value
from pipeline.engines.base import Request
from pipeline.engines.deadline import deadline
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.engines.embedded.fields.field_reader import candidate_groups
from pipeline.engines.embedded.fields.page_rows import Layout, lay_out
from pipeline.engines.embedded.fields.scorer import Group
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.learning.applying import with_lesson
from pipeline.learning.lookup import LessonOf, no_lesson
from pipeline.records import Claim, Evidence, Json, Lesson, Page, Result, UnitKey
from pipeline.templates.template import Template, TemplateField

SEARCH_SECONDS = 20.0
_KEPT_TEMPLATES = 8


@dataclass(frozen=True)
class PageCandidates:
    """A page, and what may be the value of each field on it."""

    layout: Layout
    groups: Sequence[Group]


@dataclass
class ConfirmedDocument:
    """One document with the values that people gave it; ``pages`` are those that have words, as readers read them."""

    name: str
    """Of its result in the outbox."""
    sha256: str
    template: Template
    values: Mapping[str, Json]
    """The confirmed value by field; None where the document has none."""
    pages: tuple[Page, ...]
    sure: frozenset[str] = frozenset()
    """Fields that were published without a request for review."""
    _shipped: dict[int, Mapping[str, Claim]] = field(default_factory=dict, repr=False)
    _candidates: dict[int, tuple[Template, list[PageCandidates]]] = field(default_factory=dict, repr=False)

    def candidates(self, template: Template) -> list[PageCandidates]:
        """The candidates on each page under the document's template, or under that with other labels. They are computed once.

        A page that takes too long, or on which the search fails, has none.
        """
        known = self._candidates.get(id(template))
        if known is None or known[0] is not template:
            if len(self._candidates) >= _KEPT_TEMPLATES:
                self._candidates.clear()
            known = self._candidates[id(template)] = template, [_candidates(page, template) for page in self.pages]
        return known[1]


def _candidates(page: Page, template: Template) -> PageCandidates:
    layout = lay_out(logical_page(page))
    try:
        with deadline(SEARCH_SECONDS):
            return PageCandidates(layout, [group for group in candidate_groups(page, template) if len(group.candidates)])
    except MemoryError:
        raise
    except Exception:  # hostile pages raise any exception; the engine's own reading of the page says what is wrong
        return PageCandidates(layout, [])


class Replay:
    """Reads confirmed documents as the loop does: the embedded engine, lessons, grounding, merging, checks, fallbacks."""

    def __init__(self, seconds: float) -> None:
        self._engine = EmbeddedEngine(seconds)

    def read(self, document: ConfirmedDocument, lesson_of: LessonOf = no_lesson) -> dict[str, Evidence]:
        """The fields of the document, as shipped or with the lessons for its pages."""
        template, results = document.template, []
        for page in document.pages:
            if page.number not in document._shipped:
                document._shipped[page.number] = self._claims(document, page, None)
            claims = document._shipped[page.number]
            if lesson := lesson_of(page, template.name):
                claims = with_lesson(claims, self._claims(document, page, lesson), lesson, page, template)
            key = UnitKey(document.sha256, page.number, template.name, "")
            results.append(Result(key, "done", ground(claims, page, template), source=page.source))
        return apply_fallbacks(check_document(merge_pages(results, template), template), template)

    def _claims(self, document: ConfirmedDocument, page: Page, lesson: Lesson | None) -> Mapping[str, Claim]:
        key = UnitKey(document.sha256, page.number, document.template.name, "")
        return self._engine.respond(Request(key, page, document.template, pages=len(document.pages), lesson=lesson)).claims


def is_right(field: TemplateField, read: Json, confirmed: Json) -> bool:
    """Whether a value that was read is the confirmed one."""
    if is_absent(read) or is_absent(confirmed):
        return is_absent(read) and is_absent(confirmed)
    if field.type == "table":
        return bool(read == confirmed)
    a, b = ([value] if not isinstance(value, list) else value for value in (read, confirmed))
    return len(a) == len(b) and all(any(same_value(field.type, x, y) for y in b) for x in a)
