"""How well confidence predicts errors: expected calibration error, reliability, and the errors above a review threshold."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from pipeline.evaluate.intervals import Share

BINS = 10
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Bin:
    """Values of about the same confidence: its mean, and how many are right."""

    confidence: float
    share: Share


@dataclass(frozen=True, slots=True)
class ThresholdErrors:
    """Errors that stay if only values below a threshold are reviewed."""

    threshold: float
    errors: Share
    """Wrong ones among the values at or above it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of all scored values that carry a confidence; of an absent value it is the probability that the document has none."""

    values: int
    error: float
    """Expected calibration error: the bins' distance from the diagonal, weighted by their values (Naeini et al., AAAI 2015)."""
    confidence: float
    """Mean confidence: what the values promise."""
    share: Share
    """Those that are right."""
    bins: tuple[Bin, ...]
    thresholds: tuple[ThresholdErrors, ...]


def calibrate(judged: Sequence[tuple[float, bool]]) -> Calibration | None:
    """From (confidence, right) of every value; None where there is none.

    Bins hold equally many values, but values of equal confidence stay in one bin: which of them came first is an accident, and would
    look like an error of calibration.
    """
    if not judged:
        return None
    ordered = sorted(judged, key=lambda pair: pair[0])
    edges = dict.fromkeys(_edge(ordered, round(n * len(ordered) / BINS)) for n in range(BINS + 1))
    parts = [ordered[a:b] for a, b in pairwise(edges)]
    bins = tuple(
        Bin(sum(confidence for confidence, _ in part) / len(part), Share(sum(right for _, right in part), len(part)))
        for part in parts
    )
    error = sum(item.share.of * abs(item.confidence - item.share.value) for item in bins) / len(ordered)
    thresholds = tuple(ThresholdErrors(threshold, _errors(ordered, threshold)) for threshold in THRESHOLDS)
    said, right = sum(confidence for confidence, _ in ordered) / len(ordered), Share(sum(r for _, r in ordered), len(ordered))
    return Calibration(len(ordered), error, said, right, bins, thresholds)


def _edge(ordered: Sequence[tuple[float, bool]], at: int) -> int:
    """The nearest place from ``at`` that does not part equal confidences."""
    if not 0 < at < len(ordered):
        return at
    confidence = ordered[at][0]
    begin, end = bisect_left(ordered, confidence, key=itemgetter(0)), bisect_right(ordered, confidence, key=itemgetter(0))
    return begin if at - begin < end - at else end


def _errors(judged: Sequence[tuple[float, bool]], threshold: float) -> Share:
    accepted = [right for confidence, right in judged if confidence >= threshold]
    return Share(accepted.count(False), len(accepted))
