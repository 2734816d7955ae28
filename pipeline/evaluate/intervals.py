"""How far a figure can be trusted: Wilson's interval, a bootstrap over documents or layouts, McNemar's exact test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

Z95 = 1.959963984540054
"""The normal distribution's quantile for a two-sided 95 % interval."""
RESAMPLES = 2_000
SEED = 20_250_324
"""The same answers give the same interval."""
FEWEST_GROUPS = 5
"""Groups below which a bootstrap would draw nearly the same sample again and again, and promise too much."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many right of so many."""

    right: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.right / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (E. B. Wilson, JASA 22, 1927); all from 0 to 1 where nothing was counted."""
        return _wilson(self.value, self.of)


def _wilson(share: float, of: float) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    spread = Z95**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def bootstrap(groups: Sequence[Share]) -> tuple[float, float]:
    """95 % interval of the micro average, groups drawn with replacement (percentiles, B. Efron 1979). A group is a document, or all
    documents of one layout.

    Values of one document go wrong together, and so do documents of one layout: counting them as independent would promise too narrow
    an interval. Where groups are fewer than ``FEWEST_GROUPS``, or all values are right, or all wrong, no sample differs from the others;
    then the interval is Wilson's with the groups counted, not their values (a large group counts for more: L. Kish 1965).
    """
    right = np.array([group.right for group in groups if group.of])
    of = np.array([group.of for group in groups if group.of])
    if len(of) < FEWEST_GROUPS or right.sum() in (0, of.sum()):
        return _wilson(float(right.sum() / of.sum()), float(of.sum() ** 2 / (of**2).sum())) if len(of) else (0.0, 1.0)
    chance = np.random.default_rng(SEED)
    samples = (chance.integers(len(of), size=len(of)) for _ in range(RESAMPLES))
    low, high = np.quantile([right[sample].sum() / of[sample].sum() for sample in samples], [0.025, 0.975])
    return float(low), float(high)


def mcnemar(fixed: int, broken: int) -> float:
    """Two-sided exact p of so many changes for the better and the worse, if each were the toss of a coin (Q. McNemar 1947)."""
    changes = fixed + broken
    term, tail = 1, 0
    for number in range(min(fixed, broken) + 1):
        tail += term
        term = term * (changes - number) // (number + 1)
    return min(1.0, 2 * tail / (1 << changes))
