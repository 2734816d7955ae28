from __future__ import annotations

from collections.abc import Callable
from math import atan, degrees

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words.lines import TextPiece, number_lines

from .drawing import texts, word


def piece(text: str, x: float, y: float, angle: float = 0.0) -> TextPiece:
    words, at = [], x
    for part in text.split():
        words.append(word(part, at, y))
        at = words[-1].box[2] + 3
    return TextPiece(tuple(words), angle)


def test_a_skewed_scan_keeps_its_lines() -> None:
    """On a page with a skew of two degrees the right end of a line is as low as the left end of the next."""
    pieces = []
    for n in range(5):
        pieces += [piece(f"label{n} of line", 50, 100 + 14 * n, 2.0), piece(f"{n}.99", 450, 100 + 14 * n + 400 * 0.0349, 2.0)]
    assert texts(number_lines(pieces)) == [f"label{n} of line {n}.99" for n in range(5)]


def test_two_close_lines_stay_separate() -> None:
    assert texts(number_lines([piece("upper line", 50, 100), piece("lower line", 50, 110)])) == ["upper line", "lower line"]


def test_small_print_joins_large_print_only_on_its_baseline() -> None:
    big = TextPiece((word("TOTAL", 50, 100, size=30),))
    assert texts(number_lines([big, TextPiece((word("12.00", 300, 110, size=10),))])) == ["TOTAL 12.00"]
    assert len(texts(number_lines([big, TextPiece((word("12.00", 300, 92, size=8),))]))) == 2


def test_punctuation_with_a_small_box_of_its_own_stays_in_its_line() -> None:
    """The layers of old OCR give a semicolon a box that ends below the letters."""
    first, sign, rest = (
        piece("earthy matter", 50, 100),
        TextPiece((word(";", 150, 106, size=5),)),
        piece("the former", 162, 100),
    )
    below = piece("chiefly composed", 50, 114)
    assert texts(number_lines([first, rest, below, sign])) == ["earthy matter ; the former", "chiefly composed"]


def test_vertical_text_in_the_margin_is_a_separate_line() -> None:
    assert "side" in texts(number_lines([piece("body text", 50, 100), piece("side", 10, 100, 90.0)]))


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 800), st.floats(-180, 180)), max_size=40))
def test_no_word_is_lost_and_lines_are_in_order(places: list[tuple[float, float, float]]) -> None:
    pieces = [piece(f"w{n}", x, y, angle) for n, (x, y, angle) in enumerate(places)]
    read = number_lines(pieces)
    assert sorted(w.text for w in read) == sorted(f"w{n}" for n in range(len(places)))
    assert [w.line for w in read] == sorted(w.line for w in read)


def aslant(lines: int, slope_at: Callable[[float, float], float], pitch: float = 16) -> list[TextPiece]:
    """Rows of a label and an amount at the far side of a page of 600 points whose lines have these slopes."""
    pieces = []
    for row in range(lines):
        y, x = 100.0 + pitch * row, 30.0
        for at, text in [(30, f"label{row} of line"), (480, f"article no {row}.99")]:
            while x < at:
                y, x = y + slope_at(x, y), x + 1
            pieces.append(piece(text, at, y, degrees(atan(slope_at(at + 40, y)))))
    return pieces


@pytest.mark.parametrize(
    "slope_at",
    [
        pytest.param(lambda x, y: (y - 300) / 3000, id="perspective"),
        pytest.param(lambda x, y: (x - 150) / 5000, id="curl"),
    ],
)
def test_rows_of_a_photograph_stay_together(slope_at: Callable[[float, float], float]) -> None:
    read = texts(number_lines(aslant(24, slope_at)))
    assert read == [f"label{row} of line article no {row}.99" for row in range(24)]


def test_words_stay_at_their_places_on_a_photograph() -> None:
    pieces = aslant(24, lambda x, y: (y - 300) / 3000)
    assert sorted(word.box for one in pieces for word in one.words) == sorted(word.box for word in number_lines(pieces))
