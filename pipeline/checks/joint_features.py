"""What speaks for each of two readings of a field, by a language model and by the embedded engine, as numbers by name.

None of them is the name of a field. ``checks.joint_choice`` chooses with them, and the confidences of what was chosen are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.checks.arithmetic import CHECKSUM, check_digits_hold
from pipeline.checks.confidence_features import Features, log_odds
from pipeline.checks.grounding import UNGROUNDED
from pipeline.checks.value_comparison import is_absent
from pipeline.records import TOKEN_PROBABILITY, Evidence
from pipeline.templates.template import TemplateField

MODEL, OWN = "by the model", "by the embedded engine"
"""Signals of a claim, 1 where this reader has the value, or says that there is none. A field with neither was not asked of a model."""
OWN_CONFIDENCE = "embedded confidence"
"""Signal: the probability that the embedded engine's reading of the field is right, also where it was not chosen."""
UNKNOWN = 0.5
"""Probability where none is known."""
RIGHT_WHERE_OTHER_IS_WRONG = 0.5
"""Probability that a model's other value is right where the embedded engine is wrong; the fitted weights correct it."""


def choice_features(field: TemplateField, own: Evidence, model: Evidence) -> Features:
    """The features of the model's reading being right rather than the embedded engine's, which differs."""
    sure = UNKNOWN if own.confidence is None else own.confidence
    likely = model.signals.get(TOKEN_PROBABILITY, UNKNOWN)
    own_absent, model_absent = is_absent(own.value), is_absent(model.value)
    return {
        "always": 1.0,
        "embedded engine has none": float(own_absent),
        "model has none": float(model_absent),
        "embedded odds": log_odds(sure),
        "embedded odds of none": log_odds(sure) * own_absent,
        "token odds": log_odds(likely),
        "token odds of none": log_odds(likely) * model_absent,
        "a name": float(field.type == "party"),
        "an amount": float(field.type == "money"),
        "model's check digits hold": float(field.format == "vat" and check_digits_hold(model.value) is True),
        "model's value is not on the page": float(UNGROUNDED in model.flags),
    }


def joint_features(field: TemplateField, evidence: Evidence, own_confidence: float, confirmed: bool) -> Features:
    """The features of what was chosen. ``own_confidence``: of the embedded engine's reading, 0 to 1; ``confirmed``: a sum holds with it."""
    signals, flags = evidence.signals, evidence.flags
    by_model, by_own = signals.get(MODEL, 0.0) > 0, signals.get(OWN, 0.0) > 0
    source = "both" if by_model and by_own else "model" if by_model else "embedded"
    likely = signals.get(TOKEN_PROBABILITY, UNKNOWN)
    sure = own_confidence if by_own or not by_model else (1 - own_confidence) * RIGHT_WHERE_OTHER_IS_WRONG
    return {
        source: 1.0,
        f"odds, {source}": log_odds(sure),
        f"token odds, {source}": log_odds(likely),
        "a name": float(field.type == "party"),
        "a sum holds": float(confirmed),
        "a sum fails": float(any(flag.startswith("sum:") for flag in flags)),
        "a check digit fails": float(CHECKSUM in flags),
        "dates out of order": float(any(flag.startswith("order:") for flag in flags)),
        "not on the page": float(UNGROUNDED in flags),
        "hard to read": min(1.0, 4 * (1 - evidence.legible)),
    }


def was_asked(evidence: Evidence) -> bool:
    """Whether a model was asked about the field."""
    return bool({MODEL, OWN}.intersection(evidence.signals))


def may_change(evidence: Evidence) -> bool:
    """Whether another answer of the model could change the value of a field that it was asked: not where the embedded engine's is taken."""
    return evidence.signals.get(OWN, 0.0) == 0


def own_confidence(signals: Mapping[str, float]) -> float:
    """The confidence of the embedded engine's reading of the field."""
    return signals.get(OWN_CONFIDENCE, UNKNOWN)
