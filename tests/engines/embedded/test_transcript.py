"""Pages laid out in many ways must be read as a person reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.embedded.transcript import read_transcript, transcribe
from pipeline.records import Page, Word
from tests.engines.embedded.sheet import template

PROSE = [
    "The ferry leaves the harbour at",
    "seven and crosses the sound in",
    "forty minutes when the wind is",
    "fair and the sea is not rough",
    "so take a coat and a good book",
    "for the deck is often very cold",
]
OTHER = [
    "Tickets are sold in the hall by",
    "the pier from six o'clock on and",
    "children under five travel free",
    "while dogs need a muzzle and a",
    "ticket of their own on weekdays",
    "from the first of May to autumn",
]


def line(text: str, x: float, y: float, number: int, size: float = 10) -> list[Word]:
    words = []
    for word in text.split():
        width = 0.5 * size * len(word)
        words.append(Word(word, (x, y, x + width, y + size), number, size=size))
        x += width + 0.3 * size
    return words


def block(texts: list[str], x: float, y: float, first: int = 0, step: float = 12) -> list[Word]:
    return [word for n, text in enumerate(texts) for word in line(text, x, y + step * n, first + n)]


def text_of(words: list[Word]) -> str:
    claim = read_transcript(Page(1, 600, 800, tuple(words)), template("transcript"))["text"]
    return str(claim.value)


def test_lines_keep_their_order_and_paragraphs_are_parted_by_a_blank_line() -> None:
    words = block(PROSE[:3], 50, 50) + block(PROSE[3:], 50, 120, 3)
    assert text_of(words) == "\n".join(PROSE[:3]) + "\n\n" + "\n".join(PROSE[3:])


def test_columns_are_read_one_after_the_other() -> None:
    rows = zip(PROSE, OTHER, strict=True)
    words = [word for n, (a, b) in enumerate(rows) for word in line(a, 50, 50 + 12 * n, n) + line(b, 320, 50 + 12 * n, n)]
    assert text_of(words) == "\n".join(PROSE) + "\n\n" + "\n".join(OTHER)


def test_a_heading_over_two_columns_comes_first_and_a_footer_last() -> None:
    words = line("The ferry to the islands and how to take it in every season", 50, 20, 0, 18)
    words += block(PROSE, 50, 60, 1) + block(OTHER, 320, 60, 1)
    words += line("Page 7 of the guide for guests of the islands and their friends and relatives", 50, 200, 9)
    text = text_of(words)
    assert text.startswith("The ferry to the islands")
    assert text.index(PROSE[-1]) < text.index(OTHER[0])
    assert text.rstrip().endswith("relatives")


def test_rows_of_a_table_are_read_across() -> None:
    table = [("Apples", "12", "3.40"), ("Pears", "7", "2.80"), ("Plums", "30", "9.10"), ("Figs", "5", "4.75")]
    words = [
        word
        for n, row in enumerate(table)
        for x, cell in zip((50, 250, 350), row, strict=True)
        for word in line(cell, x, 50 + 14 * n, n)
    ]
    assert text_of(words) == "\n".join("  ".join(row) for row in table)


def test_a_broken_word_is_made_whole_only_when_it_stands_whole_elsewhere() -> None:
    known = ["the long cross-", "ing took a day and the", "crossing was rough"]
    unknown = ["the well-", "known ferry of the"]
    assert "the long crossing\ntook a day" in text_of(block(known, 50, 50))
    assert text_of(block(unknown, 50, 50)) == "the well-\nknown ferry of the"


def test_chinese_words_are_joined_without_blanks() -> None:
    words = [Word("青山", (50, 50, 70, 60), 0), Word("机械", (71, 50, 91, 60), 0), Word("Ltd", (94, 50, 110, 60), 0)]
    assert text_of(words) == "青山机械 Ltd"


def test_a_page_without_words_has_no_text() -> None:
    claim = read_transcript(Page(1, 600, 800), template("transcript"))["text"]
    assert claim.value is None
    assert claim.words == ()


boxes = st.tuples(st.floats(0, 550), st.floats(0, 750), st.floats(1, 200), st.floats(1, 40))


@given(
    st.lists(st.tuples(boxes, st.integers(0, 30), st.sampled_from(["a", "Wort", "longer-", "12.50", "文字", " "])), max_size=80)
)
def test_every_word_is_read_exactly_once(found: list[tuple[tuple[float, float, float, float], int, str]]) -> None:
    words = [Word(text, (x, y, x + w, y + h), number) for (x, y, w, h), number, text in found]
    text, order = transcribe(words)
    assert sorted(order) == [index for index, word in enumerate(words) if word.text.strip()]
    assert len(text.split()) <= len(order)


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_dense_pages_of_many_columns(columns: int) -> None:
    texts = [[f"{PROSE[n % 6]} {c}{n}" for n in range(40)] for c in range(columns)]
    words = [word for n in range(40) for c in range(columns) for word in line(texts[c][n], 20 + 260 * c, 20 + 12 * n, n)]
    assert text_of(words) == "\n\n".join("\n".join(column) for column in texts)
