"""The subject of a letter: the line above its salutation, which many letters print without a label."""

from __future__ import annotations

import re
from collections.abc import Collection

from pipeline.engines.embedded.business_terms import without_accents
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.letter_words import salutations
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Claim

SCORE = 0.6
FAR = 4.5
"""Letter heights between the subject and the salutation, at most."""
MOST_WORDS = 16


@from_words
def _subject_labels(languages: Languages) -> re.Pattern[str]:
    labels = [label for listed in languages.labels("documents.letter.subject").values() for label in listed]
    return re.compile(rf"(?:{plain_any_of(map(without_accents, labels))})(?![^\W\d_])[\s.:]*")


def letter_subject(layout: Layout, used: Collection[int]) -> Claim | None:
    """The line above the first salutation of a page, without the label before it; None where there is no such line.

    ``used`` are the words of other values.
    """
    for salutation in layout.runs:
        if salutations().match(without_accents(salutation.text)):
            subject = _above(layout, salutation)
            return None if subject is None or set(subject.words) & set(used) else _claim(subject)
    return None


def _above(layout: Layout, salutation: Run) -> Run | None:
    """The nearest run above that begins in the same column."""
    for row in range(salutation.row - 1, -1, -1):
        for run in layout.rows[row]:
            if salutation.box[1] - run.box[3] > FAR * layout.height:
                return None
            if abs(run.box[0] - salutation.box[0]) < 2 * layout.height:
                return run if run.letters >= 3 and len(run.words) <= MOST_WORDS else None
    return None


def _claim(run: Run) -> Claim | None:
    label = _subject_labels().match(without_accents(run.text))
    plain = len(without_accents(run.text)) == len(run.text)
    start = label.end() if label and plain else 0
    text = run.text[start:].strip()
    return Claim(text, text, run.span(start, len(run.text)), SCORE) if text else None
