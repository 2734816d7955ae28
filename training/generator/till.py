"""What a till adds up: rows, discounts, taxes, rounding, and how it is paid."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal

from training.generator.amounts import ZERO, rounded
from training.generator.business import price
from training.generator.choices import draw
from training.generator.vocabulary import Country

NET_COUNTRIES = frozenset({"US", "CA"})
"""Countries whose tills add the tax to the prices."""
CASH_STEP = {
    "CHF": Decimal("0.05"), "SEK": Decimal(1), "NOK": Decimal(1), "DKK": Decimal("0.50"), "MYR": Decimal("0.05"), "AUD": Decimal("0.05"),
    "NZD": Decimal("0.10"), "CAD": Decimal("0.05"), "CZK": Decimal(1), "PLN": Decimal("0.01"), "HUF": Decimal(5),
}  # fmt: skip
NOTES = (5, 10, 20, 50, 100, 200, 500, 1000)
FUELS = ["Diesel", "Super 95", "Super E10", "Super Plus", "Unleaded 95", "V-Diesel", "Premium 98", "AdBlue"]
WEIGHED_SHARE = 0.12
KINDS = {
    "market": 6,
    "restaurant": 3,
    "shop": 3,
    "fuel": 1,
    "hotel": 0.6,
    "taxi": 0.6,
    "pharmacy": 0.8,
    "card slip": 0.8,
    "parking": 0.4,
}


@dataclass
class TillRow:
    """One article. ``discount`` is a line of its own below it."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    rate: int
    """Index of its tax rate."""
    weighed: bool = False
    code: str = ""
    discount: Decimal = ZERO


@dataclass
class Till:
    """All amounts of a slip."""

    kind: str
    rows: list[TillRow]
    rates: list[Decimal]
    subtotal: Decimal
    """What the rows add up to, less discounts."""
    taxes: list[tuple[int, Decimal, Decimal, Decimal]]
    """Index of the rate, rate, base, tax."""
    tax_total: Decimal
    rounding: Decimal
    total: Decimal
    tendered: Decimal
    change: Decimal
    cash: bool
    tip: Decimal
    discounts: Decimal
    net: bool
    sums: dict[str, str] = field(default_factory=dict)


def make_till(names: list[str], country: Country, decimals: int, rng: random.Random) -> Till:
    """A sale with random articles, right to the cent."""
    currency = country.currency
    kind = draw(rng, KINDS)
    count = {
        "market": rng.randint(1, 24), "restaurant": rng.randint(1, 9), "shop": rng.randint(1, 6), "pharmacy": rng.randint(1, 4), "hotel": rng.randint(1, 5),
    }.get(kind, 1)  # fmt: skip
    all_rates = [Decimal(rate) for rate in country.tax]
    rates = list(dict.fromkeys(all_rates))[: 1 if country.code in {"US", "CA"} or rng.random() < 0.45 else 3]
    names = FUELS if kind == "fuel" else names
    rows = [_row(rng.choice(names), kind, currency, decimals, len(rates), rng) for _ in range(count)]
    if rng.random() < 0.2 and kind in {"market", "shop"}:
        for row in rows:
            if rng.random() < 0.25:
                row.discount = rounded(row.amount * rng.choice([10, 20, 25, 30, 50]) / 100, decimals)
    discounts = sum((row.discount for row in rows), ZERO)
    subtotal = sum((row.amount for row in rows), ZERO) - discounts
    net = country.code in NET_COUNTRIES
    taxes = []
    for at, rate in enumerate(rates):
        base = sum((row.amount - row.discount for row in rows if row.rate == at), ZERO)
        if not base:
            continue
        tax = rounded(base * rate / (100 if net else 100 + rate), decimals)
        taxes.append((at, rate, base if net else base - tax, tax))
    tax_total = sum((tax for *_, tax in taxes), ZERO)
    total = subtotal + tax_total if net else subtotal
    cash = kind != "card slip" and rng.random() < 0.5
    step = CASH_STEP.get(currency)
    rounding = ZERO
    if cash and step and rng.random() < 0.8:
        rounding = rounded(total, decimals, step) - total
        total += rounding
    tendered = _tender(total, decimals, rng) if cash else total
    tip = (
        rounded(total * rng.choice([5, 10, 15, 18, 20]) / 100, decimals)
        if kind == "restaurant" and rng.random() < 0.2
        else ZERO
    )
    return Till(
        kind=kind, rows=rows, rates=rates, subtotal=subtotal, taxes=taxes, tax_total=tax_total, rounding=rounding, total=total,
        tendered=tendered, change=tendered - total, cash=cash, tip=tip, discounts=discounts, net=net,
        sums={
            "items": str(sum((row.amount for row in rows), ZERO)), "discount": str(discounts), "tax": str(tax_total),
            "rounding": str(rounding), "total": str(total), "net": str(net),
        },
    )  # fmt: skip


def _row(name: str, kind: str, currency: str, decimals: int, rates: int, rng: random.Random) -> TillRow:
    low, high = {"hotel": (40, 220), "taxi": (6, 70), "parking": (1, 25), "restaurant": (2, 30), "card slip": (3, 120)}.get(
        kind, (0.4, 25)
    )
    unit_price = price(currency, rng, low, high, decimals)
    quantity = Decimal(draw(rng, {1: 7, 2: 2, rng.randint(3, 8): 1}) if kind not in {"taxi", "parking", "card slip"} else 1)
    weighed = kind == "fuel" or (kind == "market" and rng.random() < WEIGHED_SHARE)
    if weighed:
        quantity = Decimal(f"{rng.uniform(12, 60):.2f}") if kind == "fuel" else Decimal(f"{rng.uniform(0.1, 2.5):.3f}")
        if kind == "fuel":
            unit_price = price(currency, rng, 1.2, 2.1, max(decimals, 3))
    return TillRow(
        description=name,
        quantity=quantity,
        unit_price=unit_price,
        amount=max(rounded(quantity * unit_price, decimals), Decimal(1).scaleb(-decimals)),
        rate=rng.choices(range(rates), weights=[3, *[1] * (rates - 1)])[0],
        weighed=weighed,
        code="".join(rng.choice("0123456789") for _ in range(rng.choice([4, 6, 8, 13]))),
    )


def _tender(total: Decimal, decimals: int, rng: random.Random) -> Decimal:
    """Cash that a customer may hand over."""
    if rng.random() < 0.15:
        return total
    scale = Decimal(10) ** max(0, len(str(int(total))) - 3)
    options = [note * scale for note in NOTES if note * scale >= total] or [rounded(total, 0) + scale]
    return Decimal(options[min(rng.choice([0, 0, 1]), len(options) - 1)]).quantize(Decimal(1).scaleb(-decimals))
