"""Values whose meaning the words around them decide: dates of other documents, discounts, deposits, tax rates, shared currency signs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Json
from tests.engines.embedded.fields.pages import page, template

INVOICE = template("invoice")


def read(*lines: str, cells: Sequence[tuple[str, str]] = ()) -> dict[str, Json]:
    """The fields of an invoice of these lines, and of rows with a label at the left and a value at the right edge."""
    drawn = [(50.0, 40.0 + 14 * n, line) for n, line in enumerate(lines)]
    at = 60.0 + 14 * len(lines)
    for n, (label, value) in enumerate(cells):
        drawn += [(300.0, at + 14 * n, label), (540.0 - 5 * len(value), at + 14 * n, value)]
    return {name: claim.value for name, claim in read_fields(page(drawn), INVOICE).items()}


HEAD = ["Fjordlund Boats AB", "INVOICE"]


@pytest.mark.parametrize(
    ("other", "own"),
    [
        ("Your order of 3 May 2027", "Invoice date: 17 June 2027"),
        ("Quotation no. 4471 dated 03.05.2027", "Invoice date: 17.06.2027"),
        ("Ihr Auftrag vom 03.05.2027", "Rechnungsdatum: 17.06.2027"),
        ("Lieferschein Nr. 8812 vom 03.05.2027", "Rechnungsdatum: 17.06.2027"),
        ("Devis du 03/05/2027", "Date de facture : 17/06/2027"),
        ("Bon de commande n° 12 du 03/05/2027", "Date de facture : 17/06/2027"),
        ("Presupuesto del 03/05/2027", "Fecha de factura: 17/06/2027"),
        ("Preventivo n. 7 del 03/05/2027", "Data fattura: 17/06/2027"),
        ("Offerte van 03-05-2027", "Factuurdatum: 17-06-2027"),
        ("Zamówienie z dnia 03.05.2027", "Data wystawienia: 17.06.2027"),
    ],
)
def test_the_date_of_another_document_is_not_the_invoice_s(other: str, own: str) -> None:
    assert read(*HEAD, other, own)["invoice_date"] == "2027-06-17"
    assert read(*HEAD, own, other)["invoice_date"] == "2027-06-17"


def test_a_date_of_another_document_alone_is_no_date_of_the_invoice() -> None:
    assert read(*HEAD, "Order 4471 of 3 May 2027")["invoice_date"] is None


def test_a_date_behind_the_invoice_s_own_number_is_its_date() -> None:
    assert read(*HEAD, "Invoice no. 4471 of 3 May 2027")["invoice_date"] == "2027-05-03"


@pytest.mark.parametrize(
    "terms",
    [
        ["Zahlbar bis 27.06.2027 mit 3 % Skonto,", "bis 17.07.2027 rein netto"],
        ["Bei Zahlung bis 27.06.2027 3 % Skonto, zahlbar bis 17.07.2027 netto"],
        ["Payable by 27 June 2027 less 2 % discount", "or by 17 July 2027 net"],
        ["Paiement avant le 27/06/2027 : escompte 2 %", "Échéance 17/07/2027 sans escompte"],
        ["Fällig am 17.07.2027 ohne Skonto"],
    ],
)
def test_the_end_of_a_discount_is_not_the_time_for_payment(terms: list[str]) -> None:
    assert read(*HEAD, "Rechnungsdatum: 17.06.2027", *terms)["due_date"] == "2027-07-17"


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Deposit 25 % due now", "amount_due"),
        ("Anzahlung 25 %, jetzt fällig", "amount_due"),
        ("Acompte 25 % à payer", "amount_due"),
        ("Acconto 25 % da versare", "amount_due"),
        ("Deposit paid", "prepaid"),
        ("Anzahlung erhalten", "prepaid"),
        ("Acompte versé", "prepaid"),
    ],
)
def test_a_deposit_is_due_or_paid_as_its_words_say(label: str, field: str) -> None:
    values = read(*HEAD, cells=[("Total", "4,000.00"), (label, "1,000.00")])
    assert values[field] == "1000.00"
    assert values["prepaid" if field == "amount_due" else "amount_due"] is None


def test_what_is_due_on_completion_is_not_due_now() -> None:
    cells = [("Total", "4,000.00"), ("Deposit requested", "1,000.00"), ("Balance on completion", "3,000.00")]
    assert read(*HEAD, cells=cells)["amount_due"] == "1000.00"


def test_the_amounts_of_one_of_several_tax_rates_are_no_totals() -> None:
    rows = [
        (50.0, 40.0, "Fjordlund Boats AB"),
        (50.0, 80.0, "MwSt-Satz"),
        (150.0, 80.0, "Netto"),
        (250.0, 80.0, "MwSt"),
        (350.0, 80.0, "Brutto"),
    ]
    for y, cells in ((94.0, ["7 %", "300,00", "21,00", "321,00"]), (108.0, ["19 %", "500,00", "95,00", "595,00"])):
        rows += [(x, y, cell) for x, cell in zip((50.0, 150.0, 250.0, 350.0), cells, strict=True)]
    rows += [(50.0, 130.0, "Rechnungsbetrag"), (350.0, 130.0, "916,00")]
    values = {name: claim.value for name, claim in read_fields(page(rows), INVOICE).items()}
    assert (values["total"], values["subtotal"], values["tax_total"]) == ("916.00", None, None)


@pytest.mark.parametrize(
    ("place", "currency"),
    [
        ("ABN 53 004 085 616, Ballarat VIC 3350", "AUD"),
        ("GST/HST 812345678 RT0001, Moncton NB E1C 4Z6", "CAD"),
        ("TPS et TVQ incluses, Québec", "CAD"),
        ("GST Reg No 20130412, Singapore 238823", "SGD"),
        ("Dunedin, New Zealand, GST 49-091-850, +64 3 477 4000", "NZD"),
        ("RFC FOB210304KK1, Mérida, México", "MXN"),
        ("Duluth, MN 55802", "USD"),
        ("12 Harbour Row", "USD"),
    ],
)
def test_a_dollar_is_that_of_the_page_s_country(place: str, currency: str) -> None:
    assert read(*HEAD, place, cells=[("Total", "$340.00")])["currency"] == currency


def test_a_currency_that_is_named_is_not_changed_by_the_country() -> None:
    assert read(*HEAD, "Ballarat VIC 3350, ABN 53 004 085 616", cells=[("Total", "USD 340.00")])["currency"] == "USD"


@pytest.mark.parametrize(("text", "currency"), [("合計 ¥340 ありがとうございます", "JPY"), ("合计 ¥340.00 增值税", "CNY")])
def test_yen_and_yuan_are_told_apart_by_the_writing(text: str, currency: str) -> None:
    assert read("INVOICE", text)["currency"] == currency


@pytest.mark.parametrize(
    ("place", "invoice_date"),
    [
        ("Duluth, MN 55802", "2027-04-05"),
        ("Duluth, Minnesota (218) 555-0142, sales tax 6 %", "2027-04-05"),
        ("Norwich NR2 1TF", "2027-05-04"),
    ],
)
def test_the_order_of_day_and_month_is_that_of_the_page_s_country(place: str, invoice_date: str) -> None:
    values = read(*HEAD, place, "Invoice date: 04/05/2027", cells=[("Total", "£340.00" if "Norwich" in place else "$340.00")])
    assert values["invoice_date"] == invoice_date


@pytest.mark.parametrize(
    "line", ["Bitte ein Exemplar, ein Muster", "Customer ID 10234", "Printed 10:12 AM PST", "ABN AMRO Bank"]
)
def test_ordinary_words_speak_for_no_country(line: str) -> None:
    values = read(*HEAD, line, "Invoice date: 04.05.2027", cells=[("Total", "$340.00")])
    assert (values["invoice_date"], values["currency"]) == ("2027-05-04", "USD")


def test_signs_that_name_their_country_are_not_changed() -> None:
    assert read(*HEAD, "ABN 53 004 085 616", cells=[("Total", "US$340.00")])["currency"] == "USD"


@pytest.mark.parametrize("currency", ["KWD", "BHD", "OMR", "TND", "JOD"])
def test_currencies_of_three_decimals_have_them(currency: str) -> None:
    values = read(*HEAD, cells=[("Subtotal", f"{currency} 135.250"), ("VAT", "13.525"), ("Total", f"{currency} 148.775")])
    assert (values["subtotal"], values["total"], values["currency"]) == ("135.250", "148.775", currency)


def test_three_digits_behind_a_mark_are_thousands_elsewhere() -> None:
    assert read(*HEAD, cells=[("Total", "EUR 135.250"), ("VAT", "EUR 21.594")])["total"] == "135250"


def test_credit_marks_are_a_minus() -> None:
    values = read(
        "Fjordlund Boats AB", "CREDIT NOTE", cells=[("Subtotal", "90.00 CR"), ("VAT", "18.00 CR"), ("Total", "108.00 CR")]
    )
    assert (values["total"], values["document_type"]) == ("-108.00", "credit_note")


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("INVOICE", "invoice"),
        ("Tax Invoice", "invoice"),
        ("Credit note", "credit_note"),
        ("Rechnung", "invoice"),
        ("Stornorechnung", "credit_note"),
        ("Anzahlungsrechnung", "prepayment_invoice"),
        ("AVOIR", "credit_note"),
        ("Facture d'acompte", "prepayment_invoice"),
        ("Nota di credito n. 12", "credit_note"),
        ("Factura rectificativa", "corrected_invoice"),
        ("Kreditfaktura", "credit_note"),
        ("Pro forma invoice", "proforma_invoice"),
    ],
)
def test_a_document_is_of_the_kind_that_its_heading_names(title: str, kind: str) -> None:
    drawn = [(50.0, 40.0, "Fjordlund Boats AB", 10.0), (350.0, 40.0, title, 18.0), (50.0, 80.0, "Invoice number 4471", 10.0)]
    assert read_fields(page(drawn), INVOICE)["document_type"].value == kind


def test_sentences_and_closings_are_no_names() -> None:
    assert (
        read("INVOICE", "Please find the invoice enclosed.", "Kind regards, Fjordlund Boats AB")["vendor_name"]
        == "Fjordlund Boats AB"
    )


def test_a_quantity_of_three_decimals_is_in_thousands_where_the_amount_proves_it() -> None:
    rows = [(50.0, 40.0, "Fjordlund Boats AB")]
    for y, cells in (
        (80.0, ["Description", "Quantity", "Unit price", "Amount"]),
        (94.0, ["Rivets", "2.500", "0,30", "750,00"]),
        (108.0, ["Rope", "1.250", "24,00", "30,00"]),
    ):
        rows += [(x, y, cell) for x, cell in zip((50.0, 250.0, 350.0, 450.0), cells, strict=True)]
    items = read_fields(page(rows), INVOICE)["line_items"].value
    assert [row["quantity"] for row in items] == ["2500", "1.250"]


def test_rows_that_carry_a_sum_are_no_items() -> None:
    rows = [(50.0, 40.0, "Fjordlund Boats AB")]
    table = [
        ["Description", "Quantity", "Unit price", "Amount"],
        ["Brought forward", "", "", "80.00"],
        ["Rivets", "2", "15.00", "30.00"],
        ["Carried forward to page 3", "", "", "110.00"],
    ]
    for n, cells in enumerate(table):
        rows += [(x, 80.0 + 14 * n, cell) for x, cell in zip((50.0, 250.0, 350.0, 450.0), cells, strict=True) if cell]
    assert [row["description"] for row in read_fields(page(rows), INVOICE)["line_items"].value] == ["Rivets"]


@pytest.mark.parametrize(
    ("title", "amount", "currency", "total"),
    [
        ("Invoice", "Rs. 1,250.00", "INR", "1250.00"),
        ("Invoice", "Rs 2470", "INR", "2470"),
        ("Számla", "12 500 Ft", "HUF", "12500"),
        ("Számla", "2,409,750Ft", "HUF", "2409750"),
        ("Factura Cumpărător Termen de plată", "125,00 lei", "RON", "125.00"),
        ("Faktur", "Rp 45.000", "IDR", "45000"),
        ("Faktura Att betala inom 30 dagar", "1 250,00 kr", "SEK", "1250.00"),
        ("Faktura Betalingsdato Forfaldsdato", "kr. 1.250,00", "DKK", "1250.00"),
    ],
)
def test_abbreviations_beside_amounts_are_currencies(title: str, amount: str, currency: str, total: str) -> None:
    claims = read_fields(page([(50, 40, "Brelund"), (50, 60, title), (50, 100, "Total"), (200, 100, amount)]), INVOICE)
    assert (claims["currency"].value, claims["total"].value) == (currency, total)


@pytest.mark.parametrize("text", ["Cable 10 ft", "Garden hose 25 Ft", "12 lei 2025", "4 rp", "KR Handel", "Leis"])
def test_words_like_abbreviations_are_no_currencies(text: str) -> None:
    lines = [(50.0, 40.0, "Brelund"), (50.0, 50.0, "Invoice number 12, payment due within 30 days"), (50.0, 70.0, text)]
    lines += [(50.0, 100.0, "Total"), (200.0, 100.0, "12.50")]
    assert read_fields(page(lines), INVOICE)["currency"].value is None


def test_a_crown_of_an_unknown_country_is_no_currency() -> None:
    lines = [(50.0, 40.0, "Brelund"), (50.0, 60.0, "Invoice"), (50.0, 100.0, "Amount due"), (200.0, 100.0, "12.50 kr")]
    assert read_fields(page(lines), INVOICE)["currency"].value is None


def test_a_page_of_one_endless_word_has_no_values() -> None:
    claims = read_fields(page([(50.0, 40.0, "https://example.org/" + "a" * 150)]), template("receipt"))
    assert all(claim.value is None for claim in claims.values())


@pytest.mark.parametrize(
    ("words", "code"),
    [("Indian Rupees Nine Thousand Only", "INR"), ("Sri Lankan Rupees nine thousand", "LKR"), ("Nine real pesos", None)],
)
def test_the_currency_of_a_sum_in_words(words: str, code: str | None) -> None:
    read_fields = read(*HEAD, "Invoice no. 4471", words, cells=[("Total", "9,000.00")])
    assert read_fields["currency"] == code
    assert read_fields["total"] == "9000.00"


@pytest.mark.parametrize(
    ("contact", "words", "code"),
    [
        ("www.fjordlund.tn", "Nine thousand dinars", "TND"),
        ("www.fjordlund.ma", "Nine thousand dirhams", "MAD"),
        ("Phone +91 44 2345 6789", "Rupees nine thousand only", "INR"),
        ("www.fjordlund.ma", "Nine thousand dinars", None),
        ("Phone 522 123456", "Nine thousand dirhams", None),
    ],
)
def test_the_currency_of_the_country_by_its_noun(contact: str, words: str, code: str | None) -> None:
    assert read(*HEAD, contact, "Invoice no. 4471", words, cells=[("Total", "9,000.00")])["currency"] == code


def test_a_number_ends_where_a_telephone_number_is_joined_to_it() -> None:
    assert read(*HEAD, "Invoice no. 44710238-TEL0455123987")["invoice_number"] == "44710238"
    assert read(*HEAD, "Invoice no. 4471-TELA023")["invoice_number"] == "4471-TELA023"
