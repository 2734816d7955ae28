"""Invoices of several countries, drawn in words, read with the built-in template."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Page, Word
from tests.engines.embedded.fields.pages import main_cells, page, template

INVOICE = template("invoice")

GERMAN = page(
    [
        (50, 40, "Nordlicht Leuchten GmbH", 16),
        (50, 62, "Hafenweg 12"),
        (50, 74, "20457 Hamburg"),
        (380, 40, "www.nordlicht-leuchten.de"),
        (50, 130, "Rechnung an"),
        (50, 143, "Café Seeblick KG"),
        (50, 155, "Uferstraße 3"),
        (50, 167, "24103 Kiel"),
        (350, 130, "Rechnungsnummer:"),
        (470, 130, "NL-2024-0815"),
        (350, 143, "Rechnungsdatum:"),
        (470, 143, "03.04.2024"),
        (350, 156, "Kundennummer:"),
        (470, 156, "77123"),
        (350, 169, "Fällig am:"),
        (470, 169, "17.04.2024"),
        (50, 260, "Pos"),
        (90, 260, "Bezeichnung"),
        (300, 260, "Menge"),
        (370, 260, "Einzelpreis"),
        (490, 260, "Gesamt"),
        (50, 280, "1"),
        (90, 280, "Pendelleuchte Messing"),
        (320, 280, "2"),
        (385, 280, "149,00"),
        (490, 280, "298,00"),
        (90, 292, "mit Textilkabel"),
        (50, 310, "2"),
        (90, 310, "Montage"),
        (320, 310, "1"),
        (385, 310, "1.000,50"),
        (481, 310, "1.000,50"),
        (350, 350, "Nettobetrag"),
        (480, 350, "1.298,50 €"),
        (350, 365, "zzgl. 19 % MwSt"),
        (480, 365, "246,72 €"),
        (350, 380, "Gesamtbetrag"),
        (480, 380, "1.545,22 €"),
        (50, 780, "Nordlicht Leuchten GmbH"),
        (230, 780, "USt-IdNr. DE314159262"),
        (400, 780, "HRB 4711"),
    ]
)

FRENCH = page(
    [
        (50, 40, "Atelier du Bois Flotté SARL", 14),
        (50, 60, "8 rue des Lilas"),
        (50, 72, "44000 Nantes"),
        (350, 100, "Facturé à"),
        (350, 113, "Hôtel des Dunes"),
        (350, 125, "2 avenue de la Mer"),
        (350, 137, "85100 Les Sables"),
        (50, 170, "Facture n°"),
        (180, 170, "Date de facture"),
        (330, 170, "Échéance"),
        (50, 183, "FB-0091"),
        (180, 183, "5 février 2024"),
        (330, 183, "6 mars 2024"),
        (60, 500, "Base HT"),
        (200, 500, "Montant TVA"),
        (340, 500, "Total TTC"),
        (460, 500, "Net à payer"),
        (60, 515, "2 000,00"),
        (200, 515, "400,00"),
        (340, 515, "2 400,00"),
        (460, 515, "2 400,00 €"),
    ]
)

ENGLISH = page(
    [
        (400, 40, "INVOICE", 20),
        (50, 60, "From: Pinecrest Tools Ltd"),
        (50, 74, "To: Harbour Works Inc"),
        (50, 110, "Invoice # PT-77120"),
        (50, 124, "Issue date: March 7, 2024"),
        (50, 138, "Payment due: April 6, 2024"),
        (350, 300, "Subtotal"),
        (480, 300, "$1,200.00"),
        (350, 315, "Sales tax (8%)"),
        (480, 315, "$96.00"),
        (350, 330, "Total (incl. tax)"),
        (480, 330, "$1,296.00"),
        (350, 345, "Amount paid"),
        (480, 345, "$1,000.00"),
        (350, 360, "Balance due"),
        (480, 360, "$296.00"),
    ]
)

POLISH = page(
    [
        (50, 40, "FAKTURA VAT nr FV/12/2024", 14),
        (50, 70, "Data wystawienia: 2024-05-02"),
        (50, 84, "Termin płatności: 16.05.2024"),
        (50, 110, "Sprzedawca"),
        (320, 110, "Nabywca"),
        (50, 124, "Zielony Ogród Sp. z o.o."),
        (320, 124, "Kwiaciarnia Róża"),
        (50, 136, "ul. Polna 7"),
        (320, 136, "ul. Długa 15"),
        (50, 148, "00-950 Warszawa"),
        (320, 148, "30-001 Kraków"),
        (50, 160, "NIP PL8567346215"),
        (350, 400, "Razem netto"),
        (480, 400, "100,00"),
        (350, 414, "Kwota VAT"),
        (480, 414, "23,00"),
        (350, 428, "Razem brutto"),
        (480, 428, "123,00"),
        (350, 442, "Do zapłaty"),
        (480, 442, "123,00 zł"),
    ]
)

CHINESE = page(
    [
        (50, 40, "发票号码: 20481516"),
        (50, 56, "开票日期: 2024年05月20日"),
        (50, 80, "销售方: 北京蓝天科技有限公司"),
        (50, 96, "购买方: 上海海风贸易公司"),
        (350, 300, "不含税金额"),
        (480, 300, "¥1,000.00"),
        (350, 316, "税额"),
        (480, 316, "¥130.00"),
        (350, 332, "价税合计"),
        (480, 332, "¥1,130.00"),
    ]
)


def values(invoice_page: Page) -> dict[str, object]:
    """The values read."""
    return {name: claim.value for name, claim in read_fields(invoice_page, INVOICE).items()}


@pytest.mark.parametrize(
    ("invoice_page", "expected"),
    [
        (
            GERMAN,
            {
                "vendor_name": "Nordlicht Leuchten GmbH",
                "vendor_vat_id": "DE314159262",
                "buyer_name": "Café Seeblick KG",
                "invoice_number": "NL-2024-0815",
                "invoice_date": "2024-04-03",
                "due_date": "2024-04-17",
                "currency": "EUR",
                "subtotal": "1298.50",
                "tax_total": "246.72",
                "total": "1545.22",
                "amount_due": None,
            },
        ),
        (
            FRENCH,
            {
                "vendor_name": "Atelier du Bois Flotté SARL",
                "buyer_name": "Hôtel des Dunes",
                "invoice_number": "FB-0091",
                "invoice_date": "2024-02-05",
                "due_date": "2024-03-06",
                "currency": "EUR",
                "subtotal": "2000.00",
                "tax_total": "400.00",
                "total": "2400.00",
                "amount_due": "2400.00",
            },
        ),
        (
            ENGLISH,
            {
                "vendor_name": "Pinecrest Tools Ltd",
                "buyer_name": "Harbour Works Inc",
                "invoice_number": "PT-77120",
                "invoice_date": "2024-03-07",
                "due_date": "2024-04-06",
                "currency": "USD",
                "subtotal": "1200.00",
                "tax_total": "96.00",
                "total": "1296.00",
                "amount_due": "296.00",
                "vendor_vat_id": None,
            },
        ),
        (
            POLISH,
            {
                "vendor_name": "Zielony Ogród Sp. z o.o.",
                "vendor_vat_id": "PL8567346215",
                "buyer_name": "Kwiaciarnia Róża",
                "invoice_number": "FV/12/2024",
                "invoice_date": "2024-05-02",
                "due_date": "2024-05-16",
                "currency": "PLN",
                "subtotal": "100.00",
                "tax_total": "23.00",
                "total": "123.00",
                "amount_due": "123.00",
            },
        ),
        (
            CHINESE,
            {
                "vendor_name": "北京蓝天科技有限公司",
                "buyer_name": "上海海风贸易公司",
                "invoice_number": "20481516",
                "invoice_date": "2024-05-20",
                "currency": "CNY",
                "subtotal": "1000.00",
                "tax_total": "130.00",
                "total": "1130.00",
            },
        ),
    ],
    ids=["german", "french", "english", "polish", "chinese"],
)
def test_the_header_fields_of_an_invoice_are_read(invoice_page: Page, expected: dict[str, object]) -> None:
    fields = values(invoice_page)
    assert {name: fields[name] for name in expected} == expected


def test_rows_of_the_table_with_continued_descriptions() -> None:
    rows = main_cells(read_fields(GERMAN, INVOICE)["line_items"].value, INVOICE.fields["line_items"])
    assert rows == [
        {"description": "Pendelleuchte Messing mit Textilkabel", "quantity": "2", "unit_price": "149.00", "amount": "298.00"},
        {"description": "Montage", "quantity": "1", "unit_price": "1000.50", "amount": "1000.50"},
    ]


def test_claims_name_the_words_they_came_from() -> None:
    claims = read_fields(GERMAN, INVOICE)
    total = claims["total"]
    assert [GERMAN.words[i].text for i in total.words] == ["1.545,22", "€"]
    assert total.printed == "1.545,22 €"
    assert 0 < total.score <= 1
    assert [GERMAN.words[i].text for i in claims["due_date"].words] == ["17.04.2024"]


def test_of_two_totals_the_one_that_adds_up_wins() -> None:
    lines = [
        (350.0, 300.0, "Subtotal"), (480.0, 300.0, "80.00"),
        (350.0, 315.0, "VAT"), (480.0, 315.0, "16.00"),
        (350.0, 330.0, "Total"), (480.0, 330.0, "96.00"),
        (350.0, 360.0, "Total"), (480.0, 360.0, "512.00"),
    ]  # fmt: skip
    assert values(page(lines))["total"] == "96.00"


def test_a_value_that_is_not_printed_is_null() -> None:
    fields = values(page([(50, 50, "Dear Sir or Madam, we thank you for the kind letter of last week")]))
    assert set(fields.values()) == {None}
    assert set(fields) == set(INVOICE.fields)
    assert set(values(page([])).values()) == {None}


def test_other_dates_of_the_page_show_that_the_month_comes_first() -> None:
    lines = [(50.0, 50.0, "Invoice date: 11/03/2017"), (50.0, 64.0, "Due date: 12/03/2017"), (50.0, 90.0, "Paid 11/17/2017")]
    fields = values(page(lines))
    assert (fields["invoice_date"], fields["due_date"]) == ("2017-11-03", "2017-12-03")


WORDS = st.lists(
    st.tuples(st.text(max_size=12), st.floats(0, 600), st.floats(0, 800), st.floats(0, 200), st.floats(0, 40)), max_size=25
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(WORDS, st.sampled_from(["textlayer", "ocr"]))
def test_any_page_is_read_without_an_error(lines: list[tuple[str, float, float, float, float]], source: str) -> None:
    words = tuple(Word(t, (x, y, x + w, y + h), i, size=h) for i, (t, x, y, w, h) in enumerate(lines))
    claims = read_fields(Page(1, 595, 842, words, "ocr" if source == "ocr" else "textlayer"), INVOICE)
    assert all(0 <= index < len(words) for claim in claims.values() for index in claim.words)


def test_a_hostile_page_is_cut_short() -> None:
    lines = [(10.0, 10.0, "1 " * 3000), (10.0, 30.0, "a" * 20000), (10.0, 50.0, "1." * 3000), (10.0, 90.0, "Total " * 2000)]
    assert set(values(page(lines))) == set(INVOICE.fields)


def sums(*rows: tuple[str, str]) -> dict[str, object]:
    """The amounts read from a column of labels and a column of amounts."""
    lines = [(x, 300 + 15.0 * n, text) for n, row in enumerate(rows) for x, text in zip((300, 480), row, strict=True)]
    claims = read_fields(page([(50, 40, "Hillside Tools Ltd"), (50, 60, "Invoice no. 12"), *lines]), INVOICE)
    return {name: claims[name].value for name in ("subtotal", "tax_total", "total", "amount_due", "prepaid")}


@pytest.mark.parametrize(
    ("deposit", "due"), [("Deposit", "Balance due"), ("Less deposit", "Balance"), ("Deposits received", "Amount due")]
)
def test_a_deposit_is_read_beside_the_amount_due(deposit: str, due: str) -> None:
    fields = sums(("Subtotal", "1,000.00"), ("VAT 20%", "200.00"), ("Total", "1,200.00"), (deposit, "300.00"), (due, "900.00"))
    assert fields == {
        "subtotal": "1000.00",
        "tax_total": "200.00",
        "total": "1200.00",
        "amount_due": "900.00",
        "prepaid": "300.00",
    }


def test_one_printed_number_is_not_both_paid_and_due() -> None:
    fields = sums(("Subtotal", "100.00"), ("VAT 20%", "20.00"), ("Total", "120.00"), ("Deposit", "60.00"))
    assert (fields["prepaid"], fields["amount_due"]) == ("60.00", None)


def test_credit_notes_in_negative_amounts() -> None:
    fields = sums(("Total", "-120.00"), ("Paid", "-50.00"), ("Balance due", "-70.00"))
    assert (fields["total"], fields["prepaid"], fields["amount_due"]) == ("-120.00", "-50.00", "-70.00")


def test_a_withheld_tax_is_no_prepayment() -> None:
    fields = sums(
        ("Imponibile", "1.000,00"),
        ("IVA 22%", "220,00"),
        ("Totale", "1.220,00"),
        ("Ritenuta", "-200,00"),
        ("Netto a pagare", "1.020,00"),
    )
    assert (fields["total"], fields["amount_due"], fields["prepaid"]) == ("1220.00", "1020.00", None)


@pytest.mark.parametrize("rates", [3, 4, 5])
def test_the_sums_are_found_beside_a_summary_of_many_rates(rates: int) -> None:
    summary = [
        row
        for n in range(rates)
        for row in ((f"Net {20 - 4 * n}%", f"{800 - 150 * n}.00"), (f"VAT {20 - 4 * n}%", f"{160 - 31 * n}.00"))
    ]
    fields = sums(("Subtotal", "1500.00"), ("VAT", "231.00"), ("Total", "1731.00"), *summary)
    assert (fields["subtotal"], fields["tax_total"], fields["total"]) == ("1500.00", "231.00", "1731.00")
