"""What cannot well be true together is flagged, with what it is."""

from __future__ import annotations

import datetime

import pytest

from pipeline.checks.oddities import flag_oddities
from pipeline.records import Evidence
from tests.engines.embedded.fields.pages import template

INVOICE, RECEIPT = template("invoice"), template("receipt")
TODAY = datetime.date(2024, 3, 14)


def flags(read_on: datetime.date | None = TODAY, **values: str | None) -> dict[str, tuple[str, ...]]:
    found = flag_oddities({name: Evidence(value) for name, value in values.items()}, INVOICE, read_on)
    return {name: evidence.flags for name, evidence in found.items() if evidence.flags}


def test_a_tax_as_high_as_the_total_is_odd() -> None:
    assert flags(tax_total="119.00", total="119.00") == {"tax_total": ("same-as:total",)}
    assert flags(tax_total="0.00", total="0.00") == {}
    assert flags(subtotal="119.00", tax_total="0.00", total="119.00") == {}


def test_a_buyer_with_the_name_of_the_seller_is_odd() -> None:
    assert flags(vendor_name="Müller GmbH", buyer_name="MÜLLER GMBH") == {"buyer_name": ("same-as:vendor_name",)}
    assert flags(vendor_name="Müller GmbH", buyer_name="Meier GmbH") == {}
    assert flags(vendor_name=None, buyer_name=None) == {}


@pytest.mark.parametrize(("day", "expected"), [("2024-03-14", ()), ("2024-03-15", ()), ("2024-03-20", ("future:6",))])
def test_a_document_issued_after_it_was_read_is_odd(day: str, expected: tuple[str, ...]) -> None:
    assert flags(invoice_date=day).get("invoice_date", ()) == expected
    slip = flag_oddities({"date": Evidence(day)}, RECEIPT, TODAY)
    assert slip["date"].flags == expected


def test_a_day_of_payment_may_lie_ahead() -> None:
    assert flags(invoice_date="2024-03-01", due_date="2024-04-30") == {}


def test_without_the_day_of_reading_no_date_is_odd() -> None:
    assert flags(read_on=None, invoice_date="2099-01-01") == {}
