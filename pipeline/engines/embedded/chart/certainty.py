"""How sure each row of a chart is: a logistic model of what speaks for and against its labels and its value.

A row is right when its labels are those of the mark and its value is within 5 % of it, or within 1 % of the chart's largest value.
``python -m training.charts fit`` fits the weights on charts that were drawn at random; they are stored with the recipe and both limits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import exp, log10

from pipeline.engines.embedded.chart.data_row import DataRow

FILE = "chart_calibration.json"
Signals = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ChartCalibration:
    """Fitted weights by feature, the highest confidence, and two thresholds."""

    weights: Mapping[str, float]
    most: float
    null_below: float
    """A value that is less sure is null."""
    sure_from: float
    """A number that is less sure is in no summary."""


@cache
def chart_calibration() -> ChartCalibration:
    """The calibration that is shipped."""
    stored = json.loads((files("pipeline.engines.embedded.chart") / FILE).read_text(encoding="utf-8"))
    weights = {name: float(weight) for name, weight in stored["weights"].items()}
    return ChartCalibration(weights, *(float(stored[name]) for name in ("most", "null_below", "sure_from")))


def rated_rows(kind: str, rows: Sequence[DataRow], signals: Signals) -> list[DataRow]:
    """The rows with their confidence; a value that is not sure is None."""
    known = chart_calibration()
    rated = []
    for row, features in zip(rows, row_features(kind, rows, signals), strict=True):
        chance = 1 / (1 + exp(-sum(known.weights.get(name, 0.0) * value for name, value in features.items())))
        confidence = min(known.most, round(chance, 3))
        rated.append(replace(row, value=row.value if confidence >= known.null_below else None, confidence=confidence))
    return rated


def row_features(kind: str, rows: Sequence[DataRow], signals: Signals) -> list[dict[str, float]]:
    """What speaks for and against each row, by name. ``signals`` are those of the chart as a whole."""
    whole = {**_chart_features(rows), f"kind:{kind.removesuffix('_horizontal')}": 1.0, **signals}
    labels = Counter((row.category, row.series) for row in rows)
    with_series = 2 * sum(row.series is not None for row in rows) > len(rows)
    usual_places = Counter(_places(row) for row in rows if row.printed).most_common(1)
    largest = max((abs(float(row.value)) for row in rows if row.value is not None), default=0.0)
    return [
        {
            f"{'printed' if row.printed else 'measured'}:{name}": value
            for name, value in (
                *whole.items(),
                *_row_features(row, largest).items(),
                *row.signals.items(),
                ("odd_places", float(row.printed and bool(usual_places) and _places(row) != usual_places[0][0])),
                ("repeated", float(labels[row.category, row.series] > 1)),
                ("no_series", float(with_series and row.series is None)),
            )
        }
        for row in rows
    ]


def _places(row: DataRow) -> int:
    """Return the number of decimals of a value."""
    exponent = row.value.as_tuple().exponent if row.value is not None else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _row_features(row: DataRow, largest: float) -> dict[str, float]:
    size = abs(float(row.value)) if row.value is not None else 0.0
    relative = float(row.error) / size if size else 1.0
    return {
        "constant": 1.0,
        "no_category": float(row.category is None),
        "uncertain_category": float(not row.category_certain),
        "imprecise": min(1.0, max(0.0, log10(relative / 0.01) / 2)) if relative > 0 else 0.0,
        "small": float(size < 0.02 * largest),
        "zero": float(size == 0),
        "short_category": float(row.category is not None and len(row.category) < 3),
    }


def _chart_features(rows: Sequence[DataRow]) -> dict[str, float]:
    printed = sum(row.printed for row in rows) / max(1, len(rows))
    categories = sum(row.category is not None for row in rows) / max(1, len(rows))
    labels = Counter((row.category, row.series) for row in rows)
    series = {row.series for row in rows}
    per_series = Counter(row.series for row in rows)
    return {
        "some_printed": float(0 < printed < 0.8),
        "unlabelled_share": 1 - categories,
        "repeated_share": sum(count - 1 for count in labels.values()) / max(1, len(rows)),
        "few_rows": float(len(rows) <= 2),
        "many_rows": min(1.0, max(0.0, log10(max(1, len(rows)) / 10))),
        "uneven_series": float(len(series) > 1 and max(per_series.values()) != min(per_series.values())),
        "many_series": min(1.0, len(series) / 6),
    }
