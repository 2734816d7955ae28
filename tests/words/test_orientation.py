from __future__ import annotations

import numpy as np
import pymupdf
import pytest

from pipeline.records import PageImage
from pipeline.words import orientation
from pipeline.words.orientation import upright_rotation
from pipeline.words.scripts import SCRIPTS, available_models
from pipeline.words.tesseract import installed_models
from tests.words.test_foreign_lines import drawn

from .drawing import letter, page_with, picture


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_rotation_of_a_turned_letter_is_found(turn: int) -> None:
    assert upright_rotation(picture(letter(), dpi=110, turn=turn)) == (360 - turn) % 360


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_rotation_of_a_turned_till_roll_is_found(turn: int) -> None:
    page = page_with([(20, 40 + 30 * n, f"{n} x Coffee and cake {n}.40") for n in range(1, 18)], size=12, width=200, height=620)
    assert upright_rotation(picture(page, turn=turn)) == (360 - turn) % 360


def test_a_picture_without_text_is_not_turned() -> None:
    noise = np.random.default_rng(7).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert upright_rotation(PageImage(400, 300, noise.tobytes(), 1.0)) == 0


def test_an_empty_page_is_not_turned() -> None:
    assert upright_rotation(PageImage(300, 400, b"\xff" * 360_000, 1.0)) == 0


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_in_a_script_that_the_ocr_does_not_know_is_found(turn: int) -> None:
    page = pymupdf.open().new_page(width=595, height=420)
    text = "<br>".join(f"გადასახადის გადამხდელი {n} საქართველო თბილისი მისამართი" for n in range(1, 15))
    page.insert_htmlbox(pymupdf.Rect(40, 40, 560, 400), f'<p style="font-size:13px">{text}</p>')
    assert upright_rotation(picture(page, dpi=75, turn=turn)) == (360 - turn) % 360


LETTERS = {
    "Hebrew": ["לכבוד חברת אור הצפון", "החשבון עבור השירותים מצורף", "ויש לשלמו עד סוף החודש", "בכבוד רב הנהלת החברה"],
    "Devanagari": ["प्रिय ग्राहक आपको सूचित", "सेवाओं का चालान संलग्न है", "भुगतान माह के अंत तक करें", "धन्यवाद उत्तर कागज लिमिटेड"],
}


@pytest.mark.parametrize("turned", [0, 180])
@pytest.mark.parametrize("script", LETTERS)
def test_a_page_is_turned_as_its_script_is_read_whatever_the_network_is_sure_of(
    monkeypatch: pytest.MonkeyPatch, script: str, turned: int
) -> None:
    """The network is sure that many real pages in these scripts are upside down, which are not."""
    found = next(each for each in SCRIPTS if each.name == script)
    if not available_models(found, installed_models()):
        pytest.skip(f"no model of Tesseract reads {script}")
    page = drawn(LETTERS[script])
    monkeypatch.setattr(orientation, "_shares", lambda _: {0: 0.02, 90: 0.03, 180: 0.93, 270: 0.02})
    assert upright_rotation(picture(page, dpi=200, turn=turned)) == turned


def test_columns_of_vertical_writing_are_not_turned() -> None:
    page = pymupdf.open().new_page(width=420, height=595)
    text = "請求書の合計金額は三万二千円です支払期限までにお振込みください毎度ありがとうございます"
    for column in range(12):
        for n, letter_ in enumerate(text[column:] + text[:column]):
            page.insert_text((370 - 28 * column, 50 + 13 * n), letter_, fontname="japan", fontsize=12)
    assert upright_rotation(picture(page, dpi=110)) == 0
