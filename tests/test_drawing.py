"""The example documents and the drawn test documents match their data."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import facturx
import pymupdf
import pytest
from PIL import Image, ImageOps
from stdnum import iban
from stdnum.cn import uscc
from stdnum.eu import vat
from stdnum.gb import vat as gb_vat

from examples.draw import DRAWINGS, E_INVOICE, INVOICE, RECEIPT, ROOT, TWO_PAGES, draw, expected
from examples.einvoice import facturx_xml
from examples.invoices import Layout
from examples.trade import Invoice
from tests import drawing

INVOICES = [INVOICE, TWO_PAGES, E_INVOICE, *(drawing.invoice(language) for language in drawing.LANGUAGES)]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def text_of(pdf: bytes) -> list[str]:
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return [plain(page.get_text()) for page in document]


def test_drawing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "a"), draw(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_the_inbox_has_all_examples_and_is_small() -> None:
    inbox = ROOT / "inbox"
    assert {path.name for path in inbox.iterdir() if not path.name.startswith(".")} == set(DRAWINGS)
    assert sum(path.stat().st_size for path in inbox.iterdir()) < 1_000_000


def test_the_truth_file_matches_the_drawings() -> None:
    truth = json.loads((ROOT / "examples" / "expected.json").read_text("utf-8"))
    assert truth == expected()


def valid_vat(number: str) -> bool:
    return bool(gb_vat.is_valid(number) if number.startswith("GB") else vat.is_valid(number) or uscc.is_valid(number))


@pytest.mark.parametrize("data", INVOICES, ids=lambda data: str(data.number))
def test_invoices_are_consistent(data: Invoice) -> None:
    assert valid_vat(data.seller.vat_id)
    assert not data.seller.iban or iban.is_valid(data.seller.iban)
    assert data.subtotal == sum(item.amount for item in data.items)
    assert data.subtotal + data.tax_total == data.total
    assert data.issued < data.due


def test_the_receipt_is_consistent() -> None:
    assert vat.is_valid(RECEIPT.vat_id)
    assert RECEIPT.total == Decimal("23.00")
    assert abs(RECEIPT.tax_total / (RECEIPT.total - RECEIPT.tax_total) - RECEIPT.tax_rate / 100) < Decimal("0.001")


@pytest.mark.parametrize("layout", ["modern", "classic", "plain"])
@pytest.mark.parametrize("language", drawing.LANGUAGES)
def test_a_drawn_invoice_prints_its_values(language: str, layout: Layout) -> None:
    data = drawing.invoice(language, prepaid=Decimal("100.00"))
    (page,) = text_of(drawing.invoice_pdf(data, layout))
    printed = [data.seller.name, data.buyer.name, data.number, data.items[0].description, data.seller.vat_id]
    assert [text for text in printed if text not in page] == []
    for thousands, hundreds in (("1", "400"), ("1", "300")):  # the total, and what is due after the deposit
        assert any(f"{thousands}{point}{hundreds}{comma}40" in page for point, comma in (",.", ".,", " ,"))


def test_two_pages_have_all_lines_and_the_second_has_the_totals() -> None:
    first, second = text_of((ROOT / "inbox" / "two-page-invoice.pdf").read_bytes())
    missing = [item.description for item in TWO_PAGES.items if item.description not in first and item.description not in second]
    assert missing == []
    assert "Gesamtbetrag" not in first
    assert "2.415,94 €" in second


def test_the_xml_of_the_e_invoice_is_valid_for_its_profile() -> None:
    name, xml = facturx.get_xml_from_pdf((ROOT / "inbox" / "e-invoice.pdf").read_bytes())
    assert name == "factur-x.xml"
    assert xml == facturx_xml(E_INVOICE)
    assert facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert b"<ram:GrandTotalAmount>3180.00</ram:GrandTotalAmount>" in xml


def test_text_blank_and_encrypted_pages() -> None:
    assert [text.strip() for text in text_of(drawing.text_pdf(["one", "", "three"]))] == ["one", "", "three"]
    assert text_of(drawing.blank_pdf(2)) == ["", ""]
    with pymupdf.open(stream=drawing.encrypted_pdf(password="s3cret"), filetype="pdf") as document:
        assert document.needs_pass
        assert document.authenticate("s3cret")


def test_scans_have_no_text_layer() -> None:
    pdf = drawing.scan_pdf([drawing.scanned_invoice(drawing.invoice()), drawing.receipt_image()])
    assert text_of(pdf) == ["", ""]


def test_turned_scans_have_turned_pixels() -> None:
    upright = drawing.scanned_invoice(drawing.invoice())
    turned = drawing.scanned_invoice(drawing.invoice(), turned=90)
    assert turned.size == (upright.height, upright.width)
    with pymupdf.open(stream=drawing.turned_pdf(drawing.text_pdf(["x"]), 90), filetype="pdf") as document:
        assert document[0].rotation == 90


def test_exif_turns_a_phone_picture_upright() -> None:
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("black", (0, 0, 20, 20))
    with Image.open(io.BytesIO(drawing.exif_turned_jpeg(picture, 6))) as stored:
        assert stored.size == (20, 40)
        upright = ImageOps.exif_transpose(stored).convert("L")
    assert upright.size == (40, 20)
    assert upright.getpixel((5, 10)) == pytest.approx(0, abs=20)


def test_a_tiff_has_one_frame_for_each_image() -> None:
    with Image.open(io.BytesIO(drawing.tiff([Image.new("L", (9, 9)), Image.new("L", (7, 5))]))) as frames:
        assert getattr(frames, "n_frames", 1) == 2
