"""Bills of invented senders, whose layouts print words that no language file knows beside their values."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas


@dataclass(frozen=True)
class Sender:
    """A sender and its own words. ``word`` stands beside the number of the bill, ``other`` beside a number of something else."""

    name: str
    street: str
    vat_id: str
    word: str
    other: str
    motto: str
    margin: float = 64


QUILL = Sender(
    "Quillford Ropeworks Ltd",
    "4 Tarry Walk, Bristol BS1 4QA",
    "GB736190278",
    "Wexnor",
    "Brimsel",
    "Hemp cordage braided by hand",
)
OSTRA = Sender(
    "Ostravale Glazing Ltd", "71 Pane Street, Leeds LS2 7EW", "GB980780684", "Dovrit", "Wexnor", "Leaded windows restored", 90
)


def bill(sender: Sender, at: int, *, amount: str = "", lines: Sequence[str] = ()) -> bytes:
    """The bill number ``at`` of a sender: its number is ``bill_number``."""
    total = amount or f"{40 + at}.50"
    buffer = io.BytesIO()
    canvas: Any = Canvas(buffer, pagesize=A4, invariant=1)
    rows = [
        (sender.name, 16),
        (sender.street, 9),
        (f"VAT no. {sender.vat_id}   {sender.motto}", 9),
        ("", 9),
        ("Bill to: Harbour Kitchens Ltd, 12 Quay Road, Hull HU1 1AA", 10),
        ("", 9),
        ("Invoice", 18),
        (f"{sender.other}: {other_number(at)}", 10),
        (f"{sender.word}: {bill_number(at)}", 10),
        (f"Invoice date: {3 + at:02d} May 2025", 10),
        ("", 9),
        ("Description                        Amount", 10),
        (f"Delivery {('of rope', 'of panes')[at % 2]}, week {at}                  {total}", 10),
        ("", 9),
        (f"Total: GBP {total}", 12),
        *((line, 9) for line in lines),
    ]
    y = A4[1] - 72
    for text, size in rows:
        canvas.setFont("Helvetica", size)
        canvas.drawString(sender.margin, y, text)
        y -= size * 1.6
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def bill_number(at: int) -> str:
    """The number of a bill."""
    return f"QF-{5000 + 37 * at}"


def other_number(at: int) -> str:
    """The number that another program takes for that of the bill."""
    return f"BR-{71000 + 13 * at}"
