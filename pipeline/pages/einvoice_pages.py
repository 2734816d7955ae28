"""Draws pages for an e-invoice that is only data, so that people can see it and it is read and checked like other documents.

Standards leave the picture to the receiver (EN 16931-1, 5.2). This one is a plain list with one business term on each line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from pipeline.pages.mupdf import MuPdfDocument
from pipeline.records import Json
from pipeline.runtime.pymupdf_import import pymupdf

TERMS = {
    "BT-1": "Invoice number",
    "BT-2": "Issue date",
    "BT-3": "Type code",
    "BT-9": "Due date",
    "BT-5": "Currency",
    "BT-27": "Seller",
    "BT-31": "Seller VAT identifier",
    "BT-44": "Buyer",
    "BT-48": "Buyer VAT identifier",
    "BT-106": "Sum of lines",
    "BT-109": "Total without VAT",
    "BT-110": "Total VAT amount",
    "BT-112": "Total with VAT",
    "BT-113": "Paid amount",
    "BT-115": "Amount due for payment",
}
"""The business terms that are drawn, in this order, with their names in EN 16931."""
ITEMS, ITEM_TERMS = "BG-25", ("BT-153", "BT-129", "BT-146", "BT-131")
WIDTH, HEIGHT, MARGIN, STEP, SIZE = 595, 842, 50, 16, 10
PER_PAGE = (HEIGHT - 2 * MARGIN) // STEP
MAX_LETTERS, COLUMNS = 2_000, 64
"""Letters of one value that are drawn, and letters on one line."""
TABS = (50, 220, 360, 430, 500)


class EInvoiceDocument(MuPdfDocument):
    """Pages with an e-invoice's business terms, as ``words.einvoice`` returns them."""

    kind = "xml"

    def __init__(self, facts: Mapping[str, Json]) -> None:
        self.facts = facts
        self._document = pymupdf.open()
        font = pymupdf.Font("cjk")
        lines = list(_lines(facts))
        for first in range(0, len(lines), PER_PAGE):
            page = self._document.new_page(width=WIDTH, height=HEIGHT)
            writer = pymupdf.TextWriter(page.rect)
            for number, cells in enumerate(lines[first : first + PER_PAGE]):
                for x, text in cells:
                    writer.append((x, MARGIN + STEP * (number + 1)), text, font=font, fontsize=SIZE)
            writer.write_text(page)
        self.pages = self._document.page_count


def _lines(facts: Mapping[str, Json]) -> Iterator[Sequence[tuple[float, str]]]:
    """Each line as texts with their left edges in points. The first line is the title."""
    yield [(TABS[0], "Electronic invoice")]
    for term, name in TERMS.items():
        if facts.get(term) is not None:
            first, *more = _wrapped(str(facts[term])) or [""]
            yield [(TABS[0], name), (TABS[1], first)]
            yield from ([(TABS[1], text)] for text in more)
    for item in facts.get(ITEMS) or ():
        description, *numbers = (str(item.get(term) or "") for term in ITEM_TERMS)
        first, *more = _wrapped(description) or [""]
        yield [(TABS[0], first[:48]), *((x, number) for x, number in zip(TABS[2:], numbers, strict=True) if number)]
        yield from ([(TABS[0], text)] for text in (first[48:], *more) if text)


def _wrapped(text: str) -> list[str]:
    plain = "".join(letter if letter.isprintable() else " " for letter in text[:MAX_LETTERS])
    return textwrap.wrap(plain, COLUMNS)
