"""What a page prints by type: the only amounts, numbers and dates that a model may answer with that is given nothing but its words.

It can then neither invent a number nor calculate one, and how the page writes numbers and dates is settled here, where the whole page
tells, instead of by the model.
"""

from __future__ import annotations

from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.layout import lay_out
from pipeline.records import Page
from pipeline.templates.schema import Printed

LEAST_QUALITY = 0.15
"""Digits that look less like an amount are parts of telephone and account numbers."""


def printed_values(page: Page) -> Printed:
    """Values in the form of claims, by field type, in reading order. Amounts also without their sign."""
    found = Candidates(lay_out(page))
    numbers = [candidate.value for candidate in found.numbers if candidate.quality >= LEAST_QUALITY]
    amounts = tuple(dict.fromkeys(value for number in numbers for value in (number, number.lstrip("-"))))
    return {
        "money": amounts,
        "number": amounts,
        "date": tuple(dict.fromkeys(candidate.value for candidate in found.dates)),
        "time": tuple(dict.fromkeys(candidate.value for candidate in found.times)),
    }
