"""Confidence follows the evidence, also that of absence, and what is below the threshold is named for review."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.calibration import calibration, review_threshold
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields import read_fields
from pipeline.publish.review_flags import fields_to_review
from pipeline.records import Evidence, Result, UnitKey
from tests.engines.embedded.fields.pages import Line, page, template

INVOICE, CAPTION = template("invoice"), template("caption")
GOOD = Evidence("119.00", "119,00", 1, (0, 0, 1, 1), "value", score=0.9)


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
    assert confidence(replace(GOOD, flags=("xml",))) == calibration().most
    assert confidence(replace(GOOD, flags=("xml", "xml-differs"))) == 0.5


def test_tables_other_engines_and_absence_that_nobody_assessed_have_no_confidence() -> None:
    rows = Evidence([{"amount": "1.00"}])
    fields = assess_confidence({"total": Evidence(None), "line_items": rows}, INVOICE, "embedded/1")
    assert [fields[name].confidence for name in fields] == [None, None]
    assert assess_confidence({"total": GOOD}, INVOICE, "vlm/1 some-model")["total"].confidence is None
    assert assess_confidence({"total": Evidence(None, score=0.9)}, INVOICE, "vlm/1 some-model")["total"].confidence is None
    assert assess_confidence({"caption": Evidence("a cat")}, CAPTION, "embedded/1")["caption"].confidence is None


def test_nothing_is_surer_than_the_documents_of_the_calibration_support() -> None:
    confirmed = {"subtotal": replace(GOOD, value="100.00"), "tax_total": replace(GOOD, value="19.00"), "total": GOOD}
    fields = assess_confidence(confirmed, INVOICE, "embedded/1")
    assert max(evidence.confidence or 0 for evidence in fields.values()) == calibration().most < 0.99


def read(*lines: Line, kind: str = "invoice") -> dict[str, Evidence]:
    """The fields of a page as they are published."""
    own, drawn = template(kind), page(lines)
    result = Result(UnitKey("0" * 64, 1, kind, "r"), "done", ground(read_fields(drawn, own), drawn, own))
    return assess_confidence(apply_fallbacks(check_document(merge_pages([result], own), own), own), own, "embedded/1")


BILL: list[Line] = [
    (40, 40, "Nordlicht Handels GmbH"),
    (40, 54, "Hafenstrasse 12"),
    (40, 68, "20457 Hamburg"),
    (40, 130, "Weber Maschinenbau AG"),
    (40, 144, "Industrieweg 5"),
    (40, 158, "70565 Stuttgart"),
    (40, 220, "Rechnung"),
    (40, 250, "Rechnungsnummer: R-2024-0815"),
    (40, 264, "Rechnungsdatum: 14.03.2024"),
    (350, 500, "Nettobetrag"),
    (480, 500, "1.000,00 EUR"),
    (350, 514, "Umsatzsteuer 19 %"),
    (480, 514, "190,00 EUR"),
    (350, 528, "Gesamtbetrag"),
    (480, 528, "1.190,00 EUR"),
]


@pytest.mark.parametrize(("name", "text"), [("invoice_number", "R-2024"), ("invoice_date", "14.03."), ("total", "EUR")])
def test_an_invoice_without_its_number_its_date_or_its_amounts_is_named_for_review(name: str, text: str) -> None:
    whole, without = read(*BILL), read(*[line for line in BILL if text not in line[2]])
    threshold = review_threshold("invoice", 0.05)
    assert whole[name].value is not None
    assert name not in fields_to_review(whole, threshold)
    assert without[name].value is None
    assert name in fields_to_review(without, threshold)


def test_a_page_of_which_no_word_was_read_is_named_for_review() -> None:
    named = fields_to_review(read(), review_threshold("invoice", 0.05))
    assert {"invoice_number", "invoice_date", "vendor_name", "total"} <= set(named)


def test_fields_that_many_documents_do_not_have_are_not_named_for_being_absent() -> None:
    fields = read(*BILL)
    assert fields["prepaid"].value is None
    assert fields["prepaid"].confidence is not None
    assert "prepaid" not in fields_to_review(fields, review_threshold("invoice", 0.05))


def test_a_page_of_unknown_words_is_less_sure() -> None:
    odd = [(x, y, text.replace("Rechnung", "Zqwrty").replace("Netto", "Xvk").replace("Gesamt", "Pqz")) for x, y, text in BILL]
    plain, strange = read(*BILL), read(*odd)
    both = [name for name in plain if plain[name].value and plain[name].value == strange[name].value]
    assert sum(strange[name].confidence or 0 for name in both) < sum(plain[name].confidence or 0 for name in both)


def test_a_day_and_a_month_that_may_be_exchanged_are_less_sure_where_nothing_proves_their_order() -> None:
    slip = [(40, 40, "Corner Grill"), (40, 60, "Thank you for your visit"), (40, 80, "Date {}"), (40, 100, "Total 8.10")]

    def sure(day: str) -> float:
        return read(*[(x, y, text.format(day)) for x, y, text in slip], kind="receipt")["date"].confidence or 0

    assert sure("05/08/2024") < sure("25/08/2024")


def test_a_sum_confirms_its_members_only_when_it_holds_with_two_summands() -> None:
    def of(subtotal: str, tax: str) -> set[str]:
        return confirmed_by_sums(
            {"subtotal": Evidence(subtotal), "tax_total": Evidence(tax), "total": Evidence("119.00")}, INVOICE
        )

    assert of("100.00", "19.00") == {"subtotal", "tax_total", "total"}
    assert of("100.00", "18.00") == set()
    assert of("119.00", "0.00") == set()


def test_values_below_the_threshold_are_named_for_review_also_empty_ones() -> None:
    fields = {
        "total": replace(GOOD, confidence=0.97),
        "due_date": replace(GOOD, confidence=0.9),
        "invoice_date": Evidence(None),
        "invoice_number": Evidence(None, confidence=0.4),
    }
    assert fields_to_review(fields, 0.95) == ["due_date", "invoice_number"]
    assert fields_to_review(fields, 0.99) == ["total", "due_date", "invoice_number"]
    assert fields_to_review(fields, 0.3) == []


def test_the_less_error_is_accepted_the_more_is_named() -> None:
    for name in ("invoice", "receipt", "own"):
        thresholds = [review_threshold(name, error) for error in (0.0, 0.01, 0.02, 0.05, 0.07, 0.1, 0.5, 1.0)]
        assert thresholds == sorted(thresholds, reverse=True)
        assert (thresholds[0], thresholds[-1]) == (1.0, 0.0)
        assert thresholds[3] < calibration().most


def test_a_template_without_thresholds_has_the_most_careful_ones() -> None:
    known = [review_threshold(name, 0.05) for name in calibration().thresholds]
    assert review_threshold("delivery_note", 0.05) == max(known)


def test_a_value_with_a_failed_check_is_named_at_any_confidence() -> None:
    vat = replace(GOOD, value="DE111111111", flags=("checksum",), confidence=0.999)
    assert fields_to_review({"vendor_vat_id": vat}, 0.8) == ["vendor_vat_id"]


def test_without_a_confidence_warnings_decide() -> None:
    table = Evidence([{"amount": "1.00"}], flags=("ungrounded:1.amount",))
    data = Evidence([{"amount": "1.00"}], flags=("xml",))
    assert fields_to_review({"line_items": table, "more": data}, 0.95) == ["line_items"]
