"""Raised digits in text layers and in scans: marks of footnotes, cents without a point, and ordinary text that has neither."""

from __future__ import annotations

import unicodedata

import pymupdf
import pytest

from pipeline.words.ocr import read_image
from pipeline.words.text_layer import read_text_layer
from tests.words.drawing import page_with, picture, texts

MARKS = [("614.20", "3"), ("2025-08-17", "1"), ("KF-30551", "2")]
FONTS = ["helv", "tiro", "cour"]


def put(page: pymupdf.Page, x: float, y: float, base: str, raised: str, *, font: str, size: float, share: float = 0.6) -> None:
    """A text with raised digits right behind it."""
    page.insert_text((x, y), base, fontsize=size, fontname=font)
    x += pymupdf.Font(font).text_length(base, size) + 0.3
    page.insert_text((x, y - 0.35 * size), raised, fontsize=share * size, fontname=font)


def drawn(*parts: tuple[str, str], font: str = "helv", size: float = 12, share: float = 0.6) -> pymupdf.Page:
    page = page_with([(40, 40, "Kirkwall Ferry Company"), (40, 60, "Summary of charges for two passengers")])
    for n, (base, raised) in enumerate(parts):
        put(page, 60, 100 + 40 * n, base, raised, font=font, size=size, share=share)
    return page


def read(page: pymupdf.Page, medium: str) -> list[str]:
    if medium == "text layer":
        return texts(read_text_layer(page))
    return texts(read_image(picture(page, dpi=200)))


@pytest.mark.parametrize("medium", ["text layer", "scan"])
@pytest.mark.parametrize("font", FONTS)
def test_the_number_of_a_footnote_is_a_word_of_its_own(font: str, medium: str) -> None:
    lines = [unicodedata.normalize("NFKC", line) for line in read(drawn(*MARKS, font=font), medium)]
    assert "614.20 3" in lines
    assert "2025-08-17 1" in lines
    assert "KF-30551 2" in lines


@pytest.mark.parametrize("medium", ["text layer", "scan"])
@pytest.mark.parametrize("size", [12, 20])
def test_raised_cents_are_the_decimals_of_their_amount(size: float, medium: str) -> None:
    assert read(drawn(("47", "95"), ("28", "50"), ("9.", "99"), size=size), medium)[2:] == ["47.95", "28.50", "9.99"]


def test_a_currency_before_raised_cents_stays_with_the_amount() -> None:
    assert read(drawn(("£1,128", "50"), size=20), "text layer")[2:] == ["£1,128.50"]


def test_superscript_letters_of_unicode_behave_alike() -> None:
    page = page_with([(40, 40, "Area of 58 m² and 58² units"), (40, 80, "Total 47⁹⁵ due"), (40, 120, "CO² 41.50¹")], size=12)
    page.insert_text((40, 160), "", fontsize=1)
    words = read_text_layer(page)
    joined = " ".join(word.text for word in words)
    assert "m²" in joined
    assert "58 ²" in joined
    assert "41.50 ¹" in joined


@pytest.mark.parametrize("medium", ["text layer", "scan"])
def test_level_digits_of_any_size_stay_together(medium: str) -> None:
    page = page_with(
        [(40, 40, "Kirkwall Ferry Company"), (40, 80, "1,614.20 R-2041/77 17:45 10.04.2025 +44 1856 872044")], size=9
    )
    assert read(page, medium)[1] == "1,614.20 R-2041/77 17:45 10.04.2025 +44 1856 872044"


def test_three_raised_digits_and_raised_digits_behind_decimals_are_no_cents() -> None:
    lines = read(drawn(("47", "955"), ("47.95", "12")), "text layer")
    assert lines[2:] == ["47 955", "47.95 12"]


def test_a_sign_right_behind_raised_cents_is_the_next_word() -> None:
    page = drawn(("12", "99"), size=20)
    x = 60 + pymupdf.Font("helv").text_length("12", 20) + 0.3 + pymupdf.Font("helv").text_length("99", 12) + 0.3
    page.insert_text((x, 100), "kg", fontsize=20)
    assert read(page, "text layer")[2:] == ["12.99 kg"]
