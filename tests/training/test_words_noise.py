"""Words with the errors of OCR: as many as asked for, and only such as OCR makes."""

from __future__ import annotations

import random

import pytest
from rapidfuzz.distance import Levenshtein

from pipeline.records import Word
from training.generator.words_noise import FAIR, GOOD, MARGINS, POOR, Rates, as_ocr

NOTHING = Rates(glued=0, split=0, letters=0, dropped=0, edge=0)


def page(lines: int = 60, gap: float = 3.0) -> list[Word]:
    """Lines of eight words, ten points high."""
    texts = ["Rechnung", "Nummer:", "4711-20", "Betrag", "1.234,50", "EUR", "bis", "12.03.2024"]
    return [
        Word(text, (at * 60.0, row * 14.0, at * 60.0 + 60 - gap, row * 14.0 + 10), line=row)
        for row in range(lines)
        for at, text in enumerate(texts)
    ]


def letters(words: list[Word]) -> str:
    return "".join(word.text for word in words)


def test_without_errors_the_words_stay_and_count_as_ocr() -> None:
    read = as_ocr(page(), random.Random(1), NOTHING)
    assert [(word.text, word.line) for word in read] == [(word.text, word.line) for word in page()]
    assert {word.source for word in read} == {"ocr"}
    assert all(0.3 <= word.confidence < 1 for word in read)
    for word, printed in zip(read, page(), strict=True):
        height = printed.box[3] - printed.box[1]
        assert word.box == pytest.approx([edge + margin * height for edge, margin in zip(printed.box, MARGINS, strict=True)])
        assert word.size == pytest.approx(word.box[3] - word.box[1])


def test_the_same_random_numbers_make_the_same_errors() -> None:
    assert as_ocr(page(), random.Random(7)) == as_ocr(page(), random.Random(7))
    assert as_ocr(page(), random.Random(7)) != as_ocr(page(), random.Random(8))


def test_lost_blanks_glue_neighbours_of_a_line_and_no_others() -> None:
    rates = Rates(glued=0.3, split=0, letters=0, dropped=0, edge=0)
    read = as_ocr(page(), random.Random(2), rates)
    assert 0.3 * 480 < len(read) < 0.95 * 480
    assert letters(read) == letters(page())
    for row in range(60):
        assert letters([word for word in read if word.line == row]) == letters(page(1))
    assert len(as_ocr(page(gap=12), random.Random(2), rates)) == 480, "a wide gap is never lost"


def test_worse_rates_misread_more_letters() -> None:
    def wrong(rates: Rates) -> float:
        only = Rates(glued=0, split=0, letters=rates.letters, dropped=0, edge=0)
        shares = []
        for seed in range(20):
            read = as_ocr(page(), random.Random(seed), only)
            shares.append(Levenshtein.distance(letters(page()), letters(read)) / len(letters(page())))
        return sum(shares) / len(shares)

    good, fair, poor = wrong(GOOD), wrong(FAIR), wrong(POOR)
    assert good < fair < poor
    assert good < 0.02
    assert 0.02 < poor < 0.2


def test_words_are_lost_as_often_as_the_rate_says() -> None:
    lost = [480 - len(as_ocr(page(), random.Random(seed), Rates(0, 0, 0, 0.05, 0))) for seed in range(30)]
    assert 0.03 * 480 < sum(lost) / len(lost) < 0.1 * 480
