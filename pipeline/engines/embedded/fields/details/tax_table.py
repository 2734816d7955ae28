"""The summary of taxes by rate: each row has a rate, an amount before tax and the tax on it, and proves itself by their product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.records import Claim, Json
from pipeline.templates.template import Column

TOLERANCE = Decimal("0.02")
MAX_RATE = Decimal(45)
MAX_NUMBERS = 40
"""Amounts of one row that are tried, at most."""
_FAR_ROWS = 3
"""Rows of the page between a rate and the sums of a document that is taxed at one rate only."""


@dataclass(frozen=True)
class TaxRow:
    """One rate with its amounts. ``gross`` is None where the row prints none."""

    rate: Candidate
    base: Candidate
    tax: Candidate
    gross: Candidate | None = None

    @property
    def cells(self) -> tuple[Candidate, ...]:
        """What the row is made of."""
        return tuple(cell for cell in (self.rate, self.base, self.tax, self.gross) if cell is not None)


def find_tax_rows(numbers: Sequence[Candidate], item_words: frozenset[int], *, plain_rates: bool = False) -> list[TaxRow]:
    """The rows of the summary, top to bottom, each rate once. ``numbers`` are all numbers of the page; those of goods do not count.

    ``plain_rates``: a rate may be printed without a sign, under a heading that has it. Only the sum of the taxes proves such rows.
    """
    by_row: dict[int, list[Candidate]] = {}
    for number in numbers:
        if not item_words.intersection(number.words):
            by_row.setdefault(number.run.row, []).append(number)
    found = [best for row in sorted(by_row) if (best := _row(by_row[row], plain_rates))]
    rates: dict[Decimal, TaxRow] = {}
    for tax_row in found:
        rate = Decimal(tax_row.rate.value)
        kept = rates.get(rate)
        if kept is None or abs(Decimal(tax_row.base.value)) > abs(Decimal(kept.base.value)):
            rates[rate] = tax_row
    return sorted(rates.values(), key=lambda each: (each.rate.run.row, each.rate.start))


def _row(numbers: Sequence[Candidate], plain_rates: bool) -> TaxRow | None:
    amounts = [number for number in numbers if number.kind == "money" and number.quality >= 0.35]
    if len(amounts) > MAX_NUMBERS:
        return None
    best: tuple[float, TaxRow] | None = None
    for rate in (number for number in numbers if _may_be_rate(number, plain_rates)):
        share = Decimal(rate.value) / 100
        for base in amounts:
            for tax in amounts:
                if tax is base or rate in (base, tax) or abs(Decimal(base.value) * share - Decimal(tax.value)) > TOLERANCE:
                    continue
                if not Decimal(base.value) or (share and not Decimal(tax.value)):
                    continue
                total = Decimal(base.value) + Decimal(tax.value)
                others = (other for other in amounts if other is not base and other is not tax)
                gross = next((other for other in others if abs(Decimal(other.value) - total) <= TOLERANCE), None)
                rank = abs(float(base.value)) + (1.0 if gross else 0.0) + (0.5 if base.box[0] < tax.box[0] else 0.0)
                if best is None or rank > best[0]:
                    best = rank, TaxRow(rate, base, tax, gross)
    return best[1] if best else None


def _may_be_rate(number: Candidate, plain_rates: bool) -> bool:
    if number.kind != "percent" and not (plain_rates and number.currency is None and Decimal(number.value) > 0):
        return False
    return 0 <= Decimal(number.value) <= MAX_RATE


def single_rate(
    numbers: Sequence[Candidate], subtotal: Candidate | None, tax: Candidate | None, item_words: frozenset[int]
) -> TaxRow | None:
    """The row of a document at one rate: the rate stands beside the tax, or anywhere on the page, and the product of the sums proves it."""
    if subtotal is None or tax is None or not Decimal(subtotal.value):
        return None
    rates = [n for n in numbers if n.kind == "percent" and 0 <= Decimal(n.value) <= MAX_RATE]
    fits = [r for r in rates if abs(Decimal(subtotal.value) * Decimal(r.value) / 100 - Decimal(tax.value)) <= TOLERANCE * 2]
    if len({Decimal(rate.value) for rate in fits}) != 1:
        return None
    near = min(fits, key=lambda rate: (abs(rate.run.row - tax.run.row), bool(item_words.intersection(rate.words))))
    return TaxRow(near, subtotal, tax)


def tax_claim(rows: Sequence[TaxRow], columns: Mapping[str, Column], text: str) -> Claim | None:
    """The claim of a table whose columns are a percentage (the rate), and money: the amount before tax, the tax, with tax in this order.

    A column of another type (the category) is left empty: no page prints its code.
    """
    rate = next((name for name, column in columns.items() if column.type == "percentage"), None)
    money = [name for name, column in columns.items() if column.type == "money"]
    if rate is None or len(money) < 2 or not rows:
        return None
    claimed: list[dict[str, Json]] = []
    for row in rows:
        cells: dict[str, Json] = dict.fromkeys(columns)
        cells[rate] = row.rate.value
        for name, candidate in zip(money, (row.base, row.tax, row.gross), strict=False):
            cells[name] = candidate.value if candidate else None
        claimed.append(cells)
    words = tuple(dict.fromkeys(word for row in rows for cell in row.cells for word in cell.words))
    return Claim(claimed, text, words, 0.95, signals={"proof": 1.0})
