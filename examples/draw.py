"""Draws the example documents of this repository, and writes down what is in them.

``python examples/draw.py`` draws into ``inbox/`` and writes ``examples/expected.json``; with a folder's name behind it, it
draws into that folder only. All companies are invented; their VAT numbers and sums are consistent. Drawn twice, the files are
equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # as a script, Python finds the folder `examples` only from above it

from examples.einvoice import with_facturx  # noqa: E402
from examples.invoices import draw_invoice  # noqa: E402
from examples.pictures import Receipt, as_scan, draw_bar_chart, draw_landscape, draw_receipt, jpeg, png  # noqa: E402
from examples.trade import Invoice, Item, Party, truth  # noqa: E402


def _items(*lines: tuple[str, str, str]) -> list[Item]:
    return [Item(description, Decimal(quantity), Decimal(price)) for description, quantity, price in lines]


INVOICE = Invoice(
    language="en",
    seller=Party(
        "Northfield Joinery Ltd", "14 Mill Lane", "LS9 7QT", "Leeds", "GB", "GB736190278", "GB29NWBK60161331926819",
        "accounts@northfield-joinery.example",
    ),
    buyer=Party("Calder & Wyke Architects LLP", "3 Canal Wharf", "BD17 7DR", "Shipley", "GB"),
    number="NJ-2025-0418",
    issued=date(2025, 9, 12),
    due=date(2025, 10, 12),
    currency="GBP",
    items=_items(
        ("Oak staircase, made to drawing 7B", "1", "2840.00"),
        ("Handrail, ash, oiled (per metre)", "6.5", "84.00"),
        ("Sash window, double glazed", "4", "615.50"),
        ("Fitting on site (per hour)", "18", "46.00"),
    ),
    tax_rate=Decimal(20),
    order="CW-1187",
    prepaid=Decimal("1500.00"),
)  # fmt: skip

TWO_PAGES = Invoice(
    language="de",
    seller=Party(
        "Lindenhof Bürobedarf GmbH", "Ahornweg 21", "37073", "Göttingen", "DE", "DE281930458", "DE98700500001234567890",
        "rechnung@lindenhof-buero.example",
    ),
    buyer=Party("Praxis am Weiher Dr. Sommer", "Seestraße 5", "34117", "Kassel", "DE"),
    number="RE-25-10347",
    issued=date(2025, 11, 3),
    due=date(2025, 11, 17),
    currency="EUR",
    items=_items(
        ("Kopierpapier A4, 80 g, 500 Blatt", "40", "4.35"), ("Kopierpapier A3, 80 g, 500 Blatt", "10", "9.20"),
        ("Versandtaschen C4, 250 Stück", "2", "27.90"), ("Briefumschläge DIN lang, 500 Stück", "3", "18.45"),
        ("Ordner, 8 cm, grau", "24", "2.15"), ("Ordner, 5 cm, blau", "24", "1.95"), ("Register A–Z", "24", "1.10"),
        ("Prospekthüllen, 100 Stück", "12", "6.40"), ("Heftgerät, 30 Blatt", "4", "12.75"), ("Heftklammern 24/6", "20", "0.85"),
        ("Locher, 25 Blatt", "4", "9.90"), ("Kugelschreiber, blau", "60", "0.79"), ("Kugelschreiber, rot", "30", "0.79"),
        ("Bleistifte HB, 12 Stück", "5", "4.20"), ("Textmarker, 4 Farben", "10", "3.95"), ("Radiergummi", "15", "0.65"),
        ("Klebestift, 20 g", "20", "1.35"), ("Klebeband, 33 m", "12", "1.05"), ("Haftnotizen, 12 Blöcke", "6", "7.80"),
        ("Schere, 21 cm", "6", "5.45"), ("Lineal, 30 cm", "6", "1.25"), ("Notizbuch A5, liniert", "25", "3.60"),
        ("Schreibblock A4, kariert", "25", "2.10"), ("Wandkalender 2026", "8", "6.90"), ("Tischkalender 2026", "8", "4.75"),
        ("Tonerkartusche, schwarz", "4", "68.50"), ("Tonerkartusche, farbig, Satz", "1", "214.00"),
        ("Stempelkissen, blau", "3", "5.20"), ("Etiketten, 100 Blatt", "5", "14.30"),
        ("Laminierfolien A4, 100 Stück", "2", "16.80"),
        ("Papierkorb, 18 l", "6", "8.40"), ("Schreibtischlampe, LED", "3", "39.90"), ("Batterien AA, 24 Stück", "4", "11.60"),
        ("Lieferung frei Haus", "1", "15.00"),
    ),
    tax_rate=Decimal(19),
)  # fmt: skip

E_INVOICE = Invoice(
    language="fr",
    seller=Party(
        "Atelier Vauclair SARL", "8 rue des Tanneurs", "44000", "Nantes", "FR", "FR28512840331", "FR7630006000011234567890189",
        "facturation@atelier-vauclair.example",
    ),
    buyer=Party("Librairie du Quai", "27 quai de la Fosse", "44100", "Nantes", "FR"),
    number="F-2025-0092",
    issued=date(2025, 10, 21),
    due=date(2025, 11, 20),
    currency="EUR",
    items=_items(
        ("Étagère en chêne, 180 cm", "3", "390.00"), ("Table de lecture", "2", "545.00"),
        ("Pose et réglage (heure)", "7.5", "52.00"),
    ),
    tax_rate=Decimal(20),
    order="LQ-311",
)  # fmt: skip

RECEIPT = Receipt(
    vendor="Harbour Street Bakery",
    address=["22 Harbour Street, Cork T12 X4P9"],
    vat_label="VAT no.",
    vat_id="IE6512837P",
    number="004719",
    date="18/11/2025",
    time="09:42",
    sign="€",
    lines=[
        ("Sourdough loaf", 1, Decimal("4.80")),
        ("Butter croissant", 3, Decimal("2.35")),
        ("Flat white", 2, Decimal("3.60")),
        ("Apple tart", 1, Decimal("3.95")),
    ],
    tax_rate=Decimal("13.5"),
    given=Decimal("25.00"),
)

CHART = {"title": "Bicycles repaired per month", "x_title": "Month in 2025", "y_title": "Repairs"}
BARS = [("Jan", 38), ("Feb", 44), ("Mar", 97), ("Apr", 141), ("May", 168), ("Jun", 152)]


def _chart() -> bytes:
    return png(draw_bar_chart(CHART["title"], CHART["x_title"], CHART["y_title"], BARS).quantize(64))


DRAWINGS: dict[str, Callable[[], bytes]] = {
    "invoice.pdf": lambda: draw_invoice(INVOICE, "modern"),
    "two-page-invoice.pdf": lambda: draw_invoice(TWO_PAGES, "classic", "#7a2e2e"),
    "e-invoice.pdf": lambda: with_facturx(draw_invoice(E_INVOICE, "modern", "#5a3d70"), E_INVOICE),
    "receipt.jpg": lambda: jpeg(as_scan(draw_receipt(RECEIPT)), 74),
    "chart.png": _chart,
    "picture.jpg": lambda: jpeg(draw_landscape(), 84),
}
"""The example documents by file name."""


def expected() -> dict[str, dict[str, object]]:
    """The truth: by file name, the template that reads it and the value of each field that can be read."""
    receipt = {
        "vendor_name": RECEIPT.vendor, "vendor_vat_id": RECEIPT.vat_id, "receipt_number": RECEIPT.number, "date": "2025-11-18",
        "time": RECEIPT.time, "currency": "EUR", "total": f"{RECEIPT.total:.2f}", "tax_total": f"{RECEIPT.tax_total:.2f}",
        "line_items": [{"description": name, "amount": f"{quantity * price:.2f}"} for name, quantity, price in RECEIPT.lines],
    }  # fmt: skip
    data = [{"category": label, "value": str(value)} for label, value in BARS]
    chart = {"chart_type": "bar", **CHART, "data": data}
    return {
        "invoice.pdf": {"template": "invoice", "pages": 1, "fields": truth(INVOICE)},
        "two-page-invoice.pdf": {"template": "invoice", "pages": 2, "fields": truth(TWO_PAGES)},
        "e-invoice.pdf": {"template": "invoice", "pages": 1, "fields": truth(E_INVOICE)},
        "receipt.jpg": {"template": "receipt", "pages": 1, "fields": receipt},
        "chart.png": {"template": "chart", "pages": 1, "fields": chart},
        "picture.jpg": {"template": "caption", "pages": 1, "fields": {}},
    }


def draw(folder: Path) -> list[Path]:
    """Draws every example into a folder and returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in DRAWINGS.items():
        (folder / name).write_bytes(drawing())
    return [folder / name for name in DRAWINGS]


def main(arguments: list[str]) -> None:
    """Draws into the folder named, or into the repository's inbox, whose truth is then written too."""
    for path in draw(Path(arguments[0]) if arguments else ROOT / "inbox"):
        print(path)
    if not arguments:
        text = json.dumps(expected(), ensure_ascii=False, indent=1)
        (ROOT / "examples" / "expected.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
