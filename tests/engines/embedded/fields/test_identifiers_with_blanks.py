"""Identifiers that are printed in several words: the whole number that a label governs, and nothing behind it."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from benchmarks.drawn.reading import read_page
from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Claim, WordSource
from pipeline.templates.template import Template
from tests.engines.embedded.fields.pages import Line, page, template, template_of

INVOICE, RECEIPT = template("invoice"), template("receipt")
BANK = template_of("""
name: bank
prompt: Read the payment slip.
fields:
  iban: {type: identifier, labels: {en: [IBAN, Account]}}
  bic: {type: identifier, labels: {en: [BIC, SWIFT]}}
  reference: {type: identifier, labels: {en: [Payment reference], de: [Verwendungszweck]}}
  meter: {type: identifier, labels: {en: [Meter no], de: [Zählernummer]}}
  vat: {type: identifier, format: vat, labels: {en: [VAT no], de: [USt-IdNr]}}
""")
IBAN = "DE89 3704 0044 0532 0130 00"


def read(of: Template, *lines: str | Line, source: WordSource = "textlayer") -> dict[str, Claim]:
    """The claims of a page of lines, each below the one before where it has no place."""
    drawn = [(50.0, 40.0 + 14 * n, line) if isinstance(line, str) else line for n, line in enumerate(lines)]
    return dict(read_fields(page(drawn, source), of))


@pytest.mark.parametrize("source", ["textlayer", "ocr"])
@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Rechnungsnummer: RE 2031 0447", "RE 2031 0447"),
        ("Rechnungsnummer:RE 2031 0447", "RE 2031 0447"),
        ("Rechnung Nr. RE 2031 0447 vom 3. Mai 2031", "RE 2031 0447"),
        ("Rechnung Nr. RE 2031 0447 Kundennummer 77 12", "RE 2031 0447"),
        ("Rechnungsnummer RE 2031 0447 238,00 EUR", "RE 2031 0447"),
        ("Rechnungsnummer RE 2031 0447 EUR 238,00", "RE 2031 0447"),
        ("Rechnung Nr.: RE – 2031 – 0447", "RE – 2031 – 0447"),
        ("Rechnung Nr.: RE\u00a02031\u00a00447", "RE 2031 0447"),
        ("Rechnungs-Nr.: 2031.05. 118", "2031.05. 118"),
        ("Invoice number INV 2031 / 447 Date: 3 May 2031", "INV 2031 / 447"),
        ("INVOICE NUMBER INV 2031 0447 ACCOUNT NUMBER 55 12 88", "INV 2031 0447"),
        ("Invoice no. 118 204 977 Total 238.00", "118 204 977"),
        ("Facture n° FA 31 05 0118 du 03/05/2031", "FA 31 05 0118"),
        ("Fattura n. FT 2031 A / 118 del 03/05/2031", "FT 2031 A / 118"),
        ("Faktura VAT nr FV 118 / 05 / 2031", "FV 118 / 05 / 2031"),
        ("Número de factura: A 2031 118 B", "A 2031 118 B"),
    ],
)
def test_the_whole_number_behind_a_label_is_read(line: str, number: str, source: WordSource) -> None:
    claim = read(INVOICE, "Fjordlund Boats AB", "INVOICE", line, source=source)["invoice_number"]
    assert (claim.value, claim.flags) == (number, ())


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Invoice no. 4711 Page 1 of 2", "4711"),
        ("Invoice no. 4711 (2 pages)", "4711"),
        ("Invoice no. 4711, 2 pages", "4711"),
        ("Invoice no. 4711 14:30", "4711"),
        ("Invoice no. 4711 19 %", "4711"),
    ],
)
def test_what_stands_behind_a_number_is_no_part_of_it(line: str, number: str) -> None:
    assert read(INVOICE, "Fjordlund Boats AB", "INVOICE", line)["invoice_number"].value == number


@pytest.mark.parametrize(
    "line",
    [
        "Invoice no. 4711 10115 Berlin",
        "Invoice no. 4711 3 items delivered",
        "Rechnungsnummer RE 2031 0447 für Projekt Nordhafen",
        "Rechnungsnummer RE 24 118 238,00",
        "Rechnungsnummer RE 2031-",
    ],
)
def test_a_number_whose_end_the_page_leaves_open_is_flagged(line: str) -> None:
    assert read(INVOICE, "Fjordlund Boats AB", "INVOICE", line)["invoice_number"].flags == ("unclear-end",)


@pytest.mark.parametrize(("mark", "size"), [("1", 6.0), ("¹", 10.0)])
def test_the_mark_of_a_footnote_is_no_part_of_a_number(mark: str, size: float) -> None:
    number = [(50.0, 60.0, "INVOICE", 10.0), (50.0, 80.0, "Invoice no. TL-20418", 10.0), (152.0, 80.0, mark, size)]
    assert read_fields(page(number), INVOICE)["invoice_number"].value == "TL-20418"


def test_a_number_below_its_label_ends_where_the_next_heading_begins() -> None:
    claims = read(
        INVOICE,
        *("Fjordlund Boats AB", "INVOICE"),
        *((50.0, 80.0, "Rechnungsnr Kundennr Datum"), (50.0, 94.0, "2031 0447")),
        *((115.0, 94.0, "77 12"), (155.0, 94.0, "03.05.31")),
    )
    assert (claims["invoice_number"].value, claims["invoice_date"].value) == ("2031 0447", "2031-05-03")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Bon-Nr: 0023 4711 01 03.05.2031 14:30", "0023 4711 01"),
        ("Receipt no 0023 4711 Till 3", "0023 4711"),
        ("Beleg Nr. 8841 / 03 03.05.2031", "8841 / 03"),
    ],
)
def test_the_number_of_a_receipt_ends_before_its_date(line: str, number: str) -> None:
    claims = read(RECEIPT, "Nord Kiosk", line, "Total 12.50")
    assert claims["receipt_number"].value == number
    assert claims["date"].value == ("2031-05-03" if "2031" in line else None)


@pytest.mark.parametrize(
    "lines",
    [
        [f"IBAN: {IBAN} BIC: COBADEFFXXX"],
        [f"IBAN:{IBAN} 03.05.2031"],
        [f"BIC COBADEFFXXX IBAN {IBAN}"],
        [(50.0, 40.0, "IBAN"), (250.0, 40.0, "BIC"), (50.0, 54.0, IBAN), (250.0, 54.0, "COBA DEFF XXX")],
        [(50.0 + 45 * n, 40.0, part) for n, part in enumerate(f"Account {IBAN}".split())],
        [(50.0, 40.0, "IBAN: DE89 3704 0044"), (50.0, 54.0, "0532 0130 00")],
        [f"Nordsparkasse, {IBAN}"],
    ],
    ids=["beside", "one word", "behind", "below", "cells", "two lines", "no label"],
)
def test_an_iban_is_read_as_a_whole_however_it_is_printed(lines: list[str | Line]) -> None:
    claims = read(BANK, *lines)
    assert claims["iban"].value == IBAN
    if "BIC" in str(lines):
        assert str(claims["bic"].value).replace(" ", "") == "COBADEFFXXX"
    assert claims["vat"].value is None


@pytest.mark.parametrize("iban", ["PL61 1090 1014 0000 0712 1981 2874", "SK31 1200 0000 1987 4263 7541"])
def test_the_first_digits_of_an_iban_are_no_vat_id(iban: str) -> None:
    assert read(INVOICE, "Fjordlund Boats AB", "INVOICE", f"IBAN {iban}")["vendor_vat_id"].value is None


def test_an_iban_with_wrong_check_digits_is_flagged() -> None:
    claim = read(BANK, "IBAN DE88 3704 0044 0532 0130 00")["iban"]
    assert (claim.value, claim.flags) == ("DE88 3704 0044 0532 0130 00", ("checksum",))


@pytest.mark.parametrize(
    ("field", "line", "value"),
    [
        ("reference", "Payment reference: RF18 5390 0754 7034 EUR 238.00", "RF18 5390 0754 7034"),
        ("reference", "Verwendungszweck 21 00000 00003 13947 14300 09017", "21 00000 00003 13947 14300 09017"),
        ("meter", "Zählernummer: 1 ESY 11 6012 3456 Datum 03.05.2031", "1 ESY 11 6012 3456"),
        ("vat", "USt-IdNr. 136 695 976", "136 695 976"),
        ("vat", "VAT no: SE 12 34 56 78 97 01", "SE123456789701"),
        ("vat", "VAT no AT U 1358 5627 03.05.2031", "ATU13585627"),
        ("bic", "BIC NDEA FI HH", "NDEA FI HH"),
    ],
)
def test_other_numbers_with_blanks_are_read_as_a_whole(field: str, line: str, value: str) -> None:
    assert read(BANK, line)[field].value == value


@pytest.mark.parametrize("font", ["helv", "cour"])
def test_no_break_spaces_and_marks_of_a_pdf_join_a_number(font: str, tmp_path: Path) -> None:
    pdf = pymupdf.open()
    sheet = pdf.new_page()
    sheet.insert_text((50, 60), "Fjordlund Boats AB", fontsize=14, fontname=font)
    sheet.insert_text((50, 160), "Rechnungsnummer", fontsize=10, fontname=font)
    sheet.insert_text((200, 160), "RE\u00a02031 / 0447", fontsize=10, fontname=font)
    sheet.insert_text((400, 160), "03.05.2031", fontsize=10, fontname=font)
    claims = read_fields(read_page(pdf.tobytes(), tmp_path / "invoice.pdf"), INVOICE)
    assert (claims["invoice_number"].value, claims["invoice_date"].value) == ("RE 2031 / 0447", "2031-05-03")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("VAT ID: VRN 70215538016", "70215538016"),
        ("VAT No. V.D. 4470192831", "4470192831"),
        ("VAT ID: CHE 108.642.771", "CHE 108.642.771"),
        ("VAT ID: W10-1808-32000411", "W10-1808-32000411"),
    ],
)
def test_a_word_before_a_tax_number_is_no_part_of_it(line: str, number: str) -> None:
    of = page([(50, 40, "Brelund Handel"), (50, 60, line), (50, 100, "Total"), (200, 100, "12.50")])
    value = read_fields(of, template("receipt"))["vendor_vat_id"].value
    assert str(value).replace(" ", "").replace(".", "") == number.replace(" ", "").replace(".", "")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("Meter no 4471 0238 - Tel. 0832 4920", "4471 0238"),
        ("Meter no 4471 0238 - Te1. 0832 4920", "4471 0238"),
        ("Meter no 4471 0238 #2558", "4471 0238"),
        ("Meter no 4471#2558", "4471#2558"),
        ("Meter no 4471-0238 TR.2558", "4471-0238"),
        ("Meter no 4471 0238 TE# 2558", "4471 0238"),
    ],
)
def test_a_number_ends_before_a_telephone_number_and_before_the_sign_of_another_number(line: str, number: str) -> None:
    assert read(BANK, "Fjordlund Boats AB", line)["meter"].value == number


@pytest.mark.parametrize(
    ("printed", "source", "value"),
    [
        ("R018547290", "ocr", "RO18547290"),  # check digit right
        ("R018547291", "ocr", None),
        ("R018547290", "textlayer", None),
    ],
)
def test_a_country_that_ocr_has_read_with_a_digit(printed: str, source: WordSource, value: str | None) -> None:
    found = read(BANK, "Fjordlund Boats AB", f"VAT no {printed}", source=source)["vat"].value
    assert found == value or (value is None and not str(found).startswith("RO"))
