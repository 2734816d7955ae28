"""A file with several documents gives a result for each of them, which survives crashes, and which people can change."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
import pytest
import zxingcpp
from PIL import Image

from examples.trade import Item
from pipeline.checks.split.page_list import parse_split
from pipeline.engines.base import Request
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.ledger.corrections import record_correction
from pipeline.ledger.document_states import decide
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.person_splits import place_split
from pipeline.records import Answer, Correction
from tests.drawing import blank_pdf, invoice, invoice_pdf, text_pdf
from tests.run.conftest import RunFolders

FIRST, SECOND = invoice("en"), invoice("de", number="R-77", issued=date(2025, 5, 2), due=date(2025, 6, 1))
LONG = invoice(
    "fr",
    number="F-1003",
    issued=date(2025, 7, 9),
    due=date(2025, 8, 8),
    items=[Item(f"Article {n}", Decimal(n), Decimal("7.30")) for n in range(1, 61)],
)


def stack(*parts: bytes) -> bytes:
    """The pages of several PDFs in one."""
    with pymupdf.open() as whole:
        for part in parts:
            with pymupdf.open(stream=part) as pages:
                whole.insert_pdf(pages)
        data: bytes = whole.tobytes(no_new_id=True)
    return data


def separator(text: str = "PATCHT", kind: str = "Code39") -> bytes:
    """A separator sheet: a barcode on an empty page."""
    code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    picture = io.BytesIO()
    Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=3)).save(picture, "PNG")
    with pymupdf.open() as sheet:
        page = sheet.new_page(width=595, height=842)
        page.insert_image(pymupdf.Rect(100, 300, 495, 420), stream=picture.getvalue())
        data: bytes = sheet.tobytes(no_new_id=True)
    return data


def documents(reading: Reading) -> dict[str, str]:
    """Status by name, as ``documents.csv`` lists them."""
    return {row["file"]: row["status"] for row in reading.csv("documents")}


def numbers(reading: Reading) -> dict[str, str]:
    """Invoice number by name."""
    return {row["file"]: row["invoice_number"] for row in reading.csv("invoice")}


class CountingEngine(EmbeddedEngine):
    """The embedded engine; ``pages`` are those that it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[int] = []

    def respond(self, request: Request) -> Answer:
        self.pages.append(request.page.number)
        return super().respond(request)


@dataclass
class Reading:
    """Folders that are read by the embedded engine."""

    folders: RunFolders
    engine: CountingEngine
    template: str = "invoice"

    @property
    def outbox(self) -> Path:
        return self.folders.outbox

    def run(self) -> None:
        self.folders.run(self.template)

    def json(self, name: str) -> Any:
        return self.folders.json(name)

    def csv(self, name: str) -> list[dict[str, str]]:
        return self.folders.csv(name)

    def ledger(self) -> Ledger:
        return Ledger(self.outbox / ".pipeline")


@pytest.fixture
def reading(folders: RunFolders) -> Reading:
    folders.engine = engine = CountingEngine()  # type: ignore[assignment]
    return Reading(folders, engine)


def read_stack(reading: Reading, parts: Sequence[bytes], name: str = "stack.pdf", **settings: Any) -> None:
    reading.folders.changes = settings
    reading.folders.put(name, stack(*parts))
    reading.run()


def place(reading: Reading, pages: str | None) -> None:
    """Split the file as a person does."""
    with reading.ledger() as ledger:
        file = ledger.file_by_name("stack.pdf")
        assert file
        count = len(reading.json("stack.pdf")["pages"])
        place_split(ledger, file.sha256, parse_split(pages, count, ledger.sheets(file.sha256)) if pages else None, "Ada")
    reading.run()


def test_a_stack_gives_a_row_for_each_invoice(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND), invoice_pdf(LONG)])
    pages = len(pymupdf.open(stream=invoice_pdf(LONG)))
    assert pages > 1
    names = {"stack.pdf/1": FIRST.number, "stack.pdf/2": SECOND.number, f"stack.pdf/3-{2 + pages}": LONG.number}
    assert numbers(reading) == names
    assert documents(reading) == dict.fromkeys(names, "done")
    part = reading.json("stack.pdf/2")
    assert (part["document"]["path"], part["document"]["file"], part["document"]["file_pages"]) == (
        "stack.pdf/2",
        "stack.pdf",
        [2],
    )
    assert [page["page"] for page in part["pages"]] == [2]
    whole = reading.json("stack.pdf")
    assert [item["name"] for item in whole["split"]["documents"]] == list(names)
    assert all(cut["reasons"] and 0 < cut["probability"] < 1 for cut in whole["split"]["cuts"])
    reading.run()
    assert len(reading.engine.pages) == 2 + pages, "nothing is read again"


def test_an_invoice_of_several_pages_stays_one_document(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(LONG)], "long.pdf")
    assert list(documents(reading)) == ["long.pdf"]
    assert not (reading.outbox / "long.pdf").exists()


def test_a_letter_is_not_split(reading: Reading) -> None:
    reading.template = "transcript"
    read_stack(reading, [text_pdf(["Dear Sir", "Page two", "Another letter"])], "letter.pdf")
    assert list(documents(reading)) == ["letter.pdf"]


def test_copies_count_once_and_blank_pages_belong_to_none(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), blank_pdf(), invoice_pdf(SECOND), invoice_pdf(FIRST)])
    assert numbers(reading) == {"stack.pdf/1": FIRST.number, "stack.pdf/3": SECOND.number}
    split = reading.json("stack.pdf")["split"]
    assert split["left_out"] == [{"page": 2, "because": "blank"}]
    assert reading.json("stack.pdf/1")["document"]["copies"] == [4]


@pytest.mark.parametrize("policy", ["never", "blank", "barcode", "auto"])
def test_a_route_says_where_a_file_is_cut(reading: Reading, policy: str) -> None:
    parts = [invoice_pdf(FIRST), invoice_pdf(SECOND), blank_pdf(), invoice_pdf(SECOND), separator(), invoice_pdf(LONG)]
    read_stack(reading, parts, routes=[{"match": "*.pdf", "split": policy}])
    last = f"6-{len(pymupdf.open(stream=stack(*parts)))}"
    expected = {
        "never": ["stack.pdf"],
        "blank": ["stack.pdf/1-2", f"stack.pdf/4-{last[2:]}"],
        "barcode": ["stack.pdf/1-2", f"stack.pdf/{last}"],
        "auto": ["stack.pdf/1", "stack.pdf/2", f"stack.pdf/{last}"],
    }
    assert list(documents(reading)) == expected[policy]


def test_a_barcode_of_an_archive_begins_a_document(reading: Reading) -> None:
    reading.template = "transcript"
    parts = [text_pdf(["One"]), text_pdf(["Two"]), separator("ASN00017", "Code128"), text_pdf(["Three"])]
    read_stack(reading, parts, split="barcode")
    assert list(documents(reading)) == ["stack.pdf/1-2", "stack.pdf/3-4"]


def test_fronts_and_backs_of_a_stack_that_was_fed_twice_are_put_together(reading: Reading) -> None:
    texts = {
        (number, page): f"Invoice no. X-{number}00\nDate 2025-0{number}-11\nPage {page} of 2\n"
        + f"Total {number}{page}5.00\n" * page
        for number in (1, 2, 3)
        for page in (1, 2)
    }
    fronts, backs = ([text_pdf([texts[number, page]]) for number in (1, 2, 3)] for page in (1, 2))
    read_stack(reading, [*fronts, *backs[::-1]])
    split = reading.json("stack.pdf")["split"]
    assert [item["pages"] for item in split["documents"]] == [[1, 6], [2, 5], [3, 4]]
    assert split["order"] == [1, 6, 2, 5, 3, 4]
    assert "fronts" in split["order_note"]
    assert list(documents(reading)) == ["stack.pdf/1+6", "stack.pdf/2+5", "stack.pdf/3-4"]


def test_a_person_changes_a_split_and_nothing_is_read_again(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND), invoice_pdf(FIRST, "classic")])
    before = list(documents(reading))
    asked = list(reading.engine.pages)
    place(reading, "1,2,3")
    with reading.ledger() as ledger:
        for record in ledger.documents_of("stack.pdf"):
            decide(ledger, record.key, "approved", "Ada")
    place(reading, "1-2,3")
    states = {row["file"]: row["state"] for row in reading.csv("documents")}
    assert states == {"stack.pdf/1-2": "to_check", "stack.pdf/3": "approved"}, "what was approved had another page"
    assert list(documents(reading)) == ["stack.pdf/1-2", "stack.pdf/3"]
    assert sorted(path.name for path in (reading.outbox / "stack.pdf").iterdir()) == ["1-2.json", "3.json"]
    assert reading.json("stack.pdf")["split"]["source"] == "person"
    place(reading, "1-3")
    assert list(documents(reading)) == ["stack.pdf"]
    assert not (reading.outbox / "stack.pdf").exists()
    place(reading, None)
    assert list(documents(reading)) == before
    assert reading.engine.pages == asked


def test_a_correction_belongs_to_one_document_of_the_file(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND)])
    with reading.ledger() as ledger:
        part = ledger.file_by_name("stack.pdf/2")
        assert part
        record_correction(
            ledger, part.key, Correction("invoice", "vendor_name", 1, "Other Ltd", False, "x", "Ada", "2026-01-01")
        )
    reading.run()
    names = {row["file"]: row["vendor_name"] for row in reading.csv("invoice")}
    assert names == {"stack.pdf/1": FIRST.seller.name, "stack.pdf/2": "Other Ltd"}


@pytest.mark.parametrize("pages", ["1,2,3", None])
def test_a_rebuilt_ledger_knows_the_split_and_reads_nothing_again(reading: Reading, pages: str | None) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND), blank_pdf(), invoice_pdf(FIRST)])
    if pages:
        place(reading, pages)
    rows, asked = numbers(reading), list(reading.engine.pages)
    results = {path: path.read_text() for path in reading.outbox.rglob("*.json") if ".pipeline" not in path.parts}
    for path in (reading.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    reading.run()
    assert reading.engine.pages == asked
    assert numbers(reading) == rows
    assert {path for path in reading.outbox.rglob("*.json") if ".pipeline" not in path.parts} == set(results)
    split = reading.json("stack.pdf")["split"]
    assert split["source"] == ("person" if pages else "auto")
    assert [item["pages"] for item in split["documents"]] == ([[1], [2], [3]] if pages else [[1], [2]])


def test_a_renamed_stack_takes_its_documents_along(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND)])
    (reading.folders.inbox / "stack.pdf").rename(reading.folders.inbox / "march.pdf")
    reading.run()
    assert numbers(reading) == {"march.pdf/1": FIRST.number, "march.pdf/2": SECOND.number}
    assert not (reading.outbox / "stack.pdf").exists()


def test_results_of_an_outbox_without_splits_stay_as_they_are(reading: Reading) -> None:
    read_stack(reading, [invoice_pdf(FIRST), invoice_pdf(SECOND)], split="never")
    before = reading.json("stack.pdf")
    reading.run()
    assert reading.json("stack.pdf") == before
    assert list(documents(reading)) == ["stack.pdf"]
