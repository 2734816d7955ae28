"""The values that a page prints, by type: the only values that a model without the image may answer.

The model can then neither invent nor calculate. This module, not the model, decides how the page writes numbers and dates, because it
compares all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.label_index import label_index
from pipeline.engines.embedded.fields.labels import find_labels
from pipeline.engines.embedded.fields.name_candidates import find_name_candidates
from pipeline.engines.embedded.fields.page_rows import lay_out
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.records import Claim, Page
from pipeline.templates.answer_schema import PrintedValues
from pipeline.templates.template import Template

MIN_QUALITY = 0.15
"""Amounts of lower quality are parts of telephone and account numbers."""
MAX_VALUES, MAX_NAME_LETTERS = 400, 120
"""With more values of a type than this, the model's answer is not restricted; longer texts are no names."""
MAX_NAME_DIGITS = 4
"""Texts with more digits are telephone numbers, tax numbers or addresses."""
_NO_NAME = re.compile(r"[@%]")
_PARTS = re.compile(r"\s*[:;|•·,]\s+|\s+[-–—]\s+")


def printed_values(page: Page, template: Template, read: Mapping[str, Claim]) -> PrintedValues:
    """Values in the form of claims, by field type: first the embedded engine's values (``read``), then the page's in reading order.

    Amounts are also given without their sign, names also without the text around them.
    """
    layout = lay_out(logical_page(page))
    candidates = Candidates(layout)
    labels = find_labels(layout, label_index(template))
    parties = [label for label in labels if label.field in template.fields and template.fields[label.field].type == "party"]
    values = {
        "money": _unsigned(candidates.money),
        "number": _unsigned(candidates.numbers),
        "date": [candidate.value for candidate in candidates.dates],
        "time": [candidate.value for candidate in candidates.times],
        "identifier": [*(candidate.value for candidate in candidates.vats), *_identifiers(candidates)],
        "party": [
            name
            for text in (
                *(name.text for name in find_name_candidates(layout, labels, parties, set(), {})),
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
    return {kind: of_kind for kind, of_kind in unique.items() if len(of_kind) <= MAX_VALUES}


def _unsigned(candidates: Iterable[Candidate]) -> list[str]:
    values = [candidate.value for candidate in candidates if candidate.quality >= MIN_QUALITY]
    return [value for number in values for value in (number, number.lstrip("-"))]


def _identifiers(candidates: Candidates) -> list[str]:
    """Codes as printed, without a label that ends in ``#`` ("DOC#0042")."""
    values = [candidate.value for candidate in candidates.identifiers if candidate.quality >= 2 * MIN_QUALITY]
    return [value.rpartition("#")[2] or value for value in values]


def _names(text: str) -> Iterator[str]:
    """A text and its parts, separated as addresses in one line and values after labels are. Without numbers and addresses."""
    for name in (text, *_PARTS.split(text)):
        plain = " ".join(name.split()).strip(" ,;:")
        digits = sum(c.isdigit() for c in plain)
        if (
            2 <= len(plain) <= MAX_NAME_LETTERS
            and digits <= min(MAX_NAME_DIGITS, sum(c.isalpha() for c in plain))
            and not _NO_NAME.search(plain)
        ):
            yield plain
