"""Which lesson is for a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.learning.lookup import LedgerLessons, Lookup
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import record_lesson, undo_lesson
from pipeline.records import FieldLesson, Lesson, Page, Sender
from tests.engines.embedded.fields.pages import page

SENDER = Sender(
    vat_ids=("GB736190278",), names=("Quillford Ropeworks Ltd",), words=("hemp", "quillford", "ropeworks", "tarry", "walk")
)
OTHER = Sender(names=("Ostravale Glazing Ltd",), words=("glazing", "ostravale", "pane", "street", "windows"))
FIELDS = {"invoice_number": FieldLesson(("Wexnor",))}
PAGE = page(
    [(60, 40, "Quillford Ropeworks Ltd"), (60, 60, "4 Tarry Walk"), (60, 80, "VAT GB 736 1902 78"), (60, 100, "Hemp rope")]
)


def lesson(number: int, sender: Sender = SENDER, template: str = "invoice") -> Lesson:
    return Lesson(number, template, sender, FIELDS)


def found(*lessons: Lesson, on: Page = PAGE, template: str = "invoice") -> int | None:
    one = Lookup(lessons)(on, template)
    return one.number if one else None


def test_the_latest_lesson_of_the_sender_and_template_is_used() -> None:
    assert found(lesson(1), lesson(3), lesson(2), lesson(4, OTHER)) == 3
    assert found(lesson(1), template="receipt") is None


def test_a_page_with_the_number_alone_is_not_the_senders() -> None:
    foreign = page([(60, 40, "Ostravale Glazing Ltd"), (60, 60, "Work for Quillford Ropeworks Ltd, GB736190278")])
    assert found(lesson(1), on=foreign) is None


def test_a_page_with_the_words_alone_is_not_the_senders() -> None:
    assert found(lesson(1), on=page([(60, 40, "Tarry Walk Hemp and Ropeworks of old Quillford")])) is None


def test_a_page_between_two_senders_gets_no_lesson() -> None:
    both = page(
        [(60, 40, "Quillford Ropeworks Ltd, Tarry Walk, hemp"), (60, 60, "Ostravale Glazing Ltd, Pane Street, windows")]
    )
    assert found(lesson(1), lesson(2, OTHER), on=both) is None


def test_a_page_with_the_data_of_an_e_invoice_gets_no_lesson() -> None:
    assert found(lesson(1), on=replace(PAGE, facts={"BT-1": "7"})) is None


def test_lessons_of_another_process_count_from_the_next_page_on(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger, Ledger(tmp_path) as another:
        lessons = LedgerLessons(ledger)
        assert lessons(PAGE, "invoice") is None
        first = record_lesson(another, lesson(0), {})
        assert lessons(PAGE, "invoice") == first
        second = record_lesson(another, lesson(0), {})
        assert lessons(PAGE, "invoice") == second
        undo_lesson(another, second.number)
        assert lessons(PAGE, "invoice") == first
        undo_lesson(another, first.number)
        assert lessons(PAGE, "invoice") is None
