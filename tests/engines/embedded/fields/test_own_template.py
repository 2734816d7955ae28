"""A user's own template, written as one YAML file, is read without a line of code."""

from __future__ import annotations

from pipeline.engines.embedded.fields import read_fields
from tests.engines.embedded.fields.pages import page, template_of

DELIVERY_NOTE = template_of("""
name: delivery_note
prompt: Read the delivery note.
fields:
  note_number: {type: identifier, labels: {en: [Delivery note no], de: [Lieferschein-Nr]}}
  order_number: {type: identifier, labels: {en: [Your order], de: [Bestellnummer]}}
  delivered_on: {type: date, labels: {en: [Delivery date], de: [Lieferdatum]}}
  carrier: {type: text, labels: {en: [Carrier], de: [Spediteur]}}
  weight: {type: number, labels: {en: [Gross weight], de: [Bruttogewicht]}}
  condition: {type: enum, values: [complete, partial], labels: {en: [Shipment]}}
  goods:
    type: table
    merge: all
    columns:
      article: {type: text, labels: {en: [Article]}}
      pieces: {type: number, labels: {en: [Pieces]}}
""")

NOTE = page(
    [
        (50, 40, "Delivery note no: DN-5512"),
        (50, 54, "Your order"),
        (200, 54, "PO-900"),
        (50, 68, "Delivery date"),
        (200, 68, "2024-06-01"),
        (50, 82, "Carrier"),
        (200, 82, "Blue Van Logistics"),
        (50, 96, "Gross weight"),
        (200, 96, "12,5 kg"),
        (50, 110, "Shipment: partial"),
        (50, 150, "Article"),
        (300, 150, "Pieces"),
        (50, 166, "Oak board"),
        (310, 166, "4"),
        (50, 182, "Bracket set"),
        (310, 182, "8"),
    ]
)


def test_every_type_of_field_is_read() -> None:
    values = {name: claim.value for name, claim in read_fields(NOTE, DELIVERY_NOTE).items()}
    assert values == {
        "note_number": "DN-5512",
        "order_number": "PO-900",
        "delivered_on": "2024-06-01",
        "carrier": "Blue Van Logistics",
        "weight": "12.5",
        "condition": "partial",
        "goods": [{"article": "Oak board", "pieces": "4"}, {"article": "Bracket set", "pieces": "8"}],
    }


def test_a_column_of_dates_has_dates_whatever_their_form() -> None:
    template = template_of("""
name: deliveries
prompt: Read the deliveries.
fields:
  goods:
    type: table
    columns:
      article: {type: text, labels: {en: [Article]}}
      delivered: {type: date, labels: {en: [Delivered on]}}
      pieces: {type: number, labels: {en: [Pieces]}}
""")
    rows = [
        ("Article", "Delivered on", "Pieces"),
        ("Oak board", "23.04.2025", "4"),
        ("Pine board", "7 May 2025", "10"),
        ("Nails", "soon", "2"),
    ]
    places = [(x, 150 + 16 * at, text) for at, row in enumerate(rows) for x, text in zip((50, 200, 350), row, strict=True)]
    assert read_fields(page(places), template)["goods"].value == [
        {"article": "Oak board", "delivered": "2025-04-23", "pieces": "4"},
        {"article": "Pine board", "delivered": "2025-05-07", "pieces": "10"},
        {"article": "Nails", "delivered": None, "pieces": "2"},
    ]
