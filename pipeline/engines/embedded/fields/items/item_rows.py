"""Rows of goods from the probabilities of their cells: an amount begins a row, quantity and price beside it or on the next line join it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.row_arithmetic import AMOUNT, PRICE, QUANTITY, TOLERANCE, product_holds
from pipeline.engines.embedded.fields.stacked_networks import Numbers

_LEAST = 0.5
_LEAST_IN_ROW = 0.35
"""Probability from which a number of a line that has an amount is its quantity or price."""
_PROOF = 4.0
"""How much likelier a quantity and a price are whose product is the amount."""
_SURE = 0.9
_FARTHEST = 2  # lines between an amount and its quantity and price


@dataclass
class ItemRow:
    """One row: the candidate of each cell by role, its probability, and the lines of the page that it takes up."""

    line: int
    cells: dict[int, Candidate] = field(default_factory=dict)
    likely: dict[int, float] = field(default_factory=dict)
    lines: set[int] = field(default_factory=set)

    def take(self, role: int, candidate: Candidate, probability: float) -> None:
        """Puts a candidate into a cell."""
        self.cells[role], self.likely[role] = candidate, probability
        self.lines.add(candidate.run.row)

    def holds(self) -> bool:
        """Whether quantity times price is the amount."""
        values = [self.cells.get(role) for role in (QUANTITY, PRICE, AMOUNT)]
        return product_holds([Decimal(cell.value) if cell else None for cell in values])


def item_rows(numbers: Sequence[Candidate], likely: Numbers) -> list[ItemRow]:
    """The rows of goods, top to bottom; ``numbers`` are those of a page and ``likely`` their probabilities: of being
    no cell, quantity, price, amount, a row for each."""
    if not numbers:
        return []
    best = likely.argmax(axis=1)
    rows: dict[int, ItemRow] = {}
    lines: dict[int, list[int]] = {}
    for at, number in enumerate(numbers):
        lines.setdefault(number.run.row, []).append(at)
    for line, members in lines.items():
        at = max(members, key=lambda i: likely[i, AMOUNT])
        if likely[at, AMOUNT] >= _LEAST:
            row = rows[line] = ItemRow(line)
            row.take(AMOUNT, numbers[at], float(likely[at, AMOUNT]))
            _fill(row, [i for i in members if i != at], numbers, likely, _LEAST_IN_ROW)
    for line, members in lines.items():
        if line not in rows and any(best[i] in (QUANTITY, PRICE) for i in members):
            _join(rows, line, [i for i in members if best[i] in (QUANTITY, PRICE)], numbers, likely)
    return _without_sums([rows[line] for line in sorted(rows)])


def _without_sums(rows: list[ItemRow]) -> list[ItemRow]:
    """The rows without unsure ones that are the sum of all others."""
    for row in rows:
        if AMOUNT in row.cells and len(row.cells) == 1 and row.likely[AMOUNT] < _SURE and len(rows) > 2:
            others = (Decimal(other.cells[AMOUNT].value) for other in rows if other is not row and AMOUNT in other.cells)
            if abs(sum(others) - Decimal(row.cells[AMOUNT].value)) <= TOLERANCE:
                return [other for other in rows if other is not row]
    return rows


def _fill(row: ItemRow, members: list[int], numbers: Sequence[Candidate], likely: Numbers, least: float) -> None:
    """Gives a row the likeliest quantity and price among some numbers. A pair whose product is the amount counts for more."""
    free = [i for i in members if all(numbers[i] is not cell for cell in row.cells.values())]
    options = {
        role: [i for i in free if likely[i, role] >= least / _PROOF] if role not in row.cells else []
        for role in (QUANTITY, PRICE)
    }
    best, chosen = 0.0, (-1, -1)
    for first in [-1, *options[QUANTITY]]:
        for second in [-1, *options[PRICE]]:
            if first == second and first >= 0:
                continue
            proof = _PROOF if first >= 0 and second >= 0 and _is_product(row, numbers[first], numbers[second]) else 1.0
            merit = proof * _merit(likely, first, QUANTITY, least) * _merit(likely, second, PRICE, least)
            if merit > best:
                best, chosen = merit, (first, second)
    for role, at in zip((QUANTITY, PRICE), chosen, strict=True):
        if at >= 0:
            row.take(role, numbers[at], float(likely[at, role]))


def _merit(likely: Numbers, at: int, role: int, least: float) -> float:
    """How likely a number is in a role, as against no number with the probability ``least``."""
    return float(likely[at, role]) if at >= 0 else least


def _is_product(row: ItemRow, quantity: Candidate, price: Candidate) -> bool:
    amount = row.cells.get(AMOUNT)
    return product_holds([Decimal(quantity.value), Decimal(price.value), Decimal(amount.value) if amount else None])


def _join(rows: dict[int, ItemRow], line: int, members: list[int], numbers: Sequence[Candidate], likely: Numbers) -> None:
    """Gives quantity and price of a line without an amount to the row beside which they stand, or to a row of their own."""
    near = [rows[other] for step in range(1, _FARTHEST + 1) for other in (line - step, line + step) if other in rows]
    roles = {int(likely[i].argmax()) for i in members}
    fitting = []
    for row in near:
        if roles & row.cells.keys():
            continue
        trial = ItemRow(row.line, dict(row.cells), dict(row.likely), set(row.lines))
        _fill(trial, members, numbers, likely, _LEAST)
        fitting.append((trial.holds(), -abs(line - row.line), row))
    if fitting:
        chosen = max(fitting, key=lambda entry: entry[:2])[2]
        _fill(chosen, members, numbers, likely, _LEAST)
    elif {QUANTITY, PRICE} <= roles and not near:
        row = rows[line] = ItemRow(line)
        _fill(row, members, numbers, likely, _LEAST)
