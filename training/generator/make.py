"""Makes the document with a number: which language, country, structure and medium it has follows from seed and number alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from training.generator.document import Document
from training.generator.invoice_layout import invoice
from training.generator.other_kinds import KINDS, kind_languages, other_document
from training.generator.receipt_layout import receipt
from training.generator.vocabulary import Country, countries, languages

Kind = Literal[
    "invoice", "receipt",
    "credit_note", "order", "quotation", "delivery_note", "bank_statement", "payslip", "utility_bill", "contract", "letter",
]  # fmt: skip
Medium = Literal["digital", "scan", "photo"]
MEDIA: dict[str, dict[Medium, float]] = {
    "invoice": {"digital": 0.6, "scan": 0.28, "photo": 0.12},
    "receipt": {"digital": 0.35, "scan": 0.25, "photo": 0.4},
}
OTHER_MEDIA: dict[Medium, float] = {"digital": 0.7, "scan": 0.3}
BILINGUAL = 0.07
"""Share of documents with labels in two languages."""
LETTER_RECEIPTS = 0.15
"""Share of receipts on letter paper."""


def make_document(kind: Kind, seed: int, number: int, only: Sequence[str] = (), issue: int = 0) -> Document:
    """Document ``number`` of this seed, in one of the languages ``only`` (in all by default).

    ``issue`` above 0 gives another invoice of the same sender in the same layout: the number, date, goods and sums are others. Below 0 it
    gives the invoice of a later month, which differs in its number and its dates only.
    Raises ValueError where documents cannot be written in one of the languages.
    """
    known = languages()
    if unknown := [language for language in only if language not in known]:
        message = f"no documents in {', '.join(unknown)}: it needs a language pack with labels, words in data/words/ and a country in countries.yaml"
        raise ValueError(message)
    content, structure, style = (random.Random(f"{seed} {kind} {number} {part}") for part in ("content", "structure", "style"))
    if kind in KINDS:
        written = kind_languages(kind)
        language, country = _place(content, [code for code in only or written if code in written] or written)
        return other_document(kind, language, country, content, structure, style)
    language, country = _place(content, only or known)
    second = content.choice(known) if content.random() < BILINGUAL else None
    second = None if second == language else "en" if second and content.random() < 0.6 and language != "en" else second
    if kind == "receipt" and content.random() >= LETTER_RECEIPTS:
        return receipt(language, country, content, structure, style, second, issue)
    return invoice(language, country, content, structure, style, second, kind, issue)


def medium_of(kind: Kind, seed: int, number: int) -> Medium:
    """The medium that a document has where none is asked for."""
    shares = MEDIA.get(kind, OTHER_MEDIA)
    return random.Random(f"{seed} {kind} {number} medium").choices(list(shares), weights=list(shares.values()))[0]


def _place(rng: random.Random, allowed: Sequence[str]) -> tuple[str, Country]:
    """A language and a country: each language is about as frequent as the square root of its countries' weights."""
    options: dict[str, list[Country]] = {}
    for country in countries().values():
        for language in dict.fromkeys(country.languages):
            if language in allowed:
                options.setdefault(language, []).append(country)
    weights = [sum(country.weight for country in found) ** 0.5 for found in options.values()]
    language = rng.choices(list(options), weights=weights)[0]
    found = options[language]
    return language, rng.choices(found, weights=[country.weight * country.languages.count(language) for country in found])[0]
