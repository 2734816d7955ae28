"""What all parts of one document share: its words, its way to print values, and the marks by which the browser reports boxes.

Marks are attributes: ``data-f`` a field's value, ``data-i`` a cell (``row:column``), ``data-h`` a column's heading, ``data-l`` a
field's label, ``data-b`` a block, ``data-a`` another form of a value (a brand), ``data-p`` a value that only a picture shows.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass, field
from decimal import Decimal
from html import escape

from pipeline.values.identifiers import parse_vat
from training.generator.business import Trade
from training.generator.choices import Choices
from training.generator.formats import Dates, Numbers
from training.generator.kinds import PARTIES, kind_template
from training.generator.vocabulary import UNSPACED, other_label, pick_label

RECEIPT_NAMES = {"invoice_number": "receipt_number", "invoice_date": "date"}
"""Fields of the invoice template under the names that the receipt template has for them."""
RECEIPT_FIELDS = ("vendor_name", "address", "vendor_vat_id", "receipt_number", "date", "time", "currency", "total", "tax_total")
INVOICE_FIELDS = (
    "vendor_name", "vendor_vat_id", "buyer_name", "invoice_number", "document_type", "invoice_date", "due_date", "currency", "subtotal",
    "tax_total", "total", "amount_due", "prepaid",
)  # fmt: skip


@dataclass
class Sheet:
    """One document while its parts are written."""

    kind: str
    language: str
    trade: Trade
    choices: Choices
    style: random.Random
    numbers: Numbers
    dates: Dates
    issued: datetime.date = datetime.date(2024, 1, 1)
    second: str | None = None
    """The other language of bilingual labels."""
    colon: str = ":"
    case: str = "as is"
    unknown: float = 0.12
    """Share of labels that are changed into such as the packs may lack."""
    values: dict[str, str] = field(default_factory=dict)
    """Values in their normal form, whether printed or not."""
    rows: list[dict[str, str]] = field(default_factory=list)
    percent_form: str = "{}%"
    rate_decimals: int | None = None
    signs: str = "all"
    """Where signs of the currency stand: all, sums, total, none."""
    _labels: dict[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str | None:
        """The field's name in the template of this document's kind; None where it has no such field."""
        if self.kind == "invoice":
            return name if name in INVOICE_FIELDS else None
        if self.kind != "receipt":
            return self._name_of_kind(name)
        name = RECEIPT_NAMES.get(name, name)
        return name if name in RECEIPT_FIELDS else None

    def _name_of_kind(self, name: str) -> str | None:
        """The field of the template of another kind; the parties' names are fields of other names there."""
        seller, buyer = PARTIES[self.kind]
        renamed = {"vendor_name": seller, "buyer_name": buyer}.get(name, name)
        return renamed if renamed in kind_template(self.kind).fields else None

    def mark(self, name: str, text: str, value: str | None = None) -> str:
        """The text as HTML, marked as the field's value. ``value`` is its normal form, the text itself by default."""
        own = self.name(name)
        if own is None:
            return escape(text)
        self.values[own] = text if value is None else value
        return f'<span data-f="{own}">{escape(text)}</span>'

    def amount(self, name: str | None, value: Decimal, *, signed: bool | None = None) -> str:
        """An amount with its sign as HTML; marked where ``name`` is a field."""
        text = self.numbers.number(value)
        places = self.numbers.decimals
        html = self.mark(name, text, f"{value:.{places}f}") if name else escape(text)
        show = (
            signed
            if signed is not None
            else self.signs == "all" or (self.signs == "sums") or (self.signs == "total" and name == "total")
        )
        return self.with_sign(html) if show else html

    def cell(self, row: int, column: str, value: Decimal, decimals: int | None = None, *, signed: bool | None = None) -> str:
        """The number of a row's cell, marked."""
        text = self.numbers.number(value, decimals)
        self.row_value(row, column, f"{value:.{self.numbers.decimals if decimals is None else decimals}f}")
        html = f'<span data-i="{row}:{column}">{escape(text)}</span>'
        show = self.signs == "all" if signed is None else signed
        return self.with_sign(html) if show else html

    def row_value(self, row: int, column: str, value: str) -> None:
        """Keeps the normal form of a cell."""
        while len(self.rows) <= row:
            self.rows.append({})
        self.rows[row][column] = value

    def with_sign(self, html: str) -> str:
        """The amount with the currency's sign at its place."""
        if not self.numbers.sign:
            return html
        sign = self.mark("currency", self.numbers.sign, self.numbers.currency)
        return f"{sign}{self.numbers.blank}{html}" if self.numbers.before else f"{html}{self.numbers.blank}{sign}"

    def date(self, name: str | None, day: datetime.date) -> str:
        """A date as HTML."""
        text = self.dates.date(day)
        return self.mark(name, text, day.isoformat()) if name else escape(text)

    def tax_id(self, text: str) -> str:
        """The seller's tax number as HTML."""
        return self.mark("vendor_vat_id", text, parse_vat(text) or text)

    def label(self, name: str, *, colon: bool = True, group: str | None = None, case: str | None = None) -> str:
        """The label of a field, marked, with the document's colon; the same one each time, mostly."""
        text = self.label_text(name, group)
        if not text:
            return ""
        own = self.name(name) or name
        return f'<span data-l="{own}">{escape(self.cased(text, case))}</span>{self.colon if colon else ""}'

    def label_text(self, name: str, group: str | None = None) -> str:
        """The label of a field as text; empty where no pack has one."""
        group = group or (self.kind if self.kind in ("invoice", "receipt") else "invoice")
        country = self.trade.country
        own = RECEIPT_NAMES.get(name, name) if group == "receipt" else name
        key = group if "." in group else f"{group}.{own}"
        if key not in self._labels or self.style.random() < 0.1:
            first = (
                pick_label(self.language, key, country, self.style, self.unknown)
                or pick_label("en", key, country, self.style, self.unknown)
                or ""
            )
            if self.second and (other := pick_label(self.second, key, country, self.style, 0.0)) and other != first:
                first = f"{first} / {other}"
            self._labels[key] = first
        return self._labels[key]

    def other(self, name: str, *, colon: bool = True) -> str:
        """A label of something that is no field."""
        text = other_label(self.language, name, self.style)
        if self.second and self.style.random() < 0.8:
            text = f"{text} / {other_label(self.second, name, self.style)}"
        return escape(self.cased(text)) + (self.colon if colon else "")

    def cased(self, text: str, case: str | None = None) -> str:
        """The text in the case of the document's labels."""
        case = case or self.case
        if case == "upper":
            return upper(text, self.language)
        if case == "lower":
            return text.lower()
        return text[:1].upper() + text[1:] if case == "first" else text

    def percent(self, rate: Decimal) -> str:
        """A rate as printed."""
        return self.percent_form.format(
            self.numbers.quantity(rate) if self.rate_decimals is None else self.numbers.number(rate, self.rate_decimals)
        )

    def gap(self) -> str:
        """Between words of this language."""
        return "" if self.language in UNSPACED else " "


def upper(text: str, language: str) -> str:
    """Upper case by the language's rules."""
    if language == "tr":
        text = text.replace("i", "İ").replace("ı", "I")
    return text.upper()


COLONS = {":": 6, "": 3, " :": 0.8, ".:": 0.2, " -": 0.2}


def colon_style(language: str, choices: Choices) -> str:
    """What stands behind the labels."""
    kind = choices.pick("colon", {key or "none": weight for key, weight in COLONS.items()})
    colon = "" if kind == "none" else kind
    if colon == " :" and language != "fr":
        colon = ":"
    return "：" if colon == ":" and language in {"ja", "zh"} and choices.rng.random() < 0.7 else colon
