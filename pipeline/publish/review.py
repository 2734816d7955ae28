"""Which values a person should look at: those that are likelier wrong than the user accepts, and those that fail a check."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Evidence

DOUBTS = ("ungrounded", "sum:", "order:", "checksum", "xml-differs", "truncated")
"""Beginnings of the flags that ask for a look where no confidence was assessed (tables, language models)."""


def to_review(fields: Mapping[str, Evidence], accepted_error: float) -> list[str]:
    """Names of the fields to look at. With confidences that hold, at most ``accepted_error`` of the others are wrong."""
    return [name for name, evidence in fields.items() if _in_doubt(evidence, accepted_error)]


def _in_doubt(evidence: Evidence, accepted_error: float) -> bool:
    if evidence.value in (None, "", []):
        return False
    if evidence.confidence is not None:
        return evidence.confidence < 1 - accepted_error
    return any(flag.startswith(DOUBTS) for flag in evidence.flags)
