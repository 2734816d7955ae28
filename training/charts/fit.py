"""Fits how sure the reader of charts is of its rows, on charts with truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from pipeline.engines.embedded.chart.certainty import row_features
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.summary import MAX_RELATIVE_ERROR
from training.charts.reading import Read, is_near, matches
from training.logistic import chances, fit

ABSOLUTE = 0.01
"""Of the largest value: what a small value may be off."""
NULL_BELOW = 0.25
"""A value is null where it is three times as likely wrong as right. With 0.5 published charts lose as many right values as wrong ones."""
SURE_FROM = 0.3
"""The least sure number of a summary. Chosen on published charts with truth: a higher one takes away true numbers as often as untrue ones,
because doubts learned from drawn charts fit published ones less well."""
RARE = ("box", "broken", "dual", "inverted", "log", "multiples", "nested", "pyramid", "waterfall")
RARE_WEIGHT = 0.25
"""Weight of a chart of a rare kind: nine of 24 kinds are drawn, but few such charts are published."""
RULE_OF_THREE = 3.0
FOLDS = 10
FOR = ("constant", "kind:", "many_", "log", "zero", "short", "dense", "few_rows", "unchecked", "no_percent", "inverted")
"""Features that may speak for a row as well as against it; all others are doubts."""


@dataclass
class Observed:
    """One chart: its type as read, its rows, their features, and whether they are right."""

    kind: str
    weight: float
    rows: Sequence[DataRow]
    features: list[dict[str, float]]
    right: list[bool]
    true: list[bool]
    """Whether the number is one of the chart's, within 5 %, be its labels right or not."""


def observe(read: Read) -> Observed:
    """What the fit learns from a chart."""
    rows = read.reading.rows
    largest = max((abs(row["value"]) for row in read.truth["rows"]), default=0.0)
    right, numbers = [], []
    for row, n in zip(rows, matches(read.truth, rows), strict=True):
        true = None if n is None else float(read.truth["rows"][n]["value"])
        close = true is not None and is_near(true, row)
        numbers.append(close or any(is_near(float(each["value"]), row) for each in read.truth["rows"]))
        small = true is not None and row.value is not None and abs(abs(float(row.value)) - abs(true)) <= ABSOLUTE * largest
        right.append(close or small)
    weight = RARE_WEIGHT if read.truth["kind"] in RARE else 1.0
    return Observed(
        read.reading.kind, weight, rows, row_features(read.reading.kind, rows, read.reading.signals), right, numbers
    )


def highest_confidence(charts: Sequence[Observed]) -> float:
    """No confidence is higher: so many charts cannot exclude a larger error (rule of three)."""
    return round(1 - RULE_OF_THREE / (len(charts) + 1), 3)


def fitted(charts: Sequence[Observed]) -> tuple[dict[str, float], list[np.ndarray[Any, np.dtype[np.float64]]]]:
    """The weights fitted to all charts, and for each chart the probabilities by weights that were fitted without it."""
    left_out: list[np.ndarray[Any, np.dtype[np.float64]]] = [np.zeros(0)] * len(charts)
    for fold in range(FOLDS):
        weights = _weights([chart for n, chart in enumerate(charts) if n % FOLDS != fold])
        for n in range(fold, len(charts), FOLDS):
            left_out[n] = chances(charts[n].features, weights, highest_confidence(charts)) if charts[n].rows else np.zeros(0)
    return _weights(charts), left_out


def _weights(charts: Sequence[Observed]) -> dict[str, float]:
    features = [each for chart in charts for each in chart.features]
    right = [each for chart in charts for each in chart.right]
    share = [chart.weight * min(1.0, 8 / len(chart.rows)) for chart in charts for _ in chart.rows]
    names = {name for each in features for name in each}
    against = {name for name in names if not name.split(":", 1)[1].startswith(FOR)}
    return fit(features, right, share, against)


def wrong_in_summaries(charts: Sequence[Observed], left_out: Sequence[Any]) -> tuple[float, int]:
    """The share of the highest and lowest numbers, of those that are as sure as ``SURE_FROM``, that are untrue; and how many they are."""
    told = wrong = 0.0
    for chart, chance in zip(charts, left_out, strict=True):
        known = [n for n, row in enumerate(chart.rows) if chance[n] >= SURE_FROM and row.value is not None]
        if len(known) < 2 or chart.kind == "scatter":  # no summary of points has numbers
            continue
        for pick in (max, min):
            at = pick(known, key=lambda n: chart.rows[n].value or 0)
            if chart.rows[at].error <= MAX_RELATIVE_ERROR * abs(chart.rows[at].value or Decimal(0)):
                told += chart.weight
                wrong += chart.weight * (not chart.true[at])
    return wrong / max(1.0, told), round(told)


def calibration_error(charts: Sequence[Observed], left_out: Sequence[Any], bins: int = 10) -> float:
    """Expected calibration error of the left-out probabilities, in bins of equal width."""
    chance = np.concatenate(list(left_out))
    right = np.array([each for chart in charts for each in chart.right], float)
    which = np.minimum((chance * bins).astype(int), bins - 1)
    parts = [(which == n) for n in range(bins) if (which == n).any()]
    return float(sum(part.sum() * abs(chance[part].mean() - right[part].mean()) for part in parts) / len(chance))
