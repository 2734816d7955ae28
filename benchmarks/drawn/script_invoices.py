"""Invoices in languages of other scripts, in four structures, as HTML; and pages of words."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml
from babel import Locale

from benchmarks.drawn.script_formats import WITHOUT_CENTS, Formats, tax_number

RIGHT_TO_LEFT = ("ar", "fa", "he")
STYLE = (
    "@page{size:A4;margin:0}body{margin:0}section{padding:48px 56px;line-height:1.5;break-after:page;break-inside:avoid}"
    "table{border-collapse:collapse;width:100%}th,td{padding:5px 7px;text-align:start;vertical-align:top}"
    ".end{text-align:end}.half{width:48%}.grid td,.grid th{border:1px solid #555}.lines tr{border-bottom:1px solid #999}"
    ".flex{display:flex;justify-content:space-between;gap:24px}h1{font-size:1.7em;margin:6px 0}.sums{width:46%;margin-inline-start:54%}"
    ".grey{background:#e8e8e8}.small{font-size:.85em}p{margin:3px 0}.words{margin:1em 0}"
)
WORD_FONTS = {"zh_Hant": "Noto Sans CJK TC|Noto Serif CJK TC", "bg": "Noto Sans|Noto Serif|DejaVu Sans|Liberation Sans"}
"""Languages of which pages of words are drawn, but no invoices."""
ENGLISH = {
    "number": "Invoice No.", "date": "Date", "due": "Due date", "buyer": "Bill to", "subtotal": "Subtotal", "tax": "VAT", "total": "Total",
    "title": "Tax Invoice", "tax_id": "Tax ID", "description": "Description", "quantity": "Qty", "price": "Price", "amount": "Amount",
}  # fmt: skip
Facts = dict[str, Any]
Pairs = list[tuple[str, str]]


@cache
def vocabulary() -> dict[str, dict[str, Any]]:
    """Words by language."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("script_words.yaml").read_text(encoding="utf-8")
    )
    return loaded


@dataclass
class Invoice:
    """What one invoice prints, in the words of its sender."""

    language: str
    chance: random.Random
    words: dict[str, Any]
    country: dict[str, Any]
    formats: Formats
    colon: str
    bilingual: bool
    said: dict[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)

    def pick(self, key: str) -> str:
        """One of the alternatives for a word, the same one each time."""
        if key not in self.said:
            text = self.chance.choice(str(self.words[key]).split("|")).replace(
                "{rate}", self.formats.digits(str(self.country["tax"]))
            )
            self.said[key] = f"{text} / {ENGLISH[key]}" if self.bilingual and key in ENGLISH else text
        return self.said[key]

    def any_of(self, key: str) -> str:
        """One of the alternatives, a new one each time."""
        return self.chance.choice(str(self.words[key]).split("|"))


def draw_invoice(seed: str, language: str, structure: int, fonts: str = "fonts") -> tuple[str, Facts]:
    """HTML of a page with an invoice, and its true values by the fields of the template ``invoice``; ``fonts`` is a key of the words."""
    chance, words = random.Random(seed), vocabulary()[language]
    country = chance.choice(words["countries"])
    formats = Formats(language, words, country["currency"], chance)
    invoice = Invoice(
        language, chance, words, country, formats, chance.choice((":", ":", "", " :")), structure == 3 and chance.random() < 0.6
    )
    body = STRUCTURES[structure](invoice)
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    font, size = chance.choice(words[fonts].split("|")), chance.choice((13, 14, 15))
    page = f"<section lang={language} dir={direction} style=\"font-family:'{font}';font-size:{size}px\">{body}</section>"
    absent = [name for name in ("due_date", "prepaid") if name not in invoice.facts]
    rows = invoice.facts.pop("line_items")
    return page, {"fields": invoice.facts, "absent": absent, "line_items": rows}


def _deal(invoice: Invoice) -> dict[str, str]:
    """The values as printed; the true ones go into the facts."""
    chance, formats, country = invoice.chance, invoice.formats, invoice.country
    vendor, buyer = invoice.any_of("vendors"), invoice.any_of("buyers")
    issued = date(chance.choice((2023, 2024, 2025)), chance.randrange(1, 13), chance.randrange(1, 29))
    due = issued + timedelta(days=chance.choice((7, 14, 30, 45)))
    number = chance.choice((f"{chance.randrange(100, 99999)}", f"INV-{issued.year}-{chance.randrange(1, 9999):04}",
                            f"{issued.year % 100}/{chance.randrange(1, 9999):05}", f"A{chance.randrange(10**5, 10**6)}"))  # fmt: skip
    vendor_tax, buyer_tax = (tax_number(country["tax_id"], chance) for _ in range(2))
    vendor_tax_printed = formats.digits(vendor_tax)
    printed_number = formats.digits(number)
    invoice.facts |= {
        "vendor_name": vendor, "buyer_name": buyer, "currency": country["currency"], "invoice_date": issued.isoformat(),
        "invoice_number": _both(number, printed_number), "vendor_vat_id": _both(vendor_tax, vendor_tax_printed),
    }  # fmt: skip
    printed = {
        "vendor": vendor, "buyer": buyer, "number": printed_number, "date": formats.day(issued), "vendor_tax": vendor_tax_printed,
        "buyer_tax": formats.digits(buyer_tax), "vendor_address": f"{invoice.any_of('streets')}, {chance.choice(country['city'].split('|'))}",
        "buyer_address": f"{invoice.any_of('streets')}, {chance.choice(country['city'].split('|'))}",
        "phone": "0" + "".join(str(chance.randrange(10)) for _ in range(8)),
    }  # fmt: skip
    if chance.random() < 0.7:
        printed["due"] = formats.day(due)
        invoice.facts["due_date"] = due.isoformat()
    if chance.random() < 0.4:
        printed["order"] = str(chance.randrange(1000, 99999))
    return printed


def _isolated(value: str) -> str:
    """HTML of a value. A number or a code keeps its order within Arabic and Hebrew text, as programs that print invoices see to."""
    is_text = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in value)
    return escape(value) if is_text else f"<bdi dir=ltr>{escape(value)}</bdi>"


def _both(one: str, other: str) -> Any:
    return one if one == other else [one, other]


def _items(invoice: Invoice) -> tuple[list[list[str]], list[str]]:
    """Cells of the table by row (description, quantity, price, amount), and subtotal, tax and total as printed."""
    chance, formats = invoice.chance, invoice.formats
    scale = {"KRW": 1000, "JPY": 100, "IRR": 100000}.get(formats.currency, 1)
    places = Decimal(1) if formats.currency in WITHOUT_CENTS else Decimal("0.01")
    rows, truth, subtotal = [], [], Decimal(0)
    for name in chance.sample(str(invoice.words["goods"]).split("|"), chance.randrange(2, 6)):
        quantity, price = chance.randrange(1, 20), Decimal(chance.randrange(500, 90000)) * scale / 100
        price = price.quantize(places)
        amount = quantity * price
        subtotal += amount
        rows.append([name, formats.digits(str(quantity)), formats.amount(price), formats.amount(amount)])
        truth.append({"description": name, "quantity": str(quantity), "unit_price": str(price), "amount": str(amount)})
    tax = (subtotal * invoice.country["tax"] / 100).quantize(places, ROUND_HALF_UP)
    invoice.facts |= {"subtotal": str(subtotal), "tax_total": str(tax), "total": str(subtotal + tax), "line_items": truth}
    mark = chance.choice(str(invoice.country["money"]).split("|"))
    front = mark in "₩₹¥￥฿₴€" and chance.random() < 0.5

    def money(value: Decimal) -> str:
        text = formats.amount(value)
        return f"{mark}{text}" if front else f"{text}{'' if mark in '元円원' else ' '}{mark}"

    return rows, [money(subtotal), money(tax), money(subtotal + tax)]


def _cells(invoice: Invoice, rows: list[list[str]], *, css: str, first: bool = False) -> str:
    heads = [invoice.pick(key) for key in ("description", "quantity", "price", "amount")]
    number = (
        [["#" if invoice.chance.random() < 0.5 else "№"]]
        if first and invoice.language in ("ru", "uk")
        else [["#"]]
        if first
        else []
    )
    cells = [[*(number[0] if number else []), *heads]]
    cells += [[*([invoice.formats.digits(str(at))] if first else []), *row] for at, row in enumerate(rows, 1)]
    text = []
    for at, row in enumerate(cells):
        tag, kind = ("th", "grey") if at == 0 else ("td", "")
        text.append(
            f"<tr class='{kind}'>"
            + "".join(
                f"<{tag} class='{'end' if n >= len(row) - 3 else ''}'>{escape(cell)}</{tag}>" for n, cell in enumerate(row)
            )
            + "</tr>"
        )
    return f"<table class='{css}'>{''.join(text)}</table>"


def _rows(pairs: Pairs, css: str = "", end: bool = True) -> str:
    place = "end" if end else ""
    return (
        f"<table class='{css}'>"
        + "".join(f"<tr><td>{escape(label)}</td><td class='{place}'>{_isolated(value)}</td></tr>" for label, value in pairs)
        + "</table>"
    )


def _sums(invoice: Invoice, sums: list[str]) -> Pairs:
    return [(invoice.pick(key) + invoice.colon, value) for key, value in zip(("subtotal", "tax", "total"), sums, strict=True)]


def _meta(invoice: Invoice, printed: dict[str, str], keys: tuple[str, ...] = ("number", "date", "due", "order")) -> Pairs:
    return [(invoice.pick(key) + invoice.colon, printed[key]) for key in keys if key in printed]


def _beside(invoice: Invoice) -> str:
    """A letter: the sender above, the buyer on one side, number and dates on the other, sums below the table."""
    printed = _deal(invoice)
    rows, sums = _items(invoice)
    sender = (
        f"<div><b style='font-size:1.3em'>{escape(printed['vendor'])}</b><p>{escape(printed['vendor_address'])}</p>"
        f"<p>{invoice.pick('tax_id')}{invoice.colon} {_isolated(printed['vendor_tax'])}</p><p>{invoice.pick('phone')} {printed['phone']}</p></div>"
    )
    buyer = f"<div class=half><p class=small>{invoice.pick('buyer')}{invoice.colon}</p><p><b>{escape(printed['buyer'])}</b></p><p>{escape(printed['buyer_address'])}</p></div>"
    return (
        f"<div class=flex>{sender}<h1>{invoice.pick('title')}</h1></div><hr><br><div class=flex>{buyer}"
        f"<div class=half>{_rows(_meta(invoice, printed))}</div></div><br>{_cells(invoice, rows, css='lines')}<br>"
        f"<div class=sums>{_rows(_sums(invoice, sums))}</div><br><p class=small>{invoice.pick('bank')} 4455{invoice.chance.randrange(10**6)}</p><p>{invoice.pick('thanks')}</p>"
    )


def _form(invoice: Invoice) -> str:
    """A form of boxes: seller and buyer side by side with labels, number and dates below their labels, sums in the table's last rows."""
    printed = _deal(invoice)
    rows, sums = _items(invoice)

    def party(who: str, name: str, tax_label: str, tax: str, address: str) -> str:
        pairs = [(who, name), (tax_label, tax), (invoice.pick("address"), address)]
        return f"<div class=half>{_rows(pairs, 'grid', end=False)}</div>"

    meta = _meta(invoice, printed)
    grid = (
        "<table class=grid><tr class=grey>" + "".join(f"<th>{escape(label.strip(' :'))}</th>" for label, _ in meta)
        + "</tr><tr>" + "".join(f"<td>{_isolated(value)}</td>" for _, value in meta) + "</tr></table>"
    )  # fmt: skip
    table = _cells(invoice, rows, css="grid", first=True)
    ends = "".join(
        f"<tr><td colspan=4 class=end>{escape(label)}</td><td class=end>{escape(value)}</td></tr>"
        for label, value in _sums(invoice, sums)
    )
    return (
        f"<h1 style='text-align:center'>{invoice.pick('title')}</h1><div class=flex>"
        + party(
            invoice.pick("seller"), printed["vendor"], invoice.pick("tax_id"), printed["vendor_tax"], printed["vendor_address"]
        )
        + party(
            invoice.pick("buyer"),
            printed["buyer"],
            invoice.pick("buyer_tax_id"),
            printed["buyer_tax"],
            printed["buyer_address"],
        )
        + f"</div><br>{grid}<br>{table[: -len('</table>')]}{ends}</table><br><p>{invoice.pick('thanks')}</p>"
    )


def _lines(invoice: Invoice) -> str:
    """Plain lines: a centred head, label and value in one line of text, sums as lines."""
    printed = _deal(invoice)
    rows, sums = _items(invoice)
    colon = invoice.colon or ":"
    meta = "&emsp;&emsp;".join(
        f"{escape(label.strip(' :'))}{colon} {_isolated(value)}" for label, value in _meta(invoice, printed)
    )
    ends = "".join(
        f"<p class=end>{escape(label.strip(' :'))}{colon} <b>{_isolated(value)}</b></p>"
        for label, value in _sums(invoice, sums)
    )
    return (
        f"<div style='text-align:center'><b style='font-size:1.4em'>{escape(printed['vendor'])}</b><p class=small>{escape(printed['vendor_address'])} · "
        f"{invoice.pick('tax_id')} {_isolated(printed['vendor_tax'])}</p><h1>{invoice.pick('title')}</h1></div><p>{meta}</p><br>"
        f"<p>{invoice.pick('buyer')}{colon} {escape(printed['buyer'])}</p><p>{invoice.pick('address')}{colon} {escape(printed['buyer_address'])}</p><br>"
        f"{_cells(invoice, rows, css='lines', first=True)}<br>{ends}"
    )


def _statement(invoice: Invoice) -> str:
    """Number and date in the heading where the language does so, the parties as lines with all their data, the sum again in a sentence."""
    printed = _deal(invoice)
    rows, sums = _items(invoice)
    title, number, day = invoice.pick("title"), printed["number"], printed["date"]
    heads = {"ru": f"{title} № {number} от {day}", "uk": f"{title} № {number} від {day}", "he": f"{title} מספר {number}"}
    head = heads.get(invoice.language, title)
    left = {"ru": ("due", "order"), "uk": ("due", "order"), "he": ("date", "due", "order")}.get(
        invoice.language, ("number", "date", "due", "order")
    )
    parties = "".join(
        f"<tr><td style='width:22%'>{invoice.pick(who)}{invoice.colon}</td><td><b>{escape(name)}</b>, {invoice.pick(label)} {_isolated(tax)}, {escape(address)}</td></tr>"
        for who, name, label, tax, address in (
            ("seller", printed["vendor"], "tax_id", printed["vendor_tax"], printed["vendor_address"]),
            ("buyer", printed["buyer"], "buyer_tax_id", printed["buyer_tax"], printed["buyer_address"]),
        )
    )
    return (
        f"<h1>{escape(head)}</h1><hr><table>{parties}</table><br><div style='width:55%'>{_rows(_meta(invoice, printed, left), end=False)}</div><br>"
        f"{_cells(invoice, rows, css='grid', first=True)}<br><div class=sums>{_rows(_sums(invoice, sums), 'grid')}</div>"
    )


STRUCTURES: tuple[Callable[[Invoice], str], ...] = (_beside, _form, _lines, _statement)


def draw_words(seed: str, language: str, fonts: str = "fonts") -> tuple[str, str]:
    """HTML of a page of words, and its text in reading order: names of countries, languages and currencies of Unicode CLDR, and numbers."""
    chance, locale = random.Random(seed), Locale(language)
    names = [
        *(name for code, name in locale.territories.items() if len(code) == 2),
        *locale.languages.values(), *locale.currencies.values(),
    ]  # fmt: skip
    size, font = (
        chance.choice((13, 15, 17, 20)),
        chance.choice((WORD_FONTS.get(language) or str(vocabulary()[language][fonts])).split("|")),
    )
    room = (600 if language in ("ja", "ko", "zh", "zh_Hant") else 1100) * (
        20 / size
    ) ** 2  # letters on the page, with room to spare
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < room - 200:
        words = chance.sample(names, chance.randrange(6, 14))
        if chance.random() < 0.6:
            words.insert(chance.randrange(len(words)), str(chance.randrange(10, 10**6)))
        paragraphs.append(("، " if language in ("ar", "fa") else ", ").join(words) + ".")
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    body = "".join(f"<p class=words>{escape(text)}</p>" for text in paragraphs)
    page = f"<section lang={language} dir={direction} style=\"font-family:'{font}';font-size:{size}px\">{body}</section>"
    return page, "\n".join(paragraphs)
