"""Long documents: tables over many pages lose no row, and a value on one page among many is found."""

from __future__ import annotations

import io
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

import pipeline
from tests.drawing import text_pdf

Booking = tuple[str, str, str]
"""Text, amount with its sign, balance."""


def statement(pages: int, rows_per_page: int, *, heading_on_each: bool = True) -> tuple[bytes, list[Booking]]:
    """A bank statement whose heading has two lines, with the balance carried over at both ends of each page."""
    buffer, rng = io.BytesIO(), random.Random(3)
    canvas: Any = Canvas(buffer, pagesize=(595, 842), invariant=1)
    balance, bookings = Decimal("1000.00"), list[Booking]()
    for page in range(pages):
        canvas.setFont("Helvetica", 9)
        texts = [(50.0, "Bank statement"), (430.0, f"Page {page + 1} of {pages}")]
        y = _line(canvas, 800.0, texts)
        if page == 0:
            y = _line(canvas, y, [(50, "IBAN: DE02120300000000202051")])
            y = _line(canvas, y, [(50, "Opening balance: 1,000.00 EUR")])
        if heading_on_each or page == 0:
            heading = [(50.0, "Booking"), (130.0, "Description"), (345.0, "Paid"), (420.0, "Paid"), (505.0, "Balance")]
            _line(canvas, y, heading)
            y = _line(canvas, y - 10, [(50, "date"), (345, "out"), (420, "in")])
        if page:
            y = _line(canvas, y, [(130, "Balance brought forward")], [(545, balance)])
        for _ in range(rows_per_page):
            amount = Decimal(rng.randint(100, 99999)) / 100 * rng.choice([1, -1])
            balance += amount
            text = f"Reference {1000 + len(bookings)}"
            y = _line(canvas, y, [(50, "12/03/2026"), (130, text)], [(445 if amount > 0 else 370, abs(amount)), (545, balance)])
            if len(bookings) % 7 == 3:
                y = _line(canvas, y + 4, [(130, "with a second line")])
            bookings.append((text, f"{amount:.2f}", f"{balance:.2f}"))
        last = "Balance carried forward" if page < pages - 1 else "Closing balance:"
        _line(canvas, y, [(130, last)], [(545, balance)])
        canvas.showPage()
    canvas.save()
    return buffer.getvalue(), bookings


def _line(canvas: Any, y: float, texts: list[tuple[float, str]], amounts: list[tuple[int, Decimal]] | None = None) -> float:
    for x, text in texts:
        canvas.drawString(x, y, text)
    for x, amount in amounts or []:
        canvas.drawRightString(x, y, f"{amount:,.2f}")
    return y - 15


def read(path: Path, content: bytes, **options: Any) -> pipeline.Document:
    path.write_bytes(content)
    return pipeline.read(path, engine="embedded", settings={"split": "never", "workers": 2}, **options)


def bookings_of(document: pipeline.Document) -> list[Booking]:
    rows = document.fields["transactions"].value
    assert isinstance(rows, list)
    return [
        (str(row["description"])[:14], str(row["credit"] if row["debit"] is None else -row["debit"]), str(row["balance"]))
        for row in rows
    ]


@pytest.mark.parametrize(
    ("pages", "rows"), [(3, 8), pytest.param(20, 30, marks=[pytest.mark.proof, pytest.mark.timeout(300)])], ids=["3", "20"]
)
def test_a_table_over_many_pages_has_all_its_rows_in_order_and_its_balances_prove_it(
    pages: int, rows: int, tmp_path: Path
) -> None:
    content, bookings = statement(pages, rows)
    document = read(tmp_path / "a.pdf", content, template="bank_statement")
    assert bookings_of(document) == bookings
    assert document.fields["transactions"].flags == ()
    assert str(document["closing_balance"]) == bookings[-1][2]


def test_rows_that_are_lost_below_no_heading_do_not_go_unnoticed(tmp_path: Path) -> None:
    content, bookings = statement(2, 2, heading_on_each=False)  # two rows prove nothing
    document = read(tmp_path / "a.pdf", content, template="bank_statement")
    table = document.fields["transactions"]
    assert bookings_of(document) == bookings[:2]
    assert "sum:balances" in table.flags
    assert table.needs_review


def test_rows_below_no_heading_are_read_where_their_balances_prove_them(tmp_path: Path) -> None:
    content, bookings = statement(3, 7, heading_on_each=False)
    document = read(tmp_path / "a.pdf", content, template="bank_statement")
    assert bookings_of(document) == bookings
    assert document.fields["transactions"].flags == ()


PROSE = (
    "The mill stands by the river and has been repaired many times.",
    "Its keeper writes down what the weather does to the wheel.",
    "He looks for the serial number of the pump on its plate.",
    "The date of the next inspection follows from the law, and so does the owner.",
)
SHEET = "Data sheet of the pump\n\nSerial number: HG-4711\nOwner: Hollow Green Mills Ltd\nNext inspection: 4 May 2027\nPower: 12.5 kW"


@pytest.mark.parametrize(
    ("pages", "at"), [(6, 4), pytest.param(60, 17, marks=[pytest.mark.proof, pytest.mark.timeout(300)])], ids=["6", "60"]
)
def test_values_on_one_page_among_many_are_found_there(pages: int, at: int, tmp_path: Path) -> None:
    texts = ["\n".join(PROSE[(page + line) % 4] for line in range(4)) for page in range(pages)]
    texts[at - 1] = SHEET
    schema = {
        "type": "object",
        "properties": {
            "serialNumber": {"type": "string"},
            "owner": {"type": "string"},
            "nextInspection": {"type": "string", "format": "date"},
            "power": {"type": "string"},
        },
    }
    document = read(tmp_path / "a.pdf", text_pdf(texts), schema=schema)
    assert document.data == {
        "serialNumber": "HG-4711", "owner": "Hollow Green Mills Ltd", "nextInspection": "2027-05-04", "power": "12.5 kW",
    }  # fmt: skip
    assert {field.page for field in document.fields.values()} == {at}
