"""How well confidence predicts errors: expected calibration error, reliability, and the errors above a review threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """Of all values that carry a confidence and are scored."""

    values: int
    error: float
    """Expected calibration error: the bins' distance from the diagonal, weighted by their values (Naeini et al., AAAI 2015)."""
    bins: tuple[Bin, ...]
    thresholds: tuple[ThresholdErrors, ...]


def calibrate(judged: Sequence[tuple[float, bool]]) -> Calibration | None:
    """From (confidence, right) of every value; None where there is none. Bins hold equally many values."""
    if not judged:
        return None
    ordered = sorted(judged, key=lambda pair: pair[0])
    edges = [round(n * len(ordered) / BINS) for n in range(BINS + 1)]
    parts = [ordered[a:b] for a, b in pairwise(edges) if b > a]
    bins = tuple(
        Bin(sum(confidence for confidence, _ in part) / len(part), Share(sum(right for _, right in part), len(part)))
        for part in parts
    )
    error = sum(item.share.of * abs(item.confidence - item.share.value) for item in bins) / len(ordered)
    thresholds = tuple(ThresholdErrors(threshold, _errors(ordered, threshold)) for threshold in THRESHOLDS)
    return Calibration(len(ordered), error, bins, thresholds)


def _errors(judged: Sequence[tuple[float, bool]], threshold: float) -> Share:
    accepted = [right for confidence, right in judged if confidence >= threshold]
    return Share(accepted.count(False), len(accepted))
