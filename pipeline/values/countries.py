"""From which country a business page is, weighed from what it prints: tax words, postal codes, telephone numbers, web addresses.

The country decides what a page leaves open: which dollar ``$`` is, and whether the month comes first in ``03/04/2026``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from pipeline.values.identifiers import is_valid_vat, parse_vat

Order = Literal["DMY", "MDY", "YMD"]
DATA = Path(__file__).with_name("countries.yaml")
WEIGHTS = {"strong": 4, "medium": 2, "weak": 1, "states": 3}
MIN_WEIGHT = 4
"""Weight from which a country counts as known: one strong sign, or two others."""
CALLING_CODES = {
    "61": "AU", "64": "NZ", "65": "SG", "852": "HK", "886": "TW", "52": "MX", "57": "CO", "56": "CL", "54": "AR", "81": "JP", "86": "CN",
    "44": "GB", "353": "IE", "91": "IN", "60": "MY", "46": "SE", "45": "DK", "47": "NO", "354": "IS", "965": "KW", "973": "BH",
}  # fmt: skip
"""International calling codes (ITU-T E.164) of the countries in the data; +1 is shared."""
DOMAINS = {"uk": "GB", "us": "US"}
"""Endings of web addresses that are no ISO code, or a code with another meaning."""
NOT_COUNTRIES = frozenset({"co", "me", "tv", "io", "ai", "to", "cc", "fm", "ly", "is", "in"})
"""Endings that companies of all countries use."""
MONTH_FIRST = frozenset({"US"})
CURRENCY_BY_SIGN = {
    "USD": {
        "US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "TW": "TWD", "MX": "MXN", "CO": "COP", "CL": "CLP",
        "AR": "ARS",
    },
    "JPY": {"JP": "JPY", "CN": "CNY"},
    "CNY": {"JP": "JPY", "CN": "CNY"},
    "SEK": {"SE": "SEK", "DK": "DKK", "NO": "NOK", "IS": "ISK"},
}  # fmt: skip
"""The usual meaning of a sign that countries share, and its meaning by country."""
_DOLLARS = re.compile(r"\$|\bUSD\b")
_US_ZIP = re.compile(r"\b[A-Z]{2},? {1,2}\d{5}(?P<more>-\d{4})?(?![\w-])")
_US_PHONE = re.compile(r"(?<![\w+-])\(? ?\d{3} ?\)?[ .-]{1,3}\d{3}[ .-]{1,3}\d{4}(?![\w-])")
_HAN, _KANA = re.compile("[\u4e00-\u9fff]"), re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_PHONE = re.compile(r"(?<![\w+])\+ ?(\d{1,3})[ ()./-]{0,2}\d")
_DOMAIN = re.compile(r"[\w-]\.(?:com?\.|org\.|net\.)?([a-z]{2})(?![\w.-]*\w)", re.IGNORECASE)
_VAT = re.compile(r"\b([A-Z]{2} ?[A-Z0-9][A-Z0-9 .]{6,14})\b")

_LATIN, _LETTERS = re.compile(r"[A-Za-zÀ-ÿ]"), re.compile(r"[^\W\d_]+")
_SAME_LETTERS = str.maketrans("ıſςµ", "isσμ")


@dataclass(frozen=True, slots=True)
class _Sign:
    country: str
    weight: int
    pattern: re.Pattern[str]
    letters: frozenset[str] = frozenset()
    """Folded beginnings, up to a blank or mark, of words of which the text has one where the pattern fits; empty where unknown."""
    parts: tuple[str, ...] = ()
    """Folded texts instead, where one of the words is written without blanks between words."""


def country_weights(texts: Iterable[str]) -> Counter[str]:
    """The weight of each country (ISO 3166) that the texts of a page speak for. One sign counts once."""
    text = "\n".join(texts)
    weights: Counter[str] = Counter()
    may_be_us = bool(_DOLLARS.search(text)) or _has_us_address(text)  # codes of states are words and postal codes elsewhere
    for sign in _possible_signs(text):
        if (may_be_us or sign.country != "US") and sign.pattern.search(text):
            weights[sign.country] += sign.weight
    if _HAN.search(text) and not _KANA.search(text):
        weights["CN"] += WEIGHTS["strong"]
    for code in {match[1] for match in _PHONE.finditer(text)}:
        if country := next((CALLING_CODES[code[:n]] for n in (3, 2) if code[:n] in CALLING_CODES), None):
            weights[country] += WEIGHTS["medium"]
    for ending in {match[1].lower() for match in _DOMAIN.finditer(text)} - NOT_COUNTRIES:
        weights[DOMAINS.get(ending, ending.upper())] += WEIGHTS["medium"]
    for vat in {parse_vat(match[1]) for match in _VAT.finditer(text)}:
        if vat and is_valid_vat(vat):
            weights[{"EL": "GR"}.get(vat[:2], vat[:2])] += WEIGHTS["medium"]
    return weights


def _has_us_address(text: str) -> bool:
    """Whether a state has a ZIP code of nine digits, or one of five on a page with a telephone number of North America."""
    found = list(_US_ZIP.finditer(text))
    return any(match["more"] for match in found) or (bool(found) and _US_PHONE.search(text) is not None)


def _possible_signs(text: str) -> list[_Sign]:
    """The signs that a text may have by its words, in the order of the data. To look for a word is much faster than its pattern."""
    signs, by_word = _signs(), _signs_by_word()
    folded = _folded(text)
    words = set(_folded(" ".join(_LETTERS.findall(text))).split(" "))
    possible = {at for word in words & by_word.keys() for at in by_word[word]}
    possible.update(at for at, parts in _signs_without_words() if not parts or any(part in folded for part in parts))
    return [signs[at] for at in sorted(possible)]


def likely_country(weights: Counter[str], least: int = MIN_WEIGHT) -> str | None:
    """The country with the largest weight, where that is at least ``least`` and no other has as much."""
    ranked = weights.most_common(2)
    if not ranked or ranked[0][1] < least or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    return ranked[0][0]


def resolve_currency(currency: str, weights: Counter[str]) -> str:
    """The currency that a shared sign means on a page. ``currency`` is its usual meaning, which stays where no country is known."""
    meanings = CURRENCY_BY_SIGN.get(currency, {})
    ranked = sorted(((weights[country], country) for country in meanings), reverse=True)
    if not ranked or ranked[0][0] < MIN_WEIGHT or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return currency
    return meanings[ranked[0][1]]


def date_order(weights: Counter[str]) -> Order | None:
    """The order of day and month in the likely country; None where it is not known."""
    country = likely_country(weights)
    return None if country is None else "MDY" if country in MONTH_FIRST else "DMY" if country != "CA" else None


@cache
def _signs() -> tuple[_Sign, ...]:
    data = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    signs = []
    for country, kinds in data.items():
        for kind, entries in kinds.items():
            weight = WEIGHTS[kind.removesuffix("_patterns")]
            if kind.endswith("_patterns"):
                signs += [_Sign(country, weight, re.compile(entry)) for entry in entries]
            elif kind == "states":
                signs.append(_word_sign(country, weight, entries))
            else:
                signs += [_word_sign(country, weight, [entry]) for entry in entries]
    return tuple(signs)


@cache
def _signs_by_word() -> dict[str, list[int]]:
    """The numbers of the signs that begin with a folded word."""
    found: dict[str, list[int]] = {}
    for at, sign in enumerate(_signs()):
        for word in sign.letters:
            found.setdefault(word, []).append(at)
    return found


@cache
def _signs_without_words() -> list[tuple[int, tuple[str, ...]]]:
    """The numbers of all other signs, and their parts."""
    return [(at, sign.parts) for at, sign in enumerate(_signs()) if not sign.letters]


def _word_sign(country: str, weight: int, words: Sequence[str]) -> _Sign:
    if all(_LATIN.search(word) for word in words):
        return _Sign(country, weight, _words(words), frozenset(_folded(_LETTERS.findall(word)[0]) for word in words))
    return _Sign(country, weight, _words(words), parts=tuple(_folded(word) for word in words))


def _folded(text: str) -> str:
    """The text in small letters, with the letters made equal that ``re.IGNORECASE`` takes for the same."""
    return text.lower().replace("i\u0307", "i").translate(_SAME_LETTERS)


def _words(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words, as a whole word where it is written with blanks between words."""
    parts = [rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])" if _LATIN.search(word) else re.escape(word) for word in words]
    return re.compile("|".join(parts), re.IGNORECASE)
