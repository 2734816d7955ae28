"""Checks generated documents against their truth: printed text in its box, sums, identifiers, layouts that are not alike."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
from babel.dates import format_date
from stdnum import iban

from pipeline.values.dates import parse_date, parse_time
from pipeline.values.identifiers import normalise_identifier
from pipeline.values.numbers import parse_number
from training.generator.formats import LOCALES
from training.generator.identifiers import is_right
from training.generator.kinds import kind_template
from training.generator.vocabulary import countries

MONEY = frozenset({"subtotal", "tax_total", "total", "amount_due", "prepaid"})
DATES = frozenset({"invoice_date", "due_date", "date"})
MONTH_FIRST = frozenset({"US"})
SLACK = 1.5
"""Points by which a letter may reach beyond its box."""

Json = dict[str, Any]


@dataclass
class Report:
    """What a check found."""

    documents: int = 0
    layouts: int = 0
    faults: list[str] = field(default_factory=list)


def check_folder(folder: Path) -> Report:
    """Checks every document of a folder."""
    report = Report()
    layouts = set()
    for path in sorted(folder.glob("*.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        report.documents += 1
        layouts.add(facts["layout"])
        file = folder / facts["file"]
        faults = [*sums_faults(facts), *value_faults(facts), *box_faults(facts)]
        if facts["medium"] == "digital":
            faults += text_faults(facts, file.read_bytes())
        report.faults += [f"{file.name}: {fault}" for fault in faults]
    report.layouts = len(layouts)
    if report.layouts < report.documents * 0.95:
        report.faults.append(f"only {report.layouts} layouts in {report.documents} documents")
    return report


def sums_faults(facts: Json) -> list[str]:
    """Sums that do not add up, of the document as written and of the values as printed."""
    if not facts["sums"]:
        return []
    s = {name: Decimal(value) for name, value in facts["sums"].items() if value not in {"True", "False"}}
    faults = []
    if "due" in s:
        wanted = {
            "total": s["subtotal"] + s["tax"] + s["rounding"],
            "due": s["total"] - s["prepaid"] + s["previous"],
            "items": (s["subtotal"] + s["tax"] if facts["sums"]["gross_rows"] == "True" else s["subtotal"])
            + s["discount"]
            - s["shipping"],
        }
    else:
        wanted = {"total": s["items"] - s["discount"] + s["rounding"] + (s["tax"] if facts["sums"]["net"] == "True" else 0)}
    faults += [f"{name} is {s[name]}, not {value}" for name, value in wanted.items() if s[name] != value]
    amounts = [Decimal(row["amount"]) for row in facts["line_items"] if row["amount"] is not None]
    if amounts and len(amounts) == len(facts["line_items"]) and sum(amounts) != s["items"]:
        faults.append(f"the rows add up to {sum(amounts)}, not to {s['items']}")
    return faults


def value_faults(facts: Json) -> list[str]:
    """Printed texts that do not say the value, identifiers with wrong check digits."""
    faults = []
    scheme = countries()[facts["country"]].tax_id
    order = "MDY" if facts["country"] in MONTH_FIRST else "DMY"
    for name, texts in facts["printed"].items():
        value = facts["values"].get(name)
        faults += [
            f"{name} is {value!r} and printed {text!r}"
            for text in texts
            if not _says(_like(facts["kind"], name), text, value, order, facts["language"])
        ]
    number = facts["values"].get("vendor_vat_id")
    label_free = number and (number[:2].isalpha() or scheme in {"abn", "gstin", "pl", "es", "it"})
    if number and label_free and not is_right(scheme, number):
        faults.append(f"the tax number {number} has wrong check digits")
    return faults


def _like(kind: str, name: str) -> str:
    """The field of an invoice of the same type, for a field of another kind of document."""
    if kind in ("invoice", "receipt"):
        return name
    known = {"money": "total", "date": "date", "currency": "currency", "iban": "vendor_vat_id", "quantity": "document_type"}
    return {**known, "period": "document_type"}.get(kind_template(kind).fields[name].type, name)


def _says(name: str, text: str, value: str | None, order: Any, language: str) -> bool:
    if value is None:
        return False
    if name in MONEY:
        plain = (
            text.replace("–", "00").replace("--", "00") if text[-1:] in "–-" and any(mark in text for mark in ".,") else text
        )
        numbers = {parse_number(plain, mark) for mark in (".", ",", None)}
        return any(number is not None and abs(number) == abs(Decimal(value)) for number in numbers)
    if name in DATES:
        found = parse_date(text, order)
        return (found is not None and found.isoformat() == value) or _names_month(text, value, language)
    if name == "time":
        return parse_time(text) == value
    if name in {"currency", "document_type", "address"}:
        return name != "address" or text.rstrip(",") in value
    if name == "vendor_vat_id":
        return normalise_identifier(text) == normalise_identifier(value)
    return text == " ".join(value.split())


def _names_month(text: str, value: str, language: str) -> bool:
    """Whether a date prints the day, the year and the month's name in the language, for names that mean another month elsewhere."""
    day = datetime.date.fromisoformat(value)
    names = [
        str(format_date(day, pattern, locale=LOCALES.get(language, language))) for pattern in ("MMMM", "MMM", "LLLL", "LLL")
    ]
    numbers = {int(number) for number in re.findall(r"\d+", text)}
    return {day.day, day.year} <= numbers and any(not name.isdigit() and name in text for name in names)


def box_faults(facts: Json) -> list[str]:
    """Boxes that do not stand on their page."""
    faults = []
    sizes = facts["pages"]
    groups = [facts["boxes"], facts["label_boxes"], facts["table_header_boxes"], *facts["item_boxes"]]
    for name, boxes in (item for group in groups for item in group.items()):
        for page, x0, y0, x1, y1 in boxes:
            width, height = sizes[int(page) - 1]
            inside = -3 <= x0 < x1 <= width + 3 and -3 <= y0 < y1 <= height + 3
            if not inside and facts["medium"] != "photo":  # a camera may cut the edge off
                faults.append(f"the box of {name} is not on page {page}")
    return faults


def text_faults(facts: Json, pdf: bytes) -> list[str]:
    """Values whose letters are not in their boxes, by the text layer."""
    faults = []
    with pymupdf.open(stream=pdf) as document:
        letters = [_letters(page) for page in document]
    printed = {name: {_squeezed(text) for text in texts} for name, texts in facts["printed"].items()}
    for name, boxes in facts["boxes"].items():
        found = _squeezed("".join(_inside(letters[int(page) - 1], box) for page, *box in boxes))
        if not all(text in found for text in printed[name]):
            faults.append(f"the boxes of {name} hold {found!r}, not {printed[name]}")
    for at, (row, boxes) in enumerate(zip(facts["line_items"], facts["item_boxes"], strict=True)):
        found = _squeezed("".join(_inside(letters[int(page) - 1], box) for page, *box in boxes.get("description", [])))
        if row["description"] and _squeezed(row["description"]) not in found:
            faults.append(f"the box of row {at} holds {found!r}, not {row['description']!r}")
    return faults


def _squeezed(text: str) -> str:
    return "".join(text.split()).replace("\u00ad", "")


def _letters(page: Any) -> list[tuple[str, float, float, float]]:
    raw = page.get_text("rawdict", flags=pymupdf.TEXT_PRESERVE_WHITESPACE)
    return [
        (char["c"], (char["bbox"][0] + char["bbox"][2]) / 2, (char["bbox"][1] + char["bbox"][3]) / 2, char["bbox"][0])
        for block in raw["blocks"]
        for line in block.get("lines", [])
        for span in line["spans"]
        for char in span["chars"]
    ]


def _inside(letters: list[tuple[str, float, float, float]], box: list[float]) -> str:
    x0, y0, x1, y1 = box
    return "".join(c for c, x, y, _ in letters if x0 - SLACK <= x <= x1 + SLACK and y0 - SLACK <= y <= y1 + SLACK)


def valid_iban(text: str) -> bool:
    """Whether an IBAN has right check digits."""
    return bool(iban.is_valid(text, check_country=False))
