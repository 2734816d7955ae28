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


def test_indian_groups_of_two_digits() -> None:
    found = values(
        [
            "Jasmine Traders Pvt. Ltd.",
            "Invoice No. 2290",
            "Taxable value 40,00,000.00",
            "IGST 18% 7,20,000.00",
            "Total 47,20,000.00",
        ]
    )
    assert (found["subtotal"], found["tax_total"], found["total"]) == ("4000000.00", "720000.00", "4720000.00")


@pytest.mark.parametrize(
    ("address", "day"),
    [
        (["41 Alder Road", "Corvallis, OR 97330-1204"], "2023-04-05"),
        (["41 Alder Road", "Corvallis, OR 97330", "Tel (541) 555-0148"], "2023-04-05"),
        (["Via Ontani 41", "20121 Milano MI"], "2023-05-04"),
    ],
)
def test_the_month_comes_first_at_an_address_in_the_united_states(address: list[str], day: str) -> None:
    assert values(["Larkspur Diner", *address, "Invoice No. 2290", "Date 04/05/2023", "Total 14.50"])["invoice_date"] == day


def test_the_number_of_an_argentine_invoice_is_not_its_point_of_sale() -> None:
    texts = ["Librería del Ombú SRL", "Factura B", "Punto de Venta: 00003 Comp. Nro: 00002290", "Fecha de Emisión: 14/03/2024"]
    assert values([*texts, "Importe Total: $ 1450,00"])["invoice_number"] == "00002290"


def test_the_label_of_a_field_that_is_not_asked_for_is_no_name() -> None:
    texts = ["Ricevuta", "Cliente", "Indirizzo di spedizione", "via dei Tigli 41", "20121 Milano", "Totale € 14,50"]
    assert values(texts)["buyer_name"] is None
