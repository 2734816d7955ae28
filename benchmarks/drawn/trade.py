"""What a drawn document says, and how its language writes it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from babel.numbers import format_decimal, get_currency_symbol

from benchmarks.drawn import wording

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Rounded as merchants round."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Row:
    """One line of goods."""

    description: str
    quantity: Decimal
    price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times price."""
        return cents(self.quantity * self.price)


@dataclass
class Voice:
    """One author's habits: the words, formats and marks that he uses throughout a document."""

    language: str
    chance: random.Random
    _said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = self.chance
        self.locale = wording.LOCALES[self.language]
        self.currency = chance.choice((wording.CURRENCIES[self.language], wording.CURRENCIES[self.language], "EUR", "USD"))
        self.pattern = chance.choice(wording.DATES[self.language])
        self.rate = chance.choice(wording.RATES[self.language])
        self.mark = chance.choice(("", "", "symbol", "code", "before"))
        self.grouped = chance.random() < 0.7
        self.colon = chance.choice(("", ":", ":"))

    def say(self, key: str) -> str:
        """The author's word for something."""
        if key not in self._said:
            self._said[key] = self.chance.choice(wording.WORDS[self.language][key].split("|")).format(rate=self.rate)
        return self._said[key]

    def one_of(self, choices: dict[str, str]) -> str:
        """One of the language's choices."""
        return self.chance.choice(choices[self.language].split("|"))

    def day(self, day: date) -> str:
        """A date as written."""
        return str(format_date(day, self.pattern, self.locale))

    def number(self, value: Decimal) -> str:
        """A quantity."""
        return str(format_decimal(value, locale=self.locale))

    def money(self, amount: Decimal, *, marked: bool = False) -> str:
        """An amount; ``marked`` with the author's currency mark."""
        text = str(format_decimal(amount, "#,##0.00", self.locale, group_separator=self.grouped)).replace("\u202f", " ")
        symbol = get_currency_symbol(self.currency, self.locale)
        marks = {"symbol": f"{text} {symbol}", "code": f"{text} {self.currency}", "before": f"{symbol}{text}"}
        return marks.get(self.mark, text) if marked else text


@dataclass(frozen=True)
class Deal:
    """One sale with all its sums."""

    seller: str
    buyer: str
    number: str
    issued: date
    due: date
    rows: tuple[Row, ...]
    discount: Decimal
    shipping: Decimal
    rate: int
    deposit: Decimal

    @property
    def items(self) -> Decimal:
        """Sum of the rows."""
        return sum((row.amount for row in self.rows), Decimal(0))

    @property
    def subtotal(self) -> Decimal:
        """Net, after discount and with shipping."""
        return self.items - self.discount + self.shipping

    @property
    def tax(self) -> Decimal:
        """Tax on the net sum."""
        return cents(self.subtotal * self.rate / 100)

    @property
    def total(self) -> Decimal:
        """Gross."""
        return self.subtotal + self.tax


def make_deal(voice: Voice, most: int = 8, dearest: int = 120_000) -> Deal:
    """A sale by chance."""
    chance = voice.chance
    rows = tuple(
        Row(
            voice.one_of(wording.GOODS),
            Decimal(chance.choice((1, 1, 2, 3, 5, 10, 12, 40))) / chance.choice((1, 1, 1, 2)),
            Decimal(chance.randint(95, min(dearest, chance.choice((900, 9000, 120_000))))) / 100,
        )
        for _ in range(chance.randint(1, most))
    )
    items = sum((row.amount for row in rows), Decimal(0))
    discount = cents(items / chance.choice((10, 20))) if chance.random() < 0.2 else Decimal(0)
    shipping = Decimal(chance.choice(("4.90", "12.00", "7.50"))) if chance.random() < 0.25 else Decimal(0)
    issued = date(2021, 1, 4) + timedelta(days=chance.randrange(1800))
    number = chance.choice(
        (
            f"{issued.year}-{chance.randint(1, 9999):04}",
            f"{chance.randint(10000, 9999999)}",
            f"R{chance.randint(100, 99999)}",
            f"INV/{issued.year}/{chance.randint(1, 999):03}",
            f"{chance.choice('ABFX')}{chance.choice('KLMN')}-{chance.randint(100, 9999)}",
        )
    )
    deposit = Decimal(chance.choice((20, 50))) if chance.random() < 0.12 and items > 200 else Decimal(0)
    return Deal(
        voice.one_of(wording.SELLERS),
        voice.one_of(wording.BUYERS),
        number,
        issued,
        issued + timedelta(days=chance.choice((7, 14, 30, 60))),
        rows,
        discount,
        shipping,
        voice.rate,
        deposit,
    )
