"""Receipts that were scanned together give a document each, cut by their place on the page; the page is read once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from PIL import Image

from examples.draw import RECEIPT
from examples.trade import Item
from pipeline.ledger.corrections import record_correction
from pipeline.records import Correction
from tests.drawing import invoice, invoice_pdf, receipt_image, scan_pdf
from tests.engines.embedded.fields.test_sheet_documents import second, sheet
from tests.run.test_split import Reading, documents, place, reading, stack

__all__ = ["reading"]  # a fixture
OTHER = replace(
    RECEIPT,
    vendor="Lantern Books Ltd",
    number="77310",
    date="17/12/2025",
    lines=[("Atlas of rivers", 1, Decimal("24.90")), ("Notebook", 2, Decimal("3.35"))],
    vat_id="IE1234567T",
)
THIRD = replace(
    RECEIPT,
    vendor="Tidewater Hardware Ltd",
    number="10288",
    date="03/12/2025",
    lines=[("Brass hinge", 4, Decimal("2.20")), ("Wood glue", 1, Decimal("6.45"))],
    vat_id="IE7654321P",
)
FIRST = invoice("en")


def put_two_invoices(reading: Reading, name: str = "stack.pdf") -> None:
    reading.folders.put(name, sheet(invoice_pdf(FIRST), invoice_pdf(second(FIRST)), "beside"))


def numbers(reading: Reading) -> dict[str, str]:
    return {row["file"]: row["invoice_number"] for row in reading.csv("invoice")}


TWO = {"stack.pdf/1.1": FIRST.number, "stack.pdf/1.2": f"{FIRST.number}88"}


def test_two_invoices_on_one_sheet_are_two_documents_with_their_own_values(reading: Reading) -> None:
    put_two_invoices(reading)
    reading.run()
    assert numbers(reading) == TWO
    assert documents(reading) == dict.fromkeys(TWO, "done")
    part = reading.json("stack.pdf/1.2")
    assert (part["document"]["file_pages"], part["document"]["sheet_part"]) == ([1], 2)
    fields = part["results"]["invoice"]["fields"]
    assert fields["total"]["box"][0] > 595, "the box is that of the sheet"
    assert (
        any("right" in reason for reason in fields["total"]["review"])
        if "review" in fields["total"]
        else fields["total"]["flags"]
    )
    assert len(fields["line_items"]["value"]) == 1
    reading.run()
    assert reading.engine.pages == [1], "nothing is read again"


def test_three_slips_of_one_scan_are_three_receipts(reading: Reading) -> None:
    slips = [receipt_image(data, scanned=False) for data in (RECEIPT, OTHER, THIRD)]
    board = Image.new("RGB", (sum(slip.width for slip in slips) + 400, max(slip.height for slip in slips) + 160), "white")
    x = 100
    for n, slip in enumerate(slips):
        board.paste(slip, (x, 40 + 30 * n))
        x += slip.width + 100
    reading.template = "receipt"
    reading.folders.put("slips.pdf", scan_pdf([board]))
    reading.run()
    rows = {row["file"]: (row["vendor_name"], row["total"]) for row in reading.csv("receipt")}
    assert rows == {
        "slips.pdf/1.1": (RECEIPT.vendor, "23.00"),
        "slips.pdf/1.2": (OTHER.vendor, "31.60"),
        "slips.pdf/1.3": (THIRD.vendor, "15.25"),
    }


def test_a_sheet_in_a_stack_is_cut_from_its_neighbours(reading: Reading) -> None:
    other = invoice(
        "de", number="R-77", issued=date(2025, 5, 9), due=date(2025, 6, 9), items=[Item("Papier", Decimal(1), Decimal("9.00"))]
    )
    pair = sheet(invoice_pdf(FIRST), invoice_pdf(second(FIRST)), "beside")
    reading.folders.put("stack.pdf", stack(invoice_pdf(other), pair))
    reading.run()
    assert numbers(reading) == {"stack.pdf/1": "R-77", "stack.pdf/2.1": FIRST.number, "stack.pdf/2.2": f"{FIRST.number}88"}


def test_never_keeps_a_sheet_in_one_piece_and_its_values_are_named(reading: Reading) -> None:
    reading.folders.changes = {"split": "never"}
    put_two_invoices(reading)
    reading.run()
    assert list(documents(reading)) == ["stack.pdf"]
    assert reading.json("stack.pdf")["results"]["invoice"]["fields"]["total"]["flags"] == ["several-documents:left"]


def test_a_rebuilt_ledger_has_all_documents_of_a_sheet_and_their_corrections(reading: Reading) -> None:
    put_two_invoices(reading)
    reading.run()
    with reading.ledger() as ledger:
        part = ledger.file_by_name("stack.pdf/1.2")
        assert part
        record_correction(
            ledger, part.key, Correction("invoice", "vendor_name", 1, "Other Ltd", False, "x", "Ada", "2026-01-01")
        )
    reading.run()
    results = _results(reading.outbox)
    for path in (reading.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    reading.run()
    assert (numbers(reading), reading.engine.pages) == (TWO, [1])
    assert {row["file"]: row["vendor_name"] for row in reading.csv("invoice")}["stack.pdf/1.2"] == "Other Ltd"
    assert set(_results(reading.outbox)) == set(results)


def _results(outbox: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in outbox.rglob("*.json") if ".pipeline" not in path.parts}


def test_a_person_may_say_that_a_sheet_is_one_document_or_split_around_it(reading: Reading) -> None:
    put_two_invoices(reading)
    reading.run()
    place(reading, "whole")
    assert numbers(reading) == {"stack.pdf": FIRST.number}
    place(reading, "1")
    assert numbers(reading) == TWO
    place(reading, None)
    assert numbers(reading) == TWO
    assert reading.engine.pages == [1]
