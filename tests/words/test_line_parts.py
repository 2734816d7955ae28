"""Words of a line in another script that PP-OCR reads one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.words.line_parts import unread_share, with_parts, word_spans
from pipeline.words.recogniser import LineText, LineWord, Pixels
from pipeline.words.scripts import SCRIPTS
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


def test_the_share_of_unread_words_is_by_width() -> None:
    share = unread_share([picture()], lambda _: reads(("Total", 0.99), ("n'en", 0.4), ("", 0.0)))
    assert share == pytest.approx(140 / 200)
