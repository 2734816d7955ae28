"""Number, date, due date and all that stands beside them: which of them a document prints, and in which of many forms."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from html import escape

from training.generator.identifiers import document_number
from training.generator.parties import block, line, tax_parts
from training.generator.sheet import Sheet
from training.generator.vocabulary import words

SHARES = {
    "invoice_number": 0.95, "invoice_date": 0.96, "due_date": 0.5, "order_no": 0.35, "order_date": 0.12, "delivery_no": 0.15,
    "delivery_date": 0.25, "period": 0.1, "customer_no": 0.4, "contract": 0.07, "project": 0.1, "reference": 0.18, "contact": 0.18,
    "payment_method": 0.12, "printed": 0.04, "valid": 0.02, "currency": 0.06, "vendor_vat_id": 0.05,
}  # fmt: skip
"""How often a document prints each."""
FORMS = {
    "rows": 6,
    "aligned rows": 4,
    "boxed grid": 3,
    "strip": 3,
    "stacked": 2,
    "one word": 1,
    "paragraph": 1,
    "dotted rows": 0.7,
    "right rows": 2,
}
"""How they stand: label beside value, in a grid with the label above, as a table with one row, …"""


@dataclass(frozen=True)
class Pair:
    """A label and a value as HTML; the label may be empty."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Facts:
    """The numbers and days of one document."""

    number: str
    issued: datetime.date
    due: datetime.date
    days: int


def make_facts(sheet: Sheet) -> Facts:
    """A number and days that fit each other."""
    issued = datetime.date(2015, 1, 1) + datetime.timedelta(days=sheet.style.randint(0, 4200))
    days = sheet.style.choice([7, 10, 14, 14, 15, 20, 30, 30, 30, 45, 60])
    return Facts(document_number(issued.year, issued.month, sheet.style), issued, issued + datetime.timedelta(days=days), days)


def later_facts(facts: Facts, months: int) -> Facts:
    """Number and dates of the invoice that follows some months later: the last digits of the number count up."""
    found = re.search(r"\d+(?=\D*$)", facts.number)
    number = facts.number
    if found:
        counted = str(int(found[0]) + months).zfill(len(found[0]))
        number = f"{number[: found.start()]}{counted}{number[found.end() :]}"
    shift = datetime.timedelta(days=30 * months)
    return Facts(number, facts.issued + shift, facts.due + shift, facts.days)


def make_pairs(sheet: Sheet, facts: Facts, skip: set[str]) -> list[Pair]:
    """What the document prints beside its title, in random order; the number and the date are mostly first."""
    rng = sheet.style
    names = [name for name, share in SHARES.items() if name not in skip and sheet.choices.rng.random() < share]
    if sheet.kind == "receipt":
        names = [name for name in names if name not in {"due_date", "valid"}]
    if sheet.choices.chance("metadata shuffled", 0.4):
        sheet.choices.rng.shuffle(names)
    sheet.choices.log["metadata"] = " ".join(names)
    pairs = []
    for name in names:
        if name == "vendor_vat_id":
            label, value = tax_parts(sheet)
            pairs.append(Pair(name, label, value))
            continue
        value = _value(sheet, name, facts)
        if name in {"invoice_number", "invoice_date", "due_date", "currency"}:
            label = sheet.label(name)
            if name != "due_date" and rng.random() < 0.06:
                label = ""
        else:
            label = sheet.other(name)
        pairs.append(Pair(name, label, value))
    return pairs


def _value(sheet: Sheet, name: str, facts: Facts) -> str:
    rng, issued = sheet.style, facts.issued
    before = issued - datetime.timedelta(days=rng.randint(0, 40))
    if name == "invoice_number":
        return sheet.mark(name, facts.number)
    if name == "invoice_date":
        return sheet.date(name, issued)
    if name == "due_date":
        return sheet.date(name, facts.due)
    if name == "currency":
        return sheet.mark(name, sheet.numbers.currency)
    if name in {"order_date", "delivery_date"}:
        return sheet.date(None, before)
    if name in {"printed", "valid"}:
        return sheet.date(None, issued + datetime.timedelta(days=rng.randint(0, 30)))
    if name == "period":
        return f"{sheet.date(None, before - datetime.timedelta(days=30))} - {sheet.date(None, before)}"
    if name == "contact":
        return escape(f"{rng.choice(words(sheet.language, 'first'))} {rng.choice(words(sheet.language, 'last'))}")
    if name == "payment_method":
        plain = sheet.other(rng.choice(["card", "bank", "cash"]), colon=False)
        return plain if rng.random() < 0.5 else f"{sheet.other('net', colon=False)} {facts.days}"
    if name == "customer_no":
        return escape(str(rng.randint(1000, 9_999_999)))
    return escape(document_number(before.year, before.month, rng))


def metadata_block(sheet: Sheet, pairs: list[Pair], form: str, align: str) -> str:
    """The pairs in one of FORMS."""
    rng = sheet.style
    bold = sheet.choices.pick("metadata bold", {"label": 2, "value": 1, "none": 3})
    look_label = "font-weight:bold;" if bold == "label" else ""
    look_value = "font-weight:bold;" if bold == "value" else ""
    if form in {"boxed grid", "strip"}:
        html = _grid(sheet, pairs, form, look_label, look_value)
    elif form == "one word":
        html = "".join(line(f"{pair.label}{pair.value}") for pair in pairs)
    elif form == "paragraph":
        html = rng.choice([" ", " &nbsp; ", " | ", ", "]).join(f"{pair.label} {pair.value}" for pair in pairs)
    elif form == "stacked":
        html = "".join(
            line(pair.label, look_label + "font-size:.85em") + line(pair.value, look_value + "margin-bottom:3px")
            for pair in pairs
        )
    elif form == "rows":
        html = "".join(
            line(f'<span style="{look_label}">{pair.label}</span> <span style="{look_value}">{pair.value}</span>')
            for pair in pairs
        )
    else:
        html = _columns(sheet, pairs, form, look_label, look_value)
    return block("metadata", html, f"text-align:{align if form in {'rows', 'one word', 'stacked', 'paragraph'} else 'left'}")


def _columns(sheet: Sheet, pairs: list[Pair], form: str, look_label: str, look_value: str) -> str:
    value_align = "right" if form == "right rows" else "left"
    label_align = "right" if sheet.choices.chance("labels to the right", 0.2) else "left"
    rule = "border-bottom:1px dotted #777;" if form == "dotted rows" else ""
    border = "border:1px solid #999;" if form == "aligned rows" and sheet.choices.chance("metadata lines", 0.25) else rule
    gap = sheet.style.randint(4, 26)
    rows = "".join(
        f'<tr><td style="{border}{look_label}text-align:{label_align};padding:1px {gap}px 1px 2px">{pair.label}</td>'
        f'<td style="{border}{look_value}text-align:{value_align};padding:1px 3px">{pair.value}</td></tr>'
        for pair in pairs
    )
    return f'<table style="border-collapse:collapse;margin-left:{"auto" if form == "right rows" else "0"};width:{"100%" if form == "dotted rows" else "auto"}">{rows}</table>'


def _grid(sheet: Sheet, pairs: list[Pair], form: str, look_label: str, look_value: str) -> str:
    border = sheet.choices.pick("grid lines", {"all": 4, "none": 1, "under": 1})
    shade = (
        f"background:{sheet.style.choice(['#eee', '#ddd', '#e8eef8', '#333;color:#fff'])};"
        if sheet.choices.chance("grid shade", 0.4)
        else ""
    )
    line_style = {"all": "border:1px solid #666;", "none": "", "under": "border-bottom:1px solid #666;"}[border]
    align = sheet.style.choice(["left", "center", "left"])
    if form == "strip":
        heads = "".join(
            f'<td style="{line_style}{look_label}{shade}padding:2px 5px;text-align:{align}">{pair.label}</td>' for pair in pairs
        )
        cells = "".join(
            f'<td style="{line_style}{look_value}padding:2px 5px;text-align:{align}">{pair.value}</td>' for pair in pairs
        )
        return f'<table class="fit" style="border-collapse:collapse;width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>'
    columns = sheet.style.choice([2, 2, 3, 4])
    sheet.choices.log["grid columns"] = str(columns)
    rows = []
    for start in range(0, len(pairs), columns):
        cells = "".join(
            f'<td style="{line_style}padding:2px 5px;vertical-align:top"><div style="{look_label}font-size:.8em">{pair.label}</div><div style="{look_value}">{pair.value}</div></td>'
            for pair in pairs[start : start + columns]
        )
        rows.append(f"<tr>{cells}</tr>")
    return f'<table class="fit" style="border-collapse:collapse;width:100%">{"".join(rows)}</table>'
