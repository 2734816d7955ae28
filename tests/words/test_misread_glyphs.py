"""Fonts whose map from glyphs to letters lacks a glyph or is wrong: the words are read from the page's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import matplotlib as mpl
import pymupdf
import pytest

from pipeline.records import Box
from pipeline.words.misread_glyphs import DOUBTFUL_DIGIT, repaired
from pipeline.words.ocr import read_places
from pipeline.words.text_layer import read_text_layer
from tests.words.drawing import picture, texts

FONTS = Path(mpl.__file__).parent / "mpl-data" / "fonts" / "ttf"
FIRST_GLYPH, LAST_GLYPH = 3, 0x61
"""Glyphs of the printable ASCII letters in the DejaVu fonts, in the order of ASCII."""
LINES = [
    "Kirkwall Ferry Company, Stromness",
    "Passage for two 17.08.2026",
    "Sum due 1,614.20",
    "Ticket KF-30687",
    "Cabin 4 and 9",
]


def glyph(char: str) -> int:
    return FIRST_GLYPH + ord(char) - 0x20


def page_with_map(changes: Mapping[str, str], font: str = "DejaVuSans.ttf") -> pymupdf.Page:
    """A page of LINES whose font says that the glyphs of some letters are other letters; an empty one leaves the glyph out."""
    document = pymupdf.open()
    page = document.new_page(width=420, height=300)
    for n, line in enumerate(LINES):
        page.insert_text((40, 60 + 30 * n), line, fontname="own", fontfile=str(FONTS / font), fontsize=11)
    document = pymupdf.open(stream=document.tobytes(), filetype="pdf")
    chars = {number: chr(number - FIRST_GLYPH + 0x20) for number in range(FIRST_GLYPH, LAST_GLYPH + 1)}
    chars |= {glyph(char): other for char, other in changes.items()}
    entries = [f"<{number:04x}> <{ord(char):04x}>" for number, char in chars.items() if char]
    font_xref = document[0].get_fonts()[0][0]
    map_xref = int(document.xref_get_key(font_xref, "ToUnicode")[1].split()[0])
    head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
    head += "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
    body = f"{len(entries)} beginbfchar\n" + "\n".join(entries) + "\nendbfchar endcmap end end"
    document.update_stream(map_xref, (head + body).encode())
    return pymupdf.open(stream=document.tobytes(), filetype="pdf")[0]


def read(page: pymupdf.Page) -> list[str]:
    return texts(read_text_layer(page, partial(read_places, picture(page, dpi=200))))


def never(boxes: Sequence[Box]) -> list[tuple[str, float]]:
    raise AssertionError(f"OCR was asked for {len(boxes)} words")


@pytest.mark.parametrize("font", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"])
@pytest.mark.parametrize(("char", "other"), [("6", "1"), ("7", "1"), ("0", "8"), ("2", "3"), ("1", "4")])
def test_a_digit_that_says_it_is_another_one_is_read_from_the_picture(char: str, other: str, font: str) -> None:
    page = page_with_map({char: other}, font)
    stored = " ".join(texts(read_text_layer(page)))
    assert " ".join(LINES) != stored
    assert read(page) == LINES


def test_all_digits_that_say_other_digits_are_read_from_the_picture() -> None:
    assert read(page_with_map(dict(zip("0123456789", "7391846520", strict=True)))) == LINES


@pytest.mark.parametrize("char", ["6", "1", "K", "-", "."])
@pytest.mark.parametrize("other", ["", "\ue016"])
def test_a_glyph_without_a_letter_is_read_from_the_picture(char: str, other: str) -> None:
    assert read(page_with_map({char: other})) == LINES


def test_an_honest_font_costs_no_ocr() -> None:
    assert texts(read_text_layer(page_with_map({}), never)) == LINES


@pytest.mark.parametrize(
    "font", ["DejaVuSerif-Italic.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono-Oblique.ttf", "STIXGeneral.ttf"]
)
def test_digits_in_another_order_that_are_honest_stay(font: str) -> None:
    """A subset in the order of use, as many programs write it."""
    document = pymupdf.open()
    page = document.new_page(width=420, height=300)
    for n, line in enumerate(LINES):
        page.insert_text((40, 60 + 30 * n), line, fontname="own", fontfile=str(FONTS / font), fontsize=11)
    document.subset_fonts()
    page = pymupdf.open(stream=document.tobytes(), filetype="pdf")[0]
    assert read(page) == LINES


def test_a_digit_that_may_be_another_one_is_replaced_by_one_digit() -> None:
    stored = ["1", DOUBTFUL_DIGIT, ".", "5"]
    assert repaired("17.5", stored, "11.5", 0.99) == "11.5"
    assert repaired("17.5", stored, "1.5", 0.99) == "17.5"
    assert repaired("17.5", stored, "1711.5", 0.99) == "17.5"


def test_ocr_replaces_only_what_is_doubtful() -> None:
    assert repaired("1\ufffd4", ["1", None, "4"], "164", 0.99) == "164"
    assert repaired("1\ufffd4", ["1", None, "4"], "764", 0.99) == "1\ufffd4"
    assert repaired("1\ufffd4", ["1", None, "4"], "164", 0.4) == "1\ufffd4"
    assert repaired("1\ufffd4", ["1", None, "4"], "", 0.99) == "1\ufffd4"
