"""Words of a line without blanks are parted where its gaps show their ends, and accents stand on their letters."""

from __future__ import annotations

from collections.abc import Sequence

import pymupdf

from pipeline.words.text_layer import read_text_layer

GAP = 0.14
"""White between two words, in font sizes: less than MuPDF takes for a blank."""


def line_of(words: Sequence[str], gap: float = GAP, size: float = 12) -> list[str]:
    """The words of a page on which these are drawn in one line without blanks."""
    page = pymupdf.open().new_page()
    x = 72.0
    for word in words:
        page.insert_text((x, 100), word, fontsize=size, fontname="helv")
        x += pymupdf.get_text_length(word, "helv", size) + gap * size
    return [word.text for word in read_text_layer(page)]


def test_words_set_tightly_without_blanks_are_parted() -> None:
    words = ["Figures", "of", "the", "harbour", "and", "its", "ferries"]
    assert line_of(words) == words


def test_a_line_of_one_word_and_a_line_without_gaps_stay_as_they_are() -> None:
    assert line_of(["Straßenbahnhaltestelle"]) == ["Straßenbahnhaltestelle"]
    assert line_of(["Straßenbahn", "haltestellen", "schild"], gap=0.0) == ["Straßenbahnhaltestellenschild"]


def test_the_thousands_of_a_number_are_not_parted() -> None:
    assert "1234567" in line_of(["Passengers", "of", "the", "ferries", "1", "234", "567", "persons"])


def test_letter_spaced_print_is_not_parted_into_letters() -> None:
    assert line_of(list("Harbourmaster")) == ["Harbourmaster"]


def test_an_accent_drawn_over_its_letter_is_joined_with_it() -> None:
    page = pymupdf.open().new_page()
    page.insert_text((72, 100), "caf", fontname="helv", fontsize=12)
    x = 72 + pymupdf.get_text_length("caf", "helv", 12)
    page.insert_text((x + 1.2, 100), "\u00b4", fontname="helv", fontsize=12)
    page.insert_text((x, 100), "e", fontname="helv", fontsize=12)
    assert [word.text for word in read_text_layer(page)] == ["café"]


def test_an_accent_typed_as_an_apostrophe_stays_one() -> None:
    page = pymupdf.open().new_page()
    page.insert_text((72, 100), "l\u00b4ami geht\u00b4s", fontname="helv", fontsize=12)
    assert [word.text for word in read_text_layer(page)] == ["l\u00b4ami", "geht\u00b4s"]
