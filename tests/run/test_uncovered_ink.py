"""Print that a text layer lacks is read: a scan below typed words, and amounts that are drawn instead of written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from matplotlib.textpath import TextPath
from PIL import Image

from pipeline.words.lines import without_picture_words
from tests.drawing import page_image, png
from tests.run.test_page_reader import read
from tests.words.drawing import LETTER_LINES, letter, page_with, pdf_bytes, texts

LABELS = [
    (40, 40, "Kirkwall Ferry Company"),
    (40, 70, "Passage for two and a bicycle"),
    (40, 100, "Sum due"),
    (40, 130, "Thank you"),
]
AMOUNT = "1,614.20"
AMOUNT_AT = (150, 100)


def scanned_letter(strips: int = 1) -> pymupdf.Page:
    """A page that is a picture of a letter, in strips."""
    scan = page_image(pdf_bytes(letter()), dpi=150)
    page = pymupdf.open().new_page(width=420, height=400)
    for n in range(strips):
        top, bottom = n * scan.height // strips, (n + 1) * scan.height // strips
        place = pymupdf.Rect(0, 400 * top / scan.height, 420, 400 * bottom / scan.height)
        page.insert_image(place, stream=png(scan.crop((0, top, scan.width, bottom))))
    return page


def file(folder: Path, page: pymupdf.Page) -> Path:
    path = folder / "a.pdf"
    path.write_bytes(pdf_bytes(page))
    return path


@pytest.mark.parametrize("strips", [1, 5])
@pytest.mark.parametrize("typed", [1, 8, 14])
def test_typed_lines_over_a_scan_do_not_hide_its_text(tmp_path: Path, typed: int, strips: int) -> None:
    page = scanned_letter(strips)
    for n in range(typed):
        page.insert_text((300, 290 + 7 * n), f"Approved by desk {n + 1}", fontsize=6)
    found = texts(read(file(tmp_path, page))[0].words)
    assert sum(line.startswith("Approved by desk") for line in found) == typed
    assert sum(line in found for line in LETTER_LINES) >= len(LETTER_LINES) - 1


def test_a_typed_value_and_its_label_in_the_scan_are_one_line(tmp_path: Path) -> None:
    form = page_with(
        [
            (40, 40 + 30 * n, label)
            for n, label in enumerate(
                ["Form of the harbour office", "Name of the ship", "Length in metres", "Home port", "Cargo on board"]
            )
        ]
    )
    scan = page_image(pdf_bytes(form), dpi=150)
    page = pymupdf.open().new_page(width=420, height=400)
    page.insert_image(page.rect, stream=png(scan))
    for n, value in enumerate(["Hamnavoe", "112", "Stromness", "Vehicles"]):
        page.insert_text((220, 70 + 30 * n), value, fontname="cour")
    found = texts(read(file(tmp_path, page))[0].words)
    assert {"Name of the ship Hamnavoe", "Length in metres 112", "Home port Stromness"} <= set(found)


def test_the_invisible_layer_of_a_scan_is_believed(tmp_path: Path) -> None:
    page = scanned_letter()
    for n, line in enumerate(LETTER_LINES):
        page.insert_text((40, 60 + 30 * n), line.replace("Northwind", "Westwind"), fontsize=11, render_mode=3)
    found = read(file(tmp_path, page))[0]
    assert found.source == "textlayer"
    assert texts(found.words)[0] == "Westwind Traders Ltd"


def test_text_over_a_background_picture_needs_no_ocr(tmp_path: Path) -> None:
    page = pymupdf.open().new_page(width=420, height=400)
    page.insert_image(page.rect, stream=png(Image.linear_gradient("L").point(lambda value: 225 + value // 9)))
    for n, line in enumerate(LETTER_LINES):
        page.insert_text((40, 60 + 30 * n), line)
    found = read(file(tmp_path, page))[0]
    assert (found.source, {word.source for word in found.words}) == ("textlayer", {"textlayer"})


def polygons(text: str) -> list[list[list[float]]]:
    """The outlines of a text as points."""
    return [np.asarray(polygon).tolist() for polygon in TextPath((0, 0), text, size=11).to_polygons()]


def outlines(page: pymupdf.Page) -> None:
    """The amount as filled shapes, one for each letter."""
    x = float(AMOUNT_AT[0])
    for char in AMOUNT:
        shape = page.new_shape()
        for polygon in polygons(char):
            shape.draw_polyline([(x + px, AMOUNT_AT[1] - py) for px, py in polygon])
        shape.finish(color=None, fill=(0, 0, 0), even_odd=True)
        shape.commit()
        x += TextPath((0, 0), char, size=11).get_extents().width + 1.6


def one_outline(page: pymupdf.Page) -> None:
    """The amount as one filled shape."""
    shape = page.new_shape()
    for polygon in polygons(AMOUNT):
        shape.draw_polyline([(AMOUNT_AT[0] + px, AMOUNT_AT[1] - py) for px, py in polygon])
    shape.finish(color=None, fill=(0, 0, 0), even_odd=True)
    shape.commit()


def small_picture(page: pymupdf.Page) -> None:
    text = page_with([(2, 12, AMOUNT)], width=60, height=16)
    page.insert_image(pymupdf.Rect(150, 88, 210, 104), stream=png(page_image(pdf_bytes(text), dpi=200)))


@pytest.mark.parametrize("draw", [outlines, one_outline, small_picture])
def test_an_amount_that_is_drawn_beside_its_label_is_a_word_of_the_line(
    tmp_path: Path, draw: Callable[[pymupdf.Page], None]
) -> None:
    page = page_with(LABELS)
    draw(page)
    found = without_picture_words(read(file(tmp_path, page))[0])
    assert f"Sum due {AMOUNT}" in texts(found.words)
    assert found.source == "textlayer"


def test_ornaments_in_a_line_are_no_words(tmp_path: Path) -> None:
    page = page_with(LABELS)
    for n in range(6):
        page.draw_circle((160 + 14 * n, 96), 4, fill=(0, 0.4, 0.6))
        page.draw_rect(pymupdf.Rect(150 + 20 * n, 60, 164 + 20 * n, 70), color=(0, 0, 0))
    page.draw_line((40, 104), (380, 104))
    assert texts(read(file(tmp_path, page))[0].words) == [text for _, _, text in LABELS]
