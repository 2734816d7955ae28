"""From a sample of files to the whole inbox: which files to read, and totals with a range that is meant to hold 95 times of 100.

Files are drawn at random within strata of kind and size. Many are opened to count their pages, few are read (double sampling). A total is
the size of all files times the cost by size of the files that were read: a ratio estimate. Its error comes from how far single files
deviate from that ratio (W. G. Cochran, Sampling Techniques, 1977, chapters 6 and 12). Files are the unit, never pages, since the pages
of one document resemble each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, sqrt
from pathlib import PurePath
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Stratum = tuple[str, int]
"""Kind of file by its name, and the power of 4 below its size in bytes."""

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".heic", ".avif"})
OUTCOMES = 4_000
SEED = 20_250_324
"""The same inbox gives the same sample, and the same sample the same range."""
ONE_FILE_DEVIATION = log(2)
"""Standard deviation of the logarithm where one file speaks for others: a factor of four, 19 times of 20."""
MAX_DEVIATION = log(1_000)
"""A range beyond a factor of a thousand says nothing more."""


@dataclass(frozen=True, slots=True)
class SampledFile:
    """A file of the sample: its pages (at least 1), its bytes, and what all its pages cost."""

    stratum: Stratum
    pages: float
    bytes: float
    cost: float


Measure = Callable[[SampledFile], float]
MEASURES: tuple[Measure, ...] = (
    lambda file: file.pages,
    lambda file: sqrt(file.pages * (1 + file.bytes)),
    lambda file: 1 + file.bytes,
)
"""What the cost of a file may grow with: a model's with pages, that of OCR of scans rather with bytes."""


@dataclass(frozen=True)
class Total:
    """The estimate for all files, and equally likely outcomes around it."""

    value: float
    outcomes: Floats

    @cached_property
    def range(self) -> tuple[float, float]:
        """95 % of the outcomes."""
        low, high = np.quantile(self.outcomes, [0.025, 0.975])
        return float(low), float(high)

    def scaled(self, factor: float, plus: float = 0.0) -> Total:
        """``factor`` times it, and ``plus`` an amount that is certain."""
        return Total(self.value * factor + plus, self.outcomes * factor + plus)

    def at_least(self, least: float) -> Total:
        """The total where it is known to be no less than ``least``."""
        return Total(max(self.value, least), np.maximum(self.outcomes, least))

    def probability_within(self, limit: float) -> float:
        """Probability that it is at most ``limit``."""
        return float(np.mean(self.outcomes <= limit))


def stratum(name: str, size: int) -> Stratum:
    """The stratum of a file with this name and so many bytes."""
    suffix = PurePath(name).suffix.lower()
    kind = "image" if suffix in IMAGES else suffix if suffix in (".pdf", ".tif", ".tiff", ".xml") else "other"
    return kind, max(0, size.bit_length() - 1) // 2


def draw(files: Sequence[tuple[Stratum, int]], most: int) -> list[int]:
    """Indices of at most ``most`` files (stratum, bytes), in an order of which every beginning is a fair sample.

    First one file of every stratum, then seats by Sainte-Laguë's divisors: a stratum weighs its number of files times the root of their
    mean size.
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


def total(
    sizes: Mapping[Stratum, int], opened: Sequence[SampledFile], read: Sequence[SampledFile], noise: float = 0.0
) -> Total:
    """The cost of all files: ``sizes`` of them by stratum; pages and bytes of ``opened`` files, costs of ``read`` ones (opened, too).

    ``noise`` is the standard deviation by which the same work differs from one time to the next, as a share. Raises ValueError when
    nothing was read.
    """
    if not read:
        raise ValueError("a total needs a file that was read")

    def misfit(measure: Measure) -> float:
        return float((_residuals(sizes, read, measure)[0] ** 2).sum())

    measure = min(MEASURES, key=misfit)
    files, known = sum(sizes.values()), sum(sizes[each] for each in {file.stratum for file in opened})
    size = float(_weighted(sizes, opened, measure).sum()) * files / max(1, known)
    residuals, cost, measured = _residuals(sizes, read, measure)
    value = size * cost / measured
    if value <= 0:
        return Total(0.0, np.zeros(OUTCOMES))
    count = len(read)
    variance = _size_variance(sizes, opened, measure) / size**2
    if count > 1:
        variance += (1 - count / files) * count / (count - 1) * float(((residuals / cost) ** 2).sum())
    chance = np.random.default_rng(SEED)
    deviations = sqrt(variance) * chance.standard_t(max(1, count - 1), OUTCOMES) + chance.normal(0, noise, OUTCOMES)
    if count == 1 < files:
        deviations = deviations + chance.normal(0, ONE_FILE_DEVIATION, OUTCOMES)
    return Total(value, value * np.exp(np.clip(deviations, -MAX_DEVIATION, MAX_DEVIATION)))


def _weighted(sizes: Mapping[Stratum, int], files: Sequence[SampledFile], measure: Measure) -> Floats:
    """A measure of each file, times the number of files of its stratum that it stands for."""
    count = Counter(file.stratum for file in files)
    return np.array([measure(file) * sizes[file.stratum] / count[file.stratum] for file in files])


def _residuals(sizes: Mapping[Stratum, int], read: Sequence[SampledFile], measure: Measure) -> tuple[Floats, float, float]:
    """How far each cost deviates from the common ratio of cost to measure, the sum of the costs, and that of the measure; all weighted."""
    costs, measured = _weighted(sizes, read, lambda file: file.cost), _weighted(sizes, read, measure)
    cost, size = float(costs.sum()), float(measured.sum())
    return costs - cost / size * measured, cost, size


def _size_variance(sizes: Mapping[Stratum, int], opened: Sequence[SampledFile], measure: Measure) -> float:
    """Variance of the estimated size of all files, since not all of them were opened."""
    groups: dict[Stratum, list[float]] = defaultdict(list)
    for file in opened:
        groups[file.stratum].append(measure(file))
    return sum(
        sizes[group] ** 2 * (1 - len(inside) / sizes[group]) * float(np.var(inside, ddof=1)) / len(inside)
        for group, inside in groups.items()
        if len(inside) > 1
    )
