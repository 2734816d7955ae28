"""Details of an invoice and a receipt: values beside their labels, read when the main fields are known, and never at their cost."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.grounding import ground
from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.details import main_template
from pipeline.records import Claim
from tests.engines.embedded.fields.pages import page, template, template_of

IBAN = "DE02120300000000202051"
INVOICE = page(
    [
        (50, 40, "Nordwald Holzbau GmbH", 14),
        (50, 60, "Tannenweg 7"),
        (50, 74, "24937 Flensburg"),
        (50, 88, "Tel.: +49 461 5550123"),
        (50, 102, "E-Mail: buero@nordwald-holzbau.example.de"),
        (50, 150, "Rechnung an:"),
        (50, 164, "Hafenkontor Lübeck GmbH"),
        (50, 178, "Speicherstraße 21"),
        (50, 192, "23552 Lübeck"),
        (330, 150, "Rechnungsnummer: RN-2026-311"),
        (330, 164, "Rechnungsdatum: 02.04.2026"),
        (330, 178, "Kundennummer: K-88120"),
        (330, 192, "Ihre Bestellung: PO-45591"),
        (330, 206, "Lieferschein-Nr.: LS-7301"),
        (330, 220, "Leistungszeitraum: 01.03.2026 - 31.03.2026"),
        (50, 260, "Pos"),
        (90, 260, "Art.-Nr."),
        (160, 260, "Bezeichnung"),
        (300, 260, "Menge"),
        (360, 260, "Einheit"),
        (410, 260, "Einzelpreis"),
        (480, 260, "USt %"),
        (530, 260, "Betrag"),
        (50, 280, "1"),
        (90, 280, "H-220"),
        (160, 280, "Dachlatten"),
        (300, 280, "40"),
        (360, 280, "Stk"),
        (410, 280, "2,50"),
        (480, 280, "19 %"),
        (530, 280, "100,00"),
        (50, 296, "2"),
        (90, 296, "H-377"),
        (160, 296, "Fachbuch Zimmerei"),
        (300, 296, "2"),
        (360, 296, "Stk"),
        (410, 296, "25,00"),
        (480, 296, "7 %"),
        (530, 296, "50,00"),
        (330, 330, "Nettobetrag"),
        (520, 330, "150,00"),
        (330, 344, "19 % USt auf 100,00"),
        (520, 344, "19,00"),
        (330, 358, "7 % USt auf 50,00"),
        (520, 358, "3,50"),
        (330, 372, "Summe USt"),
        (520, 372, "22,50"),
        (330, 386, "Gesamtbetrag EUR"),
        (520, 386, "172,50"),
        (50, 430, "Zahlungsbedingungen: 14 Tage netto, bei Zahlung bis 09.04.2026 gewähren wir 2 % Skonto"),
        (50, 700, "Bitte überweisen Sie auf unser Konto"),
        (50, 714, "IBAN: DE02 1203 0000 0000 2020 51"),
        (300, 714, "BIC: BYLADEM1001"),
        (50, 728, "Steuernummer: 15/123/45678"),
        (300, 728, "USt-IdNr.: DE136695976"),
        (50, 742, "HRB 5512 FL"),
        (300, 742, "www.nordwald-holzbau.example.de"),
    ]
)
DETAILS = {
    "iban": IBAN,
    "bic": "BYLADEM1001",
    "payment_means": "transfer",
    "customer_number": "K-88120",
    "purchase_order": "PO-45591",
    "delivery_note": "LS-7301",
    "service_start": "2026-03-01",
    "service_end": "2026-03-31",
    "discount_percent": "2",
    "discount_date": "2026-04-09",
    "vendor_tax_number": "15/123/45678",
    "vendor_phone": "+494615550123",
    "vendor_mail": "buero@nordwald-holzbau.example.de",
    "vendor_street": "Tannenweg 7",
    "vendor_post_code": "24937",
    "vendor_city": "Flensburg",
    "vendor_country": "DE",
    "buyer_street": "Speicherstraße 21",
    "buyer_post_code": "23552",
    "buyer_city": "Lübeck",
}


@pytest.fixture(scope="module")
def claims() -> dict[str, Claim]:
    return read_fields(INVOICE, template("invoice"))


def test_the_details_of_an_invoice(claims: dict[str, Claim]) -> None:
    assert {name: claims[name].value for name in DETAILS} == DETAILS


def test_taxes_by_rate_prove_themselves(claims: dict[str, Claim]) -> None:
    rows = [(row["rate"], row["base"], row["tax"]) for row in claims["tax_table"].value]
    assert rows == [("19", "100.00", "19.00"), ("7", "50.00", "3.50")]
    assert claims["tax_table"].signals["proof"] == 1


def test_rows_of_goods_have_position_code_unit_and_rate(claims: dict[str, Claim]) -> None:
    cells = [[row[name] for name in ("position", "code", "unit", "tax_rate", "amount")] for row in claims["line_items"].value]
    assert cells == [["1", "H-220", "Stk", "19", "100.00"], ["2", "H-377", "Stk", "7", "50.00"]]


def test_main_fields_are_read_as_if_there_were_no_details(claims: dict[str, Claim]) -> None:
    invoice = template("invoice")
    plain = read_fields(INVOICE, main_template(invoice))

    def compared(found: dict[str, Claim]) -> dict[str, Any]:
        return {name: (found[name].value, found[name].score, found[name].signals) for name in plain if name != "line_items"}

    assert compared(claims) == compared(plain)
    columns = ("description", "quantity", "unit_price", "amount")
    rows = [[row[name] for name in columns] for row in claims["line_items"].value]
    assert rows == [[row[name] for name in columns] for row in plain["line_items"].value]


def test_a_detail_takes_no_word_of_a_main_field(claims: dict[str, Claim]) -> None:
    main = set(claims["invoice_number"].words) | set(claims["invoice_date"].words) | set(claims["vendor_vat_id"].words)
    details = [name for name, field in template("invoice").fields.items() if field.detail and field.type != "country"]
    assert not any(main.intersection(claims[name].words) for name in details if not name.endswith("country"))


OWN = template_of(
    "name: own\nprompt: Read.\nfields:\n"
    "  number: {type: identifier, labels: {en: [Permit no]}}\n"
    "  paid: {type: boolean, labels: {en: [Deposit paid]}}\n"
    "  stay: {type: period, labels: {en: [Stay]}}\n"
    "  notice: {type: duration, labels: {en: [Notice]}}\n"
    "  guests: {type: integer, labels: {en: [Guests]}}\n"
    "  share: {type: percentage, labels: {en: [Commission]}}\n"
    "  load: {type: quantity, labels: {en: [Load]}}\n"
    "  phone: {type: phone, labels: {en: [Phone]}}\n"
    "  mail: {type: mail, labels: {en: [Mail]}}\n"
    "  web: {type: url, labels: {en: [Website]}}\n"
    "  account: {type: iban, labels: {en: [Account]}}\n"
    "  bank: {type: bic, labels: {en: [BIC]}}\n"
    "  origin: {type: country, labels: {en: [Country of origin]}}\n"
)
LINES = {
    "number": ("Permit no: 88-1204", "88-1204"),
    "paid": ("Deposit paid: yes", "true"),
    "stay": ("Stay: 3 May 2026 - 9 May 2026", "2026-05-03/2026-05-09"),
    "notice": ("Notice: 14 days", "P14D"),
    "guests": ("Guests: 4", "4"),
    "share": ("Commission: 12.5 %", "12.5"),
    "load": ("Load: 2.5 kg", "2.5 kg"),
    "phone": ("Phone: +44 20 7946 0018", "+442079460018"),
    "mail": ("Mail: desk@lakeside.example.org", "desk@lakeside.example.org"),
    "web": ("Website: www.lakeside.example.org", "www.lakeside.example.org"),
    "account": (f"Account: {IBAN}", IBAN),
    "bank": ("BIC: BYLADEM1001", "BYLADEM1001"),
    "origin": ("Country of origin: New Zealand", "NZ"),
}


def test_fields_of_all_types_are_read_for_a_template_of_ones_own() -> None:
    found = read_fields(page([(50, 40 + 20 * at, text) for at, (text, _) in enumerate(LINES.values())]), OWN)
    assert {name: claim.value for name, claim in found.items()} == {name: value for name, (_, value) in LINES.items()}


def test_every_detail_has_its_place_on_the_page(claims: dict[str, Claim]) -> None:
    evidence = ground(claims, INVOICE, template("invoice"))
    details = [name for name, field in template("invoice").fields.items() if field.detail and claims[name].value is not None]
    assert [name for name in details if evidence[name].grounding == "none" or evidence[name].box is None] == []


def test_a_page_without_details_has_none() -> None:
    letter = page([(50, 40, "Dear Ms Hale,"), (50, 60, "thank you for your visit last week."), (50, 80, "Kind regards")])
    found = read_fields(letter, template("invoice"))
    details = [name for name, field in template("invoice").fields.items() if field.detail]
    assert {name: found[name].value for name in details if found[name].value is not None} == {}


def test_a_receipt_has_its_payment_and_its_till() -> None:
    slip = page(
        [
            (60, 40, "Corner Bakery", 14),
            (60, 60, "Tel: 020 7946 0018"),
            (60, 90, "2 x Rye bread"),
            (220, 90, "7.00"),
            (60, 104, "1 x Coffee"),
            (220, 104, "3.00"),
            (60, 124, "Subtotal"),
            (220, 124, "10.00"),
            (60, 138, "Tip"),
            (220, 138, "1.00"),
            (60, 152, "Total GBP"),
            (220, 152, "11.00"),
            (60, 166, "Cash"),
            (220, 166, "20.00"),
            (60, 180, "Change"),
            (220, 180, "9.00"),
            (60, 200, "Cashier: Priya"),
            (60, 214, "Store no: 118"),
        ],
        width=300,
    )
    found = read_fields(slip, template("receipt"))
    expected = {
        "tip": "1.00",
        "paid": "20.00",
        "change": "9.00",
        "cashier": "Priya",
        "store_number": "118",
        "phone": "02079460018",
    }
    assert {name: found[name].value for name in expected} == expected
