"""Text in a picture on a page with a text layer is read once, at its position."""

from __future__ import annotations

from itertools import pairwise

import pymupdf
import pytest

from pipeline.records import Page, Word
from pipeline.words.lines import without_picture_words
from pipeline.words.picture_text import add_picture_words, read_pictures, unread_pictures
from pipeline.words.text_layer import read_text_layer
from tests.words.drawing import letter, page_with, picture, texts, word


def with_picture(box: tuple[float, float, float, float], line: str) -> pymupdf.Page:
    """A letter with a line of text as a picture on it."""
    pdf_page = page_with([(4, 12, line)], size=11, width=box[2] - box[0], height=box[3] - box[1])
    page = letter()
    page.insert_image(box, pixmap=pdf_page.get_pixmap(dpi=200))
    return page


def test_a_line_in_a_picture_joins_the_text_at_its_position() -> None:
    box = (40.0, 63.0, 240.0, 79.0)  # between the first and the second line
    page = with_picture(box, "Harbour office, second floor")
    layer = read_text_layer(page)
    boxes = unread_pictures(layer, [box], 420, 400)
    picture_words = read_pictures(picture(page, dpi=200), boxes)
    words = add_picture_words(layer, picture_words)
    lines = texts(words)
    assert lines[1] == "Harbour office, second floor"
    assert [line for line in lines if line != lines[1]] == texts(layer)
    assert {w.source for w in words if w.line == 1} == {"ocr"}
    for read in (w for w in words if w.source == "ocr"):
        assert box[0] - 1 <= read.box[0] <= read.box[2] <= box[2] + 1
        assert box[1] - 1 <= read.box[1] <= read.box[3] <= box[3] + 1


def test_only_the_pictures_are_read() -> None:
    page = letter()
    assert read_pictures(picture(page), [(300.0, 10.0, 400.0, 30.0)]) == []


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([(0.0, 0.0, 420.0, 400.0)], []),
        ([(300.0, 20.0, 400.0, 26.0)], []),
        ([(300.0, 20.0, 310.0, 30.0)], []),
        ([(300.0, 300.0, 600.0, 500.0)], [(300.0, 300.0, 420.0, 400.0)]),
        ([(500.0, 20.0, 600.0, 80.0)], []),
        ([(300.0, 20.0, 400.0, 60.0)] * 9, [(300.0, 20.0, 400.0, 60.0)]),
        ([(0.0, y, 420.0, y + 50.0) for y in range(0, 400, 50)], []),
    ],
    ids=["a background", "a rule", "an icon", "clipped to the page", "off the page", "drawn many times", "a scan in strips"],
)
def test_pictures_that_may_have_text_are_selected(boxes: list[tuple[float, float, float, float]], expected: object) -> None:
    assert unread_pictures(read_text_layer(letter()), boxes, 420, 400) == expected


def test_a_word_of_the_layer_is_not_added_again() -> None:
    layer = [word("STORY", 50, 50), word("TELLING", 80, 50)]
    picture_words = [Word("ST0RYTELL", (49, 51, 100, 61), 0, "ocr"), Word("fresh", (200, 51, 230, 61), 0, "ocr")]
    assert [w.text for w in add_picture_words(layer, picture_words)] == ["STORY", "TELLING", "fresh"]
    assert add_picture_words([], picture_words) == picture_words


def test_a_page_without_its_picture_words_is_the_layer() -> None:
    layer = [word("one", 50, 50, 0), word("two", 50, 90, 1)]
    words = add_picture_words(layer, [Word("read", (50, 70, 80, 80), 0, "ocr")])
    assert [w.text for w in words] == ["one", "read", "two"]
    assert without_picture_words(Page(1, 420, 400, tuple(words), "textlayer")).words == tuple(layer)
    scan = Page(1, 420, 400, tuple(words), "ocr")
    assert without_picture_words(scan) is scan
    assert all(a.line <= b.line for a, b in pairwise(words))
