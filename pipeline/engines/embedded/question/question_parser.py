"""What a question asks for: the words that name a thing, and the kind of value that answers it.

A question is understood by single words, without grammar, in the languages whose question words stand in the language files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from pipeline.languages import Languages, from_words

Kind = Literal["date", "money", "number", "percent", "party", "place"]
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The words of questions in all languages, plain (see ``plain_words``)."""

    cues: tuple[tuple[Kind, frozenset[str]], ...]
    """Words that ask for a kind of value, the surest kinds first."""
    pairs: tuple[tuple[frozenset[str], Kind], ...]
    """Two neighbouring words that ask for a kind of value."""
    stop_words: frozenset[str]
    common: frozenset[str]
    """Words of many labels: a label that shares only these with a question is not the one in question."""
    document: frozenset[str]
    """Words for the document itself."""
    value: frozenset[str]
    """Words for the number of a chart's mark."""
    highest: frozenset[str]
    lowest: frozenset[str]
    sides: tuple[tuple[str, frozenset[str]], ...]
    """What people call the two sides of a sale, by role; labels often say it otherwise."""


@from_words
def question_words(languages: Languages) -> QuestionWords:
    """The question words of the languages in force."""
    words = languages.words.questions
    cues: tuple[tuple[Kind, list[str]], ...] = (
        ("percent", words.percent),
        ("date", words.date),
        ("money", words.money),
        ("number", words.number),
        ("place", words.place),
        ("party", words.party),
    )
    return QuestionWords(
        cues=tuple((kind, _plain_set(listed)) for kind, listed in cues),
        pairs=((frozenset(words.money_pairs), "money"), (frozenset(words.number_pairs), "number")),
        stop_words=_plain_set(words.stop_words),
        common=frozenset(words.common),
        document=frozenset(words.document),
        value=frozenset(words.value),
        highest=_plain_set(words.highest),
        lowest=_plain_set(words.lowest),
        sides=(("seller", _plain_set(words.seller)), ("buyer", _plain_set(words.buyer))),
    )


@dataclass(frozen=True, slots=True)
class Question:
    """A question, as far as it is understood."""

    words: tuple[str, ...]
    """Plain content words, in their order."""
    kinds: frozenset[Kind]
    """The kinds of value that may answer it; empty for any kind."""

    @property
    def subject(self) -> tuple[str, ...]:
        """The words that tell one thing from others; all content words where there are none of these."""
        vocabulary = question_words()
        telling = tuple(word for word in self.words if word not in vocabulary.common and word not in vocabulary.document)
        return telling or tuple(word for word in self.words if word not in vocabulary.document) or self.words

    def coverage(self, text: Collection[str], *, abbreviated: bool = False) -> float:
        """Share of the subject's letters, 0 to 1, in words that the plain words of a text have, too."""
        subject = self.subject
        letters = sum(map(len, subject))
        if not letters:
            return 0.0
        return (
            sum(len(word) for word in subject if any(alike(word, other, abbreviated=abbreviated) for other in text)) / letters
        )


@lru_cache(maxsize=4096)
def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case and without accents."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ß", "ss"))
    return tuple(_WORD.findall("".join(letter for letter in bare if not unicodedata.combining(letter))))


def alike(one: str, other: str, *, abbreviated: bool = False) -> bool:
    """Whether two plain words are the same but for an ending. With ``abbreviated``, one may be the other's first three letters."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if abbreviated:
        return len(shorter) >= 3 and shorter.isalpha() and longer.startswith(shorter)
    return len(shorter) >= 4 and len(longer) - len(shorter) <= 3 and longer.startswith(shorter)


def parse_question(text: str) -> Question:
    """What a question asks for."""
    words, vocabulary = plain_words(text), question_words()
    pairs = {" ".join(pair) for pair in pairwise(words)}
    kinds = {kind for listed, kind in vocabulary.pairs if listed & pairs}
    if not kinds:
        cued: list[Kind] = [kind for kind, cues in vocabulary.cues if cues & set(words)]
        kinds = set(cued) if cued[:1] in (["money"], ["number"]) else set(cued[:1])
    content = [word for word in dict.fromkeys(words) if word not in vocabulary.stop_words]
    things = [word for word in content if not any(word in cues for _, cues in vocabulary.cues)]
    return Question(tuple(things or content), frozenset(kinds))


def _plain_set(words: Iterable[str]) -> frozenset[str]:
    return frozenset(plain for word in words for plain in plain_words(word))
