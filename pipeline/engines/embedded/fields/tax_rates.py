"""Rows of a summary by tax rate: "19 %  200.00  38.00  238.00". Where there are several rates, none of their amounts is a total."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate

TOLERANCE = Decimal("0.02")
MAX_RATE = Decimal(40)
MAX_NUMBERS = 60
"""A row with more numbers is no row of a summary. The time for a row grows with the square of their number, and more."""
_Cells = tuple[Candidate, ...]


def rate_cells(numbers: Sequence[Candidate]) -> list[Candidate]:
    """The amounts of all rows with a rate, a net amount and the tax on it, where there are at least two rates above zero; else none.

    ``numbers`` are all numbers of the page, rates among them (kind ``percent``). What else stands in such a row is not returned: the
    totals may stand beside the summary.
    """
    by_row: dict[int, list[Candidate]] = defaultdict(list)
    for number in numbers:
        by_row[number.run.row].append(number)
    found = [cells for row in by_row.values() if (cells := _cells(sorted(row, key=lambda n: n.box[0])))]
    rates = {Decimal(cells[0].value) for cells in found}
    return [cell for cells in found for cell in cells[1:]] if len(rates - {Decimal(0)}) > 1 else []


def _cells(numbers: Sequence[Candidate]) -> _Cells:
    """Rate, net amount, tax and, where it is printed, gross amount of a row: of several such cells those closest together."""
    if len(numbers) > MAX_NUMBERS:
        return ()
    amounts = [number for number in numbers if number.kind == "money"]
    values = [Decimal(amount.value) for amount in amounts]
    by_value = sorted(range(len(amounts)), key=lambda at: values[at])
    found = []
    for rate in (number for number in numbers if number.kind == "percent"):
        share = Decimal(rate.value) / 100
        if not 0 <= share <= MAX_RATE / 100:
            continue
        for at, value in enumerate(values):
            if not value:
                continue
            first = bisect_left(by_value, value * share - TOLERANCE, key=lambda other: values[other])
            until = bisect_right(by_value, value * share + TOLERANCE, key=lambda other: values[other])
            nearest = min((other for other in by_value[first:until] if other > at), default=None)
            if nearest is not None:
                found.append((rate, amounts[at], amounts[nearest]))
    if not found:
        return ()
    closest = min(found, key=lambda cells: max(c.box[2] for c in cells) - min(c.box[0] for c in cells))
    _, net, tax = closest
    behind = amounts[amounts.index(tax) + 1 :][:1]
    gross = [c for c in behind if abs(Decimal(net.value) + Decimal(tax.value) - Decimal(c.value)) <= TOLERANCE]
    return (*closest, *gross)
