"""The work for one page is bounded, however much a file paints on it or hides."""

import time

import pymupdf
import pytest

from pipeline.words import paint_log
from pipeline.words.painted_page import PaintedPage
from pipeline.words.text_layer import read_text_layer
from pipeline.words.uncovered_ink import drawn_texts

ROWS, COLUMNS = 200, 100


def page_of(*operators: str) -> pymupdf.Page:
    """A page of 3000 x 2800 points with this content; /helv is Helvetica."""
    document = pymupdf.open()
    page = document.new_page(width=3000, height=2800)
    page.insert_text((10, 20), "x", fontname="helv")
    document.update_stream(page.get_contents()[0], "\n".join(operators).encode())
    document = pymupdf.open("pdf", document.tobytes())
    return document[0]


def words(rows: int = ROWS, columns: int = COLUMNS) -> str:
    """A grid of words."""
    lines = [
        f"1 0 0 1 {10 + 29.5 * x:.1f} {2780 - 13.7 * y:.1f} Tm ({y * columns + x}) Tj"
        for y in range(rows)
        for x in range(columns)
    ]
    return "BT /helv 10 Tf " + "\n".join(lines) + " ET"


def seconds(page: pymupdf.Page) -> tuple[float, int]:
    """Processor time of reading the words of a page, and their number."""
    started = time.process_time()
    painted = PaintedPage(page)
    found = read_text_layer(painted)
    drawn_texts(painted, found)
    return time.process_time() - started, len(found)


@pytest.mark.slow
def test_twenty_thousand_words_on_a_background() -> None:
    spent, count = seconds(page_of("0.9 0.95 1 rg 0 0 3000 2800 re f 0 g", words()))
    assert count == ROWS * COLUMNS
    assert spent < 10


@pytest.mark.slow
def test_twenty_thousand_words_under_a_later_shape() -> None:
    cover = "1 1 0 rg 0 0 3000 2800 re f"
    spent, count = seconds(page_of("0 g", words(), cover))
    assert count == 0  # the shape is opaque
    assert spent < 10


@pytest.mark.parametrize("operator", ["0.5 0.5 re f", "4 4 re f", "4 4 re S"])
def test_a_hundred_thousand_shapes(operator: str) -> None:
    """A map or a plot with some words: the words are read, and the shapes cost little."""
    shapes = "\n".join(f"{n % 590} {n // 590 * 5 % 840} {operator}" for n in range(100_000))
    spent, count = seconds(page_of(shapes, "0 g", words(rows=3, columns=10)))
    assert count == 30
    assert spent < 2.2


def test_a_page_with_more_operations_than_are_compared_has_an_empty_log() -> None:
    shapes = "\n".join(f"{n % 590} 20 2 2 re f" for n in range(paint_log.MAX_OPERATIONS + 1))
    assert len(PaintedPage(page_of(shapes)).log.turns) == 0
    assert len(PaintedPage(page_of(shapes.rsplit("\n", 1)[0])).log.turns) == paint_log.MAX_OPERATIONS
