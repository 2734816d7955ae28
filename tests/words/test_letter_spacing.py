"""Words that are printed with spaced letters, and neighbours that are none."""

from __future__ import annotations

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words.letter_spacing import join_spaced_letters
from pipeline.words.ocr import read_image
from pipeline.words.text_layer import read_text_layer
from tests.words.drawing import page_with, picture, texts, word


def spaced(page: pymupdf.Page, x: float, y: float, text: str, gap: float, size: float = 11, font: str = "helv") -> float:
    """Draw a text letter by letter with ``gap`` points between letters; returns where it ends."""
    for letter in text:
        page.insert_text((x, y), letter, fontsize=size, fontname=font)
        x += pymupdf.get_text_length(letter, font, size) + gap
    return x


@pytest.mark.parametrize("medium", ["text layer", "scan"])
@pytest.mark.parametrize("gap", [3.0, 4.5, 7.0])
@pytest.mark.parametrize("font", ["helv", "cour"])
def test_spaced_labels_and_amounts_are_words(gap: float, font: str, medium: str) -> None:
    page = page_with([(40, 40, "Kirkwall Ferry Company"), (40, 60, "Two passengers and a bicycle")])
    end = spaced(page, 40, 100, "BALANCE", gap, font=font)
    spaced(page, end + 3 * gap + 8, 100, "1,614.20", gap, font=font)
    lines = texts(read_text_layer(page)) if medium == "text layer" else texts(read_image(picture(page, dpi=200)))
    assert "BALANCE 1,614.20" in lines


def test_character_spacing_within_one_string_is_joined() -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((40, 40), "Kirkwall Ferry Company")
    xref = page.get_contents()[0]
    stream = document.xref_stream(xref) + b"\nq BT /helv 11 Tf 5 Tc 1 0 0 1 40 700 Tm (SUM 1,614.20) Tj ET Q"
    document.update_stream(xref, stream)
    assert "1,614.20" in [w.text for w in read_text_layer(page)]


def test_letters_with_blanks_between_them_are_a_word_and_two_blanks_end_it() -> None:
    page = page_with([(40, 40, "T O T A L   4 7 . 9 5"), (40, 70, "A M O U N T   D U E")])
    assert texts(read_text_layer(page)) == ["TOTAL 47.95", "AMOUNT DUE"]


@pytest.mark.parametrize(
    "line",
    ["Plan A or B", "3 318,00", "1 2 of 4", "Pos. 1 2", "No 7 A 1", "à 2 x 3 m", "I V A", "24 h / 7"],
)
def test_ordinary_short_words_stay_apart(line: str) -> None:
    assert texts(read_text_layer(page_with([(40, 40, line)]))) == [line]


def test_digits_in_columns_stay_apart() -> None:
    page = page_with([(40 + 40 * n, 40, str(n)) for n in range(1, 8)])
    assert [w.text for w in read_text_layer(page)] == [str(n) for n in range(1, 8)]


@given(st.lists(st.tuples(st.text("aB1.,€", min_size=1, max_size=3), st.floats(0, 40)), max_size=12))
def test_no_letter_is_lost_or_moved(parts: list[tuple[str, float]]) -> None:
    x, words = 0.0, []
    for text, gap in parts:
        words.append(word(text, x))
        x = words[-1].box[2] + gap
    joined = join_spaced_letters(words)
    assert "".join(w.text for w in joined) == "".join(w.text for w in words)
    assert [w.box[0] for w in joined] == sorted(w.box[0] for w in joined)
