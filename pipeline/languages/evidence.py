"""Which languages a text is in, weighed by its words. A text in two languages has two high weights.

Every word of a language file speaks for its language; a word that several files have speaks for each of them less.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from pipeline.languages import Languages, from_words
from pipeline.languages.han import simplified
from pipeline.languages.language import KIND_GROUP, NO_LANGUAGE

ENOUGH = 3.0
"""Words of its own from which on the languages of a text are known; with fewer, every language keeps some weight."""
_TELLING = 4
UNSEEN = "other"
"""Stands for all languages without a word in the texts."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_WITHOUT_BLANKS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_NO_WORDS = frozenset({"cldr", "letters", "not_on_page", "not_on_pages", "kinds", "salutations"})
NOT_COUNTED = frozenset({"details", KIND_GROUP})
"""Labels of these groups do not count: they were added later, and must not change which language a page is taken to be in."""
Weights = Mapping[str, float]


def language_weights(texts: Iterable[str]) -> dict[str, float]:
    """The weight of each language that has a word in the texts, 0 to 1; the language with most words has 1.

    Words of no language always have 1. Languages without a word in the texts have the weight of ``UNSEEN``, which falls to 0 as
    the texts have more words of known languages.
    """
    text = "\n".join(texts)
    known = _codes_by_word()
    votes: dict[str, float] = defaultdict(float)
    words = {word.casefold() for word in _WORD.findall(text)}
    for word in words:
        codes = known.words.get(word, ())
        for code in codes:
            votes[code] += 1 / len(codes)
    for letter in set(text):
        for code in known.letters.get(letter, ()):
            votes[code] += 1.0
    if _WITHOUT_BLANKS.search(text):
        plain = simplified(text)
        for word, codes in known.without_blanks.items():
            if word in text or word in plain:
                for code in codes:
                    votes[code] += 1 / len(codes)
    most = max(votes.values(), default=0.0)
    unseen = max(0.0, 1.0 - most / ENOUGH)
    return {code: max(unseen, vote / most) for code, vote in votes.items()} | {NO_LANGUAGE: 1.0, UNSEEN: unseen}


def known_words(texts: Iterable[str]) -> int:
    """How many different words of four letters and more some language file has. Noise has hardly any."""
    known = _codes_by_word().words
    return sum(len(word) >= _TELLING and word in known for word in {w.casefold() for w in _WORD.findall("\n".join(texts))})


def weight(codes: Collection[str], weights: Weights) -> float:
    """The weight of a word that these languages have."""
    unseen = weights.get(UNSEEN, 0.0)
    return max((weights.get(code, unseen) for code in codes), default=0.0)


class _Words:
    def __init__(self, languages: Languages) -> None:
        words: dict[str, set[str]] = defaultdict(set)
        without_blanks: dict[str, set[str]] = defaultdict(set)
        letters: dict[str, set[str]] = defaultdict(set)
        for code, language in languages.by_code.items():
            if code == NO_LANGUAGE:
                continue
            for phrase in _texts(language):
                if _WITHOUT_BLANKS.search(phrase):
                    without_blanks[phrase.strip("*$")].add(code)
                else:
                    for word in _WORD.findall(phrase):
                        words[word.casefold()].add(code)
            for item in language.letters:
                for letter in _range(item):
                    letters[letter].add(code)
        self.words, self.without_blanks, self.letters = dict(words), dict(without_blanks), dict(letters)


@from_words
def _codes_by_word(languages: Languages) -> _Words:
    return _Words(languages)


def _texts(content: Any) -> Iterator[str]:
    """All words in a file; of mappings from words, such as names of months, the keys."""
    if isinstance(content, BaseModel):
        for name in content.model_fields_set - _NO_WORDS:
            yield from _texts(getattr(content, name))
    elif isinstance(content, dict):
        for key, value in content.items():
            if isinstance(value, (int, str)):
                yield str(key)
            elif key not in NOT_COUNTED:
                yield from _texts(value)
    elif isinstance(content, list):
        yield from (text for text in content if isinstance(text, str))


def _range(item: str) -> Iterator[str]:
    """One letter, or those from one to another: ``ぁ-ヿ``."""
    first, last = item[0], item[-1]
    yield from map(chr, range(ord(first), ord(last) + 1))
