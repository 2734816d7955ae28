"""Percent, amount and last day of a discount for early payment: the values in the words around its label."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.labels import Label

_MOST_PERCENT = Decimal(15)
"""No discount for early payment is higher; a rate of tax is."""
_NEAR = 70
"""Characters between a label and its value, at most."""
_KINDS = {"percentage": ("percent",), "money": ("money",), "date": ("date",)}


def discount_candidates(kind: str, pool: Sequence[Candidate], labels: Sequence[Label]) -> Candidate | None:
    """The value of a type nearest to one of the labels: in its line, or in a cell of its row."""
    best: tuple[float, Candidate] | None = None
    for label in labels:
        for candidate in pool:
            if candidate.kind not in _KINDS[kind] or not _fits(kind, candidate):
                continue
            distance = _distance(label, candidate)
            if distance is not None and (best is None or distance < best[0]):
                best = distance, candidate
    return best[1] if best else None


def _fits(kind: str, candidate: Candidate) -> bool:
    if kind == "percentage":
        return 0 < Decimal(candidate.value) <= _MOST_PERCENT
    return kind != "money" or (candidate.quality >= 0.8 and Decimal(candidate.value) != 0)


def _distance(label: Label, candidate: Candidate) -> float | None:
    if candidate.run is label.run:
        gap = max(candidate.start - label.end, label.start - candidate.end)
        return float(max(0, gap)) if gap <= _NEAR else None
    if candidate.run.row == label.row and candidate.box[0] >= label.box[2]:
        return 100.0 + candidate.box[0] - label.box[2]
    return None
