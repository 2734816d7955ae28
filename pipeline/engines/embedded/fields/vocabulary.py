"""Words about documents in general that no template has to list, of all languages: legal forms, titles, filler."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import any_of, loose_any_of, plain_any_of
from pipeline.values.currencies import parse_currency

POSTCODE = re.compile(
    r"(?<![\d.,-])(?:[A-Z]{1,2}-)?"
    r"(?:\d{5}(?:-\d{4})?|\d{4}(?:\s?[A-Z]{2})?|\d{2}-\d{3}|\d{6}|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})"
    r"(?![\d.,/:-]\d|\d)"
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Words and expressions of all languages."""

    vague_labels: frozenset[str]
    """Folded labels that stand beside numbers of all kinds; a label that says more goes before them."""
    titles: frozenset[str]
    """Folded titles of documents and blocks."""
    filler: frozenset[str]
    remarks: frozenset[str]
    """Words that turn a label after them into a remark on the label before ("Total incl. VAT")."""
    without_tax: frozenset[str]
    """Words after a label that say it is without tax."""
    organisation: re.Pattern[str]
    """Legal forms and words by which the name of an organisation is recognised."""
    honorific: re.Pattern[str]
    """A form of address at the beginning of a name."""
    addressee: re.Pattern[str]
    """A mark behind the name of whom a page is addressed to."""
    closing: re.Pattern[str]
    """Words before a name at the end of a letter."""
    former: re.Pattern[str]
    """Words behind which a name stands that an organisation had once."""
    street: re.Pattern[str]
    """Words that addresses contain."""
    contact: re.Pattern[str]
    """Words and signs beside telephone numbers and web addresses."""
    percent: re.Pattern[str]
    """What follows a percentage."""


@from_words
def vocabulary(languages: Languages) -> Vocabulary:
    """The vocabulary of the languages in force."""
    words = languages.words
    return Vocabulary(
        vague_labels=frozenset(map(label_key, words.vague_labels)),
        titles=frozenset(map(label_key, words.titles)),
        filler=frozenset(words.filler),
        remarks=frozenset(words.remarks),
        without_tax=frozenset(words.without_tax),
        organisation=_organisation(words.organisations.legal_forms, words.organisations.words),
        addressee=re.compile(rf"\s*(?:{plain_any_of(words.organisations.addressee_marks)})\s*$"),
        closing=re.compile(rf"^(?:{plain_any_of(words.organisations.closings)})\b[\s,.:;!]*", re.IGNORECASE),
        honorific=re.compile(rf"^(?:{plain_any_of(words.organisations.honorifics)})\b\.?", re.IGNORECASE),
        former=re.compile(rf"\b(?:{plain_any_of(words.organisations.former)})\W*$", re.IGNORECASE),
        street=re.compile(
            rf"{any_of(words.addresses.streets)}"
            rf"|\b(?:{plain_any_of(words.addresses.house_numbers)})\.?\s?\d{{1,4}}\b(?!-?\d)",
            re.IGNORECASE,
        ),
        contact=re.compile(rf"{any_of(words.addresses.contact)}|@", re.IGNORECASE),
        percent=re.compile(rf"\s?(?:%|(?:{plain_any_of(words.numbers.percent)})\b)", re.IGNORECASE),
    )


def _organisation(legal_forms: list[str], words: list[str]) -> re.Pattern[str]:
    """Whole words with a dot that may follow, and parts of words in languages without blanks."""
    parts = [word for word in words if "*" in word or "$" in word]
    whole = loose_any_of([*legal_forms, *(word for word in words if word not in parts)])
    return re.compile(rf"(?<![^\W_])(?:{whole})(?![^\W_])\.?|{any_of(parts)}", re.IGNORECASE)


def has_contact(text: str) -> bool:
    """Whether a text has a word or sign that stands beside telephone numbers and web addresses."""
    return _has_contact(text, vocabulary())


def has_street(text: str) -> bool:
    """Whether a text has a word that addresses contain."""
    return _has_street(text, vocabulary())


@lru_cache(maxsize=4096)
def _has_contact(text: str, known: Vocabulary) -> bool:
    return known.contact.search(text) is not None


@lru_cache(maxsize=4096)
def _has_street(text: str, known: Vocabulary) -> bool:
    return known.street.search(text) is not None


def is_neutral(word: str) -> bool:
    """Filler beside a label that does not change its meaning: articles, currencies, values, anything in brackets."""
    if any(map(str.isdigit, word)) or word[:1] in "([" or word[-1:] in ")]":
        return True
    return _is_filler(word, vocabulary())


@lru_cache(maxsize=4096)
def _is_filler(word: str, known: Vocabulary) -> bool:
    letters = "".join(_WORD.findall(word)).casefold()
    return not letters or letters in known.filler or parse_currency(word) is not None
