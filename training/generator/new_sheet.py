"""What a document is about and which habits it has, before anything of it is written."""

from __future__ import annotations

import random
from decimal import Decimal

from training.generator.amounts import Item, Sums, make_items, make_sums, rounded
from training.generator.business import Trade, goods, party, units
from training.generator.choices import Choices, draw
from training.generator.formats import NBSP, date_style, number_style
from training.generator.sheet import Sheet, colon_style
from training.generator.vocabulary import Country, other_label, words


def make_trade(language: str, country: Country, rng: random.Random, *, shop: bool) -> Trade:
    """A seller, a buyer and their goods."""
    return Trade(
        language=language,
        country=country,
        seller=party(language, country, rng, shop=shop),
        buyer=party(language, country, rng, person_share=0.25),
        ship_to=party(language, country, rng, person_share=0.1),
        goods=goods(language, shop),
        units=units(language),
    )


def make_sheet(
    kind: str,
    language: str,
    country: Country,
    content: random.Random,
    choices: Choices,
    style: random.Random,
    second: str | None,
    *,
    shop: bool = False,
) -> Sheet:
    """The words and habits of one document."""
    numbers = number_style(country.code, country.locale, country.currency, choices, style)
    return Sheet(
        kind=kind,
        language=language,
        trade=make_trade(language, country, content, shop=shop),
        choices=choices,
        style=style,
        numbers=numbers,
        dates=date_style(country.code, language, choices, style),
        second=second,
        colon=colon_style(language, choices),
        case=choices.pick("label case", {"as is": 5, "first": 3, "upper": 1.5, "lower": 0.3}),
        percent_form=draw(style, {"{}%": 5, f"{{}}{NBSP}%": 4, "({}%)": 0.7, "{}": 0.3}),
        rate_decimals=draw(style, {None: 8, 2: 2, 1: 0.5}),
        unknown=draw(style, {0.04: 4, 0.15: 3, 0.5: 1}),
        signs=choices.pick("signs", {"all": 3, "sums": 3, "total": 2, "heading": 1}),
    )


def invoice_sums(sheet: Sheet, country: Country, rng: random.Random) -> Sums:
    """Rows and sums of an invoice in the country."""
    exempt = rng.random() < 0.06 or (country.tax[0] == "0" and rng.random() < 0.4)
    rates = [Decimal(0)] if exempt else [Decimal(rate) for rate in country.tax]
    main = draw(rng, {rate: 3 if at == 0 else 1 for at, rate in enumerate(rates)})
    rates = [main] if rng.random() < 0.75 else list(dict.fromkeys([main, *rates]))[:3]
    count = draw(rng, {1: 2.5, 2: 2, 3: 2.5, rng.randint(4, 8): 4, rng.randint(9, 18): 2.5, rng.randint(19, 60): 0.8})
    items = make_items(sheet.trade.goods, sheet.trade.units, country.currency, rates, count, sheet.numbers.decimals, rng)
    if sheet.choices.chance("rebate as a row", 0.05):
        last = items[-1]
        amount = -rounded(last.amount * rng.choice([5, 10, 20]) / 100, sheet.numbers.decimals)
        text = other_label(sheet.language, "discount", rng)
        if amount and last.amount + amount > 0:
            items.append(Item(text, Decimal(1), amount, amount, last.tax_rate, price_decimals=sheet.numbers.decimals))
    if sheet.choices.chance("long descriptions", 0.12):
        for item in items:
            parts = [item.description, *rng.sample(words(sheet.language, "notes"), k=rng.randint(0, 2))]
            item.description = rng.choice([", ", " - ", " / "]).join([*parts, *([item.sku] if rng.random() < 0.3 else [])])
    if sheet.choices.chance("notes below items", 0.18):
        for item in items:
            item.note = rng.choice(words(sheet.language, "notes")) if rng.random() < 0.7 else ""
    if count > 3 and sheet.choices.chance("groups", 0.08):
        names = words(sheet.language, "groups")
        for at, item in enumerate(items):
            item.group = names[min(at * 2 // count, len(names) - 1)]
    return make_sums(items, country, country.currency, sheet.numbers.decimals, rng, exempt=exempt)
