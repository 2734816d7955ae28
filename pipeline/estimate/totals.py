"""From a sample of files to the whole inbox: which files to draw, and totals with an honest range.

Files are drawn at random within strata of kind and size, more of those that weigh more. Many are opened, fewer are read (double sampling):
a total is, by stratum, the number of files times their mean size times the cost by size; whether pages or bytes tell the size, the sample
decides. The range comes from a bootstrap over files, never over pages: pages of one document resemble each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from pathlib import PurePath
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Stratum = tuple[str, int]
"""What a file seems to be by its name, and the power of 4 below its size."""

KINDS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".heic", ".avif"), "image"),
    ".pdf": "pdf",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".xml": "xml",
}
RESAMPLES = 4_000
SEED = 20_250_324
"""The same inbox gives the same sample, and the same sample the same range."""
LEAST = 4
"""Files drawn of a stratum below which it is put together with its neighbour: so few tell nothing about spread."""
UNKNOWN = log(2)
"""Standard deviation of the logarithm where a single file speaks for others: within a factor of four, 19 times of 20."""
FARTHEST = log(1_000)
"""Beyond a factor of a thousand no range says more."""
MANY = 1_000
"""Files above which the bootstrap gives way to the normal distribution that it comes to."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One file of the sample: its pages (at least 1), its bytes, and what all its pages cost."""

    stratum: Stratum
    pages: float
    bytes: float
    cost: float


Measure = Callable[[Drawn], float]
MEASURES: tuple[Measure, ...] = (
    lambda item: item.pages,
    lambda item: (item.pages * (1 + item.bytes)) ** 0.5,
    lambda item: 1 + item.bytes,
)
"""What a file's cost may be proportional to."""


@dataclass(frozen=True)
class Total:
    """What all files come to: the best guess, and values that it may as well have."""

    value: float
    likely: Floats

    @cached_property
    def range(self) -> tuple[float, float]:
        """95 % of the likely values."""
        low, high = np.quantile(self.likely, [0.025, 0.975])
        return float(low), float(high)

    def of(self, share: float, more: float = 0.0) -> Total:
        """A share of it, and something certain beside it."""
        return Total(self.value * share + more, self.likely * share + more)

    def at_least(self, least: float) -> Total:
        """It, knowing that it is no less than that."""
        return Total(max(self.value, least), np.maximum(self.likely, least))

    def within(self, most: float) -> float:
        """Probability that it is no more than ``most``."""
        return float(np.mean(self.likely <= most))


def stratum(name: str, size: int) -> Stratum:
    """Where a file belongs."""
    return KINDS.get(PurePath(name).suffix.lower(), "other"), max(0, size.bit_length() - 1) // 2


def draw(files: Sequence[tuple[Stratum, int]], most: int) -> list[int]:
    """Indices of at most ``most`` files (stratum, size in bytes), in an order of which every beginning is a fair sample.

    First one file of every stratum, then seats by Sainte-Laguë's divisors; a stratum weighs its number of files times the root of
    their mean size.
    """
    members: dict[Stratum, list[int]] = defaultdict(list)
    for index, (group, _) in enumerate(files):
        members[group].append(index)
    chance = np.random.default_rng(SEED)
    ranked: list[tuple[bool, float, int]] = []
    for _, inside in sorted(members.items()):
        weight = len(inside) * float(1 + np.mean([files[index][1] for index in inside])) ** 0.5
        order = chance.permutation(len(inside))[:most].tolist()
        ranked += [(seat > 0, -weight / (2 * seat + 1), inside[at]) for seat, at in enumerate(order)]
    return [index for *_, index in sorted(ranked)[:most]]


def total(sizes: Mapping[Stratum, int], opened: Sequence[Drawn], read: Sequence[Drawn], noise: float = 0.0) -> Total:
    """The cost of all files: ``sizes`` of them by stratum, pages and bytes of those that were opened, the costs of those that were read.

    ``noise`` is the standard deviation by which the same work differs from one time to the next, as a share. Files that were read
    count as opened, so they belong to both. Raises ValueError when nothing was read.
    """
    if not read:
        raise ValueError("a total needs a sample")
    chance = np.random.default_rng(SEED)
    measure = _best_measure(sizes, read)
    value, likely, freedom, alone = 0.0, np.zeros(RESAMPLES), 0, False
    for group in _groups(sizes, Counter(item.stratum for item in read)):
        of = sum(sizes[each] for each in group)
        seen, inside = ([item for item in items if item.stratum in group] for items in (opened, read))
        size, many_sizes = _ratio(*_weighed(sizes, seen, measure, _one), len(seen) / of, chance)
        cost, costs = _ratio(*_weighed(sizes, inside, _cost, measure), len(inside) / of, chance)
        value += of * size * cost
        likely += of * many_sizes * costs
        if len(inside) < of:
            freedom += len(inside) - 1
            alone |= len(inside) == 1
    if value <= 0:
        return Total(0.0, np.zeros(RESAMPLES))
    spread = np.log(np.maximum(likely, value * 1e-6) / value)
    if freedom:  # small samples underrate their spread as Student's t says
        spread *= np.sqrt(freedom / chance.chisquare(freedom, RESAMPLES))
    if alone:
        spread = spread + chance.normal(0, UNKNOWN, RESAMPLES)
    spread = np.clip(spread + chance.normal(0, noise, RESAMPLES), -FARTHEST, FARTHEST)
    return Total(value, value * np.exp(spread))


def _best_measure(sizes: Mapping[Stratum, int], read: Sequence[Drawn]) -> Measure:
    """What the costs of the files that were read go along with best: a model's with pages, a recogniser's of scans rather with bytes."""

    def misfit(measure: Measure) -> float:
        costs, measured = _weighed(sizes, read, _cost, measure)
        return float(((costs - costs.sum() / measured.sum() * measured) ** 2).sum())

    return min(MEASURES, key=misfit)


def _groups(sizes: Mapping[Stratum, int], drawn: Mapping[Stratum, int]) -> list[list[Stratum]]:
    """Strata put together with their neighbours (of the same kind, as far as that goes) until each group can speak for itself."""
    groups: list[list[Stratum]] = [[]]
    for each in sorted(sizes):
        if _speaks(groups[-1], sizes, drawn) and (each[0] != groups[-1][-1][0] or _speaks([each], sizes, drawn)):
            groups.append([])
        groups[-1].append(each)
    if len(groups) > 1 and not _speaks(groups[-1], sizes, drawn):
        last = groups.pop()
        groups[-1] += last
    return groups


def _speaks(group: Sequence[Stratum], sizes: Mapping[Stratum, int], drawn: Mapping[Stratum, int]) -> bool:
    """Whether enough of a group was drawn, or all there is."""
    count = sum(drawn.get(each, 0) for each in group)
    return count >= LEAST or (bool(group) and count == sum(sizes[each] for each in group))


def _weighed(sizes: Mapping[Stratum, int], items: Sequence[Drawn], above: Measure, below: Measure) -> tuple[Floats, Floats]:
    """Two measures of files, times the number of files that each of them stands for."""
    count = Counter(item.stratum for item in items)
    weights = np.array([sizes[item.stratum] / count[item.stratum] for item in items])
    return weights * [above(item) for item in items], weights * [below(item) for item in items]


def _cost(item: Drawn) -> float:
    return item.cost


def _one(item: Drawn) -> float:
    del item
    return 1.0


def _ratio(above: Floats, below: Floats, share: float, chance: np.random.Generator) -> tuple[float, Floats]:
    """A ratio of sums, and what it would have been with other files: n - 1 of n drawn again (J. N. K. Rao and C. F. J. Wu, JASA 83, 1988).

    ``share`` of all files was drawn: the more, the less is left to chance.
    """
    value = float(above.sum() / below.sum())
    if len(above) == 1 or share >= 1:
        return value, np.full(RESAMPLES, value)
    if len(above) > MANY:
        deviation = float(np.sqrt(((above - value * below) ** 2).sum() * (1 - share)) / below.sum())
        return value, np.maximum(0.0, chance.normal(value, deviation, RESAMPLES))
    again = chance.integers(len(above), size=(RESAMPLES, len(above) - 1))
    others = above[again].sum(axis=1) / below[again].sum(axis=1)
    return value, value + (1 - share) ** 0.5 * (others - value)
