"""The lower half of a till slip: sums, payment, taxes, and what a card terminal prints."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from html import escape

from training.generator.identifiers import fill
from training.generator.sheet import Sheet
from training.generator.slip_text import Slip
from training.generator.till import Till
from training.generator.vocabulary import pack_labels


def sums_lines(sheet: Sheet, slip: Slip, till: Till) -> list[str]:
    """Subtotal, taxes where they are added, rounding, total."""
    choices = sheet.choices
    lines: list[str] = []
    many = till.net or till.rounding or till.discounts
    subtotal = next(iter(pack_labels(sheet.language, "invoice.subtotal")), "Subtotal")
    if choices.chance("subtotal", 0.75 if many else 0.25):
        lines.append(slip.between(escape(sheet.cased(subtotal)) + sheet.colon, escape(sheet.numbers.number(till.subtotal))))
    if till.net:
        for _, rate, _, tax in till.taxes:
            lines.append(
                slip.between(
                    f"{sheet.label('tax_total', colon=False)} {sheet.percent(rate)}",
                    sheet.amount("tax_total" if len(till.taxes) == 1 else None, tax, signed=False),
                )
            )
    if till.rounding:
        lines.append(slip.between(sheet.other("rounding"), escape(sheet.numbers.number(till.rounding))))
    if choices.chance("count of items", 0.2) and till.rows:
        lines.append(slip.between(sheet.other("items"), str(len(till.rows))))
    form = choices.pick("total", {"large": 4, "bold": 3, "plain": 3, "middle": 0.7, "code between": 1.5})
    label = sheet.label("total")
    amount = sheet.amount("total", till.total)
    fits = len(re.sub("<[^>]*>", "", label + amount)) * 1.7 < slip.columns
    style = {"large": f"font-size:{sheet.style.uniform(1.2, 1.9):.2f}em;font-weight:bold", "bold": "font-weight:bold"}.get(
        form if fits else "bold", ""
    )
    if form == "code between":
        code = sheet.mark(
            "currency",
            sheet.style.choice([sheet.numbers.currency, sheet.numbers.sign or sheet.numbers.currency]),
            sheet.numbers.currency,
        )
        lines.append(slip.between(f"{label} {code}", sheet.amount("total", till.total, signed=False), "font-weight:bold"))
    elif form == "middle":
        lines.append(slip.centre(f"{label} {amount}", "font-weight:bold"))
    else:
        lines.append(slip.between(label, amount, style))
    if choices.chance("total twice", 0.08):
        lines.append(slip.between(sheet.label("total"), sheet.amount("total", till.total)))
    return lines


def payment_lines(sheet: Sheet, slip: Slip, till: Till) -> list[str]:
    """Cash and change, or the card; a tip."""
    if not sheet.choices.chance("payment", 0.85):
        return []
    lines = [slip.between(sheet.other("cash" if till.cash else "card"), _plain(sheet, till.tendered))]
    if till.cash and (till.change or sheet.style.random() < 0.5):
        lines.append(slip.between(sheet.other("change"), _plain(sheet, till.change)))
    if till.tip and not till.cash:
        lines.append(slip.between(sheet.other("tip"), _plain(sheet, till.tip)))
        if sheet.style.random() < 0.5:
            lines.append(slip.between(sheet.other("card"), _plain(sheet, till.total + till.tip)))
    if till.discounts and sheet.style.random() < 0.4:
        lines.append(slip.between(sheet.other("you_saved"), _plain(sheet, till.discounts)))
    return lines


def _plain(sheet: Sheet, value: Decimal) -> str:
    text = escape(sheet.numbers.number(value))
    return sheet.with_sign(text) if sheet.signs == "all" else text


def tax_lines(sheet: Sheet, slip: Slip, till: Till) -> list[str]:
    """The taxes in the total: a line, a line for each rate, or a table."""
    if till.net and sheet.choices.pick("taxes", {"none": 9, "table": 1}) == "none":
        return []
    form = sheet.choices.pick("taxes", {"table": 4, "lines": 4, "none": 2, "sum": 1})
    one = len(till.taxes) == 1
    if form == "none":
        return []
    if form == "sum":
        return [slip.between(sheet.label("tax_total"), sheet.amount("tax_total", till.tax_total, signed=False))]
    lines: list[str] = []
    if form == "lines":
        for _, rate, base, tax in till.taxes:
            label = sheet.label("tax_total", colon=False)
            label = label if one else label.replace('data-l="tax_total"', "data-partial")
            behind = (
                f" {sheet.numbers.number(base)}"
                if sheet.choices.log.get("rules") == "dashes" and sheet.style.random() < 0.3
                else ""
            )
            lines.append(
                slip.between(
                    f"{label} {sheet.percent(rate)}{behind}", sheet.amount("tax_total" if one else None, tax, signed=False)
                )
            )
        if not one and sheet.choices.chance("sum of taxes", 0.4):
            lines.append(slip.between(sheet.label("tax_total"), sheet.amount("tax_total", till.tax_total, signed=False)))
        return lines
    gross = sheet.choices.chance("tax table gross", 0.5)
    head = [
        sheet.other("tax_rate", colon=False),
        sheet.other("net", colon=False),
        escape(sheet.cased(sheet.label_text("tax_total"))),
    ]
    head += [sheet.other("gross", colon=False)] if gross else []
    rows = [head] if sheet.choices.chance("tax table heading", 0.85) else []
    for at, rate, base, tax in till.taxes:
        code = f"{'ABC'[at]} " if slip.tax_codes else ""
        cells = [
            f"{code}{sheet.percent(rate)}",
            escape(sheet.numbers.number(base)),
            sheet.amount("tax_total" if one else None, tax, signed=False),
        ]
        rows.append(cells + ([escape(sheet.numbers.number(base + tax))] if gross else []))
    if not one and sheet.choices.chance("sum of taxes", 0.5):
        base = sum((row[2] for row in till.taxes), Decimal(0))
        cells = [
            escape(sheet.cased(sheet.label_text("total"))),
            escape(sheet.numbers.number(base)),
            sheet.amount("tax_total", till.tax_total, signed=False),
        ]
        rows.append(cells + ([escape(sheet.numbers.number(base + till.tax_total))] if gross else []))
    grid = "".join(
        f'<div style="text-align:{"left" if at == 0 else "right"};min-width:0">{cell}</div>'
        for row in rows
        for at, cell in enumerate(row)
    )
    return [f'<div style="display:grid;grid-template-columns:repeat({4 if gross else 3},auto);gap:0 .6em">{grid}</div>']


def card_part(sheet: Sheet, slip: Slip, till: Till, moment: datetime.datetime) -> list[str]:
    """What the terminal adds: card number, terminal, codes, the amount again."""
    rng = sheet.style
    lines = [slip.centre(sheet.other("card", colon=False))]
    codes = [
        ("Terminal-ID", fill("########", rng)),
        ("AID", f"A00000000{fill('#####', rng)}"),
        ("Trace", fill("######", rng)),
        ("TVR", fill("##########", rng)),
    ]
    codes += [
        ("", f"**** **** **** {fill('####', rng)}"),
        ("", f"############{fill('####', rng)}".replace("############", "XXXXXXXXXXXX")),
    ]
    for name, value in codes:
        if rng.random() < 0.45:
            lines.append(slip.between(escape(name), value) if name else slip.left(value))
    if rng.random() < 0.6:
        lines.append(slip.between(f"{sheet.other('auth')}", fill("######", rng)))
    if rng.random() < 0.4:
        later = moment + datetime.timedelta(seconds=rng.randint(5, 50))
        lines.append(slip.between(sheet.date(None, later.date()), escape(sheet.dates.time(later.time()))))
    if till.kind == "card slip" or rng.random() < 0.5:
        lines.append(
            slip.between(
                f"{sheet.other('card', colon=False)} {sheet.numbers.currency if rng.random() < 0.5 else ''}",
                escape(sheet.numbers.number(till.total)),
            )
        )
    return lines
