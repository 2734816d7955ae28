"""How likely a value is right that the reader of forms has read: fitted on its scores, which say how well a label or a heading fits.

``training.form_confidence`` fits the weights on documents with JSON Schemas whose values are known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from math import exp

from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

FILE = "form_calibration.json"


@dataclass(frozen=True, slots=True)
class FormCalibration:
    """Two weights each, of a constant and of the score, and the probability that a field without a value is rightly empty."""

    values: tuple[float, float]
    cells: tuple[float, float]
    absent: float
    most: float
    """The highest confidence: 1 less the error that the documents of the fit cannot exclude."""


@cache
def form_calibration() -> FormCalibration:
    """The calibration that is shipped."""
    stored = json.loads((files("pipeline.checks") / FILE).read_text(encoding="utf-8"))
    values, cells = ((float(weights[0]), float(weights[1])) for weights in (stored["values"], stored["cells"]))
    return FormCalibration(values, cells, float(stored["absent"]), float(stored["most"]))


def with_form_confidence(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields with their ``confidence``, tables with that of their cells."""
    return {name: _assessed(evidence) if name in template.fields else evidence for name, evidence in fields.items()}


def _assessed(evidence: Evidence) -> Evidence:
    known = form_calibration()
    if is_absent(evidence.value):
        return replace(evidence, confidence=known.absent)
    if evidence.cells:
        cells = [{column: _probability(score, known.cells) for column, score in row.items()} for row in evidence.cells]
        return replace(evidence, cells=cells)
    return replace(evidence, confidence=_probability(evidence.score, known.values))


def _probability(score: float, weights: tuple[float, float]) -> float:
    logit = weights[0] + weights[1] * score
    return min(form_calibration().most, round(1 / (1 + exp(-logit)), 3))
