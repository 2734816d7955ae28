"""Dates and times as printed: numeric in any order, with month names, Chinese, glued to a time by OCR."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Literal

from babel import Locale

Order = Literal["DMY", "MDY", "YMD"]
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "lv", "ms", "da", "sv", "cs")
_NUMERIC = re.compile(
    r"(?<![\d.,])(\d{1,4})(\s?[-./,'’]\s?|\s)(\d{1,2})(?:\2(\d{4}|\d{2})|\s?[-./,'’ ]\s?(\d{4}))(?=\D|$|\d{1,2}:\d{2})"
)
_YEAR_FIRST = re.compile(r"(?<![\d.,])(\d{4})\s?([-./])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d|[.,]\d)")
_COMPACT = re.compile(r"(?<!\d)(20\d{2}|19\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)")
_CJK = re.compile(r"(\d{4})\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日?")
_DAY_NAME = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|º|ª|°)?[\s.,/-]{0,3}(?:de\s|of\s)?\s?([^\W\d_]{3,12})[\s.,'’/-]{0,3}(?:de\s|del\s)?\s?(\d{4}|\d{2})(?=\D|$|\d{1,2}:\d{2})"
)
_NAME_DAY = re.compile(
    r"(?<![^\W\d_])([^\W\d_]{3,12})[\s.,/-]{0,3}(\d{1,2})(?:st|nd|rd|th)?[\s.,/'’-]{1,3}(\d{4}|\d{2})(?=\D|$|\d{1,2}:\d{2})"
)
_YEAR_NAME = re.compile(r"(?<!\d)(\d{4})[\s.,/-]{1,3}([^\W\d_]{3,12})[\s.,/-]{1,3}(\d{1,2})(?!\d)")
_YEAR_DAY_NAME = re.compile(r"(?<!\d)(\d{4})[\s.]{1,3}gada\s(\d{1,2})[\s.]{1,3}([^\W\d_]{3,12})")
_TIME = re.compile(r"([01]?\d|2[0-3])\s?[:h]\s?([0-5]\d)(?!\d)(?:\s?:\s?([0-5]\d))?(?!\d)\s?([ap]\.?m)?", re.IGNORECASE)


def find_dates(text: str, order: Order | None = None) -> list[tuple[int, int, datetime.date]]:
    """Every date in ``text`` with its start and end, left to right, none overlapping."""
    found: list[tuple[int, int, datetime.date]] = []
    for start, end, date in sorted(_all_dates(text, order), key=lambda hit: (hit[0], -hit[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end, date))
    return found


def parse_date(text: str, order: Order | None = None) -> datetime.date | None:
    """The date in ``text``, or None. ``order`` settles "03/04/2024"; None takes the day first where both ways are possible."""
    found = find_dates(unicodedata.normalize("NFKC", text[:80]).strip(), order)
    return found[0][2] if found else None


def parse_time(text: str) -> str | None:
    """The time of day in ``text`` as "HH:MM" or, where seconds are printed, "HH:MM:SS"."""
    match = _TIME.search(unicodedata.normalize("NFKC", text[:80]))
    if match is None:
        return None
    hour, minute, second, half = int(match[1]), match[2], match[3], (match[4] or "").lower()
    if half.startswith("p") and hour < 12:
        hour += 12
    elif half.startswith("a") and hour == 12:
        hour = 0
    return f"{hour:02d}:{int(minute):02d}" + (f":{int(second):02d}" if second else "")  # digits may be those of any script


def guess_order(texts: Iterable[str]) -> Order | None:
    """The order that the unambiguous numeric dates among ``texts`` prove; None when they do not tell."""
    votes = {"DMY": 0, "MDY": 0}
    for text in texts:
        for first, mark, second, *_ in _NUMERIC.findall(text):
            if mark.isspace():
                continue
            if len(first) <= 2 and int(first) > 12 >= int(second):
                votes["DMY"] += 1
            elif len(first) <= 2 and int(second) > 12 >= int(first):
                votes["MDY"] += 1
    if votes["DMY"] == votes["MDY"]:
        return None
    return "DMY" if votes["DMY"] > votes["MDY"] else "MDY"


@cache
def month_names() -> dict[str, int]:
    """Names and abbreviations of the months in ``LANGUAGES``, folded, to their numbers."""
    names = {"sept": 9, "mrz": 3, "maerz": 3, "maijs": 5}
    for lang in reversed(LANGUAGES):
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in Locale(lang).months[context][width].items():
                    names[_fold(name)] = number
    return {name: number for name, number in names.items() if len(name) >= 3 and not name.isdigit()}


def _all_dates(text: str, order: Order | None) -> Iterable[tuple[int, int, datetime.date]]:
    for match in _NUMERIC.finditer(text):
        if match[2].isspace() and not match[5] and len(match[4]) == 2:
            continue
        if date := _numeric(match[1], match[3], match[4] or match[5], order):
            yield match.start(), match.end(), date
    for match in _YEAR_FIRST.finditer(text):
        if date := _date(match[1], match[3], match[4]):
            yield match.start(), match.end(), date
    for match in _COMPACT.finditer(text):
        if date := _date(match[1], match[2], match[3]):
            yield match.start(), match.end(), date
    for match in _CJK.finditer(text):
        if date := _date(match[1], match[2], match[3]):
            yield match.start(), match.end(), date
    yield from _named(text)


def _named(text: str) -> Iterable[tuple[int, int, datetime.date]]:
    for match in _DAY_NAME.finditer(text):
        if date := _date(match[3], _month(match[2]), match[1]):
            yield match.start(), match.end(), date
    for match in _NAME_DAY.finditer(text):
        if date := _date(match[3], _month(match[1]), match[2]):
            yield match.start(), match.end(), date
    for match in _YEAR_NAME.finditer(text):
        if date := _date(match[1], _month(match[2]), match[3]):
            yield match.start(), match.end(), date
    for match in _YEAR_DAY_NAME.finditer(text):
        if date := _date(match[1], _month(match[3]), match[2]):
            yield match.start(), match.end(), date


def _month(name: str) -> int | None:
    """The month that a name or the beginning of one means."""
    folded = _fold(name)
    exact = month_names().get(folded)
    if exact or len(folded) < 3:
        return exact
    months = {number for known, number in month_names().items() if known.startswith(folded)}
    return months.pop() if len(months) == 1 else None


def _numeric(first: str, second: str, third: str, order: Order | None) -> datetime.date | None:
    if len(first) == 4:
        return _date(first, second, third) if len(third) == 2 else None
    if len(first) == 3:
        return None
    if order == "YMD" and len(third) == 2:
        return _date(first, second, third) or _date(third, second, first)
    ways = [(third, second, first), (third, first, second)]
    if order == "MDY":
        ways.reverse()
    return _date(*ways[0]) or _date(*ways[1])


def _date(year: str, month: str | int | None, day: str) -> datetime.date | None:
    if month is None:
        return None
    number = int(year)
    if len(year) <= 2:
        number += 2000 if number < 70 else 1900
    if not 1900 <= number <= 2100:
        return None
    try:
        return datetime.date(number, int(month), int(day))
    except ValueError:
        return None


def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalpha())
