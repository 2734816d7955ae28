"""Draws pages with titles, columns, tables, notes and running heads, for tests of layouts."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from tests.drawing import page_image, scan_pdf

PROSE = (
    "The ferry leaves the harbour at seven and crosses the sound in forty minutes when the wind is fair and the sea is not "
    "rough. Take a coat and a good book, for the deck is often cold, even on a bright day in June. Tickets are sold in the hall "
    "by the pier from six in the morning until the last boat has left. Children under five travel free of charge. "
)
NEWS = (
    "On the islands the summer brings many guests, who come for the beaches, the light and the quiet. Hotels are small and open "
    "from May to the end of September. The bakery by the church sells bread from five, and the school has eleven pupils. "
)
ROWS = (
    ("Island", "Guests", "Boats"),
    ("Arholma", "1204", "18"),
    ("Brando", "856", "12"),
    ("Svartso", "2310", "31"),
    ("Ingmarso", "1977", "25"),
)
HEAD, FOOT, TITLE, SECTION = (
    "Ferries of the north",
    "Guide for guests, page 17",
    "How to reach the islands",
    "Tickets and fares",
)
CAPTION, NOTE = "Table 3. Guests and boats of each island in July.", "1 Counted at the pier, without members of the crew."


class Paper:
    """A page on which text is set from top to bottom; one unit is a point, from the top left."""

    def __init__(self, width: float = 595, height: float = 842, scale: float = 1.0) -> None:
        self._file = io.BytesIO()
        self._canvas = Canvas(self._file, (width * scale, height * scale))
        self._canvas.scale(scale, scale)
        self._height = height

    def line(self, x: float, y: float, text: str, size: float = 10, font: str = "Times-Roman") -> None:
        """A line whose letters stand on ``y``."""
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, self._height - y, text)

    def text(self, x: float, y: float, width: float, text: str, size: float = 10, font: str = "Times-Roman") -> float:
        """A paragraph; returns where the next line would stand."""
        for line in simpleSplit(text, font, size, width):
            self.line(x, y, line, size, font)
            y += 1.25 * size
        return y

    def table(self, x: float, y: float, rows: Sequence[Sequence[str]], width: float) -> float:
        """A table with rules above and below its head and at its end."""
        step = width / len(rows[0])
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                self.line(x + 4 + column * step, y + 10, cell, 9, "Times-Bold" if number == 0 else "Times-Roman")
            if number in (0, 1):
                self._canvas.line(x, self._height - y, x + width, self._height - y)
            y += 14
        self._canvas.line(x, self._height - y, x + width, self._height - y)
        return y

    def pdf(self) -> bytes:
        """The page as a PDF."""
        self._canvas.showPage()
        self._canvas.save()
        return self._file.getvalue()


def guide_page(scale: float = 1.0) -> bytes:
    """A page of two columns with a running head and foot, a title, a heading, a table with its caption, and a footnote."""
    paper = Paper(scale=scale)
    paper.line(60, 40, HEAD, 9, "Times-Italic")
    paper.text(60, 90, 475, TITLE, 20, "Times-Bold")
    y = paper.text(60, 130, 225, PROSE * 2)
    y = paper.text(60, y + 14, 225, SECTION, 12, "Times-Bold")
    paper.text(60, y + 6, 225, NEWS * 3)
    y = paper.text(310, 130, 225, NEWS * 2)
    y = paper.text(310, y + 12, 225, CAPTION, 9)
    y = paper.table(310, y + 2, ROWS, 225)
    paper.text(310, y + 26, 225, PROSE * 2)
    paper.line(310, 745, NOTE, 8)
    paper.line(60, 800, FOOT, 8)
    return paper.pdf()


def as_scanned(pdf: bytes) -> bytes:
    """A page as a grey scan in 150 dpi, a little out of level."""
    image = page_image(pdf, dpi=150).convert("L").rotate(0.4, Image.Resampling.BICUBIC, fillcolor=250)
    return scan_pdf([image.convert("RGB")])
