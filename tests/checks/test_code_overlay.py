"""Codes of a page as a second witness of its values."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.code_overlay import overlay_codes
from pipeline.checks.confidence import DISPUTED_CONFIDENCE, assess_confidence
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.publish.review_flags import fields_to_review, review_reasons
from pipeline.records import CodeFacts, Evidence, Page

from .building import claims_of, page_of, result_of, template_of

TEMPLATE = template_of(
    {
        "vendor_name": {"type": "party", "einvoice": "BT-27"},
        "vendor_vat_id": {"type": "identifier", "einvoice": "BT-31"},
        "invoice_number": {"type": "identifier", "einvoice": "BT-1"},
        "invoice_date": {"type": "date", "einvoice": "BT-2"},
        "total": {"type": "money", "merge": "last", "einvoice": "BT-112"},
        "amount_due": {"type": "money", "merge": "last", "einvoice": "BT-115"},
        "iban": {"type": "identifier", "einvoice": "BT-84"},
        "reference": {"type": "identifier", "einvoice": "BT-83"},
    }
)
LINES = ("Kelp Farm", "Invoice FT 2024/77 of 31.05.2024", "Net     20,00", "Total     24,00")
CODE_BOX = (400.0, 600.0, 480.0, 680.0)


def page_with(*codes: dict[str, str], lines: tuple[str, ...] = LINES, number: int = 1) -> Page:
    return page_of(*lines, number=number, codes=tuple(CodeFacts("EPC", facts, CODE_BOX) for facts in codes))


def read(page: Page, **values: Any) -> dict[str, Evidence]:
    return overlay_codes(ground(claims_of(**values), page, TEMPLATE), page, TEMPLATE)


def test_payment_data_that_only_the_code_has_are_filled_with_the_place_of_the_code() -> None:
    result = read(page_with({"BT-84": "DE89370400440532013000", "BT-83": "RF18539007547034"}), total="24.00")
    assert (result["iban"].value, result["iban"].box, result["iban"].flags) == ("DE89370400440532013000", CODE_BOX, ("qr",))
    assert result["reference"].value == "RF18539007547034"
    assert result["total"].flags == ()


def test_a_value_that_the_engine_missed_is_found_where_the_page_prints_it() -> None:
    number = read(page_with({"BT-1": "FT 2024/77"}))["invoice_number"]
    assert (number.value, number.printed, number.flags) == ("FT 2024/77", "FT 2024/77", ("qr",))


def test_values_on_which_both_agree_are_sure_and_keep_their_place_on_the_page() -> None:
    page = page_with({"BT-112": "24.00", "BT-2": "2024-05-31", "BT-1": "FT 2024/77", "BT-31": "123456789"})
    values = {"total": "24.00", "invoice_date": "2024-05-31", "invoice_number": "2024/77", "vendor_vat_id": "PT123456789"}
    plain = assess_confidence(ground(claims_of(**values), page, TEMPLATE), TEMPLATE, "embedded")
    result = assess_confidence(read(page, **values), TEMPLATE, "embedded")
    for name, value in values.items():
        assert "qr" in result[name].flags
        assert result[name].value == value
        assert (result[name].confidence or 0) > (plain[name].confidence or 0)
    assert result["total"].box == page.words[-1].box


def test_what_is_due_confirms_the_total_but_does_not_contradict_it() -> None:
    assert read(page_with({"BT-115": "24.00"}), total="24.00")["total"].flags == ("qr",)
    assert read(page_with({"BT-115": "4.00"}), total="24.00")["total"].flags == ()


def test_what_only_the_code_says_is_due_is_named_where_the_page_has_another_total() -> None:
    due = read(page_with({"BT-115": "4.00"}), total="24.00")["amount_due"]
    assert (due.value, due.flags) == ("4.00", ("qr", "qr-differs:24.00"))
    assert read(page_with({"BT-115": "24.00"}), total="24.00")["amount_due"].flags == ("qr",)


def test_a_reference_of_the_payment_confirms_the_number_of_the_invoice_but_does_not_contradict_it() -> None:
    assert read(page_with({"BT-83": "Invoice 2024/77"}), invoice_number="2024/77")["invoice_number"].flags == ("qr",)
    assert read(page_with({"BT-83": "RF18539007547034"}), invoice_number="2024/77")["invoice_number"].flags == ()


def test_a_disagreement_is_named_for_review_and_the_value_that_the_page_prints_too_is_taken() -> None:
    result = read(page_with({"BT-112": "24.00"}), total="20.00")
    assert (result["total"].value, result["total"].flags) == ("24.00", ("qr", "qr-differs:20.00"))
    assert result["total"].printed == "24,00"
    assert fields_to_review(result, 0.0) == ["total"]
    assert review_reasons(result["total"], 0.0, {}) == ["the text of the page and its code differ: the other value is 20.00"]


def test_a_disagreement_with_a_code_of_something_else_keeps_the_value_of_the_text() -> None:
    result = assess_confidence(read(page_with({"BT-112": "99.00"}), total="24.00"), TEMPLATE, "embedded")
    assert (result["total"].value, result["total"].flags) == ("24.00", ("qr-differs:99.00",))
    assert result["total"].confidence == DISPUTED_CONFIDENCE


def test_names_never_contradict_each_other() -> None:
    assert read(page_with({"BT-27": "مزرعة"}), vendor_name="Kelp Farm")["vendor_name"].flags == ()


def test_codes_of_several_receipts_or_instalments_on_a_page_state_nothing_in_which_they_differ() -> None:
    result = read(page_with({"BT-115": "12.00", "BT-84": "X1234"}, {"BT-115": "8.00", "BT-84": "X1234"}))
    assert "amount_due" not in result
    assert result["iban"].value == "X1234"


@pytest.mark.parametrize(("stated", "flags"), [("24.00", ("qr",)), ("99.00", ("qr-differs:99.00",))])
def test_the_code_of_a_payment_slip_on_the_last_page_is_compared_with_the_first_page(
    stated: str, flags: tuple[str, ...]
) -> None:
    first = read(page_with(), amount_due="24.00", invoice_number="FT 2024/77")
    slip = read(page_with({"BT-115": stated, "BT-84": "X1234"}, lines=("Payment part",), number=2))
    merged = merge_pages([result_of(1, **first), result_of(2, **slip)], TEMPLATE)
    assert (merged["amount_due"].value, merged["amount_due"].flags) == ("24.00", flags)
    assert (merged["iban"].value, merged["iban"].page) == ("X1234", 2)
