"""Till receipts whose every part is placed, worded and left out by chance."""

from __future__ import annotations

import random
from datetime import time
from decimal import Decimal
from typing import Any

from benchmarks.drawn import wording
from benchmarks.drawn.sheet import Sheet
from benchmarks.drawn.trade import Voice, cents, make_deal

Facts = dict[str, Any]


def draw_receipt(seed: int, language: str, *, scanned: bool) -> tuple[bytes, Facts]:
    """A PDF, or the JPEG of its scan, and the values that it prints (None: does not print)."""
    chance = random.Random(seed)
    voice = Voice(language, chance)
    deal = make_deal(voice, most=7, dearest=900)
    width = chance.choice((210.0, 250.0, 300.0))
    sheet = Sheet(width, 700, -1 if language == "zh" else chance.choice((2, 2, 0)))
    small, left, right = width / 28, 14.0, width - 14
    y = 26.0
    street, town = voice.one_of(wording.STREETS), voice.one_of(wording.TOWNS)
    facts: Facts = {"vendor_name": deal.seller, "address": f"{street}, {town}"}
    for text, size in ((deal.seller, small * chance.choice((1.0, 1.3))), (street, small), (town, small)):
        sheet.text(width / 2, y, text, min(size, (width - 20) / max(8, len(text)) * 1.6), "centre", bold=size > small)
        y += small * 1.5
    if chance.random() < 0.6:
        sheet.text(
            width / 2, y, f"{voice.say('vat')} {voice.language.upper()}{chance.randint(10**8, 10**9 - 1)}", small, "centre"
        )
        y += small * 1.5
    y += small
    at = time(chance.randint(8, 21), chance.randint(0, 59))
    stamp = f"{voice.day(deal.issued)} {at:%H:%M}"
    facts |= {"date": deal.issued.isoformat(), "time": f"{at:%H:%M}"}
    number = str(chance.randint(1000, 999999))
    facts["receipt_number"] = number
    head = [
        f"{voice.say('receipt')}{voice.colon} {number}",
        f"{voice.say('date')}{voice.colon} {stamp}" if chance.random() < 0.5 else stamp,
    ]
    late = chance.random() < 0.3
    for text in head if not late else head[:1]:
        sheet.text(left, y, text, small)
        y += small * 1.4
    y += small
    gross = [(row.description, cents(row.amount * (100 + voice.rate) / 100)) for row in deal.rows]
    total = sum((amount for _, amount in gross), Decimal(0))
    tax = cents(total * voice.rate / (100 + voice.rate))
    for name, amount in gross:
        sheet.text(left, y, name[:18], small)
        sheet.text(right, y, voice.money(amount), small, "right")
        y += small * 1.4
    y += small * 0.6
    lines: list[tuple[str, Decimal]] = []
    if chance.random() < 0.4:
        lines.append((voice.say("subtotal"), total if chance.random() < 0.5 else total - tax))
    taxed = chance.random()
    if taxed < 0.4:
        lines.append((voice.say("tax"), tax))
    lines.append((voice.say("total"), total))
    paid = Decimal(int(total / 10 + 1) * 10)
    if chance.random() < 0.6:
        lines += [(voice.say("cash"), paid), (voice.say("change"), paid - total)]
    elif chance.random() < 0.6:
        lines.append((voice.say("card"), total))
    if taxed > 0.7:
        lines.append((voice.say("tax"), tax))
    facts |= {"total": str(total), "tax_total": str(tax) if taxed < 0.4 or taxed > 0.7 else None}
    for label, amount in lines:
        large = label == voice.say("total") and chance.random() < 0.5
        sheet.text(left, y, label, small * (1.3 if large else 1.0), bold=large)
        sheet.text(
            right,
            y,
            voice.money(amount, marked=label == voice.say("total")),
            small * (1.3 if large else 1.0),
            "right",
            bold=large,
        )
        y += small * 1.6
    y += small
    for text in [*(head[1:] if late else []), voice.say("thanks")]:
        sheet.text(width / 2, y, text, small, "centre")
        y += small * 1.5
    return (sheet.scan(chance, y + 10) if scanned else sheet.pdf(y + 10)), facts
