from __future__ import annotations

import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from pipeline.records import PageImage
from pipeline.words.ocr import halfwidth, read_image, split_line

from .drawing import LETTER_LINES, letter, page_with, picture, texts


def without_blanks(lines: list[str]) -> str:
    return "".join("".join(lines).split())


def test_a_drawn_letter_is_read_line_by_line() -> None:
    read = texts(read_image(picture(letter())))
    assert len(read) == len(LETTER_LINES)
    assert fuzz.ratio(without_blanks(read), without_blanks(LETTER_LINES)) > 97


def test_words_have_their_printed_positions_in_points() -> None:
    page = page_with([(60, 100, "Invoice number 4711"), (60, 200, "Total 119.00")], size=14)
    boxes = {w.text: w.box for w in read_image(picture(page))}
    (truth,) = page.search_for("4711")
    assert boxes["4711"] == pytest.approx(tuple(truth), abs=6)
    (total,) = page.search_for("Total")
    assert boxes["Total"] == pytest.approx(tuple(total), abs=6)


def test_label_and_value_across_the_page_are_one_line() -> None:
    page = page_with([(40, 100, "Subtotal"), (330, 100, "100.00"), (40, 130, "Shipping"), (330, 130, "19.00")], size=12)
    assert texts(read_image(picture(page))) == ["Subtotal 100.00", "Shipping 19.00"]


def test_a_single_digit_is_read_upright() -> None:
    """A tall box can be a digit instead of text along a margin."""
    page = page_with([(40, 100, "Qty"), (200, 100, "Price"), (45, 130, "1"), (200, 130, "7.50")], size=12)
    assert texts(read_image(picture(page, 200)))[1] == "1 7.50"


def test_text_along_the_margin_is_read() -> None:
    page = letter()
    page.insert_text((20, 300), "ARCHIVE COPY 2024", rotate=90, fontsize=12)
    assert any("ARCHIVE" in w.text for w in read_image(picture(page)))


def test_close_lines_of_an_oblique_photograph_are_all_read() -> None:
    """The upright box around an oblique line holds the middles of its neighbours, which are lines of their own."""
    page = pymupdf.open().new_page(width=420, height=300)
    for n in range(12):
        line = f"Line {n} of the slip as the till prints it, item {n + 20}"
        page.insert_text((20, 60 + 15 * n), line, fontsize=12, morph=(pymupdf.Point(20, 60), pymupdf.Matrix(-4)))
    read = without_blanks(texts(read_image(picture(page))))
    assert [n for n in range(12) if f"item{n + 20}" not in read] == []


def test_a_till_roll_is_read_to_its_end() -> None:
    page = pymupdf.open().new_page(width=200, height=900)
    lines = [f"Article {n:02d}   {n}.95" for n in range(1, 34)]
    for n, line in enumerate(lines):
        page.insert_text((15, 30 + 26 * n), line, fontsize=14)
    read = texts(read_image(picture(page)))
    assert len(read) == len(lines)
    assert "33.95" in read[-1]


def test_a_blank_picture_has_no_words() -> None:
    assert read_image(PageImage(300, 200, b"\xff" * 180_000, 2.0)) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (9, 90)])
def test_pictures_of_extreme_sizes_have_no_words(size: tuple[int, int]) -> None:
    assert read_image(PageImage(*size, b"\x80" * (3 * size[0] * size[1]), 1.0)) == []


@given(st.lists(st.text("abc1.€発", min_size=1, max_size=6), min_size=1, max_size=8), st.floats(0.5, 60))
def test_a_line_is_split_into_its_words_left_to_right(words: list[str], aspect: float) -> None:
    """With evenly spaced letters, words stay in order, inside the line, without overlap."""
    text = " ".join(words)
    columns = [(n + 0.5) / len(text) for n, c in enumerate(text) if c != " "]
    parts = split_line(text, columns, aspect)
    assert "".join(p[0] for p in parts) == "".join(words)
    edges = [edge for _, start, end, _ in parts for edge in (start, end)]
    assert edges == sorted(edges)
    assert edges[0] >= 0
    assert edges[-1] <= 1


def test_a_gap_as_wide_as_a_letter_is_tall_ends_a_word() -> None:
    columns = [0.02, 0.06, 0.10, 0.80, 0.84, 0.88]
    assert [p[0] for p in split_line("SUM700", columns, 12)] == ["SUM", "700"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12345678ZMaria", ["12345678Z", "Maria"]),
        ("2.57Total", ["2.57", "Total"]),
        ("A4Blatt", ["A4Blatt"]),
        ("X500GB", ["X500GB"]),
    ],
)
def test_a_word_glued_to_a_number_is_a_word_of_its_own(text: str, words: list[str]) -> None:
    columns = [(n + 0.5) / len(text) for n in range(len(text))]
    assert [word for word, *_ in split_line(text, columns, len(text) / 2)] == words


def test_full_width_signs_are_replaced_beside_latin_letters_only() -> None:
    assert halfwidth("No：１２（A）") == "No:12(A)"
    assert halfwidth("号码：１２") == "号码：１２"


def test_letters_of_double_width_are_one_word() -> None:
    wide = [0.1, 0.36, 0.66, 0.87]  # 1.0 to 1.2 letter heights apart
    assert [p[0] for p in split_line("4.75", wide, 4)] == ["4.75"]
    columns = [0.1, 0.5, 0.9]  # 1.8 heights: a row of a table
    assert [p[0] for p in split_line("123", columns, 4.5)] == ["1", "2", "3"]
