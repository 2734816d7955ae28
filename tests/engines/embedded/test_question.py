"""Questions about a page are answered by printed text with its place, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.checks.confidence import assess_confidence
from pipeline.checks.grounding import ground
from pipeline.engines.base import Request
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.records import Evidence, UnitKey
from pipeline.templates.question_template import ask_template
from tests.engines.embedded.charts import draw_vertical_bars, draw_y_ticks, titled_sheet
from tests.engines.embedded.page_builder import Sheet

ENGINE = EmbeddedEngine()


def answer(sheet: Sheet, question: str, earlier: Sequence[tuple[str, str | None]] = ()) -> Evidence:
    template, page = ask_template(question, earlier), sheet.page()
    ENGINE.submit(Request(UnitKey("0" * 64, 1, template.name, ""), page, template, sheet.pixels()))
    (reply,) = ENGINE.poll(0)
    assert reply.status == "done", reply.detail
    return assess_confidence(ground(reply.claims, page, template), template, ENGINE.identity)["answer"]


def bill() -> Sheet:
    sheet = Sheet(640, 800)
    sheet.text(40, 50, "Quill & Vane Printers Ltd", 24)
    sheet.text(40, 80, "3 Foundry Row, Bristol BS1 4QZ")
    sheet.text(40, 130, "INVOICE", 22)
    sheet.text(40, 160, "Bill to")
    sheet.text(40, 180, "Ostrava Books s.r.o.")
    for row, (label, value) in enumerate(
        [
            ("Invoice number", "QV-3381"),
            ("Invoice date", "4 June 2025"),
            ("Due date", "4 July 2025"),
            ("Delivery date", "28 May 2025"),
        ]
    ):
        sheet.text(360, 160 + 20 * row, label)
        sheet.text(600, 160 + 20 * row, value, anchor="rm")
    for row, cells in enumerate(
        [
            ("Description", "Qty", "Unit price", "Amount"),
            ("Posters A2", "40", "3.25", "130.00"),
            ("Bound catalogues", "15", "12.40", "186.00"),
        ]
    ):
        sheet.text(40, 300 + 24 * row, cells[0])
        for x, cell in zip((340, 450, 600), cells[1:], strict=True):
            sheet.text(x, 300 + 24 * row, cell, anchor="rm")
    for row, (label, value) in enumerate([("Subtotal", "£316.00"), ("VAT 20%", "£63.20"), ("Total", "£379.20")]):
        sheet.text(400, 400 + 22 * row, label)
        sheet.text(600, 400 + 22 * row, value, anchor="rm")
    sheet.text(40, 700, "Please return the pallets to our yard in Avonmouth.")
    return sheet


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When is it due?", "4 July 2025"),
        ("What is the delivery date?", "28 May 2025"),
        ("Wann ist die Rechnung fällig?", "4 July 2025"),
        ("Who sent this invoice?", "Quill & Vane Printers Ltd"),
        ("Qui est le client ?", "Ostrava Books s.r.o."),
        ("What is the invoice number?", "QV-3381"),
        ("How much is the total?", "£379.20"),
        ("How much VAT is there?", "£63.20"),
        ("What is the VAT rate?", "20%"),
        ("What is the price of the catalogues?", "12.40"),
        ("How many posters?", "40"),
        ("What do the posters cost?", "130.00"),
        ("Where do the pallets go?", "Please return the pallets to our yard in Avonmouth."),
    ],
)
def test_an_invoice_answers_with_printed_text_and_its_place(question: str, expected: str) -> None:
    evidence = answer(bill(), question)
    assert evidence.value == expected
    assert evidence.grounding == "exact"
    assert evidence.box is not None
    assert evidence.confidence is None, "how often answers to questions are right is not measured"


@pytest.mark.parametrize(
    "question",
    [
        "What is the phone number?",
        "Who is the president?",
        "What is the weather like?",
        "Summarize this page",
        "Why?",
        "??",
        "What is the tax office?",
    ],
)
def test_a_question_that_the_page_does_not_answer_has_no_answer(question: str) -> None:
    assert answer(bill(), question).value is None


def test_an_answer_that_is_the_nearest_line_is_flagged() -> None:
    sheet = Sheet()
    for row, line in enumerate(
        ["Minutes", "Anna brings the lamp.", "Ben pays the rent on Friday.", "Carla waters the plants."]
    ):
        sheet.text(40, 60 + 30 * row, line)
    evidence = answer(sheet, "Who brings the lamp?")
    assert (evidence.value, evidence.flags) == ("Anna brings the lamp.", ("nearest",))
    assert answer(sheet, "Who pays the rent?").value == "Ben pays the rent on Friday."
    assert answer(sheet, "Who feeds the cat?").value is None


def test_a_question_without_content_words_is_about_the_previous_question() -> None:
    assert answer(bill(), "And when?", [("What is the delivery date?", "28 May 2025")]).value == "28 May 2025"


def test_a_chart_answers_with_values_and_labels() -> None:
    sheet = titled_sheet("Visitors by month", "Month", "Visitors")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_vertical_bars(sheet, ["Mar", "Apr", "May", "Jun"], {"": [20.0, 35.0, 70.0, 52.0]}, [0, 80])
    value = answer(sheet, "What is the value for April?").value
    assert isinstance(value, str)
    assert float(value) == pytest.approx(35, abs=1)
    assert answer(sheet, "Which month has the most visitors?").value == "May"
    assert answer(sheet, "Which month has the fewest?").value == "Mar"
    assert answer(sheet, "What is the title?").value == "Visitors by month"


def test_a_page_without_words_gives_no_answer() -> None:
    assert answer(Sheet(), "What is the total?").value is None
