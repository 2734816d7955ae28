"""What is right about a document: its values, and every place where one of them is printed."""

from __future__ import annotations

from typing import Any

from training.generator.browser import Drawn, Mark
from training.generator.document import Document
from training.generator.sheet import INVOICE_FIELDS, RECEIPT_FIELDS

COLUMNS = ("description", "quantity", "unit_price", "amount")

Json = dict[str, Any]


def truth(document: Document, drawn: Drawn) -> Json:
    """The truth as JSON. A value that no mark prints is null; boxes are ``[page, x0, y0, x1, y1]`` in points from the top left."""
    is_other = document.kind not in ("invoice", "receipt")
    fields = INVOICE_FIELDS if document.kind == "invoice" else tuple(document.values) if is_other else RECEIPT_FIELDS
    columns = tuple(dict.fromkeys(column for row in document.rows for column in row)) if is_other else COLUMNS
    boxes = _by_name(drawn.marks, "f")
    pictures = _by_name(drawn.marks, "p")
    printed: dict[str, list[str]] = {}
    for mark in drawn.marks:
        if mark.kind == "f" and mark.text not in printed.setdefault(mark.name, []):
            printed[mark.name].append(mark.text)
    values = {name: document.values.get(name) if name in boxes else None for name in fields}
    if values.get("vendor_name") is None and "vendor_name" in pictures:
        values["vendor_name"] = document.aliases["vendor_name"][0]
    cells = _by_name(drawn.marks, "i")
    rows = [
        {column: row.get(column) if f"{at}:{column}" in cells else None for column in columns}
        for at, row in enumerate(document.rows)
    ]
    item_boxes: list[dict[str, list[list[float]]]] = [{} for _ in document.rows]
    for name, places in cells.items():
        row, _, column = name.partition(":")
        item_boxes[int(row)][column] = places
    kept = [at for at, row in enumerate(rows) if any(value is not None for value in row.values())]
    return {
        "kind": document.kind,
        "language": document.language,
        "country": document.country,
        "layout": document.layout,
        "structure": document.structure,
        "pages": [[round(width, 2), round(height, 2)] for width, height in drawn.sizes],
        "values": values,
        "line_items": [rows[at] for at in kept],
        "aliases": document.aliases,
        "printed": printed,
        "boxes": boxes,
        "picture_boxes": pictures,
        "alias_boxes": _by_name(drawn.marks, "a"),
        "label_boxes": _by_name(drawn.marks, "l"),
        "item_boxes": [item_boxes[at] for at in kept],
        "table_header_boxes": _by_name(drawn.marks, "h"),
        "block_boxes": _by_name(drawn.marks, "b"),
        "sums": document.sums,
    }


def _by_name(marks: tuple[Mark, ...], kind: str) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {}
    for mark in marks:
        if mark.kind == kind:
            found.setdefault(mark.name, []).extend([mark.page, *box] for box in mark.boxes)
    return found
