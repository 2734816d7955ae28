"""Why a value is to be looked at, in words."""

from __future__ import annotations

import pytest

from pipeline.publish.review_flags import notes, reasons, to_review, told_flag
from pipeline.records import Evidence
from pipeline.templates.model import Check

CHECKS = {
    "adds_up": Check(name="adds_up", sum=["subtotal", "tax", "-prepaid"], equals="due"),
    "later": Check(name="later", order=["issued", "due_date"]),
}


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("ungrounded", "not found on the page"),
        ("ungrounded:2.amount", "row 2, amount: not found on the page"),
        ("ungrounded:3", "number 3: not found on the page"),
        ("sum:adds_up", "does not add up: subtotal + tax − prepaid = due"),
        ("sum:gone", "does not add up: gone"),
        ("order:later", "dates run backwards: issued ≤ due_date"),
        ("checksum", "its check digits are wrong"),
        ("as:total", "not printed by itself, taken from total"),
        ("truncated:2", "number 2: the answer was cut off"),
        ("new", "new"),
    ],
)
def test_flags_are_told_in_words(flag: str, told: str) -> None:
    assert told_flag(flag, CHECKS) == told


def test_reasons_are_given_for_just_the_values_that_are_to_be_reviewed() -> None:
    fields = {
        "sure": Evidence("5", confidence=0.99, flags=("xml",)),
        "unsure": Evidence("5", confidence=0.9),
        "failing": Evidence("5", confidence=0.99, flags=("checksum", "as:total")),
        "absent": Evidence(None, confidence=0.1, flags=("ungrounded",)),
    }
    told = {name: reasons(evidence, 0.05, CHECKS) for name, evidence in fields.items()}
    assert [name for name, why in told.items() if why] == to_review(fields, 0.05) == ["unsure", "failing"]
    assert told["unsure"] == ["wrong with a probability of 10\u00a0%; 5\u00a0% are accepted"]
    assert told["failing"] == ["its check digits are wrong"]
    assert notes(fields["failing"], CHECKS) == ["not printed by itself, taken from total"]
