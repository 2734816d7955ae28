"""Which values a person should look at, and why: those that are likelier wrong than the user accepts, and those that fail a check."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Evidence
from pipeline.templates.model import Check

DOUBTS = ("ungrounded", "sum:", "order:", "checksum", "xml-differs", "truncated")
"""Beginnings of the flags that ask for a look, however sure a value is otherwise: a check that fails is rare among the documents that
confidences were fitted on."""
_UNBROKEN = "\u00a0"
"""A blank at which no line breaks."""
_TOLD = {
    "ungrounded": "not found on the page",
    "checksum": "its check digits are wrong",
    "xml-differs": "the page says something else than the data of the e-invoice",
    "truncated": "the answer was cut off",
    "xml": "from the data of the e-invoice",
    "nearest": "the line that matches best",
}


def to_review(fields: Mapping[str, Evidence], accepted_error: float) -> list[str]:
    """Names of the fields to look at: where a check fails, and where the value is likelier wrong than ``accepted_error``."""
    return [name for name, evidence in fields.items() if _in_doubt(evidence, accepted_error)]


def reasons(evidence: Evidence, accepted_error: float, checks: Mapping[str, Check]) -> list[str]:
    """Why a value is to be looked at, in words; empty for one that is not. ``checks`` are the template's by name."""
    if not _in_doubt(evidence, accepted_error):
        return []
    failed = [told_flag(flag, checks) for flag in evidence.flags if flag.startswith(DOUBTS)]
    return [*failed, *_unlikely(evidence, accepted_error)]


def notes(evidence: Evidence, checks: Mapping[str, Check]) -> list[str]:
    """What else is to be known of a value, in words."""
    return [told_flag(flag, checks) for flag in evidence.flags if not flag.startswith(DOUBTS)]


def told_flag(flag: str, checks: Mapping[str, Check]) -> str:
    """A flag in words; see docs/output.md."""
    kind, _, of = flag.partition(":")
    if kind in ("sum", "order"):
        return f"{'does not add up' if kind == 'sum' else 'dates run backwards'}: {_rule(of, checks)}"
    if kind == "as":
        return f"not printed by itself, taken from {of}"
    row, _, column = of.partition(".")
    told = _TOLD.get(kind, kind)
    return f"row {row}, {column}: {told}" if column else f"number {row}: {told}" if row else told


def _rule(name: str, checks: Mapping[str, Check]) -> str:
    """``subtotal + tax_total = total``, or the check's name where the template no longer has it."""
    check = checks.get(name)
    if check is None:
        return name
    if check.order:
        return " ≤ ".join(check.order)
    first, *more = check.sum
    added = [f"{'−' if member.startswith('-') else '+'} {member.lstrip('-')}" for member in more]
    return f"{' '.join([first.replace('-', '−'), *added])} = {check.equals}"


def _unlikely(evidence: Evidence, accepted_error: float) -> list[str]:
    if evidence.confidence is None or evidence.confidence >= 1 - accepted_error:
        return []
    wrong, accepted = (f"{100 * share:.2g}{_UNBROKEN}%" for share in (1 - evidence.confidence, accepted_error))
    return [f"wrong with a probability of {wrong}; {accepted} are accepted"]


def _in_doubt(evidence: Evidence, accepted_error: float) -> bool:
    if evidence.value in (None, "", []):
        return False
    unsure = evidence.confidence is not None and evidence.confidence < 1 - accepted_error
    return unsure or any(flag.startswith(DOUBTS) for flag in evidence.flags)
