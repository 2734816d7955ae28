"""The language of a document by its printed labels, where the truth does not say it."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from pipeline.evaluate.expected import Truth
from pipeline.records import Page
from pipeline.templates.template import Labels, Template

UNKNOWN = "unknown"
FEWEST_LABELS = 2
"""Labels that a page must print before its language is believed."""
_HAN_OR_KANA = re.compile(r"[぀-ヿ㐀-鿿]")
LONGEST_PAGE = 50_000
"""Letters of a page that are looked through."""


def language_of(truth: Truth, template: Template, pages: Iterable[Page]) -> str:
    """The truth's language, else the one whose labels (of the template) the pages print most of, else unknown.

    A label that several languages share counts for each of them by its share; a tie gives unknown.
    """
    if truth.language:
        return truth.language
    labels = _labels_by_word(template)
    votes: defaultdict[str, float] = defaultdict(float)
    for page in pages:
        printed = _plain(" ".join(word.text for word in page.words))[:LONGEST_PAGE]
        for label, languages in labels.items():
            if f" {label} " in printed:
                for language in languages:
                    votes[language] += 1 / len(languages)
    (first, most), (_, second), *_ = [*sorted(votes.items(), key=lambda vote: -vote[1]), (UNKNOWN, 0.0), (UNKNOWN, 0.0)]
    return first if most >= FEWEST_LABELS and most > second else UNKNOWN


def _labels_by_word(template: Template) -> dict[str, tuple[str, ...]]:
    """Plain label to the languages that have it."""
    columns = [column.labels for field in template.fields.values() for column in field.columns.values()]
    return _by_word(tuple(_frozen(labels) for labels in [*(field.labels for field in template.fields.values()), *columns]))


def _frozen(labels: Labels) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((language, tuple(texts)) for language, texts in labels.items())


@cache
def _by_word(labels: Sequence[tuple[tuple[str, tuple[str, ...]], ...]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, set[str]] = {}
    for by_language in labels:
        for language, texts in by_language:
            for text in texts:
                if len(plain := _plain(text).strip()) >= 3 or not plain.isascii():
                    groups.setdefault(plain, set()).add(language)
    return {label: tuple(sorted(languages)) for label, languages in groups.items()}


def _plain(text: str) -> str:
    """Words in lower case between single blanks; Chinese, which has none between words, letter by letter."""
    words = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(_HAN_OR_KANA.sub(lambda letter: f' {letter[0]} ', words).split())} "
