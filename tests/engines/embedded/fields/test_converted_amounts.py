"""Invoices in a foreign currency that repeat their totals in that of the country."""

from __future__ import annotations

import pytest

from pipeline.engines.embedded.fields import read_fields
from tests.engines.embedded.fields.pages import Line, page, template

HEAD = ["Brelund Lamps", "INVOICE 2024-118", "Date: 14.03.2024", "Description  Amount"]


def values(*texts: str) -> dict[str, object]:
    lines: list[Line] = [(60.0, 60 + 20.0 * at, text) for at, text in enumerate([*HEAD, *texts])]
    claims = read_fields(page(lines), template("invoice"))
    return {name: claims[name].value for name in ("subtotal", "tax_total", "total", "currency") if name in claims}


OWN = ["Floor lamp 400.00 EUR", "Subtotal 400.00 EUR", "VAT 23 % 92.00 EUR", "Total 492.00 EUR"]


@pytest.mark.parametrize("rate", ["Exchange rate: 4.2937 PLN", "1 EUR = 4.2937 PLN", "Rate 0.232899"])
def test_totals_that_are_converted_at_a_printed_rate_are_not_those_of_the_document(rate: str) -> None:
    converted = ["Subtotal 1,717.48 PLN", "VAT 23 % 395.02 PLN", "Total 2,112.50 PLN", "Amount payable 2,112.50 PLN"]
    for texts in ((*OWN, rate, *converted), (rate, *OWN, *converted)):
        assert values(*texts) == {"subtotal": "400.00", "tax_total": "92.00", "total": "492.00", "currency": "EUR"}


def test_kilograms_are_no_som() -> None:
    assert values("Rice 5.00 KGS 400.00", "Total 400.00 INR")["currency"] == "INR"
