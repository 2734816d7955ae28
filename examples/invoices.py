"""Draws invoices as PDF: three layouts, each over as many pages as the lines need. Equal data gives equal bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pymupdf
import reportlab
from reportlab.lib.colors import HexColor, black, white
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from examples.trade import WORDING, Invoice, Item, day, money, number

Layout = Literal["modern", "classic", "plain"]
FONTS = Path(reportlab.__file__).parent / "fonts"
"""Fonts that reportlab brings along: the machine's own do not matter."""
WIDTH, HEIGHT = float(A4[0]), float(A4[1])
LEFT, RIGHT = 56.0, WIDTH - 56.0
_COLUMNS = {"quantity": 360.0, "unit_price": 450.0, "amount": RIGHT - 6}
_ROW = 19.0
_LOWEST = 90.0
_TOTALS = 120.0


def draw_invoice(invoice: Invoice, layout: Layout = "modern", colour: str = "#1f4e5f") -> bytes:
    """The invoice as a PDF with a text layer."""
    return _Drawing(invoice, layout, colour).pdf()


def fonts_for(language: str) -> tuple[str, str]:
    """Names of a regular and a bold font with the language's letters: Vera, or Droid (PyMuPDF's) for Polish and Chinese."""
    registered = set(pdfmetrics.getRegisteredFontNames())
    if language in ("pl", "zh"):
        if "Droid" not in registered:
            pdfmetrics.registerFont(TTFont("Droid", io.BytesIO(pymupdf.Font("cjk").buffer)))
        return "Droid", "Droid"
    if "Vera" not in registered:
        pdfmetrics.registerFont(TTFont("Vera", str(FONTS / "Vera.ttf")))
        pdfmetrics.registerFont(TTFont("Vera-Bold", str(FONTS / "VeraBd.ttf")))
    return "Vera", "Vera-Bold"


class _Drawing:
    """One invoice on its way to paper. ``y`` counts from the bottom, as PDF does."""

    def __init__(self, invoice: Invoice, layout: Layout, colour: str) -> None:
        self.invoice, self.layout, self.words = invoice, layout, WORDING[invoice.language]
        self.regular, self.bold = fonts_for(invoice.language)
        self.colour: Any = black if layout == "plain" else HexColor(colour)
        self.buffer = io.BytesIO()
        self.canvas: Any = Canvas(self.buffer, pagesize=A4, invariant=1)
        self.canvas.setTitle(f"{self.words['title']} {invoice.number}")
        self.canvas.setAuthor(invoice.seller.name)
        self.canvas.setSubject(self.words["title"])

    def pdf(self) -> bytes:
        pages = self.pages()
        for page, items in enumerate(pages, start=1):
            top = self.head() if page == 1 else self.short_head()
            y = self.table(items, top)
            if page == len(pages):
                self.totals(y - 24)
            self.foot(page, len(pages))
            self.canvas.showPage()
        self.canvas.save()
        return self.buffer.getvalue()

    def pages(self) -> list[Sequence[Item]]:
        """The lines of each page; the totals go with the last ones."""
        rest, capacity = list(self.invoice.items), int((HEIGHT - 340 - _LOWEST) / _ROW)
        pages: list[Sequence[Item]] = []
        needed = int(_TOTALS / _ROW)
        while len(rest) > capacity - needed:
            taken = min(capacity, len(rest) - 1)
            pages.append(rest[:taken])
            rest, capacity = rest[taken:], int((HEIGHT - 140 - _LOWEST) / _ROW)
        return [*pages, rest]

    def text(self, x: float, y: float, text: str, size: float = 9, *, bold: bool = False, right: bool = False) -> None:
        self.canvas.setFont(self.bold if bold else self.regular, size)
        (self.canvas.drawRightString if right else self.canvas.drawString)(x, y, text)

    def head(self) -> float:
        """Seller, buyer and the facts of the invoice; returns where the table begins."""
        if self.layout == "modern":
            return self.head_modern()
        return self.head_classic() if self.layout == "classic" else self.head_plain()

    def head_modern(self) -> float:
        self.canvas.setFillColor(self.colour)
        self.canvas.rect(0, HEIGHT - 96, WIDTH, 96, stroke=0, fill=1)
        self.canvas.setFillColor(white)
        self.text(LEFT, HEIGHT - 58, self.invoice.seller.name, 19, bold=True)
        for number_, line in enumerate(self.seller_lines()):
            self.text(RIGHT, HEIGHT - 34 - 12 * number_, line, 8, right=True)
        self.canvas.setFillColor(self.colour)
        self.text(LEFT, HEIGHT - 150, self.words["title"].upper(), 24, bold=True)
        self.canvas.setFillColor(black)
        for number_, (label, value) in enumerate(self.facts()):
            self.text(360, HEIGHT - 186 - 16 * number_, label, bold=True)
            self.text(RIGHT, HEIGHT - 186 - 16 * number_, value, right=True)
        self.block(LEFT, HEIGHT - 186, [self.words["buyer"], *self.buyer_lines()])
        return HEIGHT - 290

    def head_classic(self) -> float:
        self.canvas.setFillColor(self.colour)
        self.text(RIGHT, HEIGHT - 62, self.invoice.seller.name, 15, bold=True, right=True)
        self.canvas.setFillColor(black)
        for number_, line in enumerate(self.seller_lines()):
            self.text(RIGHT, HEIGHT - 78 - 12 * number_, line, 8, right=True)
        self.block(LEFT, HEIGHT - 140, [self.words["buyer"], *self.buyer_lines()])
        self.text(LEFT, HEIGHT - 232, f"{self.words['title']} {self.invoice.number}", 15, bold=True)
        for number_, (label, value) in enumerate(self.facts()[1:]):
            self.text(LEFT + 150 * number_, HEIGHT - 254, label, 7.5)
            self.text(LEFT + 150 * number_, HEIGHT - 267, value, 9.5, bold=True)
        return HEIGHT - 296

    def head_plain(self) -> float:
        self.text(LEFT, HEIGHT - 62, self.words["title"], 14, bold=True)
        for number_, (label, value) in enumerate(self.facts()):
            self.text(LEFT, HEIGHT - 86 - 14 * number_, f"{label}: {value}")
        self.block(LEFT, HEIGHT - 160, [self.invoice.seller.name, *self.seller_lines()])
        self.block(320, HEIGHT - 160, [f"{self.words['buyer']}:", *self.buyer_lines()])
        return HEIGHT - 260

    def short_head(self) -> float:
        self.text(LEFT, HEIGHT - 60, self.invoice.seller.name, 9, bold=True)
        self.text(RIGHT, HEIGHT - 60, f"{self.words['title']} {self.invoice.number}", 9, right=True)
        return HEIGHT - 100

    def block(self, x: float, y: float, lines: Sequence[str]) -> None:
        """Lines of an address, the first one bold."""
        for number_, line in enumerate(lines):
            self.text(x, y - 13 * number_, line, bold=number_ == 0)

    def facts(self) -> list[tuple[str, str]]:
        language, facts = self.invoice.language, [(self.words["number"], self.invoice.number)]
        facts.append((self.words["issued"], day(self.invoice.issued, language)))
        facts.append((self.words["due"], day(self.invoice.due, language)))
        return [*facts, (self.words["order"], self.invoice.order)] if self.invoice.order else facts

    def seller_lines(self) -> list[str]:
        seller = self.invoice.seller
        lines = [seller.street, f"{seller.postcode} {seller.city}", seller.email]
        return [line for line in [*lines, f"{self.words['vat_id']} {seller.vat_id}" if seller.vat_id else ""] if line]

    def buyer_lines(self) -> list[str]:
        buyer = self.invoice.buyer
        vat = f"{self.words['vat_id']} {buyer.vat_id}" if buyer.vat_id else ""
        return [line for line in (buyer.name, buyer.street, f"{buyer.postcode} {buyer.city}", vat) if line]

    def table(self, items: Sequence[Item], top: float) -> float:
        """Head and lines of the table; returns the y below its last line."""
        if self.layout == "modern":
            self.canvas.setFillColor(HexColor("#e8eef0"))
            self.canvas.rect(LEFT, top - 6, RIGHT - LEFT, _ROW, stroke=0, fill=1)
            self.canvas.setFillColor(black)
        self.text(LEFT + 6, top, self.words["description"], 8.5, bold=True)
        for column, x in _COLUMNS.items():
            self.text(x, top, self.words[column], 8.5, bold=True, right=True)
        y = top
        for item in items:
            y -= _ROW
            self.row(item, y)
        return y

    def row(self, item: Item, y: float) -> None:
        language = self.invoice.language
        self.text(LEFT + 6, y, item.description)
        self.text(_COLUMNS["quantity"], y, number(item.quantity, language), right=True)
        self.text(_COLUMNS["unit_price"], y, money(item.unit_price, self.invoice), right=True)
        self.text(_COLUMNS["amount"], y, money(item.amount, self.invoice), right=True)
        if self.layout != "plain":
            self.canvas.setStrokeColor(HexColor("#c9d3d6"))
            self.canvas.setLineWidth(0.5)
            self.canvas.line(LEFT, y - 6, RIGHT, y - 6)

    def totals(self, y: float) -> None:
        invoice, rate = self.invoice, number(self.invoice.tax_rate, self.invoice.language)
        rows: list[tuple[str, Decimal]] = [(self.words["subtotal"], invoice.subtotal)]
        rows += [(self.words["tax"].format(rate=rate), invoice.tax_total), (self.words["total"], invoice.total)]
        if invoice.prepaid:
            rows += [(self.words["prepaid"], -invoice.prepaid), (self.words["amount_due"], invoice.total - invoice.prepaid)]
        for number_, (label, amount) in enumerate(rows):
            strong = number_ in (2, 4)
            self.text(340, y - 17 * number_, label, 10 if strong else 9, bold=strong)
            self.text(
                RIGHT - 6, y - 17 * number_, money(amount, invoice, symbol=True), 10 if strong else 9, bold=strong, right=True
            )

    def foot(self, page: int, pages: int) -> None:
        self.canvas.setFillColor(HexColor("#555555"))
        seller = self.invoice.seller
        bank = (
            f"IBAN {' '.join(seller.iban[start : start + 4] for start in range(0, len(seller.iban), 4))}" if seller.iban else ""
        )
        self.text(LEFT, 62, self.words["thanks"], 8)
        self.text(LEFT, 48, "   ".join(part for part in (seller.name, bank) if part), 8)
        self.text(RIGHT, 48, self.words["page"].format(page=page, pages=pages), 8, right=True)
        self.canvas.setFillColor(black)
