"""Amounts that repeat others of the page in another currency: "400.00 EUR" and below "1,717.48 PLN" at a rate of 4.2937.

Many countries ask for them on invoices in a foreign currency (EN 16931, BT-6 and BT-111). They are not what the document charges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import product

from pipeline.engines.embedded.fields.candidates import Candidate

CENT = Decimal("0.01")
_RATE = re.compile(r"(?<![\d.,])\d{1,6}[.,]\d{3,8}(?![\d.,])")
"""Exchange rates are printed with at least three decimals."""
_NO_AMOUNTS = frozenset((Decimal(0), Decimal(1)))
"""Without a meaning here: nothing at any rate is nothing, and "1 EUR" is what a rate is for."""
MOST_AMOUNTS = 30
"""Amounts of one currency, and rates, that are compared. Their number grows the time by its third power."""


def converted_amounts(numbers: Sequence[Candidate], texts: Iterable[str]) -> list[Candidate]:
    """The amounts in the currencies that follow the page's first one, where a rate that is printed proves one of them.

    ``numbers`` are those of the page in reading order, ``texts`` its texts. Numbers that are the rate are returned, too. Without a rate
    nothing is: two currencies may then be two parts of what is charged.
    """
    named = [number for number in numbers if number.currency]
    if len({number.currency for number in named}) < 2:
        return []
    printed = [Decimal(match.replace(",", ".")) for text in texts for match in _RATE.findall(text)]
    rates = {rate for rate in printed[:MOST_AMOUNTS] if rate}
    amounts = [number for number in named if Decimal(number.value) not in rates | _NO_AMOUNTS]
    own, *others = _by_currency(amounts).items()
    found: list[Candidate] = []
    for currency, converted in others:
        proofs = {rate for rate in rates if any(_is_converted(a, b, rate) for a, b in product(own[1], converted))}
        if proofs:
            found += [number for number in numbers if number.currency == currency or Decimal(number.value) in proofs]
    return found


def _by_currency(amounts: Iterable[Candidate]) -> dict[str, list[Decimal]]:
    """The values of each currency, once each, in reading order."""
    values: dict[str, dict[Decimal, None]] = {}
    for number in amounts:
        values.setdefault(number.currency or "", {})[Decimal(number.value)] = None
    return {currency: list(found)[:MOST_AMOUNTS] for currency, found in values.items()}


def _is_converted(own: Decimal, other: Decimal, rate: Decimal) -> bool:
    """Whether one amount is the other one at a rate, which is printed in either direction."""
    return abs(own * rate - other) <= CENT or abs(other * rate - own) <= CENT
