"""Till slips: rolls of every width with all that tills, terminals and pumps print, in random order and form."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from html import escape

from pipeline.values.dates import parse_time
from training.generator.choices import Choices, draw
from training.generator.document import Document
from training.generator.identifiers import document_number, fill
from training.generator.new_sheet import make_sheet
from training.generator.page_layout import CJK_FONTS
from training.generator.parties import address_lines, logo, tax_line
from training.generator.sheet import Sheet, upper
from training.generator.slip_sums import card_part, payment_lines, sums_lines, tax_lines
from training.generator.slip_text import Slip, barcode
from training.generator.till import Till, TillRow, make_till
from training.generator.vocabulary import Country, words

MONO = {
    "DejaVu Sans Mono": 3, "Liberation Mono": 3, "Courier Prime": 1, "FreeMono": 1, "Inconsolata": 2, "Hack": 1, "Fira Code": 1,
    "JetBrains Mono": 1, "Anonymous Pro": 1, "Noto Mono": 1,
}  # fmt: skip
PROPORTIONAL = {
    "Liberation Sans": 3,
    "DejaVu Sans": 2,
    "Roboto": 2,
    "Noto Sans": 2,
    "Liberation Sans Narrow": 2,
    "Open Sans": 1,
    "DejaVu Sans Condensed": 1,
    "Lato": 1,
}
ITEM_FORMS = {
    "name amount": 4, "quantity name amount": 3, "name / quantity x price amount": 3, "quantity x price / name amount": 1.5, "columns": 2.5,
    "name price x quantity amount": 1, "code name amount": 1.2, "number name / amount": 0.6, "columns two lines": 0.8,
}  # fmt: skip
"""How a row stands; what is behind a stroke is on the next line."""


def receipt(
    language: str,
    country: Country,
    content: random.Random,
    structure: random.Random,
    style: random.Random,
    second: str | None,
    issue: int = 0,
) -> Document:
    """A till slip; ``issue`` as in ``make_document``."""
    choices = Choices(structure)
    sheet = make_sheet("receipt", language, country, content, choices, style, second, shop=True)
    sheet.trade.seller = replace(sheet.trade.seller, extra=(), country_name="")
    if issue:
        content = sheet.style = random.Random(f"{style.random()} issue {issue}")
    till = make_till(sheet.trade.goods, country, sheet.numbers.decimals, content)
    choices.log["slip"] = till.kind
    slip = Slip(
        sheet,
        choices.rng,
        columns=int(choices.pick("letters in a line", {"24": 1, "28": 1, "32": 3, "36": 1, "40": 3, "42": 2, "48": 2})),
    )
    slip.tax_codes = choices.chance("tax codes", 0.4 if len(till.taxes) > 1 else 0.15)
    sections = _sections(sheet, slip, till)
    html, width = _paper(sheet, slip, sections)
    values = dict(sheet.values)
    return Document(
        kind="receipt", language=language, country=country.code, layout=choices.layout_id(), structure=choices.log, html=html, width=width,
        height=0, values=values, rows=sheet.rows, aliases={"vendor_name": [sheet.trade.seller.brand, sheet.trade.seller.name]}, sums=till.sums,
    )  # fmt: skip


def _sections(sheet: Sheet, slip: Slip, till: Till) -> list[str]:
    choices = sheet.choices
    moment = datetime.datetime(2015, 1, 1) + datetime.timedelta(minutes=sheet.style.randint(0, 6_000_000))  # noqa: DTZ001 - printed, in no zone
    sheet.issued = moment.date()
    number = (
        document_number(moment.year, moment.month, sheet.style)
        if sheet.style.random() < 0.5
        else fill(sheet.style.choice(["####", "######", "#######", "####/###", "######-##"]), sheet.style)
    )
    head = _head(sheet, slip)
    when = _when(sheet, slip, moment, number)
    items = [] if till.kind in {"card slip", "taxi", "parking"} and sheet.style.random() < 0.7 else _items(sheet, slip, till)
    sums = sums_lines(sheet, slip, till)
    paid = payment_lines(sheet, slip, till)
    taxes = tax_lines(sheet, slip, till)
    card = (
        card_part(sheet, slip, till, moment)
        if (not till.cash and choices.chance("card part", 0.45)) or till.kind == "card slip"
        else []
    )
    foot = [slip.centre(escape(text)) for text in words(sheet.language, "thanks") if sheet.style.random() < 0.35]
    order = choices.pick(
        "sections",
        {"head when items sums paid taxes card foot": 6, "head items sums paid taxes card when foot": 4, "head when items sums taxes paid card foot": 3,
         "head items sums taxes paid card foot when": 2, "when head items sums paid taxes foot card": 1, "head card when items sums taxes paid foot": 0.6},
    )  # fmt: skip
    parts = {"head": head, "when": when, "items": items, "sums": sums, "paid": paid, "taxes": taxes, "card": card, "foot": foot}
    if choices.chance("tax id at the end", 0.2) and choices.log.get("tax id on the slip") == "no":
        parts["foot"] = [*foot, slip.centre(tax_line(sheet))]
    rule = choices.pick("rules", {"dashes": 4, "equals": 1, "stars": 0.7, "blank": 3, "line": 1})
    html = []
    for name in order.split():
        if parts[name]:
            html.append(f'<div data-b="{"vendor" if name == "head" else name}">{"".join(parts[name])}</div>')
            if name != "foot":
                html.append(slip.rule(rule) if choices.chance(f"rule {name}", 0.7) else "")
    if choices.chance("barcode", 0.2):
        html.append(barcode(fill("############", sheet.style)))
    return html


def _head(sheet: Sheet, slip: Slip) -> list[str]:
    choices, seller = sheet.choices, sheet.trade.seller
    centre = slip.centre if choices.chance("head in the middle", 0.75) else slip.left
    kind = choices.pick(
        "name", {"large": 4, "plain": 4, "brand and legal name": 3, "logo and legal name": 2, "only logo": 0.7, "brand": 2}
    )
    lines: list[str] = []
    large = f"font-size:{sheet.style.uniform(1.2, 2.2):.2f}em;font-weight:bold;line-height:1.15"
    if kind in {"large", "plain"}:
        lines.append(centre(sheet.mark("vendor_name", seller.name), large if kind == "large" else ""))
    elif kind == "brand and legal name":
        lines.append(
            centre(f'<span data-a="vendor_name">{escape(seller.brand)}</span>' if seller.brand != seller.name else "", large)
        )
        lines.append(centre(sheet.mark("vendor_name", seller.name)))
    elif kind == "brand":
        lines.append(centre(sheet.mark("vendor_name", seller.brand), large))
    else:
        lines.append(centre(logo(sheet)))
        if kind == "logo and legal name":
            lines.append(centre(sheet.mark("vendor_name", seller.name)))
    address = choices.pick("address", {"lines": 6, "one line": 2, "city": 0.8, "none": 1.2})
    if address == "city":
        lines.append(centre(sheet.mark("address", seller.city)))
    elif address != "none":
        parts = address_lines(sheet, seller, seller=True)
        lines += [centre(", ".join(parts))] if address == "one line" else [centre(part) for part in parts]
    if choices.chance("phone", 0.5):
        lines.append(centre(f"{sheet.other('phone')} {escape(seller.phone)}"))
    if choices.chance("web", 0.25):
        lines.append(centre(escape(seller.web)))
    if choices.chance("tax id on the slip", 0.55):
        lines.append(centre(tax_line(sheet)))
    if sheet.language == "de" and sheet.style.random() < 0.05:
        lines.append(centre(f"{sheet.other('tax_no')} {escape(seller.tax_number)}"))
    if choices.chance("title", 0.25):
        lines.append(
            centre(
                escape(upper(sheet.style.choice(words(sheet.language, "receipt_title")), sheet.language)), "font-weight:bold"
            )
        )
    return lines


def _when(sheet: Sheet, slip: Slip, moment: datetime.datetime, number: str) -> list[str]:
    choices = sheet.choices
    day = sheet.date("invoice_date", moment.date())
    clock = sheet.dates.time(moment.time())
    time = sheet.mark("time", clock, parse_time(clock) or f"{moment:%H:%M}")
    form = choices.pick(
        "date and time",
        {"one line": 4, "labelled line": 3, "two lines": 2, "one word": 0.7, "two ends": 2, "date only": 0.8, "dash": 0.6},
    )
    lines = {
        "one line": [slip.left(f"{day} {time}")],
        "labelled line": [slip.left(f"{sheet.label('invoice_date')} {day} {time}")],
        "two lines": [slip.pair(sheet.label("invoice_date"), day), slip.pair(sheet.label("time"), time)],
        "one word": [slip.left(f"{day}{sheet.style.choice(['T', '/', '-', '_'])}{time}")],
        "two ends": [slip.between(day, time)],
        "date only": [slip.left(f"{sheet.label('invoice_date')} {day}")],
        "dash": [slip.left(f"{day} - {time}")],
    }[form]
    others: list[str] = []
    if choices.chance("number", 0.75):
        label = sheet.label("invoice_number")
        value = sheet.mark("invoice_number", number)
        others.append(f"{label}{'' if label.endswith(':') and sheet.style.random() < 0.2 else ' '}{value}")
    for name, share in {
        "store": 0.25,
        "till": 0.35,
        "cashier": 0.4,
        "transaction": 0.25,
        "table": 0.15,
        "guests": 0.08,
        "order_no": 0.08,
        "customer_no": 0.05,
    }.items():
        if choices.rng.random() < share:
            choices.log["beside the date"] = f"{choices.log.get('beside the date', '')} {name}".strip()
            value = (
                sheet.style.choice(words(sheet.language, "first"))
                if name == "cashier" and sheet.style.random() < 0.6
                else fill(sheet.style.choice(["#", "##", "###", "####"]), sheet.style)
            )
            others.append(f"{sheet.other(name)} {escape(value)}")
    if choices.chance("others shuffled", 0.5):
        choices.rng.shuffle(others)
    pair_up = choices.chance("two a line", 0.35)
    placed = (
        [
            slip.between(*others[at : at + 2]) if len(others[at : at + 2]) == 2 else slip.left(others[at])
            for at in range(0, len(others), 2)
        ]
        if pair_up
        else [slip.left(o) for o in others]
    )
    return [*placed, *lines] if choices.chance("date last", 0.5) else [*lines, *placed]


def _items(sheet: Sheet, slip: Slip, till: Till) -> list[str]:
    choices = sheet.choices
    form = choices.pick("item form", ITEM_FORMS)
    if form == "columns" and slip.columns < 36:
        form = choices.log["item form"] = "columns two lines"
    capital = choices.chance("items in capitals", 0.45)
    cross = choices.pick("times sign", {" x ": 5, "x": 2, " X ": 1, " * ": 1, " @ ": 1, " × ": 1})
    lines = []
    if form.startswith("columns"):
        if choices.chance("column headings", 0.75):
            heads = {name: _heading(sheet, name) for name in ("description", "quantity", "unit_price", "amount")}
            lines.append(
                slip.columns_line(
                    [heads["description"], heads["quantity"], heads["unit_price"], heads["amount"]],
                    two=form.endswith("two lines"),
                )
            )
            lines.append(slip.rule("dashes") if choices.chance("rule below headings", 0.6) else "")
    elif choices.chance("item headings", 0.25):
        lines.append(slip.between(_heading(sheet, "description"), _heading(sheet, "amount")))
    for at, row in enumerate(till.rows):
        lines += _item(sheet, slip, at, row, form, cross, capital=capital)
        if row.discount:
            lines.append(
                slip.between(f"&nbsp; {sheet.other('discount', colon=False)}", f"{escape(sheet.numbers.number(-row.discount))}")
            )
    return lines


def _heading(sheet: Sheet, name: str) -> str:
    text = sheet.label_text(f"line_items.{name}", "receipt")
    return f'<span data-h="{name}">{escape(sheet.cased(text))}</span>' if text else ""


def _item(sheet: Sheet, slip: Slip, at: int, row: TillRow, form: str, cross: str, *, capital: bool) -> list[str]:
    name = upper(row.description, sheet.language) if capital else row.description
    if slip.columns < 34 and len(name) > 20:
        name = name[:20].strip()
    sheet.row_value(at, "description", name)
    text = f'<span data-i="{at}:description">{escape(name)}</span>'
    sheet.row_value(at, "quantity", f"{row.quantity.normalize():f}")
    count_text = sheet.numbers.number(row.quantity, 3 if row.weighed else 0)
    if row.weighed:
        sheet.row_value(at, "quantity", f"{row.quantity:.3f}")
    count = f'<span data-i="{at}:quantity">{count_text}</span>' + (
        escape(sheet.style.choice(["kg", " kg", " l"])) if row.weighed else ""
    )
    places = max(sheet.numbers.decimals, -int(row.unit_price.as_tuple().exponent))
    bare_sums = form.startswith("columns")
    unit = sheet.cell(at, "unit_price", row.unit_price, places, signed=False)
    amount = sheet.cell(at, "amount", row.amount, signed=False if bare_sums else None) + (
        f" {'ABC'[row.rate]}" if slip.tax_codes else ""
    )
    bare = row.quantity == 1
    if form == "quantity name amount":
        return [slip.between(f"{count}{sheet.style.choice([' ', 'x ', ' x '])}{text}", amount)]
    if form == "name / quantity x price amount":
        return (
            [slip.between(text, amount)]
            if bare
            else [slip.left(text), slip.between(f"&nbsp;&nbsp;{count}{cross}{unit}", amount)]
        )
    if form == "quantity x price / name amount":
        return [slip.between(text, amount)] if bare else [slip.left(f"&nbsp;{count}{cross}{unit}"), slip.between(text, amount)]
    if form == "columns":
        return [slip.columns_line([text, count, unit, amount], two=False)]
    if form == "columns two lines":
        return [slip.left(text), slip.columns_line(["", count, unit, amount], two=True)]
    if form == "name price x quantity amount":
        return [slip.between(text if bare else f"{text} {unit}{cross}{count}", amount)]
    if form == "code name amount":
        return [slip.between(f"{row.code} {text}", amount)]
    if form == "number name / amount":
        return [slip.left(f"{at + 1}. {text}"), slip.between("" if bare else f"&nbsp;&nbsp;{count}{cross}{unit}", amount)]
    if row.weighed or row.quantity > 1:
        detail = slip.left(f"&nbsp;&nbsp;{count}{cross}{unit}")
        return [slip.between(text, amount), detail]
    return [slip.between(text, amount)]


def _paper(sheet: Sheet, slip: Slip, sections: list[str]) -> tuple[str, int]:
    choices, rng = sheet.choices, sheet.style
    mono = choices.chance("monospaced", 0.7) and sheet.language not in CJK_FONTS
    family = draw(rng, MONO if mono else PROPORTIONAL)
    size = rng.uniform(9, 13)
    ratio = {"ja": 0.72, "zh": 0.72, "ko": 0.72}.get(sheet.language, 0.61 if mono else 0.56)
    pad = rng.randint(6, 26)
    width = int(slip.columns * size * ratio) + 2 * pad
    fallback = CJK_FONTS.get(sheet.language, "'Noto Sans Mono','DejaVu Sans Mono'" if mono else "'Noto Sans'")
    html = (
        f'<div class="doc" lang="{sheet.language}"><div class="page" style="width:{width}px;padding:{rng.randint(6, 40)}px {pad}px;'
        f"font-family:'{family}',{fallback},monospace;font-size:{size:.2f}px;line-height:{rng.uniform(1.05, 1.45):.2f}\">{''.join(sections)}</div></div>"
    )
    return html, width


__all__ = ["Slip", "receipt"]
