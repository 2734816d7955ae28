"""Which currency a symbol, a code or a word names (ISO 4217, through babel's CLDR data)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from babel.core import get_global

from pipeline.languages import Languages, active, from_words
from pipeline.languages.cldr import currency_names

# Signs and abbreviations as printed before or after amounts, of all currencies.
_SYMBOLS = {
    "€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY", "￥": "CNY", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH",
    "₩": "KRW", "฿": "THB", "₫": "VND", "₪": "ILS", "₱": "PHP", "₦": "NGN", "₡": "CRC", "₲": "PYG", "₸": "KZT",
    "₾": "GEL", "₼": "AZN", "us$": "USD", "$us": "USD", "£gb": "GBP", "$ca": "CAD", "$au": "AUD", "a$": "AUD",
    "au$": "AUD", "c$": "CAD", "ca$": "CAD", "hk$": "HKD", "nz$": "NZD", "s$": "SGD", "nt$": "TWD", "mx$": "MXN",
    "r$": "BRL", "rm": "MYR", "rp": "IDR", "rs": "INR", "zł": "PLN", "zl": "PLN", "kč": "CZK", "ft": "HUF",
    "fr.": "CHF", "sfr": "CHF", "лв": "BGN", "lei": "RON", "元": "CNY", "人民币": "CNY", "rmb": "CNY", "円": "JPY", "원": "KRW",
    "港币": "HKD", "kr": "SEK", "руб": "RUB", "грн": "UAH", "บาท": "THB", "रु": "INR", "रुपये": "INR", "ש\"ח": "ILS", "ש״ח": "ILS",
    "tl": "TRY", "kn": "HRK", "s/.": "PEN", "s/": "PEN", "شيكل": "ILS",
    "ر.س": "SAR", "ريال": "SAR", "د.إ": "AED", "درهم": "AED", "ج.م": "EGP", "د.ك": "KWD", "ر.ق": "QAR", "ر.ع": "OMR", "د.ب": "BHD",
    "د.أ": "JOD", "د.م": "MAD", "د.ج": "DZD", "د.ت": "TND", "ریال": "IRR",
}  # fmt: skip
CODE_ONLY = frozenset({"ALL", "TOP", "TRY", "ARS", "BAM", "CUP", "GEL", "MAD", "PEN", "SOS", "LAK", "ANG", "CUC", "MOP", "COP"})
"""Codes that are also words. They mean money only beside an amount."""
SYMBOL_PATTERN = "|".join(
    re.escape(symbol)
    for symbol in sorted(_SYMBOLS, key=len, reverse=True)
    if symbol not in ("rs", "rp", "ft", "lei", "zl", "s$", "kr", "tl", "kn", "s/", "s/.")
)
SHORT_WORDS_BEFORE = r"(?-i:R[sS]\.?|R[pP]\.?|[kK]r\.?|KR|TL|kn|lei|LEI|S/\.?)"
SHORT_WORDS_AFTER = r"(?-i:R[sS]\.?|Ft|lei|LEI|[kK]r\.?|KR|TL|kn)"
"""Abbreviations that are currencies only before or behind an amount, in the case in which they are printed."""
_NOUN_LETTERS = 4
_MARKS = "|".join(re.escape(symbol) for symbol in sorted(_SYMBOLS, key=len, reverse=True))


@cache
def currency_codes() -> frozenset[str]:
    """The ISO 4217 codes of money in use somewhere today (CLDR)."""
    return frozenset(
        code for uses in get_global("territory_currencies").values() for code, _, end, tender in uses if tender and not end
    )


@from_words
def _names(languages: Languages) -> dict[str, str]:
    """Currency names of several languages, in lower case, to codes; ambiguous single words are left out."""
    locales = reversed(languages.codes("currencies"))
    names = {name.casefold(): code for language in locales for code, name in currency_names(language).items()}
    return {**names, **languages.words.numbers.currencies}


def parse_currency(text: str) -> str | None:
    """The ISO code that the whole of ``text`` names by symbol, code or word; None for anything else.

    "$" without a country is USD and "¥" is JPY, the most common meanings.
    """
    plain = text.strip().strip("()[]:;")
    if plain.upper() in currency_codes() and len(plain) == 3:
        return plain.upper()
    lowered = plain.casefold()
    return _SYMBOLS.get(lowered) or _SYMBOLS.get(lowered.rstrip(".")) or _names().get(lowered)


def find_currency_name(text: str, languages: Iterable[str]) -> tuple[str, int, int] | None:
    """The code and the span of the first currency whose full name stands in a text: "Indian Rupees Two Lakh Only".

    Names of one word are left out: "real" and "peso" are also words.
    """
    known = active().codes("currencies")
    for language in languages:
        match = _full_names(language).search(text) if language in known else None
        if match:
            return _codes_of_full_names(language)[match[1].casefold()], *match.span()
    return None


def find_currency_noun(text: str, currency: str, languages: Iterable[str]) -> tuple[int, int] | None:
    """The span of the word by which a currency is called at home: "dinars" for TND, "rupees" for INR, in one of the languages."""
    known = active().codes("currencies")
    for language in languages:
        noun = _noun(currency, language) if language in known else ""
        match = re.search(rf"(?<!\w){re.escape(noun)}\w{{0,2}}(?!\w)", text, re.IGNORECASE) if noun else None
        if match:
            return match.span()
    return None


@cache
def _noun(currency: str, language: str) -> str:
    """The word of a currency's name that other currencies share ("Tunisian Dinar"), or its only word; empty for a short one."""
    names = {code: name.casefold().split() for code, name in currency_names(language).items() if code in currency_codes()}
    own = names.get(currency, [])
    shared = [word for word in own if sum(word in words for words in names.values()) > 1]
    noun = next(iter(shared), own[0] if len(own) == 1 else "")
    return noun if len(noun) >= _NOUN_LETTERS else ""


@cache
def _codes_of_full_names(language: str) -> dict[str, str]:
    names = currency_names(language)
    return {names[code].casefold(): code for code in sorted(currency_codes() & names.keys()) if " " in names[code]}


@cache
def _full_names(language: str) -> re.Pattern[str]:
    names = sorted(_codes_of_full_names(language), key=len, reverse=True)
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, names))})s?(?!\w)" if names else r"(?!)", re.IGNORECASE)


def split_currency(text: str) -> tuple[str | None, str]:
    """A currency at the start or the end of ``text``, and the rest of it."""
    match = _LEADING.match(text) if not text[:1].isdigit() else None
    if match and (code := parse_currency(match[1])):
        return code, text[match.end() :]
    match = _TRAILING.search(text) if not text[-1:].isdigit() else None
    if match and (code := parse_currency(match[1])):
        return code, text[: match.start()]
    return None, text


_LEADING = re.compile(rf"\s{{0,3}}({_MARKS}|[A-Za-z]{{3}})\.?(?=[\s\d.,(+\-−:])\s{{0,3}}:?\s{{0,3}}", re.IGNORECASE)
_TRAILING = re.compile(rf"(?<=[\s\d.,)\-−–])\s{{0,3}}({_MARKS}|[A-Za-z]{{3,8}})\.?\s{{0,3}}$", re.IGNORECASE)
