"""Absent fields are filled from their fallback field."""

from __future__ import annotations

from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.records import Evidence
from tests.engines.embedded.fields.pages import template, template_of

INVOICE = template("invoice")
TOTAL = Evidence("119.00", "119,00", 2, (1, 2, 3, 4), "exact", ("sum:total_is_subtotal_plus_tax",), 0.9)


def due(**others: Evidence) -> Evidence:
    return apply_fallbacks({"total": TOTAL, "amount_due": Evidence(None), **others}, INVOICE)["amount_due"]


def test_the_amount_due_is_the_total_with_its_place_and_a_flag() -> None:
    assert due() == Evidence("119.00", "119,00", 2, (1, 2, 3, 4), "exact", (*TOTAL.flags, "as:total"), 0.9)
    assert due(prepaid=Evidence("0.00")).value == "119.00"


def test_a_paid_amount_blocks_the_fallback() -> None:
    assert due(prepaid=Evidence("19.00")).value is None


def test_a_present_amount_stays() -> None:
    assert due(amount_due=Evidence("60.00")) == Evidence("60.00")


def test_an_absent_fallback_fills_nothing() -> None:
    assert apply_fallbacks({"total": Evidence(None)}, INVOICE) == {"total": Evidence(None)}


def test_fields_without_a_fallback_stay_empty() -> None:
    note = template_of("{name: note, prompt: read, fields: {a: {type: text}, b: {type: text}}}")
    assert apply_fallbacks({"a": Evidence("x"), "b": Evidence(None)}, note)["b"].value is None
