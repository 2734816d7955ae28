"""Single digits and letters of a chart that the text detector leaves out are read where they stand in line with words."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.records import PageImage, Word
from pipeline.words.missed_print import with_missed_print

SIZE = 24
INK = (60, 60, 60)


def picture(texts: list[tuple[int, int, str]], dots: int = 0) -> PageImage:
    image = Image.new("RGB", (600, 500), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for x, y, text in texts:
        draw.text((x, y), text, INK, ImageFont.load_default(SIZE), anchor="rm")
    for n in range(dots):
        x, y = 200 + 37 * (n % 10), 60 + 41 * (n // 10)
        draw.ellipse((x, y, x + 12, y + 12), outline=INK, width=3)
    return PageImage(600, 500, image.tobytes(), 1.0)


def word(x: int, y: int, text: str, line: int) -> Word:
    width = ImageFont.load_default(SIZE).getlength(text)
    return Word(text, (x - width, y - 15, x + 1, y + 15), line, "ocr", 0.99, 30)


AXIS = [(80, 60, "400"), (80, 160, "300"), (80, 260, "200"), (80, 360, "8"), (80, 440, "0")]


def found(words: list[Word], image: PageImage) -> list[str]:
    return [each.text for each in with_missed_print(words, image)[len(words) :]]


def test_digits_in_the_column_of_an_axis_are_read() -> None:
    known = [word(*place, n) for n, place in enumerate(AXIS[:3])]
    assert sorted(found(known, picture(AXIS))) == ["0", "8"]


def test_a_digit_in_line_with_nothing_stays_unread() -> None:
    known = [word(*place, n) for n, place in enumerate(AXIS[:3])]
    assert found(known, picture([*AXIS[:3], (420, 320, "8")])) == []


def test_markers_of_a_plot_are_no_letters() -> None:
    known = [word(*place, n) for n, place in enumerate(AXIS[:3])]
    assert found(known, picture(AXIS[:3], dots=90)) == []


def test_words_come_first_and_stay_as_they_are() -> None:
    known = [word(*place, n) for n, place in enumerate(AXIS[:3])]
    words = with_missed_print(known, picture(AXIS))
    assert words[:3] == known
    assert len({each.line for each in words}) == len(words)
    zero = next(each for each in words if each.text == "0")
    assert zero.box == pytest.approx((66, 430, 80, 450), abs=8)


def test_a_page_without_words_is_left_alone() -> None:
    assert with_missed_print([], picture(AXIS)) == []
