"""Rows of a summary by tax rate: "19 %  200.00  38.00  238.00", or "VAT 19 %: 38.00". Where there are several rates, none of their amounts
is a total."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate

TOLERANCE = Decimal("0.02")
MAX_RATE = Decimal(40)
MAX_NUMBERS = 60
"""A row with more numbers is no row of a summary. The time for a row grows with the square of their number, and more."""
_NEIGHBOURS = 2  # lines between two rows of one summary
_Cells = tuple[Candidate, ...]
Place = tuple[int, int, int]


def rate_cells(numbers: Sequence[Candidate]) -> list[Candidate]:
    """The amounts of all rows with a rate, a net amount and the tax on it, where there are at least two rates; else none.

    A row at zero per cent counts where it stands beside one that is not. Where only one rate is above zero, its tax is all the tax, and
    is not returned. ``numbers`` are all numbers of the page, rates among them (kind ``percent``). What else stands in such a row is not
    returned: the totals may stand beside the summary.
    """
    by_row: dict[int, list[Candidate]] = defaultdict(list)
    for number in numbers:
        by_row[number.run.row].append(number)
    found = [cells for row in by_row.values() if (cells := _cells(sorted(row, key=lambda n: n.box[0])))]
    taxed = [cells for cells in found if Decimal(cells[0].value)]
    rates = {Decimal(cells[0].value) for cells in taxed}
    if len(rates) > 1:
        return [cell for cells in found for cell in cells[1:]]
    free = [cells for cells in found if not Decimal(cells[0].value) and any(_stand_together(cells, other) for other in taxed)]
    return [cell for cells in [*taxed, *free] for at, cell in enumerate(cells) if at not in (0, 2)] if free else []


def amounts_by_rate(numbers: Sequence[Candidate], meanings: Mapping[Place, str]) -> list[Candidate]:
    """Amounts of which each is the part of a field at one rate: "VAT 21 %: 52.35" above "VAT 4 %: 11.07".

    ``meanings`` says which field the label of an amount names. Rows with one rate and one amount count, where the rows of a field have at
    least two rates above zero. Beside one such rate only the amounts at zero are returned. Two taxes at the same rate, as in India, are
    not meant.
    """
    by_row: dict[int, list[Candidate]] = defaultdict(list)
    for number in numbers:
        by_row[number.run.row].append(number)
    parts: dict[str, dict[Decimal, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for row in by_row.values():
        rates = {Decimal(number.value) for number in row if number.kind == "percent"}
        amounts = [number for number in row if number.kind == "money"]
        if (
            len(rates) == 1
            and len(amounts) == 1
            and 0 <= min(rates) <= MAX_RATE
            and (meaning := meanings.get(amounts[0].place))
        ):
            parts[meaning][min(rates)].extend(amounts)
    found = []
    for by_rate in parts.values():
        taxed = {rate for rate, amounts in by_rate.items() if rate and any(Decimal(amount.value) for amount in amounts)}
        for rate, amounts in by_rate.items():
            found += amounts if len(taxed) > 1 or (taxed and not rate) else []
    return found


def _stand_together(cells: _Cells, other: _Cells) -> bool:
    """Whether two rows are neighbours with their net amounts in one column."""
    net, beside = cells[1], other[1]
    height = max(1.0, net.box[3] - net.box[1])
    return abs(net.run.row - beside.run.row) <= _NEIGHBOURS and (
        abs(net.box[2] - beside.box[2]) < height or abs(net.box[0] - beside.box[0]) < height
    )


def _cells(numbers: Sequence[Candidate]) -> _Cells:
    """Rate, net amount, tax and, where it is printed behind or before them, gross amount of a row.

    Of several such cells those closest together.
    """
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
    beside = [*amounts[amounts.index(tax) + 1 :][:1], *amounts[: amounts.index(net)][-1:]]
    gross = [c for c in beside if abs(Decimal(net.value) + Decimal(tax.value) - Decimal(c.value)) <= TOLERANCE]
    return (*closest, *gross)
