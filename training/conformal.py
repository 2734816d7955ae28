"""Thresholds of review by conformal risk control (Angelopoulos, Bates, Fisch, Lei, Schuster: "Conformal Risk Control", ICLR 2024).

The loss of a layout is the share of its values that are wrong and not named for review. It falls as the threshold rises, and is 1 at most.
With n layouts that nothing was fitted to, the smallest threshold with ``n / (n + 1) * mean loss + 1 / (n + 1) <= accepted error`` keeps
the expected loss of one further layout of the same kind below the accepted error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ACCEPTED = (0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Accepted errors of the table."""
STRANGE = 0.1
"""Share of the layouts, those least like what was learned from, that the promise is made for. It then holds for all the more of the others."""
STEP = 0.005
NEVER = 1.0


@dataclass(frozen=True)
class Judged:
    """One field of one document: how sure the program was, and whether it was right."""

    layout: str
    confidence: float
    right: bool
    printed: bool
    """Whether the document prints the field."""
    named: bool
    """Whether it is named for review at any confidence, because a check fails."""
    strangeness: float
    """How little its page is like those that were learned from."""


@dataclass(frozen=True)
class Thresholds:
    """A table of accepted errors with thresholds, and the number of layouts that it was chosen on."""

    table: list[tuple[float, float]]
    layouts: int


def thresholds(answers: Sequence[Judged], most: float) -> Thresholds:
    """The table for the strangest layouts among those of the answers. ``most`` is the highest confidence."""
    by_layout: dict[str, list[Judged]] = defaultdict(list)
    for answer in answers:
        by_layout[answer.layout].append(answer)
    groups = [group for group in by_layout.values() if any(answer.printed for answer in group)]
    groups.sort(key=lambda group: -float(np.mean([answer.strangeness for answer in group])))
    strangest = groups[: max(1, round(STRANGE * len(groups)))]
    steps = [step for step in np.arange(0, 1, STEP).tolist() if step <= most]
    risk = _risk(np.array([[loss(group, step) for step in steps] for group in strangest]))
    table = []
    for accepted in ACCEPTED:
        enough = np.flatnonzero(risk <= accepted)
        table.append((accepted, round(steps[int(enough[0])], 3) if len(enough) else NEVER))
    return Thresholds(table, len(strangest))


def loss(group: Sequence[Judged], threshold: float) -> float:
    """The share of a layout's printed values for which it has an error that is not named for review, 1 at most."""
    silent = sum(not answer.right and not answer.named and answer.confidence >= threshold for answer in group)
    return min(1.0, silent / max(1, sum(answer.printed for answer in group)))


def _risk(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    count = len(losses)
    bound: NDArray[np.float64] = count / (count + 1) * losses.mean(axis=0) + 1 / (count + 1)
    return bound
