"""Rows of a summary by tax rate: "19 %  200.00  38.00  238.00". Where there are several rates, none of their amounts is a total."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate

TOLERANCE = Decimal("0.02")
MAX_RATE = Decimal(40)


def rate_rows(numbers: Sequence[Candidate]) -> set[int]:
    """The rows of the page with a rate, a net amount and the tax on it, where there are at least two rates above zero; else none.

    ``numbers`` are all numbers of the page, rates among them (kind ``percent``).
    """
    by_row: dict[int, list[Candidate]] = defaultdict(list)
    for number in numbers:
        by_row[number.run.row].append(number)
    rates = {row: rate for row, found in by_row.items() if (rate := _rate(found)) is not None}
    return set(rates) if len(set(rates.values()) - {Decimal(0)}) > 1 else set()


def _rate(numbers: Sequence[Candidate]) -> Decimal | None:
    """The rate of a row whose amounts are a net amount and its tax, in this order; None for other rows."""
    amounts = [Decimal(number.value) for number in sorted(numbers, key=lambda n: n.box[0]) if number.kind == "money"]
    for number in numbers:
        rate = Decimal(number.value)
        if number.kind != "percent" or not 0 <= rate <= MAX_RATE:
            continue
        for at, net in enumerate(amounts):
            if net and any(abs(net * rate / 100 - tax) <= TOLERANCE for tax in amounts[at + 1 :]):
                return rate
    return None
