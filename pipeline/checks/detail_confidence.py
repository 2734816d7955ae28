"""How sure a detail is: proved by check digits or a sum, or only found beside its label.

Details are read by rules that are not fitted, so that no probability of theirs is calibrated. Proved ones count as sure. All others stay
below the default threshold of the shipped calibration, and are named for review.
"""

from __future__ import annotations

from pipeline.records import Evidence
from pipeline.templates.template import TemplateField
from pipeline.values.identifiers import is_valid_vat, parse_creditor_reference, parse_iban, parse_vat
from pipeline.values.number_formats import has_check_digits

DETAIL, PROOF = "detail", "proof"
"""Signals of a detail, and of one that a sum on its page proves."""
PROVED, UNPROVED = 0.97, 0.8
"""Set by hand: what is proved passes the default threshold of a review, what is not stays below it."""


def is_proved(evidence: Evidence, field: TemplateField) -> bool:
    """Whether check digits or a sum show that a value was read without a mistake."""
    if any(flag.startswith(("checksum", "sum:", "order:", "pattern", "ungrounded")) for flag in evidence.flags):
        return False
    if evidence.signals.get(PROOF, 0.0) >= 1.0:
        return True
    value = evidence.value
    if not isinstance(value, str):
        return False
    if field.type == "iban":
        return parse_iban(value) is not None
    if field.format == "vat":
        plain = parse_vat(value)
        return plain is not None and is_valid_vat(plain)
    if field.format and field.format != "address":
        return has_check_digits(field.format, value)
    return field.type == "identifier" and parse_creditor_reference(value) is not None


def detail_confidence(evidence: Evidence, field: TemplateField) -> float:
    """The confidence of a detail that has a value."""
    return PROVED if is_proved(evidence, field) else round(min(UNPROVED, max(0.3, evidence.score)), 3)
