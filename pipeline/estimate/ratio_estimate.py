"""Predicts time, memory and disk for a whole inbox from a sample of its files.

Large files are drawn more often: every file waits for a random time, the shorter on average the larger it is, and the first ones are the
sample (E. Cohen and H. Kaplan, Summarizing data using bottom-k sketches, 2007). A total is the size of all files times the sample's cost
by size: a ratio estimate, whose error comes from how far each file deviates from the ratio of the others (W. G. Cochran, Sampling
Techniques, 1977, chapter 6). Files are the unit, never pages, since the pages of one document resemble each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.engines.base import Engine
from pipeline.estimate.sample import FileSample, Sample
from pipeline.intake.scan import InboxFile
from pipeline.run.job import Job

Floats = np.ndarray[Any, np.dtype[np.float64]]
MAX_OPENED = 400  # files that are opened to count their pages
SIZE_EXPONENT = 0.6  # how the chance to be drawn grows with bytes; 0.5 and 0.75 do as well in simulated inboxes
NOISE = 0.10  # standard deviation of the time of the same pages from one run to the next, as a share (docs/performance.md)
MAX_DEVIATION = np.log(1_000)  # a range beyond a factor of a thousand says nothing more
ONE_FILE_DEVIATION = np.log(2)  # where one file speaks for others: a factor of four, 19 times of 20
DRIVER_DOCUMENT_SECONDS, DRIVER_PAGE_SECONDS = 0.003, 0.007  # of a cluster's driver (docs/scale.md)
SEED, OUTCOMES = 20_250_324, 4_000


@dataclass(frozen=True)
class Total:
    """The estimate for all files, and equally likely outcomes around it."""

    value: float
    outcomes: Floats

    @property
    def range(self) -> tuple[float, float]:
        """95 % of the outcomes."""
        low, high = np.quantile(self.outcomes, [0.025, 0.975])
        return float(low), float(high)

    def apply(self, function: Callable[[Any], Any]) -> Total:
        """What ``function`` makes of the estimate and of each outcome."""
        return Total(float(function(self.value)), function(self.outcomes))


@dataclass(frozen=True)
class Estimate:
    """The prediction, and the sample that it comes from. A total is None where the sample is too small."""

    files: int
    sample: Sample
    read: Mapping[str, FileSample]  # files of the sample of which a page is finished, or that cannot be read
    interrupted: bool = False
    pages: Total | None = None
    seconds: Total | None = None
    bytes: Total | None = None
    driver: Total | None = None  # seconds that the driver of a cluster takes, however many actors there are

    @property
    def driver_is_limit(self) -> bool:
        """Whether the actors wait for the driver, so that more of them do not help."""
        return bool(self.driver and self.seconds and self.driver.value * 1.05 >= self.seconds.value - self.sample.startup)

    def divide(self, share: float) -> Estimate:
        """The estimate for a cluster; ``share`` is that of this machine's cores in those of all actors."""
        if not (self.seconds and self.pages):
            return self
        startup, documents = self.sample.startup, self.files * DRIVER_DOCUMENT_SECONDS
        driver = self.pages.apply(lambda pages: documents + pages * DRIVER_PAGE_SECONDS)
        work = self.seconds.apply(lambda seconds: (seconds - startup) * share)
        longer = Total(max(work.value, driver.value), np.maximum(work.outcomes, driver.outcomes))
        return replace(self, seconds=longer.apply(lambda seconds: startup + seconds), driver=driver)


def make_estimate(
    job: Job, engine: Engine, template: str | None, files: Sequence[InboxFile], most: int, seconds: float
) -> Estimate:
    """Read at most ``most`` of ``files`` in ``seconds``. Ctrl-C ends that with what is known. Raises what a run raises."""
    sample, interrupted, sizes = Sample(seconds), False, np.array([file.size for file in files], float)
    drawn = draw(sizes)
    order = [files[index] for index in np.argsort(drawn)]
    try:
        sample.count_pages(job, order[:MAX_OPENED])
        sample.read(job, engine, template, order[:most])
    except KeyboardInterrupt:
        interrupted = True
    read = {name: file for name, file in sample.files.items() if name in sample.pages and (file.pages or file.publication)}
    estimate = Estimate(len(files), sample, read, interrupted)
    if not sample.pages:
        return estimate

    def by_file(values: Mapping[str, float]) -> Floats:
        return np.array([values.get(file.source.name, np.nan) for file in files])

    counts = by_file(sample.pages)
    pages, finished = np.maximum(counts, 1), np.maximum(by_file({name: len(file.pages) for name, file in read.items()}), 1)
    estimate = replace(estimate, pages=total(sizes, pages, counts))
    written = {name: 2 * len(file.publication.as_bytes()) for name, file in read.items() if file.publication}
    if written:  # the ledger takes as much again as the JSON files
        estimate = replace(estimate, bytes=total(sizes, pages, by_file(written) * pages / finished))
    timed = {name: file.seconds for name, file in read.items() if file.timed}
    spent = timed or {name: file.seconds for name, file in read.items()}
    if spent and estimate.pages:
        # Readers and engine work side by side: a file's share in their own times is its share in the time by the wall clock.
        pace = sample.seconds / (sum(timed.values()) or 1.0) if timed else 1.0
        rest = np.array([not timed or file.source.name not in read or read[file.source.name].timed for file in files])
        cost = total(sizes[rest], pages[rest], (by_file(spent) * pace * pages / finished)[rest], NOISE, drawn[rest])
        started = sum(len(file.pages) for name, file in read.items() if name not in timed)
        more = max(0.0, estimate.pages.value - started) / max(1.0, estimate.pages.value - pages[~rest].sum())
        estimate = replace(estimate, seconds=cost.apply(lambda seconds: sample.startup + seconds * more))
    return estimate


def draw(sizes: Floats) -> Floats:
    """When each file is drawn, the same every time. The first ones are the sample."""
    return np.random.default_rng(SEED).exponential(size=len(sizes)) / (1 + sizes) ** SIZE_EXPONENT


def total(sizes: Floats, pages: Floats, costs: Floats, noise: float = 0.0, drawn: Floats | None = None) -> Total:
    """The cost of all files, from their bytes, the pages of those that were opened and the costs of those that were read; others are NaN.

    ``noise`` is the standard deviation, as a share, by which the same work differs from one time to the next.
    ``drawn`` is when each file was drawn.
    """
    weights, turns, everything = (1 + sizes) ** SIZE_EXPONENT, np.sort(draw(sizes) if drawn is None else drawn), len(sizes)

    def ratio(over: Floats, under: Floats) -> tuple[float, float, float]:
        """Ratio of two sums over all files, from those that are known; its relative variance; the squares of the deviations."""
        known = ~np.isnan(over)
        count = int(known.sum())
        chance = 1 - np.exp(-weights[known] * turns[count]) if count < everything else np.ones(count)
        over, under = over[known] / chance, under[known] / chance
        deviations = (over - over.sum() / under.sum() * under) / np.maximum(1 - under / under.sum(), 0.1) / (over.sum() or 1.0)
        variance = count / max(1, count - 1) * ((1 - chance) * deviations**2).sum()
        return over.sum() / under.sum(), variance, (deviations**2).sum()

    # The cost of a file may grow with pages, as a model's does, or rather with bytes, as that of OCR of scans.
    measure = min((pages, np.sqrt(pages * (1 + sizes)), pages * 0 + 1 + sizes), key=lambda measure: ratio(costs, measure)[2])
    (size, size_error, _), (cost, cost_error, _) = ratio(measure, weights), ratio(costs, measure)
    value, read, chance = float(weights.sum() * size * cost), int((~np.isnan(costs)).sum()), np.random.default_rng(SEED)
    deviations = np.sqrt(size_error + cost_error) * chance.standard_t(max(1, read - 1), OUTCOMES)
    deviations += chance.normal(0, np.hypot(noise, ONE_FILE_DEVIATION if read == 1 < everything else 0), OUTCOMES)
    return Total(value, value * np.exp(np.clip(deviations, -MAX_DEVIATION, MAX_DEVIATION)))
