"""Texts of rows that carry a sum from one page to the next: "Carried forward", "Übertrag von Seite 2"."""

from __future__ import annotations

import re

from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of

MAX_OTHER_LETTERS = 12
"""Letters beside the words for a carried sum, as in "carried forward from page 1"."""


@from_words
def _pattern(languages: Languages) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{plain_any_of(languages.words.carry_forward)})(?![^\W\d_])", re.IGNORECASE)


def is_carried_sum(text: str) -> bool:
    """Whether the text of a row says that its amount is carried forward, and little else."""
    match = _pattern().search(text)
    return match is not None and sum(c.isalpha() for c in text) - sum(c.isalpha() for c in match[0]) <= MAX_OTHER_LETTERS
