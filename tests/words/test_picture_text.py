"""What is set as a picture on a page with a text layer is read, once, and in its place."""

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
    drawn = page_with([(4, 12, line)], size=11, width=box[2] - box[0], height=box[3] - box[1])
    page = letter()
    page.insert_image(box, pixmap=drawn.get_pixmap(dpi=200))
    return page


def test_a_line_set_as_a_picture_joins_the_text_in_its_place() -> None:
    box = (40.0, 63.0, 240.0, 79.0)  # between the first and the second line
    page = with_picture(box, "Harbour office, second floor")
    layer = read_text_layer(page)
    boxes = unread_pictures(layer, [box], 420, 400)
    found = read_pictures(picture(page, dpi=200), boxes)
    words = add_picture_words(layer, found)
    lines = texts(words)
    assert lines[1] == "Harbour office, second floor"
    assert [line for line in lines if line != lines[1]] == texts(layer)
    assert {w.source for w in words if w.line == 1} == {"ocr"}
    for seen in (w for w in words if w.source == "ocr"):
        assert box[0] - 1 <= seen.box[0] <= seen.box[2] <= box[2] + 1
        assert box[1] - 1 <= seen.box[1] <= seen.box[3] <= box[3] + 1


def test_only_the_pictures_are_looked_at() -> None:
    page = letter()
    assert read_pictures(picture(page), [(300.0, 10.0, 400.0, 30.0)]) == []


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([(0.0, 0.0, 420.0, 400.0)], []),
        ([(300.0, 20.0, 400.0, 26.0)], []),
        ([(300.0, 20.0, 310.0, 30.0)], []),
        ([(300.0, 300.0, 600.0, 500.0)], [(300.0, 300.0, 420.0, 400.0)]),
        ([(500.0, 20.0, 600.0, 80.0)], []),
        ([(300.0, 20.0, 400.0, 60.0)] * 9, [(300.0, 20.0, 400.0, 60.0)]),
        ([(0.0, y, 420.0, y + 50.0) for y in range(0, 400, 50)], []),
    ],
    ids=["a background", "a rule", "an icon", "cut to the page", "off the page", "drawn many times", "a scan in strips"],
)
def test_which_pictures_may_hold_text(boxes: list[tuple[float, float, float, float]], kept: object) -> None:
    assert unread_pictures(read_text_layer(letter()), boxes, 420, 400) == kept


def test_a_word_that_the_layer_has_is_not_taken_twice() -> None:
    layer = [word("STORY", 50, 50), word("TELLING", 80, 50)]
    seen = [Word("ST0RYTELL", (49, 51, 100, 61), 0, "ocr"), Word("fresh", (200, 51, 230, 61), 0, "ocr")]
    assert [w.text for w in add_picture_words(layer, seen)] == ["STORY", "TELLING", "fresh"]
    assert add_picture_words([], seen) == seen


def test_the_page_without_its_pictures_is_the_layer_again() -> None:
    layer = [word("one", 50, 50, 0), word("two", 50, 90, 1)]
    words = add_picture_words(layer, [Word("seen", (50, 70, 80, 80), 0, "ocr")])
    assert [w.text for w in words] == ["one", "seen", "two"]
    assert without_picture_words(Page(1, 420, 400, tuple(words), "textlayer")).words == tuple(layer)
    scan = Page(1, 420, 400, tuple(words), "ocr")
    assert without_picture_words(scan) is scan
    assert all(a.line <= b.line for a, b in pairwise(words))
