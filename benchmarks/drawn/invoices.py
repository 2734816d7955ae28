"""Invoices whose every part is placed, worded and left out by chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from benchmarks.drawn import wording
from benchmarks.drawn.sheet import Sheet
from benchmarks.drawn.trade import Deal, Voice, make_deal

Facts = dict[str, Any]
Pairs = list[tuple[str, str]]
LEFT, RIGHT = 50.0, 545.0
Cell = Callable[[int], str]


def draw_invoice(seed: int, language: str, *, scanned: bool) -> tuple[bytes, Facts]:
    """A PDF, or the JPEG of its scan, and the values that it prints (None: does not print)."""
    chance = random.Random(seed)
    voice = Voice(language, chance)
    deal = make_deal(voice)
    sheet = Sheet(595, 842, -1 if language == "zh" else chance.choice((0, 0, 1, 2)))
    top = _header(sheet, voice, deal)
    facts: Facts = {"vendor_name": deal.seller, "currency": voice.currency if voice.mark else None}
    top = chance.choice((_beside, _two_columns, _below))(sheet, top, voice, _meta(voice, deal, facts))
    top = _goods(sheet, top + 24, voice, deal)
    _sums(sheet, top + 14, voice, deal, facts)
    _footer(sheet, voice, deal)
    return (sheet.scan(chance) if scanned else sheet.pdf()), facts


def _header(sheet: Sheet, voice: Voice, deal: Deal) -> float:
    chance = voice.chance
    street, town = voice.one_of(wording.STREETS), voice.one_of(wording.TOWNS)
    size = chance.choice((10, 13, 18))
    where = chance.choice(("left", "right", "line", "centre"))
    if where == "line":
        sheet.text(LEFT, 96, f"{deal.seller} · {street} · {town}", 7)
    else:
        x = {"left": LEFT, "right": RIGHT, "centre": 297.0}[where]
        for n, text in enumerate((deal.seller, street, town)):
            sheet.text(x, 60 + 13 * n + (size if n else 0) / 2, text, size if not n else 9, where, bold=not n)  # type: ignore[arg-type]
    buyer_x = LEFT if where in ("line", "right") else chance.choice((LEFT, 330.0))
    y = 122.0
    if chance.random() < 0.5:
        sheet.text(buyer_x, y, voice.say("buyer") + voice.colon, 9)
        y += 13
    for text in (deal.buyer, voice.one_of(wording.STREETS), voice.one_of(wording.TOWNS)):
        sheet.text(buyer_x, y, text, 10)
        y += 13
    sheet.text(chance.choice((LEFT, 330.0)), y + 22, voice.say("invoice"), chance.choice((12, 16, 20)), bold=True)
    return y + 46


def _meta(voice: Voice, deal: Deal, facts: Facts) -> Pairs:
    chance = voice.chance
    pairs = [(voice.say("number"), deal.number), (voice.say("date"), voice.day(deal.issued))]
    facts |= {"invoice_number": deal.number, "invoice_date": deal.issued.isoformat(), "due_date": None}
    if chance.random() < 0.6:
        pairs.append((voice.say("due"), voice.day(deal.due)))
        facts["due_date"] = deal.due.isoformat()
    if chance.random() < 0.5:
        pairs.append((voice.say("order"), str(chance.randint(1000, 999999))))
    if chance.random() < 0.25:
        pairs.append((voice.say("delivery"), voice.day(deal.issued)))
    chance.shuffle(pairs)
    return pairs


def _beside(sheet: Sheet, top: float, voice: Voice, pairs: Pairs) -> float:
    """Label and value in one line of text each."""
    x = voice.chance.choice((LEFT, 340.0))
    for n, (label, value) in enumerate(pairs):
        sheet.text(x, top + 14 * n, f"{label}{voice.colon} {value}")
    return top + 14 * len(pairs)


def _two_columns(sheet: Sheet, top: float, voice: Voice, pairs: Pairs) -> float:
    """Labels in one column, values in the next."""
    x = voice.chance.choice((LEFT, 320.0))
    end = voice.chance.random() < 0.4
    for n, (label, value) in enumerate(pairs):
        sheet.text(x, top + 14 * n, label + voice.colon)
        sheet.text(x + (225 if end else 125), top + 14 * n, value, align="right" if end else "left")
    return top + 14 * len(pairs)


def _below(sheet: Sheet, top: float, voice: Voice, pairs: Pairs) -> float:
    """Labels over their values, side by side."""
    step = (RIGHT - LEFT) / len(pairs)
    for n, (label, value) in enumerate(pairs):
        sheet.text(LEFT + step * n, top, label, 8)
        sheet.text(LEFT + step * n, top + 13, value)
    if voice.chance.random() < 0.5:
        sheet.rule(LEFT, RIGHT, top - 11)
        sheet.rule(LEFT, RIGHT, top + 18)
    return top + 16


def _goods(sheet: Sheet, top: float, voice: Voice, deal: Deal) -> float:
    chance = voice.chance
    columns: list[tuple[str, float, Cell]] = [
        (voice.say("description"), LEFT + 30, lambda n: deal.rows[n].description),
        (voice.say("quantity"), 350, lambda n: voice.number(deal.rows[n].quantity)),
        (voice.say("price"), 440, lambda n: voice.money(deal.rows[n].price)),
        (voice.say("amount"), RIGHT, lambda n: voice.money(deal.rows[n].amount)),
    ]
    if chance.random() < 0.3:
        columns[0], columns[1] = (columns[0][0], LEFT + 60, columns[0][2]), (columns[1][0], LEFT + 30, columns[1][2])
    if chance.random() < 0.4:
        columns.append(("Pos." if voice.language == "de" else "#", LEFT, lambda n: str(n + 1)))
    if chance.random() < 0.3:
        columns.append(("%", 485, lambda _: f"{voice.rate}%"))
        columns[2] = (columns[2][0], 420, columns[2][2])
    for title, x, _ in columns:
        sheet.text(x, top, title, 9, "left" if x < 200 else "right", bold=True)
    sheet.rule(LEFT, RIGHT, top + 4)
    for n in range(len(deal.rows)):
        for _, x, cell in columns:
            sheet.text(x, top + 18 + 15 * n, cell(n), 9, "left" if x < 200 else "right")
    return top + 18 + 15 * len(deal.rows)


def _sums(sheet: Sheet, top: float, voice: Voice, deal: Deal, facts: Facts) -> None:
    chance = voice.chance
    lines: list[tuple[str, Decimal]] = []
    if deal.discount:
        lines.append((voice.say("discount"), -deal.discount))
    if deal.shipping:
        lines.append((voice.say("shipping"), deal.shipping))
    facts |= {"subtotal": str(deal.subtotal), "tax_total": str(deal.tax), "total": str(deal.total)}
    lines += [(voice.say("subtotal"), deal.subtotal), (voice.say("tax"), deal.tax), (voice.say("total"), deal.total)]
    if deal.deposit:
        lines += [(voice.say("deposit"), deal.deposit), (voice.say("due_amount"), deal.total - deal.deposit)]
        facts["amount_due"] = str(deal.total - deal.deposit)
    elif chance.random() < 0.25:
        lines.append((voice.say("due_amount"), deal.total))
        facts["amount_due"] = str(deal.total)
    if chance.random() < 0.15 and len(lines) <= 5:
        step = (RIGHT - LEFT) / len(lines)
        for n, (label, amount) in enumerate(lines):
            sheet.text(LEFT + step * (n + 1), top + 6, label, 8, "right")
            sheet.text(LEFT + step * (n + 1), top + 20, voice.money(amount, marked=True), 10, "right")
        return
    widest = max(sheet.length(label + voice.colon + voice.money(amount, marked=True), 11) for label, amount in lines)
    x = min(chance.choice((330.0, 380.0, 400.0)), RIGHT - widest - 14)
    for n, (label, amount) in enumerate(lines):
        last = label == voice.say("total")
        sheet.text(x, top + 15 * n, label + voice.colon, 10, bold=last)
        sheet.text(RIGHT, top + 15 * n, voice.money(amount, marked=True), 11 if last else 10, "right", bold=last)


def _footer(sheet: Sheet, voice: Voice, deal: Deal) -> None:
    chance = voice.chance
    vat = f"{voice.say('vat')} {voice.language.upper()}{chance.randint(100000000, 999999999)}"
    parts = [
        vat,
        f"IBAN XX{chance.randint(10, 99)} 5001 0517 {chance.randint(1000, 9999)}",
        f"Tel. 0{chance.randint(100, 999)} 55{chance.randint(1000, 9999)}",
    ]
    if chance.random() < 0.6:
        parts.insert(0, deal.seller)
    sheet.text(297, 810, "  ·  ".join(parts), 7, "centre")
