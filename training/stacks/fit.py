"""Fits the search for cuts, and chooses which decisions are named for review, on senders that the weights were not fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.logistic import chances, fit
from training.stacks.stack import FOLDS, Stack

ACCEPTED = 0.001
"""Share of places that may be decided wrongly and not named for review."""
LIMITS = (0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
"""Probabilities of a decision from which on it may need no review."""


def fit_boundaries(stacks: Sequence[Stack]) -> tuple[dict[str, Any], str]:
    """The weights and the limits of sure decisions, and what is said about them."""
    rows = [(stack.fold, features, begins) for stack in stacks for features, begins in stack.boundaries()]
    left_out = np.zeros(len(rows))
    truth = np.array([begins for _, _, begins in rows])
    for fold in range(FOLDS):
        others = [row for row in rows if row[0] != fold]
        weights = fit([f for _, f, _ in others], [b for _, _, b in others], [1.0] * len(others), ())
        own = [at for at, row in enumerate(rows) if row[0] == fold]
        left_out[own] = chances([rows[at][1] for at in own], weights)
    weights = fit([f for _, f, _ in rows], [b for _, _, b in rows], [1.0] * len(rows), ())
    wrong = (left_out >= 0.5) != truth
    sure = np.maximum(left_out, 1 - left_out)
    limit = next((limit for limit in LIMITS if (wrong & (sure >= limit)).mean() <= ACCEPTED), 1.0)
    doubtful = sure < limit
    report = (
        f"{len(rows)} places in {len(stacks)} stacks, {truth.sum()} of them cuts; with weights of other senders "
        f"{1 - wrong.mean():.4f} right, {wrong.sum()} wrong, {(wrong & ~doubtful).sum()} of them not named; "
        f"{doubtful.mean():.3f} named; sure from {limit} on"
    )
    return {"weights": weights, "sure": limit}, report
