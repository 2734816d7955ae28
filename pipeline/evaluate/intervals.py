"""How far a figure can be trusted: Wilson's interval, a bootstrap over documents, McNemar's exact test."""

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
        if not self.of:
            return 0.0, 1.0
        share, spread = self.value, Z95**2 / self.of
        middle = (share + spread / 2) / (1 + spread)
        half = Z95 / (1 + spread) * sqrt(share * (1 - share) / self.of + spread / (4 * self.of))
        return (0.0 if self.right == 0 else middle - half), (1.0 if self.right == self.of else middle + half)


def bootstrap(documents: Sequence[Share]) -> tuple[float, float]:
    """95 % interval of the micro average, documents drawn with replacement (percentiles, B. Efron 1979).

    Fields of one document go wrong together, so that counting them as independent would promise too narrow an interval.
    """
    if not any(document.of for document in documents):
        return 0.0, 1.0
    right = np.array([document.right for document in documents])
    of = np.array([document.of for document in documents])
    chance = np.random.default_rng(SEED)
    shares = []
    for _ in range(RESAMPLES):
        sample = chance.integers(len(documents), size=len(documents))
        if total := of[sample].sum():
            shares.append(right[sample].sum() / total)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


def mcnemar(fixed: int, broken: int) -> float:
    """Two-sided exact p of so many changes for the better and the worse, if each were the toss of a coin (Q. McNemar 1947)."""
    changes = fixed + broken
    term, tail = 1, 0
    for number in range(min(fixed, broken) + 1):
        tail += term
        term = term * (changes - number) // (number + 1)
    return min(1.0, 2 * tail / (1 << changes))
