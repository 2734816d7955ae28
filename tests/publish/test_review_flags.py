"""Why a value needs a review, in words."""

from __future__ import annotations

import pytest

from pipeline.publish.review_flags import fields_to_review, flag_notes, flag_text, review_reasons
from pipeline.records import Evidence
from pipeline.templates.template import Check

CHECKS = {
    "adds_up": Check(name="adds_up", sum=["subtotal", "tax", "-prepaid"], equals="due"),
    "later": Check(name="later", order=["issued", "due_date"]),
}


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        ("ungrounded", "not found on the page"),
        ("ungrounded:2.amount", "row 2, amount: not found on the page"),
        ("ungrounded:3", "number 3: not found on the page"),
        ("sum:adds_up", "does not add up: subtotal + tax − prepaid = due"),
        ("sum:gone", "does not add up: gone"),
        ("order:later", "dates are out of order: issued ≤ due_date"),
        ("checksum", "its check digits are wrong"),
        ("as:total", "not printed by itself, taken from total"),
        ("truncated:2", "number 2: the answer was cut off"),
        ("off-by:adds_up:0.50", "subtotal + tax − prepaid = due: the difference is 0.50"),
        ("same-as:total", "the same as total, which must be another"),
        ("future:12", "12 days after the document was read"),
        ("new", "new"),
    ],
)
def test_every_flag_has_a_text(flag: str, text: str) -> None:
    assert flag_text(flag, CHECKS) == text


def test_exactly_the_fields_to_review_have_reasons() -> None:
    fields = {
        "sure": Evidence("5", confidence=0.99, flags=("xml",)),
        "unsure": Evidence("5", confidence=0.9),
        "failing": Evidence("5", confidence=0.99, flags=("checksum", "as:total")),
        "absent": Evidence(None, confidence=0.1),
        "surely absent": Evidence(None, confidence=0.97),
        "nobody knows": Evidence(None),
    }
    texts = {name: review_reasons(evidence, 0.95, CHECKS) for name, evidence in fields.items()}
    assert (
        [name for name, reasons in texts.items() if reasons]
        == fields_to_review(fields, 0.95)
        == ["unsure", "failing", "absent"]
    )
    assert texts["unsure"] == ["wrong with a probability of 10\u00a0%"]
    assert texts["failing"] == ["its check digits are wrong"]
    assert texts["absent"] == ["the document has a value with a probability of 90\u00a0%"]
    assert flag_notes(fields["failing"], CHECKS) == ["not printed by itself, taken from total"]


def test_a_sum_that_fails_is_named_with_its_difference() -> None:
    total = Evidence("119.50", flags=("sum:adds_up", "off-by:adds_up:-0.50"), confidence=0.98)
    assert review_reasons(total, 0.9, CHECKS) == ["does not add up: subtotal + tax − prepaid = due; the difference is -0.50"]
    assert flag_notes(total, CHECKS) == []


@pytest.mark.parametrize(
    ("off_by", "tax", "reason"),
    [
        ("-3.15", "3.15", "items.amount = 42.00, but total = 45.15, which is more by tax (3.15)"),
        ("3.15", "3.15", "items.amount = 48.30, but total = 45.15, which is less by tax (3.15)"),
        ("-3.15", "3.00", "does not add up: items.amount = total; the difference is -3.15"),
        ("-3.15", None, "does not add up: items.amount = total; the difference is -3.15"),
    ],
)
def test_a_difference_that_is_the_printed_tax_is_named(off_by: str, tax: str | None, reason: str) -> None:
    checks = {
        "rows": Check(name="rows", sum=["items.amount"], equals="total"),
        "taxes": Check(name="taxes", sum=["tax_table.tax"], equals="tax"),
    }
    items = Evidence([{"amount": "42.00"}], flags=("sum:rows", f"off-by:rows:{off_by}"), confidence=0.98)
    fields = {"items": items, "total": Evidence("45.15"), "tax": Evidence(tax)}
    assert review_reasons(items, 0.9, checks, fields=fields) == [reason]
