"""Pages before and behind an invoice that are no part of it: time sheets, delivery notes, terms, copies, pages in any order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pymupdf
import pytest

from examples.trade import Invoice
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Evidence
from tests.checks.building import result_of
from tests.drawing import invoice, invoice_pdf, invoice_truth
from tests.engines.embedded.fields.pages import template
from tests.run.test_page_reader import read

INVOICE = template("invoice")
COMPARED = ("vendor_name", "buyer_name", "invoice_number", "invoice_date", "due_date", "subtotal", "tax_total", "total")
COLUMNS = (50, 260, 370, 480)
SHEETS = {
    "en": "Time sheet\nDate|Work|Hours|Amount\n03/03/2025|Assembly|4.0|338.00\n04/03/2025|Repair|8.0|676.00\nTotal||12.0|1,014.00",
    "de": "Stundennachweis\nDatum|Arbeit|Stunden|Betrag\n03.03.2025|Montage|4,0|338,00\n04.03.2025|Test|8,0|676,00\nSumme||12,0|1.014,00",
    "fr": "Relevé d'heures\nDate|Travail|Heures|Montant\n03/03/2025|Montage|4,0|338,00\n04/03/2025|Essai|8,0|676,00\nTotal||12,0|1 014,00",
    "it": "Foglio ore\nData|Lavoro|Ore|Importo\n03/03/2025|Montaggio|4,0|338,00\n04/03/2025|Prova|8,0|676,00\nTotale||12,0|1.014,00",
}
DELIVERY_NOTES = {
    "en": "Delivery note\nDelivery note no. LS-8834\nDate 20/03/2025\nDescription|Quantity\nModel K-12|12\nService pack|2.5",
    "de": "Lieferschein\nLieferschein-Nr. LS-8834\nDatum 20.03.2025\nBeschreibung|Menge\nStahlwinkel|12\nMontage|2,5",
    "fr": "Bon de livraison\nBon de livraison n° LS-8834\nDate 20/03/2025\nDésignation|Quantité\nRosiers|12\nLivraison|2,5",
    "it": "Documento di trasporto\nDDT n. LS-8834\nData 20/03/2025\nDescrizione|Quantità\nModel K-12|12\nService pack|2,5",
}
TERMS = {
    "en": "Terms\n1. Late payment: a fee of 40.00.\n2. Total liability: 5,000.00 for each event.\nTotal amount insured 250,000.00",
    "de": "Geschäftsbedingungen\n§ 1 Mahngebühr 40,00 €.\n§ 2 Haftung bis zu einem Gesamtbetrag von 5.000,00 €.\nSumme gesamt 250.000,00 €",
    "fr": "Conditions générales\n1. Indemnité de 40,00 € par facture.\n2. Responsabilité totale : 5 000,00 €.\nMontant total 250 000,00 €",
    "it": "Condizioni generali\n1. Spese di sollecito: 40,00 €.\n2. Responsabilità totale: 5.000,00 €.\nTotale massimale 250.000,00 €",
}
COPY_WORDS = {"en": "COPY", "de": "Rechnungskopie", "fr": "DUPLICATA", "it": "COPIA"}
LANGUAGES = sorted(SHEETS)


def annex(text: str) -> bytes:
    """A page with these lines; ``|`` parts the columns."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        for row, line in enumerate(text.split("\n")):
            for x, cell in zip(COLUMNS, line.split("|"), strict=False):
                page.insert_text((x, 70 + 17 * row), cell, fontsize=9)
        return bytes(document.tobytes())


def joined(*parts: bytes) -> bytes:
    with pymupdf.open() as document:
        for part in parts:
            with pymupdf.open(stream=part) as pages:
                document.insert_pdf(pages)
        return bytes(document.tobytes())


def stamped(pdf: bytes, text: str) -> bytes:
    with pymupdf.open(stream=pdf) as document:
        for page in document:
            page.insert_text((430, 30), text, fontsize=14)
        return bytes(document.tobytes())


def backwards(pdf: bytes) -> bytes:
    with pymupdf.open(stream=pdf) as document:
        document.select(list(reversed(range(document.page_count))))
        return bytes(document.tobytes())


def fields_of(pdf: bytes, folder: Path) -> dict[str, Evidence]:
    path = folder / "file.pdf"
    path.write_bytes(pdf)
    with pymupdf.open(path) as document:
        count = document.page_count
    pages = [read(path, page=number)[0] for number in range(1, count + 1)]
    return merge_pages([result_of(page.number, **ground(read_fields(page, INVOICE), page, INVOICE)) for page in pages], INVOICE)


def check(pdf: bytes, expected: Invoice, folder: Path) -> None:
    fields, truth = fields_of(pdf, folder), invoice_truth(expected)
    assert {name: fields[name].value for name in COMPARED} == {name: str(truth[name]) for name in COMPARED}
    assert len(fields["line_items"].value) == len(expected.items)
    assert all("other-documents" not in flag for field in fields.values() for flag in field.flags)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_before_an_invoice_gives_none_of_its_values(language: str, tmp_path: Path) -> None:
    data = invoice(language)
    for before in (SHEETS[language], DELIVERY_NOTES[language]):
        check(joined(annex(before), invoice_pdf(data)), data, tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_behind_an_invoice_add_neither_rows_nor_totals(language: str, tmp_path: Path) -> None:
    data = invoice(language)
    for behind in (SHEETS[language], DELIVERY_NOTES[language], TERMS[language]):
        check(joined(invoice_pdf(data, "classic"), annex(behind)), data, tmp_path)
    everything = joined(annex(DELIVERY_NOTES[language]), invoice_pdf(data), annex(SHEETS[language]), annex(TERMS[language]))
    check(everything, data, tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_copies_under_any_name_add_nothing(language: str, tmp_path: Path) -> None:
    data, terms = invoice(language), annex(TERMS[language])
    pdf = invoice_pdf(data)
    copy = stamped(pdf, COPY_WORDS[language])
    for pages in ((pdf, copy), (copy, pdf, copy), (pdf, terms, copy, terms)):
        check(joined(*pages), data, tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_time_sheet_adds_no_rows_to_an_invoice_without_tax(language: str, tmp_path: Path) -> None:
    data = invoice(language, tax_rate=Decimal(0))
    fields = fields_of(joined(invoice_pdf(data), annex(SHEETS[language])), tmp_path)
    assert fields["total"].value == str(invoice_truth(data)["total"])
    assert len(fields["line_items"].value) == len(data.items)


def test_the_order_of_the_pages_does_not_matter(tmp_path: Path) -> None:
    base = invoice("en")
    data = replace(
        base, items=[replace(base.items[0], description=f"Model {n}", quantity=Decimal(1 + n % 4)) for n in range(44)]
    )
    for pdf in (invoice_pdf(data), backwards(invoice_pdf(data)), joined(invoice_pdf(data), stamped(invoice_pdf(data), "COPY"))):
        check(pdf, data, tmp_path)
