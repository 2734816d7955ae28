"""The words that documents are made of: labels of the project's language packs, and word lists of our own."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.languages import active

DATA = Path(__file__).parent / "data"
ALIASES = {"nb": "no", "no": "nb"}
"""Codes of one language; the packs may have either."""
UNSPACED = frozenset({"ja", "zh"})
"""Languages without blanks between words."""
MIN_LABELS = 8
"""Fields of an invoice for which a pack has labels at least, for documents in its language."""


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    return loaded


def split(text: str) -> list[str]:
    """The parts of a list in the data files."""
    return [part.strip() for part in text.split("|") if part.strip()]


@dataclass(frozen=True)
class Country:
    """One entry of countries.yaml."""

    code: str
    languages: tuple[str, ...]
    locale: str
    currency: str
    weight: float
    tax: tuple[str, ...]
    tax_id: str
    tax_labels: tuple[str, ...]
    forms: tuple[str, ...]
    before: tuple[str, ...]
    phone: tuple[str, ...]
    cities: tuple[str, ...]
    gross: float


@cache
def countries() -> dict[str, Country]:
    """All countries by ISO 3166 code."""
    return {
        code: Country(
            code=code,
            languages=tuple(split(entry["languages"])),
            locale=entry["locale"],
            currency=entry["currency"],
            weight=entry["weight"],
            tax=tuple(split(str(entry["tax"]))),
            tax_id=entry["tax_id"],
            tax_labels=tuple(split(entry["tax_label"])),
            forms=tuple(split(entry["forms"])),
            before=tuple(split(entry.get("before", ""))),
            phone=tuple(split(entry["phone"])),
            cities=tuple(split(entry["cities"])),
            gross=entry["gross"],
        )
        for code, entry in _load("countries.yaml").items()
    }


@cache
def _words() -> dict[str, dict[str, Any]]:
    return {path.stem: _load(f"words/{path.name}") for path in sorted((DATA / "words").glob("*.yaml"))}


def pack_code(language: str) -> str | None:
    """The code under which the packs have this language; None where they lack it."""
    codes = active().by_code
    return next((code for code in (language, ALIASES.get(language, "")) if code in codes), None)


@cache
def languages() -> tuple[str, ...]:
    """Languages in which documents can be written: they have a country here, words of our own, and a pack with enough labels."""
    spoken = {language for country in countries().values() for language in country.languages}
    found = []
    for language in sorted(spoken):
        code = pack_code(language)
        labels = active().by_code[code].labels.get("invoice", {}) if code else {}
        if len(labels) >= MIN_LABELS and _own(language):
            found.append(language)
    return tuple(found)


def _own(language: str) -> dict[str, Any]:
    words = _words()
    return words.get(language) or words.get(ALIASES.get(language, "")) or {}


def words(language: str, name: str) -> list[str]:
    """A word list of a language, the English one where it has none."""
    return split(_own(language).get(name) or _words()["en"][name])


def other_labels(language: str, name: str) -> list[str]:
    """Labels of something that no template asks for, such as ``order_no``; the English ones where the language has none."""
    own = _own(language).get("labels", {}).get(name)
    return split(own or _words()["en"]["labels"][name])


def other_label(language: str, name: str, rng: random.Random) -> str:
    """One of ``other_labels``; the first are the most frequent."""
    return _early(other_labels(language, name), rng)


def pack_labels(language: str, name: str) -> list[str]:
    """The pack's labels of a name (``invoice.total``); those of the other kind of document where it has none; else none."""
    code = pack_code(language)
    if code is None:
        return []
    found = active().labels(name).get(code, [])
    if found:
        return found
    group, _, field = name.partition(".")
    other = {"receipt": "invoice", "invoice": "receipt"}.get(group, "")
    renamed = {"receipt_number": "invoice_number", "date": "invoice_date"}.get(field, field) if group == "receipt" else field
    return active().labels(f"{other}.{renamed}").get(code, [])


def _early(options: list[str], rng: random.Random) -> str:
    return rng.choices(options, weights=[1 / (at + 1.5) ** 0.7 for at in range(len(options))])[0]


TAX_WORDS = {
    "sales tax": ("US", "CA"), "state tax": ("US",), "local tax": ("US",), "hst": ("CA",), "gst": ("CA", "AU", "NZ", "IN", "SG", "MY"),
    "sst": ("MY",), "cgst": ("IN",), "sgst": ("IN",), "igst": ("IN",), "vat": ("GB", "IE", "ZA", ""), "tps": ("CA",), "tvq": ("CA",),
}  # fmt: skip
"""Names of taxes and the countries of their languages that have them; an empty code is every country of another language."""
_CURRENCY_WORD = re.compile(
    r"\b(?:RM|EUR|USD|GBP|CHF|PLN|SEK|DKK|NOK|CZK|HUF|RON|Rp|AUD|CAD|MYR|SGD|EURO|euros?|Euro)\b|[€$£¥₹]"
)


def fits_country(label: str, country: Country) -> bool:
    """Whether documents of the country have such a label: it names no tax and no currency of another one, and no rate."""
    if "%" in label or any(c.isdigit() for c in label):
        return False
    found = _CURRENCY_WORD.search(label)
    if found and found[0].upper().replace("RM", "MYR").replace("€", "EUR")[:3] != country.currency:
        return False
    english = "en" in country.languages
    for word, codes in TAX_WORDS.items():
        if re.search(rf"\b{word}\b", label, re.IGNORECASE):
            return country.code in codes or (not english and "" in codes)
    return True


def pick_label(language: str, name: str, country: Country, rng: random.Random, unknown: float = 0.12) -> str | None:
    """A label for a field as a document of the country prints it; None where the pack has none.

    With the probability ``unknown`` it is changed into one that the pack may lack.
    """
    options = [label for label in pack_labels(language, name) if fits_country(label, country)]
    if not options:
        return None
    label = _early(options, rng)
    if rng.random() < unknown:
        label = vary(label, language, rng)
    return label


def vary(label: str, language: str, rng: random.Random) -> str:
    """The label as another author may write it: shorter, without accents, in other case, joined or with an added word."""
    parts = label.split()
    longest = max(range(len(parts)), key=lambda at: len(parts[at]))
    kind = rng.choice(["cut", "cut", "accents", "lower", "joined", "number", "plural", "dash", "first"])
    if kind == "cut" and len(parts[longest]) > 6 and language not in UNSPACED:
        parts[longest] = parts[longest][: rng.randint(3, 5)] + "."
        return " ".join(parts)
    if kind == "accents":
        return without_accents(label)
    if kind == "lower":
        return label.lower()
    if kind == "joined" and len(parts) > 1:
        return "".join(parts)
    if kind == "number":
        return f"{label} {rng.choice(['#', 'No', '1', '*', '(1)'])}"
    if kind == "plural" and label[-1:].isalpha() and label.isascii():
        return label + "s"
    if kind == "dash" and len(parts) > 1:
        return "-".join(parts)
    if kind == "first" and len(parts) > 1 and len(parts[0]) > 3:
        return parts[0]
    return label


def without_accents(text: str) -> str:
    """The text without diacritical marks; letters of scripts that use them otherwise stay."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c) or c in "\u3099\u309a")
    return unicodedata.normalize("NFC", plain.replace("ł", "l").replace("Ł", "L").replace("ø", "o").replace("ß", "ss"))
