"""Pages in scripts that PP-OCR's network does not know, read with Tesseract; pages in others do not pay for it."""

from __future__ import annotations

import os
from collections.abc import Callable

import cv2
import numpy as np
import pymupdf
import pytest
from rapidfuzz.fuzz import ratio

from pipeline.records import PageImage
from pipeline.words import foreign_lines
from pipeline.words.foreign_lines import ForeignLines, in_cyrillic, is_unread, with_company_form, with_numbers, without_dollar
from pipeline.words.line_parts import Reader
from pipeline.words.ocr import read_page
from pipeline.words.recogniser import LineText, LineWord, Pixels
from pipeline.words.scripts import SCRIPTS, available_models, install_command, wanted_scripts
from pipeline.words.tesseract import installed_models, line_of
from tests.words.drawing import letter, picture, texts

PAGES = {
    "Cyrillic": ["Счет на оплату № 1024", "от 15 марта 2024 года", "Поставщик: общество Ромашка", "Всего к оплате 1234,50"],
    "Greek": ["Τιμολόγιο πώλησης 1024", "Ημερομηνία έκδοσης 15/03/2024", "Πελάτης: Χαρτική Βορρά", "Σύνολο με ΦΠΑ 1234,50"],
    "Arabic": ["رقم الفاتورة 1024", "تاريخ الإصدار 15/03/2024", "اسم العميل شركة النور", "المبلغ المستحق 1234.50"],
    "Hebrew": ["חשבונית מס מספר 1024", "תאריך הפקה 15/03/2024", "לכבוד חברת אור הצפון", "סך הכל לתשלום 1234.50"],
    "Hangul": ["세금계산서 번호 1024", "작성일자 2024-03-15", "공급받는자 북방제지 주식회사", "합계금액 12,000원"],
    "Devanagari": ["कर चालान 1024", "दिनांक 15/03/2024", "ग्राहक उत्तर कागज लिमिटेड", "कुल राशि 1234.50"],
    "Thai": ["ใบกำกับภาษี 1024", "วันครบกำหนด 15/03/2567", "ลูกค้า บริษัท กระดาษเหนือ", "รวมทั้งสิ้น 1234.50"],
}


def drawn(lines: list[str]) -> pymupdf.Page:
    page = pymupdf.open().new_page(width=400, height=260)
    for n, line in enumerate(lines):
        page.insert_htmlbox(pymupdf.Rect(30, 30 + 45 * n, 380, 70 + 45 * n), f'<p style="font-size:17px">{line}</p>')
    return page


@pytest.fixture(params=PAGES)
def script(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    found = next(each for each in SCRIPTS if each.name == name)
    if not available_models(found, installed_models()):
        if os.environ.get("TESTS_NEED_TESSERACT"):
            pytest.fail(f"no model of Tesseract reads {name}: {install_command([found])}")
        pytest.skip(f"no model of Tesseract reads {name}")
    return name


def test_a_page_is_read_in_its_script(script: str) -> None:
    read = read_page(picture(drawn(PAGES[script]), dpi=200))
    assert not read.unread
    for printed, line in zip(PAGES[script], texts(read.words), strict=True):
        assert ratio("".join(printed.split()), "".join(line.split())) >= 80, (printed, line)
    assert {"1024"} & {word.text for word in read.words}


MIXED = {
    "Arabic": (["الرقم الضريبي للمورد 100240805449363", "رقم الفاتورة / Invoice No. A693284", "إجمالي الضريبة: 1,314.42 AED"],
               ["100240805449363", "A693284", "1,314.42", "AED", "Invoice"]),
    "Hebrew": (["חשבונית מס / Tax Invoice", "דרך מנחם בגין 132, ירושלים 9438307", "תאריך לתשלום / Due date 12/07/2023"],
               ["Tax", "Invoice", "דרך", "9438307", "Due", "date", "12/07/2023"]),
}  # fmt: skip


@pytest.mark.parametrize("script", MIXED, indirect=True)
def test_numbers_and_latin_words_beside_another_script_are_complete(script: str) -> None:
    lines, expected = MIXED[script]
    read = read_page(picture(drawn(lines), dpi=200))
    assert set(expected) <= {word.text.strip(",:.") for word in read.words}, texts(read.words)


@pytest.mark.parametrize("script", ["Arabic", "Hebrew"], indirect=True)
def test_labels_in_the_cells_of_a_table_are_read(script: str) -> None:
    labels = [line.rstrip("0123456789/. ") for line in PAGES[script]]
    page = pymupdf.open().new_page(width=300, height=200)
    cells = "".join(f'<tr><td style="border:1px solid #555;padding:1px 4px">{label}</td></tr>' for label in labels)
    page.insert_htmlbox(
        pymupdf.Rect(20, 20, 280, 180), f'<table style="border-collapse:collapse;font-size:11px">{cells}</table>'
    )
    read = {"".join(line.split()) for line in texts(read_page(picture(page, dpi=200)).words)}
    assert {"".join(label.split()) for label in labels} <= read


NATIVE = {
    "Arabic": (["المبلغ المستحق", "٩٬٢٤٧٫٣٦", "٢٣٤٦٧٨٩", "تاريخ الإصدار ٢٣/٠٧/٢٠٢٤"], ["٩٬٢٤٧٫٣٦", "٢٣٤٦٧٨٩", "٢٣/٠٧/٢٠٢٤"]),
}


@pytest.mark.parametrize("script", NATIVE, indirect=True)
def test_numbers_in_the_digits_of_the_script_are_read_also_alone(script: str) -> None:
    lines, numbers = NATIVE[script]
    read = {word.text.replace("٬", ",") for word in read_page(picture(drawn(lines), dpi=200)).words}
    assert {number.replace("٬", ",") for number in numbers} <= read
    assert {"المبلغ", "المستحق"} <= read


def photographed(image: PageImage, sharpness: float) -> PageImage:
    """The picture in a shadow that falls from the left, out of focus, with noise."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    small = cv2.resize(pixels, None, fx=sharpness, fy=sharpness, interpolation=cv2.INTER_AREA)
    light = np.linspace(0.35, 0.95, small.shape[1])[None, :, None]
    noisy = np.random.default_rng(4).normal(0, 9, small.shape) + cv2.GaussianBlur(small, (0, 0), 0.8) * light
    height, width = small.shape[:2]
    return PageImage(width, height, np.clip(noisy, 0, 255).astype(np.uint8).tobytes(), image.scale * sharpness)


@pytest.mark.parametrize("script", ["Cyrillic", "Hangul"], indirect=True)
def test_a_photograph_is_read_in_its_script(script: str) -> None:
    read = read_page(photographed(picture(drawn(PAGES[script]), dpi=200), 0.4))
    assert not read.unread
    joined = ["".join(line.split()) for line in texts(read.words)]
    likeness = [max((ratio("".join(printed.split()), line) for line in joined), default=0) for printed in PAGES[script]]
    assert sum(likeness) / len(likeness) >= 75, (texts(read.words), likeness)


def test_words_from_right_to_left_have_their_own_boxes() -> None:
    if not available_models(wanted_scripts(["he"])[0], installed_models()):
        pytest.skip("no model of Tesseract reads Hebrew")
    words = read_page(picture(drawn(PAGES["Hebrew"]), dpi=200)).words
    first = [word for word in words if word.line == words[0].line]
    assert first[0].text == "חשבונית"
    assert [word.box[0] for word in first] == sorted((word.box[0] for word in first), reverse=True)


def test_a_script_without_a_model_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_lines, "installed_models", frozenset)
    read = ForeignLines().read(*_unread_lines())
    assert read.unread
    assert not read.lines


def test_languages_of_known_scripts_look_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_lines, "installed_models", frozenset)
    assert not ForeignLines(["en", "de", "zh"]).read(*_unread_lines()).unread


def test_a_latin_page_starts_no_other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("Tesseract was asked")

    monkeypatch.setattr(foreign_lines, "TesseractRecogniser", fail)
    monkeypatch.setattr(foreign_lines, "installed_models", fail)
    assert read_page(picture(letter())).words


def test_a_line_with_gaps_is_unread() -> None:
    assert is_unread(LineText("", (), 0.0), 8.0)
    assert is_unread(LineText("1024", (0.8, 0.84, 0.88, 0.92), 0.9), 12.0)
    assert not is_unread(LineText("abcdefgh", tuple((n + 0.5) / 8 for n in range(8)), 0.9), 4.0)


def test_numbers_are_those_of_the_other_recogniser() -> None:
    text = line_of([LineWord("מספר", 0.7, 1.0, 0.9), LineWord("םםםם", 0.45, 0.6, 0.9)], 0.9)
    printed = LineText("1024", (0.46, 0.5, 0.54, 0.58), 0.99)
    assert [word.text for word in with_numbers(text, printed, 8.0).words] == ["מספר", "1024"]


def test_zeros_before_a_russian_name_are_the_form_of_a_company() -> None:
    text = line_of([LineWord("000", 0.0, 0.1, 0.6), LineWord("«Ромашка»", 0.12, 0.4, 0.9), LineWord("000", 0.5, 0.6, 0.9)], 0.8)
    assert with_company_form(text).text == "ООО «Ромашка» 000"


def test_the_command_names_every_package() -> None:
    assert install_command(wanted_scripts(["he", "fa"])) == (
        "sudo apt-get install tesseract-ocr tesseract-ocr-ara tesseract-ocr-fas tesseract-ocr-heb"
    )


def _unread_lines() -> tuple[list[LineText], list[tuple[float, float]], Callable[[int], Pixels], Reader]:
    return (
        [LineText("", (), 0.0)] * 3,
        [(300.0, 30.0)] * 3,
        lambda _: np.full((30, 300, 3), 255, np.uint8),
        lambda parts: [LineText("", (), 0.0) for _ in parts],
    )


def test_words_in_capitals_are_cyrillic_where_all_their_letters_may_be() -> None:
    assert in_cyrillic("CYMA 64.98 VISA S1V10RSQ AB KAPTKA") == "СУМА 64.98 VISA S1V10RSQ AB КАРТКА"


def test_the_sign_of_the_baht_is_no_dollar() -> None:
    line = without_dollar(LineText("a $12", (0.1, 0.5, 0.6, 0.7), 0.9))
    assert (line.text, line.columns) == ("a 12", (0.1, 0.6, 0.7))
