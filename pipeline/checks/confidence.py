"""The probability that a value is right, from the engine's score, the grounding, the OCR and the checks.

The model is a logistic regression. Its weights (``calibration.json``) are fitted by ``training.confidence`` on layouts that the scorer was
not fitted to; docs/confidence.md shows how well they generalise. Only values of the embedded engine are assessed, because there is no
data to fit the model for a language model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import exp, log

from pipeline.checks.arithmetic import CHECKSUM, confirmed_by_sums
from pipeline.checks.einvoice_dispute import is_disputed
from pipeline.checks.einvoice_overlay import FROM_DATA
from pipeline.checks.fallbacks import FALLBACK_FLAG
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template, TemplateField

ENGINE = "embedded"
WEIGHTS = "calibration.json"
MAX_CONFIDENCE, DISPUTED_CONFIDENCE = 0.999, 0.5
"""Of values from an e-invoice's data, and of those that the page contradicts. No value has more than MAX_CONFIDENCE."""
_ASSESSED = frozenset({"money", "number", "date", "time", "identifier", "party", "currency", "text"})


def assess_confidence(fields: Mapping[str, Evidence], template: Template, engine: str) -> dict[str, Evidence]:
    """The fields with their ``confidence``. Absent values, tables, and values of other readers and engines get none."""
    if template.reader != "fields" or not engine.startswith(ENGINE):
        return dict(fields)
    confirmed = confirmed_by_sums(fields, template)
    return {
        name: replace(evidence, confidence=_confidence(template.fields[name], evidence, name in confirmed))
        if name in template.fields and not is_absent(evidence.value) and template.fields[name].type in _ASSESSED
        else evidence
        for name, evidence in fields.items()
    }


def _confidence(field: TemplateField, evidence: Evidence, confirmed: bool) -> float:
    if FROM_DATA in evidence.flags:
        return DISPUTED_CONFIDENCE if is_disputed(evidence) else MAX_CONFIDENCE
    weights = _weights()
    logit = sum(weights.get(name, 0.0) * value for name, value in features(field, evidence, confirmed).items())
    return min(MAX_CONFIDENCE, round(1 / (1 + exp(-logit)), 3))


def features(field: TemplateField, evidence: Evidence, confirmed: bool) -> dict[str, float]:
    """The features of a value, by name. ``confirmed``: the value is part of a sum that holds."""
    flags = evidence.flags
    return {
        "always": 1.0,
        f"type {field.type}": 1.0,
        f"role {field.role}": float(field.role is not None and field.type == "party"),
        "score": evidence.score,
        "odds": _log_odds(evidence.score),
        "score above 0.8": float(evidence.score >= 0.8),
        "score below 0.5": float(evidence.score < 0.5),
        f"grounding {evidence.grounding}": float(evidence.grounding != "exact"),
        "a sum holds": float(confirmed),
        "a sum fails": float(any(flag.startswith("sum:") for flag in flags)),
        "a check digit fails": float(CHECKSUM in flags),
        "dates out of order": float(any(flag.startswith("order:") for flag in flags)),
        "fallback": float(any(flag.startswith(FALLBACK_FLAG) for flag in flags)),
        "ocr": float(evidence.legible < 1),
        "hard to read": min(1.0, 4 * (1 - evidence.legible)),
    }


def _log_odds(score: float) -> float:
    """The logarithm of the odds, as a share of that of 0.998."""
    clipped = min(0.998, max(0.002, score))
    return log(clipped / (1 - clipped)) / log(499)


@cache
def _weights() -> dict[str, float]:
    weights: dict[str, float] = json.loads((files("pipeline.checks") / WEIGHTS).read_text(encoding="utf-8"))
    return weights
