"""Several invoices or receipts on one sheet are never mixed; ordinary pages are not cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

import pymupdf
import pytest

from benchmarks.drawn.reading import read_page
from examples.invoices import Layout
from examples.trade import Invoice, Item
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.embedded.fields import count_documents, read_fields
from pipeline.engines.embedded.fields.sheet_documents import IdentifyingFields
from pipeline.publish.review_flags import fields_to_review, review_reasons
from pipeline.records import Claim, Evidence, Page
from tests import drawing
from tests.checks.building import result_of
from tests.engines.embedded.fields.pages import Line, page, template

INVOICE, RECEIPT = template("invoice"), template("receipt")
How = Literal["beside", "two-up", "one above the other"]
COMPARED = ("invoice_number", "invoice_date", "due_date", "total")


def second(first: Invoice) -> Invoice:
    items = [Item(first.items[0].description, Decimal(3), Decimal("40.00"))]
    return replace(first, number=f"{first.number}88", issued=date(2025, 5, 2), due=date(2025, 6, 1), items=items)


def sheet(first: bytes, other: bytes, how: How) -> bytes:
    """Two documents of one page on one sheet."""
    with pymupdf.open() as drawn, pymupdf.open(stream=first) as a, pymupdf.open(stream=other) as b:
        width, height = a[0].rect.width, a[0].rect.height
        sizes = {"beside": (2 * width, height), "two-up": (height, width), "one above the other": (width, height)}
        page = drawn.new_page(width=sizes[how][0], height=sizes[how][1])
        across = how != "one above the other"
        half = pymupdf.Rect(0, 0, page.rect.width / (2 if across else 1), page.rect.height / (1 if across else 2))
        page.show_pdf_page(half, a, 0)
        page.show_pdf_page(half + ((half.width, 0) * 2 if across else (0, half.height) * 2), b, 0)
        return bytes(drawn.tobytes())


def values(page: Page, fields: Sequence[str]) -> dict[str, object]:
    claims = read_fields(page, INVOICE)
    return {name: claims[name].value for name in fields}


def expected(invoice: Invoice) -> dict[str, object]:
    truth = drawing.invoice_truth(invoice)
    return {name: str(truth[name]) for name in COMPARED}


@pytest.mark.parametrize("how", get_args(How))
@pytest.mark.parametrize("language", ["de", "en", "fr", "pl"])
def test_of_two_invoices_on_a_sheet_the_first_is_read_and_all_values_are_named(language: str, how: How, tmp_path: Path) -> None:
    first = drawing.invoice(language)
    for layout in get_args(Layout):
        data = sheet(drawing.invoice_pdf(first, layout), drawing.invoice_pdf(second(first), layout), how)
        drawn = read_page(data, tmp_path / "sheet.pdf")
        assert values(drawn, COMPARED) == expected(first), layout
        evidence = merged(drawn)
        place = "top" if how == "one above the other" else "left"
        read = {name for name, field in evidence.items() if field.value is not None}
        assert all(f"several-documents:{place}" in evidence[name].flags for name in read)
        assert set(fields_to_review(evidence, 0.95)) == read
        assert place in review_reasons(evidence["total"], 0.95, {})[0]
        assert len(evidence["line_items"].value) == 2
        assert evidence["total"].box is not None
        assert evidence["total"].box[0] < drawn.width * (1 if place == "top" else 0.5)


def test_invoices_of_two_sellers_with_one_date_and_one_total_are_two(tmp_path: Path) -> None:
    first, other = drawing.invoice("en"), drawing.invoice("de")
    data = sheet(drawing.invoice_pdf(first), drawing.invoice_pdf(other, "classic"), "one above the other")
    drawn = read_page(data, tmp_path / "sheet.pdf")
    assert count_documents(drawn, INVOICE) == 2
    assert values(drawn, COMPARED) == expected(first)


def merged(page: Page) -> dict[str, Evidence]:
    return merge_pages([result_of(1, **ground(read_fields(page, INVOICE), page, INVOICE))], INVOICE)


@pytest.mark.parametrize("how", ["beside", "two-up"])
def test_of_two_copies_beside_each_other_one_is_read(how: How, tmp_path: Path) -> None:
    invoice = drawing.invoice("en")
    pdf = drawing.invoice_pdf(invoice)
    drawn = read_page(sheet(pdf, pdf, how), tmp_path / "sheet.pdf")
    evidence = merged(drawn)
    assert values(drawn, COMPARED) == expected(invoice)
    assert len(evidence["line_items"].value) == 2
    assert fields_to_review(evidence, 0.95) == []


@pytest.mark.parametrize("language", drawing.LANGUAGES)
def test_an_ordinary_invoice_is_one_document(language: str, tmp_path: Path) -> None:
    for layout in get_args(Layout):
        drawn = read_page(drawing.invoice_pdf(drawing.invoice(language), layout), tmp_path / "invoice.pdf")
        assert count_documents(drawn, INVOICE) == 1


def receipt(x: float, y: float, vendor: str, day: str, total: str, *, number: str = "") -> list[Line]:
    """A till's receipt 150 points wide."""
    rows = [
        (vendor, ""),
        ("12 Quay Street", ""),
        (f"Receipt no. {number}" if number else "Thank you", ""),
        (f"Date {day}", "10:42"),
        ("Tea", "2.00"),
        ("Bread roll", "1.10"),
        ("Soup", str(Decimal(total) - Decimal("3.10"))),
        ("TOTAL", total),
        ("CASH", "50.00"),
    ]
    placed: list[Line] = []
    for n, (text, amount) in enumerate(rows):
        placed.append((x, y + 16 * n, text))
        if amount:
            placed.append((x + 150 - 5 * len(amount), y + 16 * n, amount))
    return sorted(placed, key=lambda line: line[1])


def read_receipts(lines: Sequence[Line]) -> Mapping[str, Claim]:
    return read_fields(page(sorted(lines, key=lambda line: (line[1], line[0]))), RECEIPT)


def test_of_three_receipts_beside_each_other_the_left_one_is_read() -> None:
    lines = [
        *receipt(30, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30"),
        *receipt(220, 52, "Lantern Books Ltd", "17/12/2025", "31.60"),
        *receipt(410, 47, "Tidewater Bakery Ltd", "23/12/2025", "8.90"),
    ]
    claims = read_receipts(lines)
    assert (claims["date"].value, claims["total"].value) == ("2025-11-04", "12.30")
    assert claims["total"].flags == claims["vendor_name"].flags
    assert claims["total"].flags[0].startswith("several-documents:left")
    assert count_documents(page(sorted(lines, key=lambda line: (line[1], line[0]))), RECEIPT) == 3


def test_of_two_receipts_one_above_the_other_the_upper_one_is_read() -> None:
    lines = [
        *receipt(200, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30", number="A-5521"),
        *receipt(200, 300, "Lantern Books Ltd", "17/12/2025", "31.60", number="77310"),
    ]
    claims = read_receipts(lines)
    assert (claims["receipt_number"].value, claims["total"].value) == ("A-5521", "12.30")
    assert claims["total"].flags == ("several-documents:top",)


def test_a_card_slip_below_a_receipt_is_part_of_it() -> None:
    slip: list[Line] = [
        (200, 260, "CARD SALE"),
        (200, 276, "Date 04/11/2025"),
        (200, 292, "Total"),
        (320, 292, "12.30"),
        (200, 308, "Approved"),
    ]
    claims = read_receipts([*receipt(200, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30", number="A-5521"), *slip])
    assert claims["total"].flags == ()


def test_a_remittance_slip_that_repeats_number_date_and_total_is_no_document(tmp_path: Path) -> None:
    with pymupdf.open(stream=drawing.invoice_pdf(drawing.invoice("en"))) as document:
        for row, line in enumerate(
            ["Remittance advice", "Invoice number EN-20417", "Invoice date 24/03/2025", "Total due GBP 1,400.40"]
        ):
            document[0].insert_text((60, 740 + 14 * row), line)
        drawn = read_page(bytes(document.tobytes()), tmp_path / "invoice.pdf")
    assert count_documents(drawn, INVOICE) == 1
    assert values(drawn, ("invoice_number", "total")) == {"invoice_number": "EN-20417", "total": "1400.40"}


def test_parts_without_a_total_or_without_number_and_date_are_no_documents() -> None:
    keys = IdentifyingFields.of(RECEIPT)
    total, day = keys.totals[0], keys.dates[0]
    whole = {total: Claim("8.90", score=0.9), day: Claim("2025-12-23", score=0.9)}
    assert keys.is_whole(whole)
    assert not keys.is_whole({**whole, total: Claim(None)})
    assert not keys.is_whole({**whole, total: Claim("8.90", score=0.4)})
    assert not keys.is_whole({**whole, day: Claim(None)})
    assert keys.is_whole({total: Claim("8.90", score=0.9), str(keys.number): Claim("77310", score=0.9)})


def test_a_summary_at_the_head_that_names_the_total_otherwise_is_no_document_of_its_own() -> None:
    lines: list[Line] = [
        *((60, 40, "Northwind Hosting Inc."), (300, 40, "Invoice Summary")),
        *((300, 58, "Invoice Number:"), (500, 58, "5521907"), (300, 74, "Invoice Date:"), (480, 74, "August 3, 2024")),
        *((300, 94, "TOTAL AMOUNT DUE"), (500, 94, "$14.31")),
        (40, 190, "This invoice is for the billing period July 1 - July 31, 2024"),
        *((40, 250, "Service charges"), (500, 250, "$14.31"), (40, 266, "Credits"), (500, 266, "$0.00")),
        *((40, 282, "Total for this invoice"), (500, 282, "$14.31")),
        *((40, 350, "Data transfer"), (500, 350, "$4.01"), (40, 366, "Storage"), (500, 366, "$10.30")),
        *((40, 420, "Charges and prices are in US Dollars"), (40, 436, "All services are sold by Northwind Hosting Inc.")),
    ]
    assert count_documents(page(lines), INVOICE) == 1


def test_receipts_whose_totals_have_labels_of_several_words_are_told_apart() -> None:
    first = receipt(30, 40, "Officine Valli snc", "20/03/2024", "84.20", number="722453")
    other = receipt(260, 52, "Falegnameria Rossi S.r.l.", "18/06/2024", "31.60", number="913132")
    lines = [(x, y, "Totale documento" if text == "TOTAL" else text) for x, y, text in [*first, *other]]
    assert count_documents(page(sorted(lines, key=lambda line: (line[1], line[0]))), RECEIPT) == 2


def askew(lines: Sequence[Line]) -> list[Line]:
    """The lines as of slips that lie at an angle: no straight strip is left between them."""
    return [(x + 0.35 * y, y, text) for x, y, text in lines]


def test_slips_that_lie_askew_are_not_told_apart_and_every_value_is_named() -> None:
    lines = [
        *receipt(30, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30"),
        *receipt(205, 46, "Lantern Books Ltd", "17/12/2025", "31.60"),
    ]
    sheet = page(sorted(askew(lines), key=lambda line: (line[1], line[0])))
    assert count_documents(sheet, RECEIPT) == 1, "it shows what happens where no cut is made"
    claims = read_fields(sheet, RECEIPT)
    read = {name: claim for name, claim in claims.items() if claim.value is not None}
    assert read
    assert all("several-documents" in claim.flags for claim in read.values())


def test_slips_that_lie_askew_and_nearly_touch_are_marked_too() -> None:
    first = receipt(30, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30")
    other = receipt(195, 42, "Lantern Books Ltd", "17/12/2025", "31.60")
    wide = [(x, y, text.replace("12 Quay Street", "12 Quay Street Bristol BS1 4TR")) for x, y, text in [*first, *other]]
    sheet = page(sorted(askew(wide), key=lambda line: (line[1], line[0])))
    assert count_documents(sheet, RECEIPT) == 1, "it shows what happens where no cut is made"
    claims = read_fields(sheet, RECEIPT)
    assert "several-documents" in claims["total"].flags


def test_one_slip_that_lies_askew_has_no_such_flag() -> None:
    sheet = page(askew(receipt(30, 40, "Harbour Cafe Ltd", "04/11/2025", "12.30")))
    claims = read_fields(sheet, RECEIPT)
    assert claims["total"].value == "12.30"
    assert not any("several-documents" in flag for claim in claims.values() for flag in claim.flags)
