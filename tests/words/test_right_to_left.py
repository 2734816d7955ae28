"""Lines of Arabic and Hebrew in reading order, from text layers of any order of letters."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.records import Box, Word
from pipeline.words.right_to_left import in_reading_order, plain_letters, printed_order, written_order


@dataclass
class Letter:
    char: str
    box: Box


def letters(*placed: tuple[str, float, float]) -> list[Letter]:
    return [Letter(char, (x0, 0.0, x1, 10.0)) for char, x0, x1 in placed]


def line(*placed: tuple[str, float]) -> list[Word]:
    return [Word(text, (x, 0.0, x + 5.0 * len(text), 10.0), 0) for text, x in placed]


@pytest.mark.parametrize(
    ("printed", "written"),
    [
        ("םולש", "שלום"),
        ("ABC-12", "ABC-12"),
        ('מ"עב', 'בע"מ'),
        ("15/03/2024ב", "ב15/03/2024"),
        (")הרבח(", "(חברה)"),
        ("١٬٢٣٤٫٥٠", "١٬٢٣٤٫٥٠"),
        (".س.ر", "ر.س."),
    ],
)
def test_letters_of_a_word(printed: str, written: str) -> None:
    assert written_order(printed) == written


def test_a_ligature_of_lam_and_alef_keeps_its_order() -> None:
    stored = letters(("ل", 0, 6), ("ا", 6, 6))
    other = letters(("إ", 7, 7), ("ل", 0, 7), ("ج", -8, 0))
    assert written_order("".join(letter.char for letter in printed_order(stored))) == "لا"
    assert written_order("".join(letter.char for letter in printed_order(other))) == "لإج"
    behind_a_lam = letters(("ل", 20, 23), ("أ", 20, 20), ("ل", 14, 20), ("ن", 11, 14))
    assert written_order("".join(letter.char for letter in printed_order(behind_a_lam))) == "للأن"


def test_words_of_a_line_come_from_the_right() -> None:
    words = line(("Ltd", 20), ("ABC", 0), ("חברת", 40), ("15/03", 65), ("תאריך", 95))
    assert [word.text for word in in_reading_order(words)] == ["תאריך", "15/03", "חברת", "ABC", "Ltd"]


def test_lines_in_other_scripts_stay() -> None:
    words = line(("Total", 0), ("12.50", 40))
    assert in_reading_order(words) == words


def test_presentation_forms_become_letters() -> None:
    assert plain_letters("\ufef3\ufeee\ufee1 \u200f12") == "يوم 12"
    assert plain_letters("ﬁne") == "ﬁne"
