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
        "absent": Evidence(None, confidence=0.1, flags=("ungrounded",)),
    }
    texts = {name: review_reasons(evidence, 0.05, CHECKS) for name, evidence in fields.items()}
    assert [name for name, reasons in texts.items() if reasons] == fields_to_review(fields, 0.05) == ["unsure", "failing"]
    assert texts["unsure"] == ["wrong with a probability of 10\u00a0%; 5\u00a0% are accepted"]
    assert texts["failing"] == ["its check digits are wrong"]
    assert flag_notes(fields["failing"], CHECKS) == ["not printed by itself, taken from total"]
