"""What speaks for and against a value, or for and against there being none, as numbers by name.

None of them is the name of a field: the confidences of users' own templates are made of the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from pipeline.checks.arithmetic import CHECKSUM, check_digits_hold
from pipeline.checks.fallbacks import FALLBACK_FLAG
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template, TemplateField

REQUIRED = frozenset({"BT-1", "BT-2", "BT-3", "BT-5", "BT-27", "BT-44", "BT-109", "BT-112"})
"""Terms that EN 16931 requires of every invoice, and that have a field."""
ORDINARY_DOUBT = 0.1
"""Doubt of a page in the middle of those that were learned from."""
Features = dict[str, float]


def value_features(template: Template, name: str, fields: Mapping[str, Evidence], confirmed: bool) -> Features:
    """The features of a field's value. ``confirmed``: the value is part of a sum that holds."""
    field, evidence = template.fields[name], fields[name]
    flags, signals = evidence.flags, evidence.signals or _without_signals(field, evidence)
    return {
        "always": 1.0,
        f"type {field.type}": 1.0,
        f"format {field.format}": float(field.format is not None),
        f"role {field.role}": float(field.role is not None and field.type == "party"),
        "score": evidence.score,
        "odds": log_odds(evidence.score),
        "score above 0.8": float(evidence.score >= 0.8),
        "score below 0.5": float(evidence.score < 0.5),
        "odds against the next": log_odds(evidence.score / max(1e-3, evidence.score + signals.get("rival", 0.0))),
        "odds against absence": log_odds(evidence.score / max(1e-3, evidence.score + signals.get("absent", 0.0))),
        "label": signals.get("label", 0.0),
        f"grounding {evidence.grounding}": float(evidence.grounding != "exact"),
        "a sum holds": float(confirmed),
        "a sum fails": float(any(flag.startswith("sum:") for flag in flags)),
        "a check digit fails": float(CHECKSUM in flags),
        "check digits hold": float(field.format == "vat" and check_digits_hold(evidence.value) is True),
        "form of no known tax number": float(field.format == "vat" and check_digits_hold(evidence.value) is None),
        "dates out of order": float(any(flag.startswith("order:") for flag in flags)),
        "fallback": float(any(flag.startswith(FALLBACK_FLAG) for flag in flags)),
        "ocr": float(evidence.legible < 1),
        "hard to read": min(1.0, 4 * (1 - evidence.legible)),
        **doubts(signals),
    }


def absence_features(template: Template, name: str, fields: Mapping[str, Evidence]) -> Features:
    """The features of a field without a value."""
    field, evidence = template.fields[name], fields[name]
    required = float(field.einvoice in REQUIRED)
    has_buyer = any(other.role == "buyer" for other in template.fields.values())
    return {
        "always": 1.0,
        f"type {field.type}": 1.0,
        f"format {field.format}": float(field.format is not None),
        f"role {field.role}": float(field.role is not None and field.type == "party"),
        "odds": log_odds(evidence.score),
        "absence above 0.9": float(evidence.score >= 0.9),
        "required of an invoice": required * has_buyer,
        "required of an invoice, on a slip": required * (1 - has_buyer),
        "result": float(any(check.equals == name and "." not in "".join(check.sum) for check in template.checks)),
        "deduction": float(field.deduction),
        "last of an order": float(any(check.order and check.order[-1] == name for check in template.checks)),
        "rest of its sum is there": float(_rest_is_there(template, name, fields)),
        "label": evidence.signals.get("label", 0.0),
        f"a {field.type} may be there": evidence.signals.get("trace", 0.0),
        "next": evidence.signals.get("rival", 0.0),
        "few candidates": 1 - evidence.signals.get("candidates", 0.0) if "candidates" in evidence.signals else 0.0,
        **doubts(evidence.signals),
    }


def doubts(signals: Mapping[str, float]) -> Features:
    """What makes any answer less sure: a page that is unlike those that were learned from, a value that is made of labels."""
    return {f"doubt: {name}": signals.get(name, 0.0) for name in _DOUBTS}


def _without_signals(field: TemplateField, evidence: Evidence) -> Mapping[str, float]:
    """What an answer that was read before there were signals counts as: an ordinary page, the rest of the probability on another value."""
    if field.type not in _SCORED:
        return {"page doubt": ORDINARY_DOUBT}
    return {"rival": 1 - evidence.score, "absent": (1 - evidence.score) / 2, "page doubt": ORDINARY_DOUBT}


_SCORED = ("money", "date", "identifier", "party")
"""Types of fields that the scorer knows."""
_DOUBTS = ("page doubt", "unknown labels", "unknown language", "made of labels", "ambiguous day")


def _rest_is_there(template: Template, name: str, fields: Mapping[str, Evidence]) -> bool:
    """Whether all others of a sum of plain fields have a value."""
    for check in template.checks:
        members = {member.lstrip("-") for member in (*check.sum, check.equals or "")} - {""}
        if name in members and not template.sums_rows(check):
            return all(not is_absent(fields.get(other, Evidence(None)).value) for other in members - {name})
    return False


def log_odds(probability: float) -> float:
    """The logarithm of the odds, as a share of that of 0.998."""
    clipped = min(0.998, max(0.002, probability))
    return log(clipped / (1 - clipped)) / log(499)
