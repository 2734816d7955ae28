"""Rows of a table with running balances on a page that does not repeat the heading: which column a number is in is what the sums prove."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise, permutations

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.records import Json
from pipeline.templates.template import Check, Template

LEAST_PROOFS = 2
"""Balances that must follow from the one before, at least."""
LEAST_SHARE = 0.9
"""Share of the balances that must follow."""
MOST_COLUMNS = 4
COLUMN_GAP = 1.5
"""Letter heights between the right edges of two columns of numbers, at least."""
_CENTS = re.compile(r"\d[.,]\d{2}\D{0,3}$")
_TOLERANCE = Decimal("0.005")


@dataclass
class BalanceRow:
    """One booking: its cells by column, its words, and the row of the page."""

    at: int
    dates: Sequence[Candidate]
    amounts: dict[int, Candidate]
    """By column of numbers, from left to right."""
    cells: dict[str, Json] = field(default_factory=dict)
    words: list[int] = field(default_factory=list)


def balance_rows(
    layout: Layout,
    dates: Mapping[int, Sequence[Candidate]],
    numbers: Mapping[int, Sequence[Candidate]],
    template: Template,
    table: str,
) -> list[BalanceRow]:
    """The rows that begin with a date, if one way to name their columns of numbers makes the balances follow from each other.

    Empty for a table without a ``running`` check, and where no way does.
    """
    check = next((c for c in template.checks if c.running and template.split_term(c.running)[0] == table), None)
    rows = list(_dated_rows(layout, dates, numbers)) if check else []
    if check is None or len(rows) <= LEAST_PROOFS:
        return []
    naming = _proven_naming(rows, check, template)
    if naming is None:
        return []
    columns = template.fields[table].columns
    day_names = [name for name, column in columns.items() if column.type == "date"]
    text_name = next((name for name, column in columns.items() if column.type == "text"), None)
    for row in rows:
        row.cells = {name: day.value for name, day in zip(day_names, row.dates, strict=False)}
        row.cells |= {naming[at]: amount.value for at, amount in row.amounts.items() if at in naming}
        if text_name:
            row.cells[text_name] = _text(layout, row) or None
        row.words = [word for run in layout.rows[row.at] for word in run.words]
    return rows


def _dated_rows(
    layout: Layout, dates: Mapping[int, Sequence[Candidate]], numbers: Mapping[int, Sequence[Candidate]]
) -> Iterator[BalanceRow]:
    """Rows that begin with a date and have an amount, with the amounts in columns by their right edges."""
    found: list[tuple[int, Sequence[Candidate], list[Candidate]]] = []
    for at, row in enumerate(layout.rows):
        days = sorted(dates.get(at, ()), key=lambda day: day.box[0])
        if not row or not days or days[0].words[0] != row[0].words[0]:
            continue
        taken = {word for day in days for word in day.words}
        amounts = [n for n in numbers.get(at, ()) if _CENTS.search(n.printed) and not taken.intersection(n.words)]
        if amounts:
            found.append((at, days, amounts))
    edges = sorted(amount.box[2] for _, _, amounts in found for amount in amounts)
    starts = [edges[0], *(b for a, b in pairwise(edges) if b - a > COLUMN_GAP * layout.height)] if edges else []
    if not 2 <= len(starts) <= MOST_COLUMNS:
        return
    for at, own, amounts in found:
        yield BalanceRow(at, own, {sum(amount.box[2] >= start for start in starts) - 1: amount for amount in amounts})


def _proven_naming(rows: Sequence[BalanceRow], check: Check, template: Template) -> dict[int, str] | None:
    """The names of the columns of numbers with which most balances follow from the one before."""
    balance = template.split_term(check.running or "")[1]
    signs = {column: -1 if term.startswith("-") else 1 for term in check.sum if (column := template.split_term(term)[1])}
    places = sorted({at for row in rows for at in row.amounts})
    best: tuple[float, dict[int, str]] | None = None
    for names in permutations([balance, *signs], len(places)):
        naming = dict(zip(places, names, strict=True))
        if (
            balance in names
            and (share := _share(rows, naming, balance, signs)) >= LEAST_SHARE
            and (best is None or share > best[0])
        ):
            best = share, naming
    return best[1] if best else None


def _share(rows: Sequence[BalanceRow], naming: Mapping[int, str], balance: str, signs: Mapping[str, int]) -> float:
    """The share of balances that are the one before it with the amounts of all rows in between; 0 with too few of them."""
    before: Decimal | None = None
    holds = compared = 0
    change = Decimal(0)
    for row in rows:
        amounts = {naming[at]: Decimal(amount.value) for at, amount in row.amounts.items()}
        change += sum((amounts[name] * sign for name, sign in signs.items() if name in amounts), Decimal(0))
        if balance not in amounts:
            continue
        if before is not None:
            compared += 1
            holds += abs(before + change - amounts[balance]) < _TOLERANCE
        before, change = amounts[balance], Decimal(0)
    return holds / compared if compared >= LEAST_PROOFS else 0.0


def _text(layout: Layout, row: BalanceRow) -> str:
    """What stands beside dates and amounts."""
    known = {word for found in (*row.dates, *row.amounts.values()) for word in found.words}
    words = [word for run in layout.rows[row.at] for word in run.words if word not in known]
    return layout.text(words).strip(" |:")
