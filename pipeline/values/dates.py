"""Dates and times as printed: numeric in any order, with the name of the month, Chinese, or joined to a time by OCR.

Other scripts and calendars are read by ``foreign_dates``. Digits may be those of any script.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from pipeline.languages import Languages, from_words
from pipeline.languages.cldr import Context, Width
from pipeline.languages.cldr import month_names as cldr_months
from pipeline.languages.evidence import Weights, weight
from pipeline.languages.word_patterns import plain_any_of
from pipeline.values.calendars import habits
from pipeline.values.digits import ascii_digits
from pipeline.values.foreign_dates import foreign_dates

Order = Literal["DMY", "MDY", "YMD"]
_NUMERIC = re.compile(
    r"(?<![\d.,])(\d{1,4})(\s?[-./,'’]\s?|\s)(\d{1,2})(?:\2(\d{4}|\d{2})|\s?[-./,'’ ]\s?(\d{4}))(?=\D|$|\d{1,2}:\d{2})"
)
_GOES_ON = re.compile(r"[-./]\d")
"""What follows the first numbers of a telephone number: "01.13.20.64.84"."""
_LAST_DAY = 31
_YEAR_FIRST = re.compile(r"(?<![\d.,])(\d{4})\s?([-./])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d|[.,]\d)")
_COMPACT = re.compile(r"(?<!\d)(20\d{2}|19\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])(?!\d)")
_CJK = re.compile(
    r"(?P<era>令和|平成|民國|民国|中華民國)?\s?(?P<year>(?<!\d)\d{4}|(?<=[和成國国\s])(?:\d{1,3}|元))\s?[年년]"
    r"\s?(?P<month>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]?"
)
_ERAS = {"令和": 2018, "平成": 1988, "民國": 1911, "民国": 1911, "中華民國": 1911}
"""Years before the first year of an era."""
_WEIGHTY = 0.5
"""The beginning of a name counts in languages of this weight, where it may mean several months."""
_NAME = r"([^\W\d_]{3,12})"
"""The name of a month, or the beginning of one."""
_YEAR_NAME = re.compile(rf"(?<!\d)(\d{{4}})[\s.,/-]{{1,3}}{_NAME}[\s.,/-]{{1,3}}(\d{{1,2}})(?!\d)")
_NUMBER, _HAN = re.compile(r"\d+"), re.compile("[\u2e80-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_TIME = re.compile(r"([01]?\d|2[0-3])\s?[:h]\s?([0-5]\d)(?!\d)(?:\s?:\s?([0-5]\d))?(?!\d)\s?([ap]\.?m)?", re.IGNORECASE)


def find_dates(text: str, order: Order | None = None, weights: Weights | None = None) -> list[tuple[int, int, datetime.date]]:
    """Every date in ``text`` with its start and end, left to right, none overlapping.

    ``weights`` are those of the page's languages: "listopad" is October in Croatian and November in Polish.
    """
    dates: list[tuple[int, int, datetime.date]] = []
    if not _may_have_date(text):
        return dates
    known, text = habits(text, weights), ascii_digits(text)
    found = [*_all_dates(text, order, weights), *foreign_dates(text, known, weights)]
    for start, end, date in sorted(found, key=lambda hit: (hit[0], -hit[1])):
        if not dates or start >= dates[-1][1]:
            dates.append((start, end, date))
    return dates


def _may_have_date(text: str) -> bool:
    """Whether a text has enough numbers for a date: most texts with a digit have not, and the patterns are many.

    A date is three numbers, two with a name between or before them, or one of eight digits. Japanese ones may be in other signs.
    """
    numbers = _NUMBER.findall(text)
    if not numbers:
        return "年" in text
    if len(numbers) > 2 or _HAN.search(text):
        return True
    return (len(numbers) == 2 and _LETTER.search(text) is not None) or max(map(len, numbers)) >= 8


def parse_date(text: str, order: Order | None = None) -> datetime.date | None:
    """The date in ``text``, or None. ``order`` decides "03/04/2024"; without it the day comes first where both are possible."""
    dates = find_dates(unicodedata.normalize("NFKC", text[:80]).strip(), order)
    return dates[0][2] if dates else None


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
    """The order that the numeric dates among ``texts`` prove; None where there is no proof, or as much for another order.

    A day above 12 is a proof, and two for an order is that a date with its whole year says the same: "25-02-13" beside "2025-02-13".
    """
    texts = [text for text in texts if _may_have_date(text)]
    votes: dict[Order, int] = {"DMY": 0, "MDY": 0, "YMD": 0}
    whole = {_date(*parts) for text in texts for parts in _years_first(text)} - {None}
    for text in texts:
        for match in _NUMERIC.finditer(text):
            first, mark, second, *years = match.groups("")
            if mark.isspace() or len(first) > 2 or _GOES_ON.match(text, match.end()):
                continue
            year = years[0] or years[1]
            for order, parts in {
                "DMY": (year, second, first),
                "MDY": (year, first, second),
                "YMD": (first, second, year),
            }.items():
                votes[cast(Order, order)] += 2 * (_date(*parts) in whole)
            if _LAST_DAY >= int(first) > 12 >= int(second):
                votes["DMY"] += 1
            elif _LAST_DAY >= int(second) > 12 >= int(first):
                votes["MDY"] += 1
    best, other, _ = sorted(votes, key=lambda order: -votes[order])
    return best if votes[best] > votes[other] else None


def _years_first(text: str) -> Iterable[tuple[str, str, str]]:
    """Year, month and day of each date that begins with its whole year."""
    yield from ((year, month, day) for year, _, month, day in _YEAR_FIRST.findall(text))
    yield from _COMPACT.findall(text)


@dataclass(frozen=True, slots=True)
class _NamedDates:
    """Dates with the month's name."""

    day_first: re.Pattern[str]
    name_first: re.Pattern[str]
    year_then_day: re.Pattern[str]
    year_then_month: re.Pattern[str]
    month_in_digits: re.Pattern[str]


@from_words
def _named_dates(languages: Languages) -> _NamedDates:
    words = languages.words.dates
    ordinal, year = plain_any_of(words.ordinals), r"(\d{4}|\d{2})(?=\D|$|\d{1,2}:\d{2})"
    return _NamedDates(
        re.compile(
            rf"(?<!\d)(\d{{1,2}})(?:{ordinal}|º|ª|°)?[\s.,/»-]{{0,3}}(?:(?:{plain_any_of(words.after_day)})\s)?\s?{_NAME}"
            rf"[\s.,'’/-]{{0,3}}(?:(?:{plain_any_of(words.after_month)})\s)?\s?{year}"
        ),
        re.compile(rf"(?<![^\W\d_]){_NAME}[\s.,/-]{{0,3}}(\d{{1,2}})(?:{ordinal})?[\s.,/'’-]{{1,3}}{year}"),
        re.compile(rf"(?<!\d)(\d{{4}})[\s.]{{1,3}}(?:{plain_any_of(words.after_year)})\s(\d{{1,2}})[\s.]{{1,3}}{_NAME}"),
        re.compile(rf"(?<!\d)(\d{{4}})[\s.]{{1,3}}(?:{plain_any_of(words.after_year)})\s{_NAME}[\s.]{{1,3}}(\d{{1,2}})(?!\d)"),
        re.compile(
            rf"(?<!\d)(\d{{1,2}})\s(?:{plain_any_of(words.before_month)})\s(\d{{1,2}})"
            rf",?\s(?:(?:{plain_any_of(words.after_month)})\s)?(\d{{4}})(?!\d)"
        ),
    )


_CONTEXTS: tuple[Context, ...] = ("format", "stand-alone")
_WIDTHS: tuple[Width, ...] = ("wide", "abbreviated")
Months = dict[str, dict[int, frozenset[str]]]


@from_words
def month_names(languages: Languages) -> Months:
    """Names and abbreviations of the months in all languages, folded: their numbers, and the languages that they are of."""
    names: dict[str, dict[int, set[str]]] = {}
    for code, name, number in _names(languages):
        if len(name) >= 3 and not name.isdigit():
            names.setdefault(name, {}).setdefault(number, set()).add(code)
    return {name: {number: frozenset(codes) for number, codes in numbers.items()} for name, numbers in names.items()}


def _names(languages: Languages) -> Iterable[tuple[str, str, int]]:
    """Language, folded name and number; the names of CLDR first."""
    for code in languages.codes("months"):
        full = {_fold(name)[:1] for name in cldr_months(code, "format", "wide").values()}
        for context in _CONTEXTS:
            for width in _WIDTHS:
                names = {number: _fold(name) for number, name in cldr_months(code, context, width).items()}
                # Babel gives the names of whichever locale was asked first where a locale has none of its own
                if full & {name[:1] for name in names.values()}:
                    yield from ((code, name, number) for number, name in names.items())
    for code, language in languages.by_code.items():
        for name, number in language.dates.months.items():
            yield code, _fold(name), number


def _all_dates(text: str, order: Order | None, weights: Weights | None) -> Iterable[tuple[int, int, datetime.date]]:
    for match in _numeric_matches(text):
        if date := _numeric(match[1], match[3], match[4] or match[5], order):
            yield match.start(), match.end(), date
    for match in _YEAR_FIRST.finditer(text):
        if date := _date(match[1], match[3], match[4]):
            yield match.start(), match.end(), date
    for match in _COMPACT.finditer(text):
        if date := _date(match[1], match[2], match[3]):
            yield match.start(), match.end(), date
    for match in _CJK.finditer(text):
        year = "1" if match["year"] == "元" else match["year"]
        if date := _date(str(int(year) + _ERAS.get(match["era"] or "", 0)), match["month"], match["day"]):
            yield match.start(), match.end(), date
    yield from _named(text, weights)


def _numeric_matches(text: str) -> Iterable[re.Match[str]]:
    """Matches of dates in digits. Two numbers and the day of a date are none: the date itself is looked for behind them."""
    at = 0
    while match := _NUMERIC.search(text, at):
        at = match.end()
        if match[2].isspace() and not match[5] and len(match[4]) == 2:
            at = match.end(1)
            continue
        yield match


def _named(text: str, weights: Weights | None) -> Iterable[tuple[int, int, datetime.date]]:
    if not _LETTER.search(text):  # a month's name, or a word between two numbers
        return
    patterns = _named_dates()
    for match in patterns.day_first.finditer(text):
        if date := _date(match[3], _month(match[2], weights), match[1]):
            yield match.start(), match.end(), date
    for match in patterns.name_first.finditer(text):
        if date := _date(match[3], _month(match[1], weights), match[2]):
            yield match.start(), match.end(), date
    for match in _YEAR_NAME.finditer(text):
        if date := _date(match[1], _month(match[2], weights), match[3]):
            yield match.start(), match.end(), date
    for match in patterns.year_then_day.finditer(text):
        if date := _date(match[1], _month(match[3], weights), match[2]):
            yield match.start(), match.end(), date

    for match in patterns.year_then_month.finditer(text):
        if date := _date(match[1], _month(match[2], weights), match[3]):
            yield match.start(), match.end(), date
    for match in patterns.month_in_digits.finditer(text):
        if date := _date(match[3], match[2], match[1]):
            yield match.start(), match.end(), date


def _month(name: str, weights: Weights | None) -> int | None:
    """The month that a name or the beginning of one means: in the languages of most weight, else in the first language that has it."""
    folded = _fold(name)
    exact = month_names().get(folded)
    if exact:
        return max(exact, key=lambda number: weight(exact[number], weights)) if weights else next(iter(exact))
    if len(folded) < 3:
        return None
    begun = [numbers for known, numbers in month_names().items() if known.startswith(folded)]
    months = {number for numbers in begun for number in numbers}
    if len(months) > 1 and weights:
        months = {number for numbers in begun for number, codes in numbers.items() if weight(codes, weights) >= _WEIGHTY}
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
