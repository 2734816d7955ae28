"""Which lesson is for a page: that of the sender whose numbers, names and words it prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline.learning.senders import PageText, likeness, same_sender
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import lessons_marker, recorded_lessons
from pipeline.records import Lesson, Page

CLEARLY_MORE = 0.1
"""By how much a page must be more like one sender than like another."""
LessonOf = Callable[[Page, str], Lesson | None]
"""The lesson for a page and the name of a template."""


class Lookup:
    """Finds the lesson for a page. Of several of one sender and template the latest is used."""

    def __init__(self, lessons: Iterable[Lesson]) -> None:
        self._by_template: dict[str, list[Lesson]] = {}
        for lesson in sorted(lessons, key=lambda lesson: -lesson.number):
            known = self._by_template.setdefault(lesson.template, [])
            if not any(same_sender(lesson.sender, later.sender) for later in known):
                known.append(lesson)

    def __call__(self, page: Page, template: str) -> Lesson | None:
        """The lesson; None where the page is of no known sender, or nearly as much of another one."""
        lessons = self._by_template.get(template)
        if not lessons or page.facts:
            return None
        text = PageText.of(page)
        alike = sorted(((likeness(lesson.sender, text), lesson) for lesson in lessons), key=lambda pair: -pair[0])
        if not alike[0][0] or (len(alike) > 1 and alike[1][0] > alike[0][0] - CLEARLY_MORE):
            return None
        return alike[0][1]


class LedgerLessons:
    """The lessons in use of a ledger, also those that another process records or undoes meanwhile."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._marker = (0, 0)
        self._lookup = Lookup(())

    def __call__(self, page: Page, template: str) -> Lesson | None:
        """As Lookup."""
        marker = lessons_marker(self._ledger)
        if marker != self._marker:
            used = [recorded.lesson for recorded in recorded_lessons(self._ledger) if recorded.undone_at is None]
            self._marker, self._lookup = marker, Lookup(used)
        return self._lookup(page, template)


def no_lesson(page: Page, template: str) -> Lesson | None:
    """None: as shipped."""
    del page, template
    return None
