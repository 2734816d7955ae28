from __future__ import annotations

from pipeline.words.fixed_width import MAX_COLUMNS, page_text

from .drawing import word


def test_columns_are_aligned() -> None:
    words = [word("Item", 40, 10, 0), word("Price", 240, 10, 0), word("Screws", 40, 24, 1), word("2.50", 240, 24, 1)]
    first, second = page_text(words).splitlines()
    assert first.index("Price") == second.index("2.50") == 40


def test_words_of_a_sentence_are_separated_by_one_blank() -> None:
    assert page_text([word("Total", 40, 10), word("due", 68, 10)]) == "Total due"


def test_words_that_overlap_are_separated() -> None:
    assert page_text([word("overlapping", 40, 10), word("words", 50, 10)]) == "overlapping words"


def test_a_gap_between_paragraphs_is_one_blank_line() -> None:
    assert page_text([word("one", 0, 10, 0), word("two", 0, 24, 1), word("three", 0, 80, 2)]) == "one\ntwo\n\nthree"


def test_a_page_of_tiny_print_is_not_wider_than_the_limit() -> None:
    words = [word("a", 0, 10, size=0.1), word("b", 5000, 10, size=0.1)]
    assert len(page_text(words)) <= MAX_COLUMNS + 1


def test_an_empty_page_is_an_empty_text() -> None:
    assert page_text([]) == ""
