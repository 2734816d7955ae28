"""The account of an earlier bill: "previous balance 148.20, payment received -100.00". None of its amounts is one of this bill.

The page proves it: what is due is this bill's total and what the payment left of an amount that stands above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from pipeline.engines.embedded.fields.amount_selection import AmountOption
from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.templates.template import Check

_PLAIN = 0.5
"""Strength from which a label says plainly what an amount is."""
_MOST_ROWS = 8
"""Rows between an earlier balance and the last payment of it."""
_TOLERANCE = Decimal("0.005")

Place = tuple[int, int, int]


def amounts_of_earlier_bills(
    options: Mapping[str, list[AmountOption]],
    amounts: Iterable[Candidate],
    meanings: Mapping[Place, str],
    checks: Iterable[Check],
) -> set[Place]:
    """The places of an earlier balance, of the payments that look like payments of this document, and of what they leave.

    ``amounts`` are those of the page, ``meanings`` what their labels plainly say they are, by place.
    """
    found: set[Place] = set()
    known = list(amounts)
    for check in checks:
        paid = [o.candidate for name in check.subtracted for o in options.get(name, []) if o.strength >= _PLAIN]
        charged = _best(options, next((term for term in check.sum if not term.startswith("-")), ""))
        due = _best(options, check.equals or "")
        if not paid or charged is None or due is None or charged.candidate.place == due.candidate.place:
            continue
        payments = [(sum((abs(Decimal(p.value)) for p in group), Decimal(0)), group) for group in (paid, *([p] for p in paid))]
        if any(abs(charged.amount - payment - due.amount) <= _TOLERANCE for payment, _ in payments):
            continue
        places = {charged.candidate.place, due.candidate.place}
        before = [
            amount
            for amount in known
            if amount.place not in places and meanings.get(amount.place) not in options and _rows(amount, paid) > 0
        ]
        for payment, group in payments:
            left = due.amount - charged.amount
            balances = [a.place for a in before if abs(Decimal(a.value) - payment - left) <= _TOLERANCE]
            if balances:
                carried = [a.place for a in known if Decimal(a.value) == left and meanings.get(a.place) not in options]
                found |= {p.place for p in group} | set(balances) | set(carried)
    return found


def _best(options: Mapping[str, list[AmountOption]], name: str) -> AmountOption | None:
    best = max(options.get(name, []), key=lambda option: option.strength, default=None)
    return best if best is not None and best.strength >= _PLAIN else None


def _rows(amount: Candidate, paid: list[Candidate]) -> int:
    """How many rows an amount stands above the payments; 0 where it does not, or is far away."""
    first, last = min(p.run.row for p in paid), max(p.run.row for p in paid)
    return first - amount.run.row if last - amount.run.row <= _MOST_ROWS else 0
