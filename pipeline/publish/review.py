"""Which values a person should look at: those that are likelier wrong than the user accepts, and those that fail a check."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Evidence

DOUBTS = ("ungrounded", "sum:", "order:", "checksum", "xml-differs", "truncated")
"""Beginnings of the flags that ask for a look, however sure a value is otherwise: a check that fails is rare among the documents that
confidences were fitted on."""


def to_review(fields: Mapping[str, Evidence], accepted_error: float) -> list[str]:
    """Names of the fields to look at: where a check fails, and where the value is likelier wrong than ``accepted_error``."""
    return [name for name, evidence in fields.items() if _in_doubt(evidence, accepted_error)]


def _in_doubt(evidence: Evidence, accepted_error: float) -> bool:
    if evidence.value in (None, "", []):
        return False
    unsure = evidence.confidence is not None and evidence.confidence < 1 - accepted_error
    return unsure or any(flag.startswith(DOUBTS) for flag in evidence.flags)
