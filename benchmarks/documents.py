"""Documents drawn for measuring: born-digital invoices and A4 scans, every page different, and the words that stand on each page."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from examples.invoices import Layout, draw_invoice
from examples.pictures import as_scan
from examples.trade import Invoice, Item, Party

LAYOUTS: tuple[Layout, ...] = ("modern", "classic", "plain")
DPI = 300
OLD = 1_000_000_000
"""A time of last change that no reader takes for a file still being written."""
_GOODS = (
    "Oak board",
    "Steel angle",
    "Copper pipe",
    "Wall paint",
    "Door hinge",
    "Garden hose",
    "Desk lamp",
    "Paper roll",
    "Tile, grey",
)
_NAMES = (
    "Harrow Lane Tools",
    "Castle Street Paper",
    "Millbrook Timber",
    "Seven Arches Glass",
    "Fairholt Supplies",
    "Ridgeway Metals",
)
_PROSE = """
    the committee met on tuesday and agreed that work may start before winter because prices for timber rose again while the
    river stayed low enough for heavy boats to pass under old bridges without waiting several neighbours asked whether noise
    could be kept away from school hours and our engineer promised an answer within two weeks after checking every machine on
    site nobody expected such clear weather so late in autumn yet fields remained dry and roads were open through most of november
""".split()  # noqa: SIM905 - prose is easier to read as prose


def invoice_page(number: int) -> bytes:
    """One invoice of one page with 3 to 14 lines, as a PDF with a text layer; each number gives another one."""
    chance = random.Random(number)
    seller = Party(f"{chance.choice(_NAMES)} {number} Ltd", f"{number} Harrow Lane", "S3 8DQ", "Sheffield", "GB", "GB736190278")
    buyer = Party(f"{chance.choice(_NAMES)} & Sons", f"{chance.randint(1, 99)} Canal Wharf", "BD17 7DR", "Shipley", "GB")
    items = [_item(chance) for _ in range(chance.randint(3, 14))]
    issued = date(2025, 1, 6) + timedelta(days=number)
    facts = Invoice(
        "en", seller, buyer, f"HL-{20000 + number}", issued, issued + timedelta(days=30), "GBP", items, tax_rate=Decimal(20)
    )
    return draw_invoice(facts, LAYOUTS[number % len(LAYOUTS)])


def _item(chance: random.Random) -> Item:
    name = f"{chance.choice(_GOODS)} no. {chance.randint(100, 999)}"
    return Item(name, Decimal(chance.randint(1, 40)), Decimal(chance.randint(150, 30000)) / 100)


def letter_page(number: int) -> bytes:
    """One page of prose, about 380 words, as a PDF with a text layer; each number gives another one."""
    chance = random.Random(number)
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setFont("Times-Roman", 11)
    for row in range(38):
        line = " ".join(chance.choices(_PROSE, k=10)) if row % 10 else f"Paragraph {row // 10 + 1} of letter {number}"
        canvas.drawString(64, A4[1] - 80 - row * 17, line)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def tiny_page(number: int) -> bytes:
    """A page with a few words: the least that a reader can be given."""
    return _small_pdf([f"Note {number}"])


def tiny_pages(count: int) -> bytes:
    """The same as one document of many pages."""
    return _small_pdf([f"Note {number}" for number in range(count)])


def _small_pdf(lines: Sequence[str]) -> bytes:
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=(200, 100), invariant=1)
    for line in lines:
        canvas.drawString(20, 50, f"{line}: goods received in good order")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def born_digital(pages: int) -> bytes:
    """One PDF of so many invoices, one a page."""
    return joined(invoice_page(number) for number in range(pages))


def scans(pages: int) -> bytes:
    """One PDF of so many scanned A4 pages at 300 dpi without any text layer; invoices and letters by turns."""
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=A4[0], height=A4[1])
            page.insert_image(page.rect, stream=_scanned(scan_original(number), seed=number))
        return bytes(document.tobytes())


def scan_original(number: int) -> bytes:
    """What was laid on the scanner."""
    return letter_page(number) if number % 2 else invoice_page(number)


def _scanned(pdf: bytes, seed: int) -> bytes:
    """A page as a scanner stores it: a little askew, a little noise, JPEG."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        pixels = document[0].get_pixmap(dpi=DPI)
    sheet = Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)
    askew = as_scan(sheet, angle=0.4, blur=0.6, noise=3, seed=seed)
    left, top = (askew.width - sheet.width) // 2, (askew.height - sheet.height) // 2
    buffer = io.BytesIO()
    askew.crop((left, top, left + sheet.width, top + sheet.height)).save(buffer, "JPEG", quality=85, dpi=(DPI, DPI))
    return buffer.getvalue()


def joined(pdfs: Iterator[bytes]) -> bytes:
    """One PDF of the pages of many."""
    with pymupdf.open() as whole:
        for pdf in pdfs:
            with pymupdf.open(stream=pdf, filetype="pdf") as part:
                whole.insert_pdf(part)
        return bytes(whole.tobytes(garbage=3, deflate=True))


def words_of(pdf: bytes) -> list[str]:
    """All words of a drawn document, from its text layer."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return [word for page in document for word in page.get_text().split()]


def put(folder: Path, name: str, draw: Callable[[], bytes]) -> Path:
    """A drawn file, as if it had lain there for years; not drawn again when it is there."""
    path = folder / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw())
        os.utime(path, (OLD, OLD))
    return path
