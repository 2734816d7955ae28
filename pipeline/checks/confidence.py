"""The probability that a value is right, or that the document has none, from the engine's score, the grounding, the OCR and the checks.

The models are logistic regressions. Their weights are fitted by ``training.confidence`` on layouts that the scorer was not fitted to;
docs/confidence.md shows how well they generalise. What a language model answers is assessed where the embedded engine has read the same
page: ``checks.joint_choice`` has joined the two readings, and ``training.joint`` has fitted the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import exp

from pipeline.checks.arithmetic import confirmed_by_sums
from pipeline.checks.calibration import calibration
from pipeline.checks.cell_features import cell_features
from pipeline.checks.code_overlay import FROM_CODE, is_code_disputed
from pipeline.checks.confidence_features import Features, absence_features, value_features
from pipeline.checks.detail_confidence import detail_confidence
from pipeline.checks.einvoice_dispute import is_disputed
from pipeline.checks.einvoice_overlay import FROM_DATA
from pipeline.checks.fallbacks import FALLBACK_FLAG
from pipeline.checks.form_confidence import with_form_confidence
from pipeline.checks.joint_calibration import joint_calibration
from pipeline.checks.joint_features import OWN, joint_features, own_confidence, was_asked
from pipeline.checks.value_comparison import is_absent
from pipeline.records import TOKEN_PROBABILITY, Evidence
from pipeline.templates.template import Template

ENGINE = "embedded"
DISPUTED_CONFIDENCE = 0.5
"""Of values from an e-invoice's data, or with a code, that the page contradicts. Others from the data, and values that a code states, have
the highest confidence."""
_ASSESSED = frozenset({"money", "number", "date", "time", "identifier", "party", "currency", "text", "enum"})
_ASSESSED_VALUES = _ASSESSED - {"enum"}


def assess_confidence(fields: Mapping[str, Evidence], template: Template, engine: str) -> dict[str, Evidence]:
    """The fields with their ``confidence``: that of a value, or of there being none.

    Values of other readers get none, nor what only a language model has read; fields without a value only where the engine said how
    likely that is.
    """
    if template.reader == "form" and engine.startswith(ENGINE):
        return with_form_confidence(fields, template)
    if template.reader != "fields":
        return dict(fields)
    confirmed = confirmed_by_sums(fields, template)
    confidence = _confidence if engine.startswith(ENGINE) else _joint_confidence
    assessed = {
        name: replace(evidence, confidence=confidence(template, name, fields, name in confirmed))
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
        if template.fields[name].detail or kind not in _ASSESSED or evidence.score <= 0:
            return None
        return probability(absence_features(template, name, fields), calibration().absences)
    if kind not in _ASSESSED_VALUES and not template.fields[name].detail:
        return None
    if FROM_DATA in evidence.flags:
        return DISPUTED_CONFIDENCE if is_disputed(evidence) else calibration().most
    if is_code_disputed(evidence):
        return DISPUTED_CONFIDENCE
    if FROM_CODE in evidence.flags:
        return calibration().most
    if template.fields[name].detail:
        source = template.fields[name].otherwise
        if source and source in fields and any(flag.startswith(FALLBACK_FLAG) for flag in evidence.flags):
            return _confidence(template, source, fields, confirmed)
        return detail_confidence(evidence, template.fields[name])
    return probability(value_features(template, name, fields, confirmed), calibration().values)


def _joint_confidence(template: Template, name: str, fields: Mapping[str, Evidence], confirmed: bool) -> float | None:
    """The confidence of a field of a model's answer that was joined with the embedded engine's reading."""
    evidence, kind = fields[name], template.fields[name].type
    if template.fields[name].detail:
        return _confidence(template, name, fields, confirmed)
    if not evidence.signals.keys() - {TOKEN_PROBABILITY} or kind not in _ASSESSED:
        return evidence.confidence
    if not was_asked(evidence) or FROM_DATA in evidence.flags:
        return _confidence(template, name, fields, confirmed)
    weights = joint_calibration().absences if is_absent(evidence.value) else joint_calibration().values
    return probability(asked_features(template, name, fields, confirmed), weights)


def asked_features(template: Template, name: str, fields: Mapping[str, Evidence], confirmed: bool) -> Features:
    """The features of a field that a model was asked, once its answer is joined with the embedded engine's reading."""
    evidence = fields[name]
    own = _confidence(template, name, fields, confirmed) if evidence.signals.get(OWN, 0.0) > 0 else None
    sure = own_confidence(evidence.signals) if own is None else own
    return joint_features(template.fields[name], evidence, sure, confirmed)


def probability(features: Features, weights: Mapping[str, float]) -> float:
    """The confidence that features have with fitted weights, never above the highest one."""
    logit = sum(weights.get(name, 0.0) * value for name, value in features.items())
    return min(calibration().most, round(1 / (1 + exp(-logit)), 3))
