"""The fitted weights of the confidences, the highest confidence, and the thresholds of review, as ``training.confidence`` wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILE = "calibration.json"
NEVER = 1.0
"""Threshold that no value reaches."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the confidences are made with."""

    values: Mapping[str, float]
    """Weights of the features of a value."""
    absences: Mapping[str, float]
    """Weights of the features of a field without a value."""
    cells: Mapping[str, float]
    """Weights of the features of a table's cell."""
    most: float
    """The highest confidence: 1 less the error that the real documents of the fit cannot exclude (three in their number)."""
    thresholds: Mapping[str, tuple[tuple[float, float], ...]]
    """By template: accepted errors, rising, each with the confidence below which values are named for review."""


@cache
def calibration() -> Calibration:
    """The calibration that is shipped."""
    stored = json.loads((files("pipeline.checks") / FILE).read_text(encoding="utf-8"))
    tables = {name: tuple((float(a), float(b)) for a, b in table) for name, table in stored["thresholds"].items()}
    return Calibration(stored["values"], stored["absences"], stored.get("cells", {}), stored["most"], tables)


def review_threshold(template: str, accepted_error: float) -> float:
    """The confidence below which a value is named for review, so that at most ``accepted_error`` of the values are wrong and not named.

    Conformal risk control (Angelopoulos et al., 2022) chose it on layouts that nothing was fitted to. For a template without a table of its
    own the most careful one counts. NEVER where the calibration documents are too few to promise so little.
    """
    if accepted_error >= 1:
        return 0.0
    tables = calibration().thresholds
    return max(_threshold(table, accepted_error) for table in ([tables[template]] if template in tables else tables.values()))


def _threshold(table: tuple[tuple[float, float], ...], accepted_error: float) -> float:
    """The threshold of the largest accepted error in the table that is no larger than the given one."""
    return next((threshold for error, threshold in reversed(table) if error <= accepted_error + 1e-9), NEVER)
