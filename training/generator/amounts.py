"""Rows and sums of an invoice, right to the cent: discounts, taxes by rate, rounding, deposits, old balances."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from training.generator.business import price
from training.generator.choices import draw
from training.generator.vocabulary import Country

ZERO = Decimal(0)


def rounded(value: Decimal, decimals: int, step: Decimal | None = None) -> Decimal:
    """Half up to this many decimals, or to a multiple of ``step``."""
    if step:
        return ((value / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(Decimal(1).scaleb(-decimals))
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


@dataclass
class Item:
    """One row. ``amount`` is what the row says: net, or gross where the document's rows are gross."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    tax_rate: Decimal = ZERO
    discount: Decimal = ZERO
    """In percent."""
    unit: str = ""
    sku: str = ""
    note: str = ""
    group: str = ""
    price_decimals: int = 2


@dataclass
class Sums:
    """All amounts of an invoice."""

    items: list[Item]
    gross_rows: bool
    items_sum: Decimal
    discount: Decimal
    """Of the whole document, positive."""
    shipping: Decimal
    subtotal: Decimal
    taxes: list[tuple[Decimal, Decimal, Decimal]]
    """Rate in percent, base, tax."""
    tax_total: Decimal
    rounding: Decimal
    total: Decimal
    prepaid: Decimal
    previous: Decimal
    amount_due: Decimal
    exempt: bool = False
    extras: dict[str, Decimal] = field(default_factory=dict)


def make_items(
    names: list[str], unit_names: list[str], currency: str, rates: list[Decimal], count: int, decimals: int, rng: random.Random
) -> list[Item]:
    """Rows with random quantities and prices, amounts still net or gross as the reader takes them."""
    items = []
    discounted = rng.random() < 0.15
    fractions = rng.random() < 0.25
    fine = decimals == 2 and rng.random() < 0.06
    for _ in range(count):
        unit_price = price(currency, rng, 1, 900, decimals)
        if fine:
            unit_price = (unit_price / 10).quantize(Decimal("0.0001")) + Decimal("0.0001")
        quantity = Decimal(draw(rng, {1: 5, 2: 2, rng.randint(3, 12): 3, rng.randint(10, 500): 1}))
        if fractions and rng.random() < 0.5:
            quantity = Decimal(rng.choice(["0.5", "1.5", "2.25", "7.5", "12.75", "0.75", "3.4", "2.5", "8.325"]))
        discount = Decimal(rng.choice([0, 0, 5, 10, 20, 15])) if discounted else ZERO
        amount = rounded(quantity * unit_price * (100 - discount) / 100, decimals)
        items.append(
            Item(
                description=rng.choice(names),
                quantity=quantity,
                unit_price=unit_price,
                amount=amount,
                tax_rate=rng.choices(rates, weights=[4, *[1] * (len(rates) - 1)])[0],
                discount=discount,
                unit=rng.choice(unit_names),
                sku="".join(rng.choice("0123456789") for _ in range(rng.randint(4, 7)))
                if rng.random() < 0.6
                else f"{rng.choice('ABCDEFGHKLMN')}{rng.choice('ABCDEFGHKLMN')}-{rng.randint(100, 9999)}",
                price_decimals=4 if fine else decimals,
            )
        )
    return items


def make_sums(items: list[Item], country: Country, currency: str, decimals: int, rng: random.Random, *, exempt: bool) -> Sums:
    """The sums that follow from the rows, with the country's habits of tax, rounding and deposits."""
    gross_rows = rng.random() < country.gross and not exempt
    items_sum = sum((item.amount for item in items), ZERO)
    discount = rounded(items_sum * rng.choice([2, 3, 5, 10]) / 100, decimals) if rng.random() < 0.08 else ZERO
    shipping = price(currency, rng, 4, 40, decimals) if rng.random() < 0.15 else ZERO
    main = items[0].tax_rate
    by_rate: dict[Decimal, Decimal] = {}
    for item in items:
        by_rate[item.tax_rate] = by_rate.get(item.tax_rate, ZERO) + item.amount
    by_rate[main] = by_rate.get(main, ZERO) - discount + shipping
    taxes = []
    for rate, base in sorted(by_rate.items(), reverse=True):
        if gross_rows:
            tax = rounded(base * rate / (100 + rate), decimals)
            taxes.append((rate, base - tax, tax))
        else:
            taxes.append((rate, base, rounded(base * rate / 100, decimals)))
    tax_total = sum((tax for _, _, tax in taxes), ZERO)
    subtotal = sum((base for _, base, _ in taxes), ZERO)
    total = subtotal + tax_total
    step = {
        "CHF": Decimal("0.05"),
        "SEK": Decimal(1),
        "NOK": Decimal(1),
        "DKK": Decimal("0.5"),
        "MYR": Decimal("0.05"),
        "INR": Decimal(1),
    }.get(currency)
    rounding = ZERO
    if step and rng.random() < 0.5:
        rounding = rounded(total, decimals, step) - total
        total += rounding
    prepaid = ZERO
    if rng.random() < 0.12:
        share = Decimal(rng.choice([10, 20, 25, 30, 50, 100]))
        prepaid = rounded(total * share / 100, decimals)
    previous = price(currency, rng, 20, 600, decimals) if rng.random() < 0.05 else ZERO
    return Sums(
        items=items, gross_rows=gross_rows, items_sum=items_sum, discount=discount, shipping=shipping, subtotal=subtotal, taxes=taxes,
        tax_total=tax_total, rounding=rounding, total=total, prepaid=prepaid, previous=previous, amount_due=total - prepaid + previous,
        exempt=exempt,
    )  # fmt: skip
