"""Amounts of money as printed: "€ 1.234,50", "12.50 EUR", "RM12.50", "CHF 20.–", "(5.00)"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from pipeline.values.currencies import split_currency
from pipeline.values.numbers import MINUSES, parse_number

_LONGEST = 60
_EMPTY_CENTS = re.compile(rf"([.,])\s?[{MINUSES}]{{1,2}}$")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and, where it is printed beside it, the currency (ISO 4217)."""

    amount: Decimal
    currency: str | None = None


def parse_money(text: str, decimal_mark: str | None = None) -> Money | None:
    """The amount that the whole of ``text`` prints, or None. ``decimal_mark`` as for ``parse_number``."""
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    brackets = text.startswith("(") and text.endswith(")")
    sign, rest = "", text[1:-1] if brackets else text
    if rest[:1] and rest[0] in MINUSES + "+":
        sign, rest = rest[0], rest[1:]
    currency, rest = split_currency(rest)
    number = parse_number(_EMPTY_CENTS.sub("", rest.strip()), decimal_mark)
    if number is None:
        return None
    negative = brackets or (sign and sign in MINUSES)
    return Money(-abs(number) if negative and number else number, currency)
