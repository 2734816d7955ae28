"""Words of a line in another script that PP-OCR reads one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.words.line_parts import beside_number, unread_share, with_parts, word_spans
from pipeline.words.recogniser import LineText, LineWord, Pixels
from pipeline.words.scripts import SCRIPTS, Script
from pipeline.words.tesseract import line_of

HEBREW = next(script for script in SCRIPTS if script.name == "Hebrew")
PLACES = [(20, 80), (120, 200), (240, 300)]
"""Words of the picture in pixels from left to right."""


def picture() -> Pixels:
    line = np.full((50, 320, 3), 255, np.uint8)
    for left, right in PLACES:
        line[15:35, left:right] = 0
    return line


def reads(*texts: tuple[str, float]) -> list[LineText]:
    return [LineText(text, tuple((n + 0.5) / len(text) for n in range(len(text))), sure) for text, sure in texts]


def tesseract(*words: tuple[str, float]) -> LineText:
    found = [LineWord(text, left / 320, right / 320, sure) for (text, sure), (left, right) in zip(words, PLACES, strict=True)]
    return line_of(found[::-1], 0.8)


def test_words_stand_between_white() -> None:
    assert word_spans(picture()) == PLACES


@pytest.mark.parametrize(
    ("left", "part", "expected"),
    [
        (("202", 0.6), ("2025", 1.0), "2025"),
        (("202,", 0.9), (",2025", 0.99), "2025,"),  # the comma of a line from right to left stands left of the number
        (("זאש", 0.3), ("VAT", 0.99), "VAT"),
        (("דרך", 0.93), ("777", 0.97), "דרך"),  # Tesseract is sure of a word
        (("דרו", 0.5), ("777", 0.8), "דרו"),  # PP-OCR is not
        (("/", 0.93), ("1", 0.97), "/"),
    ],
)
def test_the_surer_one_is_taken(left: tuple[str, float], part: tuple[str, float], expected: str) -> None:
    text = tesseract(left, ("מספר", 0.9), ("לתשלום", 0.9))
    asked: list[int] = []

    def read(pictures: Sequence[Pixels]) -> list[LineText]:
        asked.append(len(pictures))
        return reads(part)[: len(pictures)]

    assert with_parts(HEBREW, [text], [picture()], read)[0].text == f"לתשלום מספר {expected}"
    assert sum(asked) <= 1  # words that are surely Hebrew are not read again


THAI = next(script for script in SCRIPTS if script.name == "Thai")
HANGUL = next(script for script in SCRIPTS if script.name == "Hangul")


def test_a_number_is_parted_from_its_label_at_the_white_between_them() -> None:
    glued = line_of([LineWord("โทร.088855884", 20 / 320, 200 / 320, 0.9)], 0.9)
    words = with_parts(THAI, [glued], [picture()], lambda parts: [LineText("", (), 0.0)] * len(parts))[0].words
    assert [(word.text, round(word.start * 320), round(word.end * 320)) for word in words] == [
        ("โทร.", 20, 80),
        ("088855884", 120, 200),
    ]


@pytest.mark.parametrize(
    ("script", "words", "expected"),
    [
        (HANGUL, [LineWord("6,699,550원", 0.1, 0.9, 0.5)], "6,699,550원"),
        (HANGUL, [LineWord("6,699,150원", 0.1, 0.9, 0.5)], "6,699,550"),  # Tesseract reads another number
        (HEBREW, [LineWord("6,6", 0.5, 0.9, 0.4), LineWord('ש"ח', 0.05, 0.6, 0.9)], '6,699,550 ש"ח'),
    ],
)
def test_the_sign_beside_a_number_is_kept(script: Script, words: list[LineWord], expected: str) -> None:
    number = LineWord("6,699,550", 0.4, 0.95, 1.0)
    assert beside_number(script, line_of(words, 0.8), [number]).text == expected


def test_the_share_of_unread_words_is_by_width() -> None:
    share = unread_share([picture()], lambda _: reads(("Total", 0.99), ("n'en", 0.4), ("", 0.0)))
    assert share == pytest.approx(140 / 200)
