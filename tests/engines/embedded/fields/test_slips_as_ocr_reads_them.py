"""Till slips with what OCR makes of them, in words that the packs write otherwise."""

from __future__ import annotations

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.languages.han import simplified
from tests.engines.embedded.fields.pages import Line, page, template

RECEIPT = template("receipt")


def value(lines: list[Line], field: str) -> object:
    return read_fields(page(lines, "ocr", width=300), RECEIPT)[field].value


def slip(*middle: str) -> list[Line]:
    texts = ["TRGOVINA BREZOVAC d.o.o.", "Lipova ulica 14, 10000 Zagreb", *middle, "Kruh 1 x 4.20 4.20", "Ukupno EUR 4.20"]
    return [(20, 20 + 14 * n, text) for n, text in enumerate(texts)]


@pytest.mark.parametrize("label", ["OIB: 69435151530", "0IB: 69435151530", "MB:1234567 0IB:69435151530"])
def test_a_zero_within_a_label_is_the_letter(label: str) -> None:
    assert value(slip(label), "vendor_vat_id") == "69435151530"


def test_a_telephone_number_behind_the_town_is_no_part_of_the_address() -> None:
    lines = slip()
    lines[1] = (20, 34, "Lipova ulica 14, 10000 Zagreb, +385 1 / 4817-220")
    assert value(lines, "address") == "Lipova ulica 14, 10000 Zagreb"


def test_a_line_with_another_fields_label_is_no_part_of_the_address() -> None:
    assert value(slip("OIB: 69435151530 Marija Brezovac, Lipova 14"), "address") == "Lipova ulica 14, 10000 Zagreb"


def test_a_shops_name_of_one_word_may_end_in_a_dot() -> None:
    lines = [
        (20.0, 20 + 14.0 * n, t) for n, t in enumerate(["brezovac.", "Lipova ulica 14", "10000 Zagreb", "Ukupno EUR 4.20"])
    ]
    assert str(value(lines, "vendor_name")).strip(".") == "brezovac"


def test_traditional_characters_are_labels_too() -> None:
    texts = ["松柏茶餐廳", "發票號碼 0000731520", "日期 2024/03/14", "凍檸茶 21.00", "總金額 21.00"]
    lines = [(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)]
    assert value(lines, "receipt_number") == "0000731520"
    assert value(lines, "total") == "21.00"


def test_simplified_text_keeps_its_length() -> None:
    assert simplified("發票號碼 No. 7") == "发票号码 No. 7"


def test_ones_at_the_end_of_a_word_of_a_label_are_letters() -> None:
    texts = ["Himal Provisions Pvt. Ltd.", "Bi11 No: MN50832-QS-24/25", "Date: 14/03/2024", "Net Amount 473.00"]
    lines = [(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)]
    assert value(lines, "receipt_number") == "MN50832-QS-24/25"


def test_a_sentence_of_a_chinese_or_japanese_slip_is_no_name() -> None:
    texts = ["表示の価格には税が含まれます。", "2024年3月14日", "パン 210", "合計 210"]
    assert value([(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)], "vendor_name") != texts[0]


def test_an_address_behind_its_label_needs_no_postcode() -> None:
    texts = ["SIA BRIEDIS", "Jur. adrese: Jelgava, Kalmju iela 41", "14.03.2024", "Maize 2,10", "Kopā 2,10"]
    assert value([(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)], "address") == "Jelgava, Kalmju iela 41"


def test_headings_side_by_side_are_no_vendor() -> None:
    texts = ["Kvitto 2290", "2024-03-14 11:09", "Att betala 44.00", "Moms (kr) Belopp", "12% 4.71"]
    assert value([(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)], "vendor_name") is None


@pytest.mark.parametrize(
    ("line", "vendor"), [("Keepthis slip for your next visit", None), ("Republic of Zambia", "Okello Stores Ltd")]
)
def test_phrases_and_states_are_no_vendors(line: str, vendor: str | None) -> None:
    texts = [line, *([vendor] if vendor else []), "41 Acacia Road", "Date 14/03/2024", "Total 44.00"]
    assert value([(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)], "vendor_name") == vendor


def test_two_numbers_of_a_till_are_no_tax_number() -> None:
    texts = ["Okello Stores Ltd", "VAT No. 04471 OQ004182 TK311", "Date 14/03/2024", "Total 44.00"]
    assert value([(20.0, 20 + 14.0 * n, text) for n, text in enumerate(texts)], "vendor_vat_id") is None
