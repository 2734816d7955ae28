"""Two readings of a page, by a language model and by the embedded engine, become one claim for each field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.checks.arithmetic import check_document
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.grounding import ground
from pipeline.checks.joint_choice import joint_claims
from pipeline.checks.joint_features import MODEL, OWN
from pipeline.engines.embedded.fields import read_fields
from pipeline.records import TOKEN_PROBABILITY, Claim
from pipeline.run.job import all_templates
from pipeline.settings import Settings
from tests.checks.building import page_of, template_of

INVOICE = all_templates(Settings())["invoice"]
PAGE = page_of(
    "Harrow Lane Tools Ltd",
    "Invoice no. R-4711",
    "Invoice date  12.03.2025",
    "Description  Quantity  Price  Amount",
    "Steel screws  2  25.00  50.00",
    "Oak boards  1  50.00  50.00",
    "Subtotal  100.00",
    "VAT 19 %  19.00",
    "Total EUR  119.00",
)


def joined(model: dict[str, Any], own: dict[str, Claim] | None = None, likely: float = 0.9) -> dict[str, Claim]:
    """The claims of both readings together. ``model`` holds values; ``own`` replaces claims of the embedded engine."""
    claims = {**read_fields(PAGE, INVOICE), **(own or {})}
    checked = check_document(ground(claims, PAGE, INVOICE), INVOICE)
    assessed = assess_confidence(checked, INVOICE, "embedded")
    said = {name: Claim(value, signals={TOKEN_PROBABILITY: likely}) for name, value in model.items()}
    return joint_claims(said, claims, assessed, PAGE, INVOICE)


def test_a_field_that_the_model_was_not_asked_stays_as_the_embedded_engine_read_it() -> None:
    assert joined({})["invoice_number"] == read_fields(PAGE, INVOICE)["invoice_number"]


def test_a_value_that_both_read_says_so() -> None:
    total = joined({"total": "119.00"})["total"]
    assert total.value == "119.00"
    assert (total.signals[MODEL], total.signals[OWN], total.signals[TOKEN_PROBABILITY]) == (1.0, 1.0, 0.9)


def test_a_value_that_only_the_model_finds_where_the_page_surely_has_none_is_none() -> None:
    absent = Claim(None, score=0.99, signals={"absent": 0.99, "page doubt": 0.02})
    assert joined({"due_date": "2025-03-12"}, {"due_date": absent})["due_date"].value is None


def test_a_value_that_is_not_on_the_page_is_none() -> None:
    assert joined({"due_date": "2025-04-30"}, likely=0.99)["due_date"].value is None


def test_amounts_that_make_a_sum_hold_are_chosen_together() -> None:
    own = read_fields(PAGE, INVOICE)
    wrong = {
        "subtotal": replace(own["subtotal"], value=None, score=0.5),
        "tax_total": replace(own["tax_total"], value="50.00", score=0.4),
    }
    chosen = joined({"subtotal": "100.00", "tax_total": "19.00"}, wrong, likely=0.8)
    assert (chosen["subtotal"].value, chosen["tax_total"].value) == ("100.00", "19.00")


def test_a_text_of_a_users_own_template_is_the_models_where_the_embedded_engine_finds_none() -> None:
    template = template_of({"colour": {"type": "text"}, "code": {"type": "identifier"}})
    scan = replace(PAGE, source="ocr")
    own = read_fields(scan, template)
    assessed = assess_confidence(check_document(ground(own, scan, template), template), template, "embedded")
    said = {"colour": Claim("amber", signals={TOKEN_PROBABILITY: 0.9})}
    assert joint_claims(said, own, assessed, scan, template)["colour"].value == "amber"


def row(amount: str, quantity: str | None = "1", price: str | None = None) -> dict[str, str | None]:
    return {"description": "Oak boards", "quantity": quantity, "unit_price": price or amount, "amount": amount}


def test_rows_that_add_up_go_before_rows_that_do_not() -> None:
    whole, part = [row("50.00", "2", "25.00"), row("50.00")], [row("50.00")]
    of_model = joined({"line_items": whole}, {"line_items": Claim(part)})["line_items"].value
    assert [{name: cells[name] for name in whole[0]} for cells in of_model] == whole
    assert joined({"line_items": part}, {"line_items": Claim(whole)})["line_items"].value == whole


def test_rows_that_only_the_model_has_read_are_flagged_unless_they_add_up() -> None:
    whole, part = [row("50.00", "2", "25.00"), row("50.00")], [row("50.00")]
    assert joined({"line_items": whole}, {"line_items": Claim(None)})["line_items"].flags == ()
    assert joined({"line_items": part}, {"line_items": Claim(None)})["line_items"].flags == ("unconfirmed",)


def test_a_cell_comes_from_the_other_reading_where_a_product_proves_it() -> None:
    own = [row("50.00", None, "25.00"), row("30.00")]
    both = joined({"line_items": [row("50.00", "2", "25.00")]}, {"line_items": Claim(own)})["line_items"].value
    assert [each["quantity"] for each in both] == ["2", "1"]
    unproven = joined({"line_items": [row("50.00", "3", "25.00")]}, {"line_items": Claim(own)})["line_items"].value
    assert unproven[0]["quantity"] is None
