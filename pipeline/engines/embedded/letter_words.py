"""What letters begin and end with, at the beginning of a folded line."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.engines.embedded.business_terms import without_accents
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of


@from_words
def salutations(languages: Languages) -> re.Pattern[str]:
    """ "Dear Sir"."""
    return line_start(languages.words.documents.salutations)


@from_words
def closings(languages: Languages) -> re.Pattern[str]:
    """ "Kind regards"."""
    return line_start(languages.words.organisations.closings)


def line_start(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for a line that begins with one of the words, whole."""
    return re.compile(rf"(?:{plain_any_of(map(without_accents, words))})(?![^\W\d_])")
