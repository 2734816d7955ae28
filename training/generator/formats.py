"""How one document prints numbers, amounts, dates and times: the habits of its country, and the usual departures from them."""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import get_currency_precision, get_currency_symbol

from training.generator.choices import Choices, draw

NBSP, THIN = "\u00a0", "\u202f"
SIGNS = {
    "EUR": "€", "USD": "$", "CAD": "$", "GBP": "£", "AUD": "$", "NZD": "$", "SGD": "$", "INR": "₹", "ZAR": "R", "CHF": "Fr.", "MXN": "$",
    "ARS": "$", "COP": "$", "CLP": "$", "PLN": "zł", "BRL": "R$", "CZK": "Kč", "RSD": "din.", "HUF": "Ft", "RON": "lei", "BGN": "лв.",
    "SEK": "kr", "DKK": "kr.", "NOK": "kr", "TRY": "₺", "IDR": "Rp", "MYR": "RM", "VND": "₫", "JPY": "¥", "CNY": "¥", "TWD": "NT$",
    "KRW": "₩",
}  # fmt: skip
"""What is printed beside amounts, besides the code."""
SUFFIXES = {"JPY": "円", "CNY": "元", "KRW": "원", "VND": "đ", "TRY": "TL"}
"""Words that stand behind an amount instead of the sign."""
WHOLE = {
    "JPY": 1.0,
    "KRW": 1.0,
    "VND": 1.0,
    "IDR": 0.85,
    "CLP": 1.0,
    "COP": 0.7,
    "HUF": 0.8,
    "TWD": 0.9,
    "RSD": 0.1,
    "SEK": 0.1,
    "ISK": 1.0,
}
"""How often amounts are printed without decimals, by currency."""


@dataclass(frozen=True)
class Numbers:
    """The way of one document to print numbers and amounts."""

    currency: str
    decimal: str
    group: str
    """Between groups of digits; empty where thousands are not marked."""
    decimals: int
    sign: str
    """What stands beside an amount: a sign, the code or a word; empty for nothing."""
    before: bool
    blank: str
    """Between the sign and the amount."""
    indian: bool = False
    empty_cents: str = ""
    """Printed instead of ``00`` behind the decimal mark: ``–``."""
    minus: str = "before"
    """Where the minus stands: before, behind, brackets."""

    def number(self, value: Decimal, decimals: int | None = None) -> str:
        """The number with this many decimals (those of the currency)."""
        places = self.decimals if decimals is None else decimals
        whole, _, cents = f"{abs(value):.{places}f}".partition(".")
        text = self._groups(whole)
        if cents:
            empty = self.empty_cents and decimals is None and not int(cents)
            text += self.decimal + (self.empty_cents if empty else cents)
        if value >= 0:
            return text
        return f"({text})" if self.minus == "brackets" else f"{text}-" if self.minus == "behind" else f"-{text}"

    def quantity(self, value: Decimal) -> str:
        """A quantity without needless zeros."""
        plain = value.normalize()
        exponent = plain.as_tuple().exponent
        return self.number(value, max(0, -exponent) if isinstance(exponent, int) else 0)

    def _groups(self, whole: str) -> str:
        if not self.group or len(whole) <= 3:
            return whole
        head, tail = whole[:-3], whole[-3:]
        size = 2 if self.indian else 3
        parts = [tail]
        while head:
            parts.insert(0, head[-size:])
            head = head[:-size]
        return self.group.join(parts)


def number_style(country: str, locale: str, currency: str, choices: Choices, style: random.Random) -> Numbers:
    """A way to print numbers that documents of the country have."""
    symbols = Locale.parse(locale).number_symbols.get("latn") or Locale.parse(locale).number_symbols
    decimal, group = str(symbols["decimal"]), str(symbols["group"]).replace(NBSP, " ").replace(THIN, " ")
    if style.random() < 0.08:  # foreign software
        decimal, group = (".", ",") if decimal == "," else (".", "")
    elif country == "CH":
        decimal, group = ".", style.choice(["'", "’", " ", "'"])
    elif group == " ":
        group = draw(style, {NBSP: 5, ".": 1.5 if decimal == "," else 0, "": 1.5, THIN: 1})
    elif style.random() < 0.15:
        group = ""
    decimals = 0 if style.random() < WHOLE.get(currency, 0) else max(2, get_currency_precision(currency))
    kind = choices.pick("currency sign", {"sign before": 4, "sign behind": 2, "code before": 1.5, "code behind": 2, "none": 3})
    if kind.startswith("sign") and style.random() < 0.75:  # mostly where the country has it
        pattern = Locale.parse(locale).currency_formats["standard"].pattern
        kind = "sign before" if pattern.index("¤") == 0 else "sign behind"
    sign = "" if kind == "none" else currency if kind.startswith("code") else _sign(currency, locale, style)
    if kind == "sign behind" and currency in SUFFIXES and style.random() < 0.7:
        sign = SUFFIXES[currency]
    tight = kind == "sign before" and sign in {"$", "£", "¥", "₹", "R", "₩", "€", "R$", "RM"}
    blank = "" if style.random() < (0.85 if tight else 0.12 if "code" not in kind else 0.05) else NBSP
    return Numbers(
        currency=currency,
        decimal=decimal,
        group=group,
        decimals=decimals,
        sign=sign,
        before=kind.endswith("before"),
        blank=blank,
        indian=country == "IN" and style.random() < 0.8,
        empty_cents=style.choice(["–", "-", "--"])
        if country in {"CH", "AT", "DE", "NO", "SE"} and style.random() < 0.05
        else "",
        minus=draw(style, {"before": 8, "behind": 1, "brackets": 1}),
    )


def _sign(currency: str, locale: str, style: random.Random) -> str:
    if style.random() < 0.15:
        return str(get_currency_symbol(currency, locale=locale))
    return SIGNS.get(currency, currency)


@cache
def _cldr_pattern(locale: str, length: str) -> str:
    return str(Locale.parse(locale).date_formats[length].pattern)


@dataclass(frozen=True)
class Dates:
    """The way of one document to print dates and times."""

    pattern: str
    locale: str
    seconds: bool = False
    half_day: bool = False

    def date(self, day: datetime.date) -> str:
        """The day as printed."""
        return str(format_date(day, self.pattern, locale=self.locale)).replace(NBSP, " ").replace(THIN, " ")

    def time(self, moment: datetime.time) -> str:
        """The time as printed."""
        pattern = ("%I" if self.half_day else "%H") + ":%M" + (":%S" if self.seconds else "")
        text = moment.strftime(pattern)
        return f"{text} {moment:%p}" if self.half_day else text


LOCALES = {"no": "nb", "sr": "sr_Latn"}
"""CLDR's names for languages that the packs call otherwise."""
DAY_FIRST = {
    "dd.MM.yyyy": 5,
    "dd/MM/yyyy": 3,
    "d.M.yyyy": 1,
    "dd.MM.yy": 1.5,
    "dd-MM-yyyy": 1.5,
    "dd/MM/yy": 1.2,
    "d/M/yyyy": 1,
}
DOTTED = {"dd.MM.yyyy": 8, "d.M.yyyy": 1.5, "dd.MM.yy": 2, "d. M. yyyy": 1, "dd/MM/yyyy": 0.6, "dd-MM-yyyy": 0.3}
SLASHED = {"dd/MM/yyyy": 8, "d/M/yyyy": 1.5, "dd/MM/yy": 2, "dd-MM-yyyy": 1.5, "dd.MM.yyyy": 0.8, "dd-MM-yy": 0.6}
DASHED = {"dd-MM-yyyy": 8, "d-M-yyyy": 1.5, "dd/MM/yyyy": 1, "dd-MM-yy": 1}
MONTH_FIRST = {"MM/dd/yyyy": 6, "M/d/yyyy": 4, "MM/dd/yy": 2, "M/d/yy": 1, "MM-dd-yyyy": 1}
YEAR_FIRST = {"yyyy-MM-dd": 6, "yyyy/MM/dd": 3, "yyyy.MM.dd": 1.5, "yyyyMMdd": 0.2, "yy-MM-dd": 0.0}
NAMED = {"en": {"MMM d, yyyy": 2, "d MMM yyyy": 2, "dd-MMM-yyyy": 1.5, "MMMM d, yyyy": 2, "d MMMM yyyy": 1.5, "dd MMM yy": 0.5}}
CJK = {"ja": "yyyy年M月d日", "zh": "yyyy年M月d日", "ko": "yyyy년 M월 d일"}
DOTTED_COUNTRIES = {"DE", "AT", "CH", "PL", "CZ", "SK", "SI", "HR", "RS", "BG", "NO", "FI", "EE", "LV", "TR", "RO"}
DASHED_COUNTRIES = {"NL", "DK", "PT", "IN", "ID", "CL"}
YEAR_COUNTRIES = {"SE", "LT", "HU", "JP", "CN", "TW", "KR", "ZA"}


def date_style(country: str, language: str, choices: Choices, style: random.Random) -> Dates:
    """A way to print dates that documents of the country have."""
    kind = choices.pick("date form", {"digits": 7, "CLDR medium": 1, "CLDR long": 1.6, "ISO": 0.8})
    own = LOCALES.get(language, language)
    spoken = f"{own}_{country}"
    known = spoken if _exists(spoken) else own
    pattern = "yyyy-MM-dd"
    if kind == "digits":
        pattern = draw(style, _digits(country))
        if country == "HU":
            pattern = draw(style, {"yyyy.MM.dd.": 5, "yyyy. MM. dd.": 3, "yyyy-MM-dd": 2})
        elif country in {"JP", "CN", "TW", "KR"} and style.random() < 0.4:
            pattern = CJK.get(language, pattern)
    elif kind.startswith("CLDR"):
        pattern = _cldr_pattern(known, kind.split()[1])
        if language == "en":
            month_first = country in {"US", "CA"}
            pattern = draw(
                style,
                {p: w for p, w in NAMED["en"].items() if p.startswith("M") == month_first or style.random() < 0.15}
                or NAMED["en"],
            )
    return Dates(
        pattern,
        known,
        seconds=style.random() < 0.35,
        half_day=country in {"US", "CA", "AU", "IN", "MY", "SG", "NZ"} and style.random() < 0.4,
    )


def _exists(locale: str) -> bool:
    try:
        Locale.parse(locale)
    except (ValueError, UnknownLocaleError):
        return False
    return True


def _digits(country: str) -> dict[str, float]:
    if country == "US":
        return dict(MONTH_FIRST)
    if country in YEAR_COUNTRIES:
        return dict(YEAR_FIRST) if country != "ZA" else {"yyyy/MM/dd": 3, "yyyy-MM-dd": 2, "dd/MM/yyyy": 3}
    if country in DOTTED_COUNTRIES:
        return dict(DOTTED)
    if country in DASHED_COUNTRIES:
        return dict(DASHED)
    if country == "CA":
        return {"yyyy-MM-dd": 4, "dd/MM/yyyy": 1}
    return dict(SLASHED)
