"""What a page prints by type: all that a model may answer with that is given nothing but the page's words.

It can then neither invent nor calculate, and how the page writes numbers and dates is settled here, where the whole page tells,
instead of by the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.labels import find_labels, vocabulary_of
from pipeline.engines.embedded.fields.name_candidates import find_names
from pipeline.engines.embedded.fields.page_rows import lay_out
from pipeline.records import Claim, Page
from pipeline.templates.model import Template
from pipeline.templates.schema import Printed

MIN_QUALITY = 0.15
"""Digits that look less like an amount are parts of telephone and account numbers."""
MOST, LONGEST = 400, 120
"""Values of a type, and letters of a name; a page with more is left to the model."""
MAX_NAME_DIGITS = 4
"""Digits in a name; more belong to telephones, tax numbers and streets with towns."""
_NO_NAME = re.compile(r"[@%]")
_PARTS = re.compile(r"\s*[:;|•·,]\s+|\s+[-–—]\s+")


def printed_values(page: Page, template: Template, read: Mapping[str, Claim]) -> Printed:
    """Values in the form of claims, by field type, in reading order, behind those that the embedded engine ``read``.

    Amounts also without their sign; names also without what is printed around them.
    """
    layout = lay_out(page)
    found = Candidates(layout)
    labels = find_labels(layout, vocabulary_of(template))
    parties = [label for label in labels if label.field in template.fields and template.fields[label.field].type == "party"]
    values = {
        "money": _unsigned(found.money),
        "number": _unsigned(found.numbers),
        "date": [candidate.value for candidate in found.dates],
        "time": [candidate.value for candidate in found.times],
        "identifier": [*(candidate.value for candidate in found.vats), *_identifiers(found)],
        "party": [
            name
            for text in (
                *(name.text for name in find_names(layout, labels, parties, set(), {})),
                *(run.text for run in layout.runs),
            )
            for name in _names(text)
        ],
    }
    for name, claim in read.items():
        kind = template.fields[name].type
        if kind in values and isinstance(claim.value, str):
            values[kind].insert(0, claim.value)
    unique = {kind: tuple(dict.fromkeys(of_kind)) for kind, of_kind in values.items()}
    return {kind: of_kind for kind, of_kind in unique.items() if len(of_kind) <= MOST}


def _unsigned(candidates: Iterable[Candidate]) -> list[str]:
    values = [candidate.value for candidate in candidates if candidate.quality >= MIN_QUALITY]
    return [value for number in values for value in (number, number.lstrip("-"))]


def _identifiers(found: Candidates) -> list[str]:
    """Codes as printed, without a label that a ``#`` ends ("DOC#0042")."""
    good = [candidate.value for candidate in found.identifiers if candidate.quality >= 2 * MIN_QUALITY]
    return [value.rpartition("#")[2] or value for value in good]


def _names(text: str) -> Iterator[str]:
    """A stretch of text that stands by itself, and its parts: addresses in one line, values behind labels. No numbers, no addresses."""
    for name in (text, *_PARTS.split(text)):
        plain = " ".join(name.split()).strip(" ,;:")
        digits = sum(c.isdigit() for c in plain)
        if (
            2 <= len(plain) <= LONGEST
            and digits <= min(MAX_NAME_DIGITS, sum(c.isalpha() for c in plain))
            and not _NO_NAME.search(plain)
        ):
            yield plain
