"""Words by which invoices, receipts and other business documents are recognised, in all languages.

They are compared with text that ``without_accents`` made: lower case, without accents. A term counts once, however often it is printed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.languages import Languages, from_words
from pipeline.languages.han import simplified
from pipeline.languages.language import Documents
from pipeline.languages.word_patterns import any_of, one_of, plain_any_of

_LONG_TERM = 9
"""Letters from which a term is also found inside longer words."""


def without_accents(text: str) -> str:
    """Lower case, without accents, in simplified Chinese."""
    plain = unicodedata.normalize("NFKD", simplified(text)).casefold()
    return "".join(character for character in plain if not unicodedata.combining(character)).replace("ł", "l")


@dataclass(frozen=True, slots=True)
class Terms:
    """Expressions for folded text. Blanks inside a term are optional, as OCR loses them, and letters may not touch a short term."""

    invoice: re.Pattern[str]
    receipt: re.Pattern[str]
    other_titles: re.Pattern[str]
    """Titles of documents that look like invoices and are none."""
    reminder_titles: re.Pattern[str]
    """Titles of reminders, which name the invoice that they remind of."""
    totals: re.Pattern[str]
    """What tills print before a sum."""
    receipt_titles: re.Pattern[str]
    """How a receipt on letter paper is headed."""
    numbered_titles: re.Pattern[str]
    """A line that names an invoice and its number: "Schlussrechnung Nr. 118"."""
    headings: re.Pattern[str]
    """A word that is an invoice's heading."""
    invoice_names: re.Pattern[str]
    """What an invoice calls itself, without blanks."""
    business_terms: frozenset[str]
    """Invoice terms that any business letter has, without blanks."""

    def find(self, text: str) -> tuple[set[str], set[str]]:
        """The different invoice terms and receipt terms in a folded text, without blanks."""
        invoice = {_joined(match) for match in self.invoice.findall(text)}
        return invoice, {_joined(match) for match in self.receipt.findall(text)}

    def invoice_evidence(self, terms: set[str]) -> tuple[int, int, int]:
        """Of invoice terms that ``find`` found: how many name an invoice, ask for payment, or stand in any business letter."""
        names = {term for term in terms if self.invoice_names.search(term)}
        business = (terms - names) & self.business_terms
        return len(names), len(terms - names - business), len(business)


@from_words
def terms(languages: Languages) -> Terms:
    """The terms of the languages in force."""
    words = languages.words.documents
    return Terms(
        invoice=_pattern([*words.invoice_terms, *words.business_terms]),
        receipt=_pattern(words.receipt_terms),
        other_titles=_pattern(words.other_titles),
        reminder_titles=_pattern(words.reminder_titles),
        totals=_pattern(words.totals),
        receipt_titles=re.compile(any_of(map(without_accents, words.receipt_titles))),
        numbered_titles=_numbered_titles(words),
        headings=_headings(words),
        invoice_names=re.compile(plain_any_of(_joined(without_accents(name)) for name in words.invoice_names)),
        business_terms=frozenset(_joined(without_accents(term)) for term in words.business_terms),
    )


def _joined(term: str) -> str:
    return "".join(term.split())


def _pattern(terms: Iterable[str]) -> re.Pattern[str]:
    """Long terms, and those in writing without blanks, also within words; short ones as whole words."""
    plain = {without_accents(term) for term in terms}
    within = {term for term in plain if len(term) >= _LONG_TERM or not term.isascii()}
    anywhere, whole = (one_of(map(_spaced, sorted(part))) for part in (within, plain - within))
    return re.compile(rf"{anywhere}|(?<![a-z]){whole}(?![a-z])")


def _spaced(term: str) -> list[str]:
    return [r"\s?" if char == " " else re.escape(char) for char in " ".join(term.split())]


def _numbered_titles(words: Documents) -> re.Pattern[str]:
    """A title at the beginning, also as the end of a compound where it begins with ``*``, and a digit behind it."""
    titles = [without_accents(title) for title in words.numbered_titles]
    compounds = plain_any_of(title.removeprefix("*") for title in titles if title.startswith("*"))
    whole = plain_any_of(title for title in titles if not title.startswith("*"))
    others = plain_any_of(map(without_accents, words.unnumbered_titles))
    return re.compile(rf"(?:(?:{whole})|(?!\w*(?:{others}))\w*(?:{compounds}))\b.*\d", re.DOTALL)


def _headings(words: Documents) -> re.Pattern[str]:
    prefixes = plain_any_of(map(without_accents, words.heading_prefixes))
    headings = plain_any_of(map(without_accents, words.invoice_headings))
    return re.compile(rf"\W*(?:{prefixes})?(?:{headings})\W*")
