"""Values as one country prints them, where no currency is named."""

from __future__ import annotations

import pytest

from pipeline.engines.embedded.fields import read_fields
from tests.engines.embedded.fields.pages import Line, page, template

INVOICE = template("invoice")


def values(texts: list[str]) -> dict[str, object]:
    lines: list[Line] = [(40, 40 + 16 * n, text) for n, text in enumerate(texts)]
    return {name: claim.value for name, claim in read_fields(page(lines), INVOICE).items()}


def test_millimes_are_decimals_where_an_amount_below_one_shows_it() -> None:
    texts = ["Huilerie Zitouna SARL", "Sfax, Tunisie", "Facture N° 2290", "Total HT 14.000", "TVA 0.980", "Total TTC 14.980"]
    assert values(texts)["total"] == "14.980"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.450,00 TL", "TRY"),
        ("TL 1.450,00", "TRY"),
        ("1.450,00 kn", "HRK"),
        ("1.450,00 kg", None),
        ("RP 1.450,00", "IDR"),
        ("S/. 1.450,00", "PEN"),
    ],
)
def test_abbreviations_beside_amounts_are_currencies(amount: str, currency: str | None) -> None:
    assert values(["Yelken Yazılım", "Fatura No: 4471", f"Total {amount}"])["currency"] == currency


def test_tax_numbers_and_folios_of_latin_america() -> None:
    found = values(["Papelería Quetzal SA de CV", "RFC: PQU850101AB3", "FOLIO: 55120", "Fecha: 2024-03-14", "Total: $ 731.50"])
    assert found["vendor_vat_id"] == "PQU850101AB3"
    assert found["invoice_number"] == "55120"


def test_a_currency_in_brackets_of_a_heading_is_that_of_the_amounts() -> None:
    assert values(["Jasmine Traders", "Bill no 2290", "Amount (Rs.)", "Total 1,450.00"])["currency"] == "INR"
    assert values(["Jasmine Traders", "Bill no 2290", "Amount (net)", "Total 1,450.00"])["currency"] is None


def test_lei_before_an_amount_of_a_romanian_page() -> None:
    assert (
        values(["Brutăria Spicul SRL", "Factura nr. 4471", "Data facturii 14.03.2024", "TOTAL lei 1450.00"])["currency"]
        == "RON"
    )
