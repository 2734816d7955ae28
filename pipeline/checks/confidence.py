"""The probability that a value is right, or that the document has none, from the engine's score, the grounding, the OCR and the checks.

The models are logistic regressions. Their weights are fitted by ``training.confidence`` on layouts that the scorer was not fitted to;
docs/confidence.md shows how well they generalise. Only what the embedded engine answers is assessed, because there is no data to fit the
models for a language model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import exp

from pipeline.checks.arithmetic import confirmed_by_sums
from pipeline.checks.calibration import calibration
from pipeline.checks.cell_features import cell_features
from pipeline.checks.confidence_features import Features, absence_features, value_features
from pipeline.checks.einvoice_dispute import is_disputed
from pipeline.checks.einvoice_overlay import FROM_DATA
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

ENGINE = "embedded"
DISPUTED_CONFIDENCE = 0.5
"""Of values from an e-invoice's data that the page contradicts. Others from the data have the highest confidence."""
_ASSESSED = frozenset({"money", "number", "date", "time", "identifier", "party", "currency", "text", "enum"})
_ASSESSED_VALUES = _ASSESSED - {"enum"}


def assess_confidence(fields: Mapping[str, Evidence], template: Template, engine: str) -> dict[str, Evidence]:
    """The fields with their ``confidence``: that of a value, or of there being none.

    Values of other readers and engines get none; fields without a value only where the engine said how likely that is.
    """
    if template.reader != "fields" or not engine.startswith(ENGINE):
        return dict(fields)
    confirmed = confirmed_by_sums(fields, template)
    assessed = {
        name: replace(evidence, confidence=_confidence(template, name, fields, name in confirmed))
        if name in template.fields
        else evidence
        for name, evidence in fields.items()
    }
    for name, evidence in fields.items():
        if name in template.fields and evidence.cells and calibration().cells and len(evidence.cells) == len(evidence.value):
            assessed[name] = replace(assessed[name], cells=_cells(template, name, fields))
    return assessed


def _cells(template: Template, name: str, fields: Mapping[str, Evidence]) -> list[dict[str, float]]:
    """The confidence of each cell by column, for each row of a table."""
    return [
        {column: probability(features, calibration().cells) for column, features in row.items()}
        for row in cell_features(template, name, fields)
    ]


def _confidence(template: Template, name: str, fields: Mapping[str, Evidence], confirmed: bool) -> float | None:
    evidence, kind = fields[name], template.fields[name].type
    if is_absent(evidence.value):
        if kind not in _ASSESSED or evidence.score <= 0:
            return None
        return probability(absence_features(template, name, fields), calibration().absences)
    if kind not in _ASSESSED_VALUES:
        return None
    if FROM_DATA in evidence.flags:
        return DISPUTED_CONFIDENCE if is_disputed(evidence) else calibration().most
    return probability(value_features(template, name, fields, confirmed), calibration().values)


def probability(features: Features, weights: Mapping[str, float]) -> float:
    """The confidence that features have with fitted weights, never above the highest one."""
    logit = sum(weights.get(name, 0.0) * value for name, value in features.items())
    return min(calibration().most, round(1 / (1 + exp(-logit)), 3))
