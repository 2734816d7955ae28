"""Scanned till receipts, read with the built-in template."""

from __future__ import annotations

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Page, WordSource
from tests.engines.embedded.fields.pages import main_cells, page, template

RECEIPT = template("receipt")
SOURCES: tuple[WordSource, ...] = ("ocr", "textlayer")

RECEIPT_PAGE = page(
    [
        (60, 20, "SUNNY CORNER MART SDN BHD", 12),
        (90, 36, "(998877-K)"),
        (50, 48, "NO 5, JALAN MAWAR 2,"),
        (50, 60, "43000 KAJANG, SELANGOR"),
        (50, 72, "GST ID: 000123456712"),
        (80, 90, "TAX INVOICE"),
        (20, 106, "Invoice No: SC-000451"),
        (20, 120, "23/09/20215:57:07PM"),
        (20, 150, "MILK TEA 500ML"),
        (240, 150, "6.50"),
        (20, 164, "WHOLEMEAL BREAD"),
        (240, 164, "4.20"),
        (20, 190, "Sub Total"),
        (235, 190, "10.70"),
        (20, 204, "Rounding Adj"),
        (240, 204, "0.00"),
        (20, 218, "TOTAL"),
        (225, 218, "RM10.70"),
        (20, 232, "CASH"),
        (235, 232, "50.00"),
        (20, 246, "CHANGE"),
        (235, 246, "39.30"),
        (60, 280, "THANK YOU PLEASE COME AGAIN"),
    ],
    source="ocr",
    width=300,
)


def values(receipt_page: Page) -> dict[str, object]:
    """The values read."""
    return {name: claim.value for name, claim in read_fields(receipt_page, RECEIPT).items()}


def test_the_fields_of_a_receipt_are_read() -> None:
    fields = values(RECEIPT_PAGE)
    assert fields["vendor_name"] == "SUNNY CORNER MART SDN BHD"
    assert fields["address"] == "NO 5, JALAN MAWAR 2, 43000 KAJANG, SELANGOR"
    assert fields["vendor_vat_id"] == "000123456712"
    assert fields["receipt_number"] == "SC-000451"
    assert (fields["date"], fields["time"]) == ("2021-09-23", "17:57:07")
    assert (fields["currency"], fields["total"]) == ("MYR", "10.70")


def test_goods_without_a_table_header_are_read() -> None:
    rows = main_cells(values(RECEIPT_PAGE)["line_items"], RECEIPT.fields["line_items"])
    assert rows == [
        {"description": "MILK TEA 500ML", "quantity": None, "unit_price": None, "amount": "6.50"},
        {"description": "WHOLEMEAL BREAD", "quantity": None, "unit_price": None, "amount": "4.20"},
    ]


def test_cash_and_change_are_no_totals() -> None:
    fields = values(page([(20, 100, "CASH"), (240, 100, "20.00"), (20, 114, "CHANGE"), (240, 114, "3.50")], width=300))
    assert fields["total"] is None


def test_a_label_with_misread_letters_is_recognised_only_in_ocr() -> None:
    lines = [(20.0, 100.0, "Bread"), (240.0, 100.0, "3.10"), (20.0, 130.0, "Grand Tota1"), (240.0, 130.0, "3.10")]
    scanned, digital = (read_fields(page(lines, source=source, width=300), RECEIPT)["total"] for source in SOURCES)
    assert (scanned.value, scanned.signals["label"]) == ("3.10", 1.0)
    # The scorer takes the last amount of a receipt for its total also without a label, so that there is a value
    assert digital.signals["label"] == 0.0
    assert digital.score < scanned.score


def test_a_total_on_the_line_after_its_label_is_read() -> None:
    lines = [(20.0, 100.0, "Coffee"), (240.0, 100.0, "2.80"), (20.0, 130.0, "KOPĀ SUMMA:"), (240.0, 145.0, "2.80")]
    assert values(page(lines, width=300))["total"] == "2.80"


def test_a_number_glued_to_its_label_is_read() -> None:
    assert values(page([(20, 50, "DOK.#00041892")], source="ocr", width=300))["receipt_number"] == "00041892"


def test_amounts_with_a_blank_inside_are_joined() -> None:
    for printed in ("3. 98", "3 .98", "3.9 8"):
        assert values(page([(20, 100, "TOTAL"), (240, 100, printed)], source="ocr", width=300))["total"] == "3.98"


def test_the_first_goods_on_a_receipt_keep_their_name_when_they_have_a_quantity() -> None:
    receipt_page = page(
        [
            (60, 20, "GRANARY LANE CAFE LTD", 12),
            (20, 50, "Check # 4413 09/02/2025 11:20"),
            (20, 80, "2 x Lentil soup"),
            (240, 80, "11.00"),
            (20, 94, "Oat cookie"),
            (240, 94, "2.40"),
            (20, 108, "Filter coffee"),
            (20, 122, "3 x 2.50"),
            (240, 122, "7.50"),
            (20, 150, "TOTAL"),
            (235, 150, "20.90"),
        ],
        source="ocr",
        width=300,
    )
    items = values(receipt_page)["line_items"]
    assert isinstance(items, list)
    assert [(row["description"], row["amount"]) for row in items] == [
        ("Lentil soup", "11.00"),
        ("Oat cookie", "2.40"),
        ("Filter coffee", "7.50"),
    ]
    assert items[0]["quantity"] == "2"


def owed(*lines: tuple[str, str], source: WordSource = "ocr") -> object:
    """The total of a receipt with these labels and amounts."""
    lines_at = [
        cell for n, (label, amount) in enumerate(lines) for cell in ((20, 100 + 14 * n, label), (220, 100 + 14 * n, amount))
    ]
    return values(page(lines_at, source=source, width=300))["total"]


def test_a_misread_total_is_repaired_where_the_payment_proves_it() -> None:
    assert owed(("GRAND TOTAL", "17 00"), ("CASH", "50.00"), ("CHANGE", "33.00")) == "17.00"
    assert owed(("TOTAL", "RM8:50"), ("CASH", "RM8.50"), ("CHANGE", "RM0.00")) == "8.50"
    assert owed(("TOTAL", "RM1O.S0"), ("CASH", "RM20.00"), ("CHANGE", "RM9.50")) == "10.50"


def test_a_misread_total_is_not_repaired_without_proof() -> None:
    assert owed(("GRAND TOTAL", "17 00"), ("CASH", "50.00"), ("CHANGE", "30.00")) != "17.00"
    assert owed(("TOTAL", "RM1O.S0")) != "10.50"


def test_letters_in_a_text_layer_are_no_misread_digits() -> None:
    assert owed(("TOTAL", "RM1O.S0"), ("CASH", "RM20.00"), ("CHANGE", "RM9.50"), source="textlayer") != "10.50"


def test_a_missing_total_is_the_payment_less_the_change() -> None:
    assert owed(("BREAD", "17.20"), ("TOTAL", ""), ("CASH", "20.00"), ("CHANGE", "0.00"), ("TOTAL CHARGES", "0.00")) == "20.00"
    assert owed(("BREAD", "17.20"), ("SUBTOTAL", "17.20"), ("CASH", "17.20")) == "17.20"


def test_a_line_that_holds_a_web_address_among_other_words_is_not_the_vendor() -> None:
    lines = [
        (40, 20, "Harbour Bakes Sdn Bhd"),
        (40, 34, "12 Jalan Laut, 30000 Ipoh"),
        (40, 400, "www.harbourfeedback.com"),
        (40, 420, "Please leave your Harbour Feedback for us"),
    ]
    assert values(page(lines, width=300))["vendor_name"] == "Harbour Bakes Sdn Bhd"


def test_a_former_name_is_not_the_vendor() -> None:
    lines = [
        (40, 20, "Blue Lamp Foods Ltd"),
        (40, 34, "formerly known as"),
        (40, 48, "Old Lantern Foods Ltd"),
        (40, 62, "5 High Street"),
    ]
    assert values(page(lines, width=300))["vendor_name"] == "Blue Lamp Foods Ltd"


def test_a_name_of_two_letters_is_read_with_its_legal_form() -> None:
    fields = values(page([(40, 20, 'SIA "QV"'), (40, 34, "Brīvības iela 3, Rīga"), (40, 60, "DOK.#0077")], width=300))
    assert fields["vendor_name"] == 'SIA "QV"'
