"""Data of an e-invoice that belong to another document than the page: nothing of them is published without a flag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pipeline.checks.confidence import assess_confidence
from pipeline.checks.einvoice_overlay import overlay_einvoice
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields.field_reader import read_fields
from pipeline.publish.review_flags import fields_to_review, review_reasons
from pipeline.records import Evidence
from tests.checks.building import page_of, result_of
from tests.engines.embedded.fields.pages import template

INVOICE = template("invoice")
LINES = (
    "Reedmoor Joinery Ltd",
    "VAT No GB736190278",
    "",
    "INVOICE",
    "Invoice number   RJ-4401",
    "Invoice date   14 March 2026",
    "",
    "Subtotal     180.00",
    "VAT 20%     36.00",
    "Total GBP     216.00",
)
OWN: dict[str, Any] = {
    "BT-1": "RJ-4401",
    "BT-2": "2026-03-14",
    "BT-3": "380",
    "BT-5": "GBP",
    "BT-9": "2026-04-13",
    "BT-27": "Reedmoor Joinery Ltd",
    "BT-31": "GB736190278",
    "BT-44": "Saltmarsh Hotels Ltd",
    "BT-109": "180.00",
    "BT-110": "36.00",
    "BT-112": "216.00",
    "BT-115": "216.00",
}
DATA_ONLY = {"due_date", "buyer_name"}
"""Fields that the page does not print."""


def read(changes: Mapping[str, str], lines: Sequence[str] = LINES) -> dict[str, Evidence]:
    page = page_of(*lines, facts={**OWN, **changes})
    evidence = overlay_einvoice(ground(read_fields(page, INVOICE), page, INVOICE), page, INVOICE)
    return merge_pages([result_of(1, **evidence)], INVOICE)


def to_review(fields: dict[str, Evidence]) -> set[str]:
    """The fields that are named for review, details that nothing proves apart: those always are."""
    review = fields_to_review(assess_confidence(fields, INVOICE, "embedded"), 0.95)
    return {name for name in review if not INVOICE.fields[name].detail}


def test_data_of_the_page_are_not_questioned() -> None:
    assert to_review(read({})) == set()


OTHER: dict[str, tuple[dict[str, str], set[str]]] = {
    "other number": ({"BT-1": "RJ-4387"}, {"invoice_number"}),
    "other date": ({"BT-2": "2026-02-14"}, {"invoice_date"}),
    "same number, other total": (
        {"BT-109": "200.00", "BT-110": "40.00", "BT-112": "240.00", "BT-115": "240.00"},
        {"subtotal", "tax_total", "total", "amount_due"},
    ),
    "another company of the vendor": ({"BT-27": "Reedmoor Joinery (Scotland) Ltd", "BT-31": "GB823847609"}, {"vendor_vat_id"}),
    "the month before, same amounts": ({"BT-1": "RJ-4387", "BT-2": "2026-02-14"}, {"invoice_number", "invoice_date"}),
}


@pytest.mark.parametrize(("changes", "differing"), OTHER.values(), ids=OTHER)
def test_values_that_only_the_data_have_are_named_where_data_and_page_differ(
    changes: dict[str, str], differing: set[str]
) -> None:
    fields = read(changes)
    named = to_review(fields)
    assert differing | (DATA_ONLY if "total" not in differing else {"due_date"}) <= named
    flags = [flag for flag in fields["due_date"].flags if flag.startswith("xml-differs:")]
    assert len(flags) == 1
    assert (differing - {"amount_due"}) <= set(flags[0].partition(":")[2].split(","))
    assert any("differ in" in reason for reason in review_reasons(fields["due_date"], 0.95, {}))


def test_nothing_of_wholly_different_data_goes_unnamed_though_the_kind_and_the_currency_agree() -> None:
    other = {
        "BT-1": "TG-9002",
        "BT-2": "2026-03-12",
        "BT-9": "2026-04-11",
        "BT-27": "Vogtland Kabelhaus GmbH",
        "BT-31": "DE136695976",
        "BT-44": "Hagedorn OHG",
        "BT-109": "400.00",
        "BT-110": "76.00",
        "BT-112": "476.00",
        "BT-115": "476.00",
    }
    fields = read(other)
    filled = {name for name, evidence in fields.items() if evidence.value is not None and not INVOICE.fields[name].detail}
    assert filled <= to_review(fields)


def test_a_page_that_prints_the_number_of_the_data_elsewhere_is_only_misread() -> None:
    fields = read({}, (*LINES[:4], "Invoice number   4711", *LINES[5:], "", "Please quote RJ-4401 with your payment."))
    assert "invoice_number" in to_review(fields)
    assert not DATA_ONLY & to_review(fields)
