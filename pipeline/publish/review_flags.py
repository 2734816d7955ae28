"""Which values a person should check, and why: values, and empty fields, that are too likely wrong, and values that fail a check."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.records import Evidence
from pipeline.templates.template import Check

REVIEW_FLAGS = (
    "ungrounded",
    "sum:",
    "row:",
    "order:",
    "checksum",
    "xml-differs",
    "qr-differs",
    "truncated",
    "other-documents",
    "several-documents",
    "unclear-end",
    "unconfirmed",
    "same-as:",
    "future:",
    "duplicate:",
    "unread-script",
    "handwriting",
    "pattern",
)
"""Beginnings of the flags that ask for a review at any confidence: a check that fails is rare among the documents that confidences
were fitted on."""
DETAIL = "detail"
"""Signal of a detail."""
DIFFERENCE = "off-by:"
"""Beginning of the flag ``off-by:CHECK:AMOUNT`` beside ``sum:CHECK``."""
_NO_BREAK_SPACE = "\u00a0"
_FLAG_TEXTS = {
    "ungrounded": "not found on the page",
    "checksum": "its check digits are wrong",
    "xml-differs": "the page and the data of the e-invoice differ",
    "unclear-end": "words follow that may belong to it",
    "unconfirmed": "only the language model has read the rows, and they add up to no total",
    "truncated": "the answer was cut off",
    "xml": "from the data of the e-invoice",
    "qr": "stated by a code on the page",
    "required": "every document must have it",
    "pattern": "has another form than the template asks for",
    "nearest": "the line that matches best",
    "handwriting": "some of it cannot be read, mostly handwriting",
    "unread-script": "lines are in a script that nothing here reads: `pipeline doctor` names what is missing",
}


def fields_to_review(fields: Mapping[str, Evidence], threshold: float) -> list[str]:
    """Names of the fields that fail a check, or whose confidence is below ``threshold``: also of fields without a value."""
    return [name for name, evidence in fields.items() if _needs_review(evidence, threshold)]


def is_urgent(evidence: Evidence, threshold: float) -> bool:
    """Whether a field that is named for review is more than a detail that nothing proves: such details are on nearly every document."""
    if DETAIL not in evidence.signals:
        return _needs_review(evidence, threshold)
    return not is_absent(evidence) and any(flag.startswith(REVIEW_FLAGS) for flag in evidence.flags)


def review_reasons(evidence: Evidence, threshold: float, checks: Mapping[str, Check]) -> list[str]:
    """Why a value needs a review, in words; empty when it needs none. ``checks`` are the template's checks by name."""
    if not _needs_review(evidence, threshold):
        return []
    failed = [_with_difference(flag, evidence, checks) for flag in evidence.flags if flag.startswith(REVIEW_FLAGS)]
    return [
        *(
            [flag_text(flag, checks) for flag in evidence.flags if flag in ("unread-script", "required")]
            if is_absent(evidence)
            else failed
        ),
        *_error_probability(evidence, threshold),
        *_unsure_rows(evidence, threshold),
    ]


def flag_notes(evidence: Evidence, checks: Mapping[str, Check]) -> list[str]:
    """The flags of a value that ask for no review, in words."""
    return [flag_text(flag, checks) for flag in evidence.flags if not flag.startswith((*REVIEW_FLAGS, DIFFERENCE))]


def is_absent(evidence: Evidence) -> bool:
    """Whether there is no value."""
    return evidence.value in (None, "", [])


def _with_difference(flag: str, evidence: Evidence, checks: Mapping[str, Check]) -> str:
    """A failed check in words, with the difference of a sum."""
    text, name = flag_text(flag, checks), flag.partition(":")[2]
    differences = [
        each.rpartition(":")[2]
        for each in evidence.flags
        if flag.startswith("sum:") and each.startswith(f"{DIFFERENCE}{name}:")
    ]
    return f"{text}; the difference is {differences[0]}" if differences else text


def flag_text(flag: str, checks: Mapping[str, Check]) -> str:
    """A flag in words; docs/output.md lists the flags."""
    kind, _, subject = flag.partition(":")
    if kind in ("sum", "order"):
        return f"{'does not add up' if kind == 'sum' else 'dates are out of order'}: {_rule(subject, checks)}"
    if kind == "same-as":
        return f"the same as {subject}, which must be another"
    if kind == "future":
        return f"{subject} days after the document was read"
    if kind == "duplicate":
        return f"{subject} is the same document of the same sender, received before"
    if kind == "off-by":
        name, _, difference = subject.rpartition(":")
        return f"{_rule(name, checks)}: the difference is {difference}"
    if kind == "adjusted":
        return f"the sum of the rows and {subject} of allowances and charges"
    if kind == "other-documents":
        return f"the file holds other documents on {'pages' if ',' in subject else 'page'} {subject.replace(',', ', ')}"
    if kind == "several-documents":
        return "the page shows several documents" + (f"; the value is of the one at the {subject}" if subject else "")
    if kind == "xml-differs" and subject:
        return f"the page and the data of the e-invoice differ in {subject.replace(',', ', ')}"
    if kind == "qr-differs":
        return f"the text of the page and its code differ: the other value is {subject}"
    if kind == "learned":
        return f"learned from corrections of the sender's documents (lesson {subject})"
    if kind == "as":
        return f"not printed by itself, taken from {subject}"
    row, _, column = subject.partition(".")
    text = _FLAG_TEXTS.get(kind, kind)
    return f"row {row}, {column}: {text}" if column else f"number {row}: {text}" if row else text


def _rule(name: str, checks: Mapping[str, Check]) -> str:
    """``subtotal + tax_total = total``; the check's name where today's template has no such check."""
    check = checks.get(name)
    if check is None:
        return name
    if check.order:
        return " ≤ ".join(check.order)
    first, *others = check.sum
    terms = [f"{'−' if member.startswith('-') else '+'} {member.lstrip('-')}" for member in others]
    return f"{' '.join([first.replace('-', '−'), *terms])} = {check.equals}"


def _error_probability(evidence: Evidence, threshold: float) -> list[str]:
    if evidence.confidence is None or evidence.confidence >= threshold:
        return []
    wrong, named = (f"{100 * share:.2g}{_NO_BREAK_SPACE}%" for share in (1 - evidence.confidence, 1 - threshold))
    what = "the document has a value" if is_absent(evidence) else "wrong"
    return [f"{what} with a probability of {wrong}" + (f"; from {named} on values are named" if threshold < 1 else "")]


def _unsure_rows(evidence: Evidence, threshold: float) -> list[str]:
    """The rows of a table with a cell below the threshold, each with its least sure cell."""
    found = []
    for number, cells in enumerate(evidence.cells, 1):
        column = min(cells, key=lambda name: cells[name], default="")
        if column and cells[column] < threshold:
            found.append(
                f"row {number}, {column}: wrong with a probability of {100 * (1 - cells[column]):.2g}{_NO_BREAK_SPACE}%"
            )
    return found


def _needs_review(evidence: Evidence, threshold: float) -> bool:
    uncertain = evidence.confidence is not None and evidence.confidence < threshold
    uncertain = uncertain or any(sure < threshold for cells in evidence.cells for sure in cells.values())
    if "required" in evidence.flags and is_absent(evidence):
        return True
    if "unread-script" in evidence.flags:  # also a field without a value: it may stand in the lines that were not read
        return True
    return uncertain or (not is_absent(evidence) and any(flag.startswith(REVIEW_FLAGS) for flag in evidence.flags))
