"""Which values a person should check, and why: values, and empty fields, that are too likely wrong, and values that fail a check."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from pipeline.publish.review_words import ReviewWords
from pipeline.records import Evidence, Json
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
_ADJUSTED = "adjusted:"
_ENGLISH = ReviewWords()
_NO_FIELDS: Mapping[str, Evidence] = {}
FLAG_TEXTS = {
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
"""Flags without a subject in words."""
PLACES = ("left", "right", "top", "bottom")
"""Where a document is, on a page with several."""


def fields_to_review(fields: Mapping[str, Evidence], threshold: float) -> list[str]:
    """Names of the fields that fail a check, or whose confidence is below ``threshold``: also of fields without a value."""
    return [name for name, evidence in fields.items() if _needs_review(evidence, threshold)]


def is_urgent(evidence: Evidence, threshold: float) -> bool:
    """Whether a field that is named for review is more than a detail that nothing proves: such details are on nearly every document."""
    if DETAIL not in evidence.signals:
        return _needs_review(evidence, threshold)
    return not is_absent(evidence) and any(flag.startswith(REVIEW_FLAGS) for flag in evidence.flags)


def review_reasons(
    evidence: Evidence,
    threshold: float,
    checks: Mapping[str, Check],
    words: ReviewWords = _ENGLISH,
    *,
    fields: Mapping[str, Evidence] = _NO_FIELDS,
) -> list[str]:
    """Why a value needs a review, in words; empty when it needs none.

    ``checks`` are the template's checks by name. ``fields`` are all of the document: a difference that is one of their amounts, as
    tax on top of the rows, is named.
    """
    if not _needs_review(evidence, threshold):
        return []
    failed = [
        _with_difference(flag, evidence, checks, words, fields) for flag in evidence.flags if flag.startswith(REVIEW_FLAGS)
    ]
    return [
        *(
            [flag_text(flag, checks, words) for flag in evidence.flags if flag in ("unread-script", "required")]
            if is_absent(evidence)
            else failed
        ),
        *_error_probability(evidence, threshold, words),
        *_unsure_rows(evidence, threshold, words),
    ]


def flag_notes(evidence: Evidence, checks: Mapping[str, Check], words: ReviewWords = _ENGLISH) -> list[str]:
    """The flags of a value that ask for no review, in words."""
    return [flag_text(flag, checks, words) for flag in evidence.flags if not flag.startswith((*REVIEW_FLAGS, DIFFERENCE))]


def is_absent(evidence: Evidence) -> bool:
    """Whether there is no value."""
    return evidence.value in (None, "", [])


def _with_difference(
    flag: str, evidence: Evidence, checks: Mapping[str, Check], words: ReviewWords, fields: Mapping[str, Evidence]
) -> str:
    """A failed check in words, with the difference of a sum."""
    text, name = flag_text(flag, checks, words), flag.partition(":")[2]
    differences = [
        each.rpartition(":")[2]
        for each in evidence.flags
        if flag.startswith("sum:") and each.startswith(f"{DIFFERENCE}{name}:")
    ]
    if differences and (named := _named_difference(checks.get(name), differences[0], checks, words, fields)):
        return named
    difference = words.say("the difference is %(amount)s", amount=differences[0]) if differences else ""
    return f"{text}; {difference}" if difference else text


def _named_difference(
    check: Check | None, off_by: str, checks: Mapping[str, Check], words: ReviewWords, fields: Mapping[str, Evidence]
) -> str:
    """A sum that differs from its total by the amount of a field of another check, in words; empty where no field has this amount."""
    result = fields.get(check.equals or "") if check and check.sum else None
    total, difference = _number(result.value if result else None), _number(off_by)
    if check is None or result is None or total is None or difference is None:
        return ""
    if any(flag.startswith(_ADJUSTED) for flag in result.flags):  # then more than the rows lies between the two
        return ""
    terms = {term.lstrip("-") for term in (*check.sum, check.equals or "")}
    others = [term.lstrip("-") for other in checks.values() for term in (other.equals or "", *other.sum)]
    amounts = {name: _number(fields[name].value) for name in others if name in fields and name not in terms}
    name = next((name for name, amount in amounts.items() if amount and abs(amount) == abs(difference)), None)
    if name is None:
        return ""
    values: dict[str, object] = {
        "terms": _terms(check, words),
        "sum": f"{total + difference:f}",
        "result": words.name(check.equals or ""),
        "total": f"{total:f}",
        "field": words.name(name),
        "amount": f"{abs(difference):f}",
    }
    if difference < 0:
        return words.say("%(terms)s = %(sum)s, but %(result)s = %(total)s, which is more by %(field)s (%(amount)s)", **values)
    return words.say("%(terms)s = %(sum)s, but %(result)s = %(total)s, which is less by %(field)s (%(amount)s)", **values)


def _number(value: Json) -> Decimal | None:
    """The number of a plain decimal text; None for anything else."""
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def flag_text(flag: str, checks: Mapping[str, Check], words: ReviewWords = _ENGLISH) -> str:
    """A flag in words; docs/output.md lists the flags."""
    kind, _, subject = flag.partition(":")
    say = words.say
    listed = subject.replace(",", ", ")
    match kind:
        case "sum":
            return say("does not add up: %(rule)s", rule=_rule(subject, checks, words))
        case "order":
            return say("dates are out of order: %(rule)s", rule=_rule(subject, checks, words))
        case "same-as":
            return say("the same as %(field)s, which must be another", field=words.name(subject))
        case "future":
            return say("%(count)s days after the document was read", count=subject)
        case "duplicate":
            return say("%(file)s is the same document of the same sender, received before", file=subject)
        case "off-by":
            name, _, difference = subject.rpartition(":")
            text = say("the difference is %(amount)s", amount=difference)
            return f"{_rule(name, checks, words)}: {text}"
        case "adjusted":
            return say("the sum of the rows and %(amount)s of allowances and charges", amount=subject)
        case "other-documents" if "," in subject:
            return say("the file holds other documents on pages %(pages)s", pages=listed)
        case "other-documents":
            return say("the file holds other documents on page %(page)s", page=listed)
        case "several-documents" if subject:
            place = " ".join(map(say, subject.split()))
            return say("the page shows several documents; the value is of the one at the %(place)s", place=place)
        case "several-documents":
            return say("the page shows several documents")
        case "xml-differs" if subject:
            return say("the page and the data of the e-invoice differ in %(fields)s", fields=words.names(subject.split(",")))
        case "qr-differs":
            return say("the text of the page and its code differ: the other value is %(value)s", value=subject)
        case "learned":
            return say("learned from corrections of the sender's documents (lesson %(lesson)s)", lesson=subject)
        case "as":
            return say("not printed by itself, taken from %(field)s", field=words.name(subject))
    row, _, column = subject.partition(".")
    text = say(FLAG_TEXTS[kind]) if kind in FLAG_TEXTS else kind
    if not row:
        return text
    place = (
        say("row %(row)s, %(column)s", row=row, column=words.name(column)) if column else say("number %(number)s", number=row)
    )
    return f"{place}: {text}"


def _rule(name: str, checks: Mapping[str, Check], words: ReviewWords) -> str:
    """``subtotal + tax_total = total``; the check's name where today's template has no such check."""
    check = checks.get(name)
    if check is None:
        return name
    if check.order:
        return " ≤ ".join(map(words.name, check.order))
    return f"{_terms(check, words)} = {words.name(check.equals or '')}"


def _terms(check: Check, words: ReviewWords) -> str:
    """``total − prepaid``: the left side of a sum."""
    first, *others = check.sum
    terms = [f"{'−' if member.startswith('-') else '+'} {words.name(member.lstrip('-'))}" for member in others]
    start = f"−{words.name(first[1:])}" if first.startswith("-") else words.name(first)
    return " ".join([start, *terms])


def _error_probability(evidence: Evidence, threshold: float, words: ReviewWords) -> list[str]:
    if evidence.confidence is None or evidence.confidence >= threshold:
        return []
    share = _percent(1 - evidence.confidence)
    if is_absent(evidence):
        return [words.say("the document has a value with a probability of %(share)s", share=share)]
    return [words.say("wrong with a probability of %(share)s", share=share)]


def _percent(share: float) -> str:
    return f"{100 * share:.2g}{_NO_BREAK_SPACE}%"


def _unsure_rows(evidence: Evidence, threshold: float, words: ReviewWords) -> list[str]:
    """The rows of a table with a cell below the threshold, each with its least sure cell."""
    found = []
    for number, cells in enumerate(evidence.cells, 1):
        column = min(cells, key=lambda name: cells[name], default="")
        if column and cells[column] < threshold:
            place = words.say("row %(row)s, %(column)s", row=number, column=words.name(column))
            text = words.say("wrong with a probability of %(share)s", share=_percent(1 - cells[column]))
            found.append(f"{place}: {text}")
    return found


def _needs_review(evidence: Evidence, threshold: float) -> bool:
    uncertain = evidence.confidence is not None and evidence.confidence < threshold
    uncertain = uncertain or any(sure < threshold for cells in evidence.cells for sure in cells.values())
    if "required" in evidence.flags and is_absent(evidence):
        return True
    if "unread-script" in evidence.flags:  # also a field without a value: it may stand in the lines that were not read
        return True
    return uncertain or (not is_absent(evidence) and any(flag.startswith(REVIEW_FLAGS) for flag in evidence.flags))
