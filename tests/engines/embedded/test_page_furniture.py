"""Running heads and feet are separated from the text. Lines that only look like them stay in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engines.embedded.transcript.transcript_reader import read_transcript
from pipeline.records import Page, Word
from tests.engines.embedded.page_builder import template
from tests.engines.embedded.test_transcript import OTHER, PROSE, line

BODY = [f"{PROSE[n % 6]} {OTHER[n % 6]}" for n in range(40)]
WIDTH, HEIGHT = 600.0, 800.0


def page(*extra: tuple[str, float, float, float], step: float = 14, rows: int = 40) -> Page:
    """A page of text from y = 100 on, with further lines: text, x, y, size."""
    words = [word for n in range(rows) for word in line(BODY[n], 60, 100 + step * n, n)]
    for number, (text, x, y, size) in enumerate(extra, 100):
        words += line(text, x, y, number, size)
    return Page(1, WIDTH, HEIGHT, tuple(words), "textlayer")


def read(text_page: Page) -> tuple[str, str, str]:
    claims = read_transcript(text_page, template("transcript"))
    return tuple(str(claims[name].value or "") for name in ("text", "header", "footer"))  # type: ignore[return-value]


@pytest.mark.parametrize("number", ["7", "- 7 -", "Page 7", "Seite 7 von 12", "7 / 12", "xiv", "[7]", "1047"])
def test_page_numbers_are_headers_or_footers(number: str) -> None:
    for y, place in ((40, "header"), (750, "footer")):
        text, header, footer = read(page((number, 290, y, 10)))
        assert (header, footer) == ((number, "") if place == "header" else ("", number))
        assert text == "\n".join(BODY)


def test_running_heads_and_feet_of_many_forms_are_no_body_text() -> None:
    text_page = page(
        ("The Ferry Guide", 60, 40, 10),
        ("Chapter 3", 480, 40, 10),
        ("Harbour Board | www.harbour.example", 60, 730, 8),
        ("7", 500, 730, 8),
        ("Downloaded on 3 May 2021", 60, 770, 8),
    )
    text, header, footer = read(text_page)
    assert header == "The Ferry Guide  Chapter 3"
    assert footer == "Harbour Board | www.harbour.example  7\nDownloaded on 3 May 2021"
    assert text == "\n".join(BODY)


def test_a_line_close_above_the_text_is_a_header_where_a_page_near_it_repeats_it() -> None:
    """By its place and form it could be a heading: it is as large as the text, and no white separates them."""
    text_page = page(("The harbour in winter and its keepers", 60, 86, 10))
    assert read(text_page)[1] == ""
    running = tuple(number for number, word in enumerate(text_page.words) if word.line == 100)
    text, header, _ = read(replace(text_page, running=running))
    assert header == "The harbour in winter and its keepers"
    assert text == "\n".join(BODY)


def test_a_page_number_is_found_below_a_text_that_ends_early() -> None:
    text, _, footer = read(page(("7", 290, 400, 10), rows=20))
    assert footer == "7"
    assert text == "\n".join(BODY[:20])


def test_a_stamp_along_the_side_is_no_body_text() -> None:
    text_page = page()
    stamp = [("2021", 240.0), ("May", 285.0), ("archive:2105.00417v1", 320.0)]
    words = tuple(Word(text, (12, y, 32, y + 10 * len(text)), 200 + n, size=20) for n, (text, y) in enumerate(stamp))
    text, header, _ = read(Page(1, WIDTH, HEIGHT, text_page.words + words, "textlayer"))
    assert header == "archive:2105.00417v1  May  2021"
    assert text == "\n".join(BODY)


@pytest.mark.parametrize(
    "extra",
    [
        ("The Ferry to the Islands", 60, 40, 18),
        ("* Not on Sundays, when the ferry stays in the harbour", 60, 710, 8),
        ("3 Not on Sundays, when the ferry stays in the harbour", 60, 710, 8),
        ("The prices of all the islands:", 60, 40, 10),
        ("so that the wait is never too long.", 60, 662, 10),
    ],
    ids=["a title", "a note with a star", "a note with a number", "a line that introduces a list", "the last line"],
)
def test_lines_that_stay_in_the_text(extra: tuple[str, float, float, float]) -> None:
    text, header, footer = read(page(extra))
    assert header == footer == ""
    assert extra[0] in text


def test_the_first_row_of_a_continued_table_is_no_header() -> None:
    text_page = page()
    cells = [word for x, cell in ((60, "07"), (120, "Rope"), (300, "12.50"), (400, "25.00")) for word in line(cell, x, 40, 200)]
    text, header, _ = read(Page(1, WIDTH, HEIGHT, text_page.words + tuple(cells), "textlayer"))
    assert header == ""
    assert "Rope" in text


def test_the_repeated_heading_of_a_continued_table_stays() -> None:
    heading = [("Date", 60), ("Text", 150), ("Paid out", 300), ("Paid in", 400), ("Balance", 480)]
    text_page = page(*((text, x, 86, 10) for text, x in heading))
    words = tuple(replace(word, line=100) if word.line > 100 else word for word in text_page.words)
    running = tuple(number for number, word in enumerate(words) if word.line == 100)
    text, header, _ = read(replace(text_page, words=words, running=running))
    assert header == ""
    assert "Paid out" in text


def test_a_poster_has_no_furniture() -> None:
    words = [
        *line("THE VISION", 200, 30, 0, 24),
        *line("by Harbour Skill", 220, 62, 1, 10),
        *line("FOR SAILORS", 180, 600, 2, 40),
    ]
    text, header, footer = read(Page(1, WIDTH, HEIGHT, tuple(words), "textlayer"))
    assert header == footer == ""
    assert text.split() == "THE VISION by Harbour Skill FOR SAILORS".split()  # noqa: SIM905 - as it reads


def test_a_screen_without_margins_keeps_its_first_line() -> None:
    words = [word for n in range(40) for word in line(BODY[n], 5, 60 + 14 * n, n, 18)]
    text_page = Page(1, 600, HEIGHT, (*words, *line("Harbour board", 5, 10, 100, 18)), "ocr")
    assert read(text_page)[1:] == ("", "")


def test_a_template_without_the_fields_keeps_everything_in_the_text() -> None:
    text_only = template("transcript")
    text_only = text_only.model_copy(update={"fields": {"text": text_only.fields["text"]}})
    claims = read_transcript(page(("7", 290, 750, 10)), text_only)
    assert claims.keys() == {"text"}
    assert str(claims["text"].value).endswith("\n\n7")
