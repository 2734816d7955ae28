"""Tables with difficult headers: two lines, one run, misread letters, amounts without a name."""

from __future__ import annotations

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Page
from tests.engines.embedded.fields.pages import main_cells, page, template, template_of

INVOICE = template("invoice")


def rows(invoice_page: Page) -> list[dict[str, object]]:
    """The rows of the built-in template's table."""
    value = read_fields(invoice_page, INVOICE)["line_items"].value
    return main_cells(value or [], INVOICE.fields["line_items"])


BODY = [
    (50.0, 230.0, "Walnut tray"), (300.0, 230.0, "3"), (380.0, 230.0, "20.00"), (490.0, 230.0, "60.00"),
    (50.0, 246.0, "Engraving"), (300.0, 246.0, "2"), (380.0, 246.0, "7.50"), (490.0, 246.0, "15.00"),
    (380.0, 280.0, "Total"), (490.0, 280.0, "75.00"),
]  # fmt: skip
EXPECTED = [
    {"description": "Walnut tray", "quantity": "3", "unit_price": "20.00", "amount": "60.00"},
    {"description": "Engraving", "quantity": "2", "unit_price": "7.50", "amount": "15.00"},
]


def test_a_table_header_of_two_lines_is_read() -> None:
    header = [
        (50.0, 200.0, "Description"), (290.0, 200.0, "Quantity"), (380.0, 195.0, "Unit"), (380.0, 206.0, "price"), (485.0, 200.0, "Amount"),
    ]  # fmt: skip
    assert rows(page(header + BODY)) == EXPECTED


def test_a_header_read_as_one_run_with_a_wrong_letter() -> None:
    header = [(50.0, 210.0, "Descriptlon"), (290.0, 210.0, "Quantity"), (375.0, 210.0, "Price"), (485.0, 210.0, "Amount")]
    assert rows(page(header + BODY, source="ocr")) == EXPECTED


def test_the_last_column_is_the_amount_also_with_an_unknown_name() -> None:
    header = [(50.0, 210.0, "Item"), (290.0, 210.0, "Qty"), (375.0, 210.0, "Price"), (485.0, 210.0, "Zwirbel")]
    assert rows(page(header + BODY)) == EXPECTED


def test_a_tax_column_is_not_the_amount() -> None:
    header = [
        (50.0, 210.0, "Description"), (200.0, 210.0, "Qty"), (260.0, 210.0, "Price"),
        (340.0, 210.0, "Total VAT"), (470.0, 210.0, "Total incl. VAT"),
    ]  # fmt: skip
    body = [
        (50.0, 230.0, "Lamp"),
        (200.0, 230.0, "2"),
        (260.0, 230.0, "50.00"),
        (350.0, 230.0, "20.00"),
        (480.0, 230.0, "100.00"),
    ]
    assert rows(page(header + body))[0]["amount"] == "100.00"


def test_subtotals_are_no_rows() -> None:
    header = [(50.0, 210.0, "Description"), (290.0, 210.0, "Qty"), (375.0, 210.0, "Price"), (485.0, 210.0, "Amount")]
    assert [row["amount"] for row in rows(page(header + BODY))] == ["60.00", "15.00"]


@pytest.mark.parametrize("gap", [0.0, 40.0])
def test_a_page_without_a_table_has_no_rows(gap: float) -> None:
    assert (
        rows(
            page([(50, 100 + gap, "We thank you for your order of last week"), (50, 120 + gap, "and remain yours faithfully")])
        )
        == []
    )


def test_amounts_without_a_label_are_found_by_the_check() -> None:
    own = template_of("""
name: bill
prompt: Read.
fields:
  net: {type: money, labels: {en: [Nettotal]}}
  duty: {type: money, labels: {en: [Duty]}}
  gross: {type: money, labels: {en: [Gross]}}
checks:
  - {name: adds_up, sum: [net, duty], equals: gross}
""")
    invoice_page = page(
        [(50, 50, "Nettotal 200.00"), (50, 70, "Gross 238.00"), (50, 90, "7 parcels 38.00"), (50, 110, "insured 500.00")]
    )
    claims = read_fields(invoice_page, own)
    assert claims["duty"].value == "38.00"
    without = page([(50, 50, "Nettotal 200.00"), (50, 70, "Gross 238.00"), (50, 90, "7 parcels 39.00")])
    assert read_fields(without, own)["duty"].value is None


def test_of_totals_by_tax_rate_the_last_row_is_the_documents() -> None:
    invoice_page = page(
        [
            (60, 500, "Net amount"), (220, 500, "VAT amount"), (380, 500, "Gross total"),
            (60, 516, "100.00"), (220, 516, "19.00"), (380, 516, "119.00"),
            (60, 532, "50.00"), (220, 532, "3.50"), (380, 532, "53.50"),
            (60, 548, "150.00"), (220, 548, "22.50"), (380, 548, "172.50"),
        ]
    )  # fmt: skip
    claims = read_fields(invoice_page, INVOICE)
    assert [claims[name].value for name in ("subtotal", "tax_total", "total")] == ["150.00", "22.50", "172.50"]


@pytest.mark.parametrize(
    ("printed", "value"), [("(35,13 €)", "35.13"), ("($35.13)", "-35.13"), ("-35,13 €", "-35.13"), ("35.13-", "-35.13")]
)
def test_brackets_around_a_remark_and_around_a_negative_amount(printed: str, value: str) -> None:
    assert read_fields(page([(50, 50, f"VAT: {printed}")]), INVOICE)["tax_total"].value == value


def test_a_heading_in_two_languages_is_one_heading() -> None:
    header = [
        (50.0, 210.0, "Item / Artikel"),
        (290.0, 210.0, "Qty / Menge"),
        (375.0, 210.0, "Price / Preis"),
        (485.0, 210.0, "Amount / Betrag"),
    ]
    found = rows(page([*header, (50.0, 230.0, "Walnut tray with four feet"), *BODY[1:]]))
    assert [row["description"] for row in found] == ["Walnut tray with four feet", "Engraving"]
    assert [row["amount"] for row in found] == ["60.00", "15.00"]
