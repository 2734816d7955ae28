"""Confidence follows the evidence, and values below the accepted error are named for review."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.checks.arithmetic import confirmed_by_sums
from pipeline.checks.confidence import assess_confidence
from pipeline.publish.review_flags import fields_to_review
from pipeline.records import Evidence
from tests.engines.embedded.fields.pages import template

INVOICE, CAPTION = template("invoice"), template("caption")
GOOD = Evidence("119.00", "119,00", 1, (0, 0, 1, 1), "value", score=1.0)


def confidence(evidence: Evidence, name: str = "total", **others: Evidence) -> float:
    value = assess_confidence({name: evidence, **others}, INVOICE, "embedded/1")[name].confidence
    assert value is not None
    return value


@pytest.mark.parametrize(
    "weaker",
    [
        replace(GOOD, score=0.4),
        replace(GOOD, grounding="none", flags=("ungrounded",)),
        replace(GOOD, legible=0.6),
    ],
    ids=["weak label", "not on the page", "hard to read"],
)
def test_weaker_evidence_means_less_confidence(weaker: Evidence) -> None:
    assert confidence(weaker) < confidence(GOOD) < 1


def test_values_of_an_e_invoice_have_the_highest_confidence_unless_the_page_contradicts() -> None:
    assert confidence(replace(GOOD, flags=("xml",))) == 0.999
    assert confidence(replace(GOOD, flags=("xml", "xml-differs"))) == 0.5


def test_absent_values_tables_and_other_engines_have_no_confidence() -> None:
    rows = Evidence([{"amount": "1.00"}])
    fields = assess_confidence({"total": Evidence(None), "line_items": rows}, INVOICE, "embedded/1")
    assert [fields[name].confidence for name in fields] == [None, None]
    assert assess_confidence({"total": GOOD}, INVOICE, "vlm/1 some-model")["total"].confidence is None
    assert assess_confidence({"caption": Evidence("a cat")}, CAPTION, "embedded/1")["caption"].confidence is None


def test_a_sum_confirms_its_members_only_when_it_holds_with_two_summands() -> None:
    def of(subtotal: str, tax: str) -> set[str]:
        return confirmed_by_sums(
            {"subtotal": Evidence(subtotal), "tax_total": Evidence(tax), "total": Evidence("119.00")}, INVOICE
        )

    assert of("100.00", "19.00") == {"subtotal", "tax_total", "total"}
    assert of("100.00", "18.00") == set()
    assert of("119.00", "0.00") == set()


def test_values_below_the_accepted_confidence_are_named_for_review() -> None:
    fields = {
        "total": replace(GOOD, confidence=0.97),
        "due_date": replace(GOOD, confidence=0.9),
        "invoice_date": Evidence(None),
    }
    assert fields_to_review(fields, 0.05) == ["due_date"]
    assert fields_to_review(fields, 0.01) == ["total", "due_date"]
    assert fields_to_review(fields, 0.2) == []


def test_a_value_with_a_failed_check_is_named_at_any_confidence() -> None:
    vat = replace(GOOD, value="DE111111111", flags=("checksum",), confidence=0.999)
    assert fields_to_review({"vendor_vat_id": vat}, 0.2) == ["vendor_vat_id"]


def test_without_a_confidence_warnings_decide() -> None:
    table = Evidence([{"amount": "1.00"}], flags=("ungrounded:1.amount",))
    data = Evidence([{"amount": "1.00"}], flags=("xml",))
    assert fields_to_review({"line_items": table, "more": data}, 0.05) == ["line_items"]
