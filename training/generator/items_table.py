"""The table of goods and services of an invoice: which columns it has, and how rows, headings and lines look."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from training.generator.amounts import Item, Sums, rounded
from training.generator.choices import draw
from training.generator.formats import NBSP
from training.generator.identifiers import document_number
from training.generator.parties import line
from training.generator.sheet import Sheet

FIELDS = ("description", "quantity", "unit_price", "amount")
"""Columns that the templates ask for."""


@dataclass(frozen=True)
class Column:
    """A column: its name, its heading, its alignment, what it says of an item."""

    name: str
    heading: str
    align: str
    text: Callable[[int, Item], str]


def columns_of(sheet: Sheet, sums: Sums) -> list[Column]:
    """The columns of the document, in their order."""
    choices = sheet.choices
    several_rates = len(sums.taxes) > 1
    present = {
        "pos": choices.chance("column pos", 0.35),
        "sku": choices.chance("column sku", 0.35),
        "date": choices.chance("column date", 0.05),
        "quantity": choices.chance("column quantity", 0.88),
        "unit_price": choices.chance("column unit price", 0.82),
        "discount": any(item.discount for item in sums.items),
        "tax_rate": choices.chance("column tax rate", 0.75 if several_rates else 0.22) and not sums.exempt,
        "tax": choices.chance("column tax", 0.08) and not sums.exempt and not sums.gross_rows,
        "gross": choices.chance("column gross", 0.1) and not sums.exempt and not sums.gross_rows,
        "amount": True,
    }
    unit = choices.pick("unit", {"none": 4, "column": 2, "behind quantity": 2.5})
    order = choices.pick(
        "column order",
        {
            "pos sku description date quantity unit unit_price discount tax_rate tax amount gross": 6,
            "pos description sku date quantity unit unit_price discount tax_rate amount tax gross": 3,
            "quantity unit sku description unit_price discount tax_rate tax amount gross pos": 2,
            "pos date sku quantity unit description tax_rate unit_price discount tax amount gross": 2,
            "sku description unit_price discount quantity unit tax_rate tax amount gross pos": 2,
            "description tax_rate unit_price quantity unit discount amount tax gross sku pos date": 1,
            "pos sku description amount unit_price quantity unit discount tax_rate tax gross": 0.5,
        },
    )
    if choices.chance("description and amount only", 0.08):
        present = dict.fromkeys(present, False) | {"amount": True}
        unit = "none"
    names = [
        name for name in order.split() if name == "description" or (name == "unit" and unit == "column") or present.get(name)
    ]
    right = choices.chance("numbers to the right", 0.8)
    return [
        _column(sheet, name, unit, "right" if right else draw(sheet.style, {"left": 1, "center": 1, "right": 1}))
        for name in names
    ]


def _column(sheet: Sheet, name: str, unit: str, align: str) -> Column:
    numbers = sheet.numbers
    heading = ""
    if name in FIELDS:
        text = sheet.label_text(f"line_items.{name}")
        heading = f'<span data-h="{name}">{escape(sheet.cased(text))}</span>'
        if name in {"unit_price", "amount"} and sheet.choices.log.get("signs") == "heading" and numbers.sign:
            heading += f" ({sheet.mark('currency', numbers.sign, numbers.currency)})"
    else:
        heading = sheet.other({"pos": "pos", "tax": "tax_rate", "date": "delivery_date"}.get(name, name), colon=False)
        heading = f'<span data-h="{name}">{heading}</span>'

    def text_of(row: int, item: Item) -> str:
        gross = rounded(item.amount * item.tax_rate / 100, numbers.decimals)
        cells: dict[str, Callable[[], str]] = {
            "pos": lambda: str((row + 1) * (10 if sheet.choices.log.get("pos by ten") == "yes" else 1)),
            "sku": lambda: escape(item.sku),
            "date": lambda: sheet.date(None, sheet.issued),
            "description": lambda: _description(sheet, row, item),
            "quantity": lambda: quantity(sheet, row, item, item.unit if unit == "behind quantity" else ""),
            "unit": lambda: escape(item.unit),
            "unit_price": lambda: sheet.cell(row, "unit_price", item.unit_price, item.price_decimals),
            "discount": lambda: sheet.percent(item.discount) if item.discount else "",
            "tax_rate": lambda: sheet.percent(item.tax_rate),
            "tax": lambda: numbers.number(gross),
            "amount": lambda: sheet.cell(row, "amount", item.amount),
            "gross": lambda: numbers.number(item.amount + gross),
        }
        return cells[name]()

    return Column(
        name, heading, "left" if name in {"description", "sku"} else "center" if name in {"pos", "unit"} else align, text_of
    )


def quantity(sheet: Sheet, row: int, item: Item, unit: str) -> str:
    """A quantity, with its unit behind it in one word or two."""
    places = 2 if sheet.choices.log.get("quantity decimals") == "yes" else None
    text = (
        sheet.numbers.number(item.quantity, places)
        if places and item.quantity == rounded(item.quantity, 2)
        else sheet.numbers.quantity(item.quantity)
    )
    sheet.row_value(row, "quantity", f"{item.quantity.normalize():f}")
    html = f'<span data-i="{row}:quantity">{text}</span>'
    return f"{html}{'' if sheet.style.random() < 0.05 else NBSP}{escape(unit)}" if unit else html


def _description(sheet: Sheet, row: int, item: Item) -> str:
    sheet.row_value(row, "description", item.description)
    html = f'<span data-i="{row}:description">{escape(item.description)}</span>'
    if item.note:
        small = sheet.style.choice(["font-size:.85em;color:#555", "font-style:italic", ""])
        html += f'<div style="{small}"><span data-i="{row}:note">{escape(item.note)}</span></div>'
    return html


def items_table(sheet: Sheet, sums: Sums, foot: str) -> str:
    """The table, or paragraphs with an amount each; ``foot`` are rows of sums that belong to the same table."""
    choices = sheet.choices
    choices.chance("pos by ten", 0.1)
    choices.chance("quantity decimals", 0.2)
    if choices.pick("items", {"table": 12, "paragraphs": 0.8}) == "paragraphs":
        return _paragraphs(sheet, sums)
    columns = columns_of(sheet, sums)
    lines = choices.pick("table lines", {"rows": 4, "all": 3, "none": 3, "columns": 1, "zebra": 2, "heading": 3, "outside": 1})
    cell_line = {
        "rows": "border-bottom:1px solid #bbb;",
        "all": "border:1px solid #777;",
        "columns": "border-left:1px solid #777;border-right:1px solid #777;",
    }.get(lines, "")
    pad = f"padding:{sheet.style.uniform(1, 5):.1f}px {sheet.style.uniform(2, 7):.1f}px;"
    head = _heading(sheet, columns, cell_line + pad) if choices.chance("table heading", 0.93) else ""
    body = []
    group = ""
    remark = choices.chance("deliveries between rows", 0.05)
    carried = Decimal(0)
    for row, item in enumerate(sums.items):
        if item.group and item.group != group:
            group = item.group
            body.append(f'<tr data-row><td colspan="{len(columns)}" style="{pad}font-weight:bold">{escape(group)}</td></tr>')
        zebra = "background:#f0f0f0;" if lines == "zebra" and row % 2 else ""
        if remark and sheet.style.random() < 0.3:
            day = sheet.date(None, sheet.issued - datetime.timedelta(days=sheet.style.randint(1, 40)))
            text = f"{sheet.other('delivery_no')} {document_number(sheet.issued.year, sheet.issued.month, sheet.style)} {day}"
            body.append(f'<tr data-row><td colspan="{len(columns)}" style="{pad}font-size:.9em">{text}</td></tr>')
        cells = "".join(
            f'<td style="{cell_line}{pad}{zebra}text-align:{column.align};vertical-align:top">{column.text(row, item)}</td>'
            for column in columns
        )
        carried += item.amount
        body.append(f'<tr data-row data-carry="{escape(sheet.numbers.number(carried))}">{cells}</tr>')
        after = sums.items[row + 1].group if row + 1 < len(sums.items) else ""
        if item.group and after != item.group and choices.log.get("group sums") == "yes":
            partial = sum((i.amount for i in sums.items if i.group == item.group), Decimal(0))
            label = sheet.cased(sheet.label_text("subtotal"))
            body.append(
                f'<tr data-row><td colspan="{len(columns) - 1}" style="{pad}text-align:right">{escape(label)} {escape(item.group)}</td>'
                f'<td style="{pad}text-align:right">{sheet.numbers.number(partial)}</td></tr>'
            )
    if lines in {"columns", "outside"} and choices.chance("table filled up", 0.4):
        body.append(
            "".join(f'<td style="{cell_line}height:{sheet.style.randint(30, 120)}px"></td>' for _ in columns).join(
                ["<tr data-row>", "</tr>"]
            )
        )
    outside = "border:1px solid #555;" if lines == "outside" else ""
    carry = sheet.other("carry", colon=False) if choices.chance("carry forward", 0.4) else ""
    width = sheet.style.choice([100, 100, 100, 92, 85])
    return (
        f'<table class="items fit" data-b="items" data-columns="{len(columns)}" data-carry-label="{carry}" '
        f'style="border-collapse:collapse;{outside}width:{width}%;margin:{sheet.style.randint(4, 24)}px 0"><thead>{head}</thead><tbody>{"".join(body)}{foot.replace("COLUMNS", str(max(1, len(columns) - 1)))}</tbody></table>'
    )


def _heading(sheet: Sheet, columns: list[Column], look: str) -> str:
    shade = sheet.choices.pick("heading shade", {"none": 4, "light": 3, "dark": 2})
    hue = sheet.style.randint(0, 359)
    style = {"none": "", "light": f"background:hsl({hue},30%,90%);", "dark": f"background:hsl({hue},40%,30%);color:#fff;"}[
        shade
    ]
    if sheet.choices.chance("heading rule", 0.5):
        style += "border-bottom:1.5px solid #333;"
    if sheet.choices.chance("heading rule above", 0.2):
        style += "border-top:1.5px solid #333;"
    weight = "bold" if sheet.choices.chance("heading bold", 0.7) else "normal"
    wrap = (
        "width:1%;"
        if sheet.choices.chance("headings wrapped", 0.2)
        else "white-space:nowrap;"
        if sheet.style.random() < 0.5
        else ""
    )
    mixed = sheet.choices.chance("headings all left", 0.15)
    cells = "".join(
        f'<th style="{look}{style}{wrap if c.name != "description" else ""}text-align:{"left" if mixed else c.align};font-weight:{weight}">{c.heading}</th>'
        for c in columns
    )
    return f"<tr>{cells}</tr>"


def _paragraphs(sheet: Sheet, sums: Sums) -> str:
    """Items without a table: a line of text, and below or behind it quantity, price and amount."""
    below = sheet.choices.chance("paragraph sums below", 0.6)
    cross = sheet.style.choice(["x", "×", "à", "@"])
    rows = []
    for row, item in enumerate(sums.items):
        count = f"{quantity(sheet, row, item, item.unit)} {cross} {sheet.cell(row, 'unit_price', item.unit_price, item.price_decimals)}"
        amount = sheet.cell(row, "amount", item.amount)
        if below:
            html = (
                line(_description(sheet, row, item))
                + f'<div style="display:flex;justify-content:space-between;color:#333"><div>{count}</div><div>{amount}</div></div>'
            )
        else:
            html = f'<div style="display:flex;justify-content:space-between"><div>{_description(sheet, row, item)}</div><div>{count} = {amount}</div></div>'
        rows.append(f'<div data-row style="margin-bottom:5px">{html}</div>')
    return f'<div class="items" data-b="items" style="margin:12px 0">{"".join(rows)}</div>'
