"""Dates that other scripts and calendars print: months of names with marks and blanks, Hijri and Buddhist years, Japanese eras."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.languages import Languages, from_words
from pipeline.languages.cldr import Width, month_names
from pipeline.languages.language import Calendar
from pipeline.values.calendars import Habits, calendar_of, to_gregorian

Dated = tuple[int, int, datetime.date]
"""Start, end and day."""
_FOREIGN = re.compile("[\u0590-\u0fff\u200f\ufb1d-\ufdff\ufe70-\ufefc]")
"""Letters from Hebrew to Tibetan."""
_DROPPED = re.compile("[\u064b-\u065f\u0670\u093c\u200c-\u200f\u061c]")
"""Vowel marks and hamzas of Arabic, the dot below of Devanagari, and invisible signs: names are written with and without them."""
_DIGITS = re.compile(
    r"(?<![\d.,])(?:(?P<y>\d{4})\s?(?P<mark>[-./])\s?(?P<m>\d{1,2})\s?(?P=mark)\s?(?P<d>\d{1,2})"
    r"|(?P<day>\d{1,2})\s?(?P<sep>[-./])\s?(?P<month>\d{1,2})\s?(?P=sep)\s?(?P<year>\d{4}|\d{2}))(?!\d)"
)
_LATE_BUDDHIST = 50
"""A Thai year of two digits from this on is Buddhist: 67 is 2567."""
_ERA_REACH = 8
"""Letters behind or before a date among which an era is looked for."""
_YEARS = {"hijri": (1343, 1500), "persian": (1250, 1500), "buddhist": (2443, 2643), "gregorian": (1900, 2100)}
_ERAS = {"令": 2018, "R": 2018, "平": 1988, "H": 1988, "昭": 1925, "S": 1925, "大": 1911, "明": 1867}
"""Years before the first year of a Japanese era."""
_NUMBER = r"\d{1,2}|元|[一二三四五六七八九十]{1,3}"
_JAPANESE = re.compile(
    rf"(?:(?P<era>令|平|昭|大|明)[和成正治]?|(?<![A-Za-z0-9])(?P<letter>[RHS])\.?)\s?(?P<year>{_NUMBER})\s?(?P<mark>[年.／/-])\s?"
    rf"(?P<month>{_NUMBER})\s?[月.／/-]\s?(?P<day>{_NUMBER})(?:\s?日)?(?![\d.])"
)
_KANJI = {digit: number for number, digit in enumerate("一二三四五六七八九", 1)}


def foreign_dates(text: str, known: Habits, weights: Mapping[str, float] | None = None) -> Iterator[Dated]:
    """Dates that ``find_dates`` alone does not know, in no order.

    ``text`` has ordinary digits, ``known`` are the habits of the text as printed, ``weights`` are those of the page's languages.
    """
    if not text.isascii() or (weights and weights.get("ja", 0.0) >= 1.0):
        yield from _japanese(text, weights)
    if known.buddhist or known.hijri:
        yield from _in_digits(text, known)
    if _FOREIGN.search(text):
        yield from _with_names(text, known)


def _in_digits(text: str, known: Habits) -> Iterator[Dated]:
    """Dates in digits with a year that is not Gregorian."""
    for match in _DIGITS.finditer(text):
        printed = match["y"] or match["year"]
        month, day = int(match["m"] or match["month"]), int(match["d"] or match["day"])
        year = int(printed)
        if len(printed) == 2:
            if not known.buddhist or year < _LATE_BUDDHIST:
                continue
            year += 2500
        calendar = _era(text, match.start(), match.end()) or calendar_of(year, known)
        if calendar != "gregorian" and (date := _date(calendar, year, month, day)):
            yield match.start(), match.end(), date


def _with_names(text: str, known: Habits) -> Iterator[Dated]:
    months, (folded, places) = _months(), _fold_in_place(text)
    for pattern in (months.day_first, months.year_first):
        for match in pattern.finditer(folded):
            calendar, month = months.numbers[_plain(match["name"])]
            year = int(match["year"])
            if len(match["year"]) == 2:
                year += 2500 if known.buddhist and year >= _LATE_BUDDHIST else 1400 if calendar != "gregorian" else 2000
            start, end = places[match.start()], places[match.end() - 1] + 1
            if calendar == "gregorian":
                calendar = _era(text, start, end) or ("buddhist" if year > 2400 else "gregorian")
            if date := _date(calendar, year, month, int(match["day"])):
                yield start, end, date


def _date(calendar: Calendar | None, year: int, month: int, day: int) -> datetime.date | None:
    if calendar is None:
        return None
    first, last = _YEARS[calendar]
    return to_gregorian(calendar, year, month, day) if first <= year <= last else None


def _japanese(text: str, weights: Mapping[str, float] | None) -> Iterator[Dated]:
    """Years of eras: "令和6年4月1日", "令和六年四月一日", "R6.4.1" on a page in Japanese."""
    speaks = bool(weights and weights.get("ja", 0.0) >= 1.0)
    for match in _JAPANESE.finditer(text):
        if match["letter"] and not (speaks or match["mark"] == "年"):
            continue
        year = _ERAS[match["era"] or match["letter"]] + _number(match["year"])
        if date := to_gregorian("gregorian", year, _number(match["month"]), _number(match["day"])):
            yield match.start(), match.end(), date


def _number(text: str) -> int:
    """A number in digits or in the numerals of Chinese characters up to 99; 元 is the first year."""
    if text.isdigit():
        return int(text)
    if text == "元":
        return 1
    tens, ten, ones = text.rpartition("十")
    return (_KANJI.get(tens, 1) * 10 if ten else 0) + _KANJI.get(ones, 0)


@dataclass(frozen=True, slots=True)
class _Months:
    day_first: re.Pattern[str]
    year_first: re.Pattern[str]
    numbers: Mapping[str, tuple[Calendar, int]]


@from_words
def _months(languages: Languages) -> _Months:
    """Names of months in scripts from Hebrew to Tibetan, and what stands between them and numbers."""
    numbers: dict[str, tuple[Calendar, int]] = {}
    patterns: list[str] = []
    for name, calendar, number in _names(languages):
        if _FOREIGN.search(name) and _plain(name) not in numbers:
            numbers[_plain(name)] = calendar, number
            patterns.append(r"\s?".join(re.escape(part) for part in re.findall(r"\.|[^\s.]+", _fold(name))))
    name = f"(?P<name>{'|'.join(sorted(patterns, key=len, reverse=True)) or '(?!)'})"
    eras = "|".join(re.escape(_fold(era)) for era in sorted(languages.words.dates.eras, key=len, reverse=True)) or "(?!)"
    before = "|".join(re.escape(_fold(word)) for word in languages.words.dates.after_day if _FOREIGN.search(word)) or "(?!)"
    mark = r"[\s.,،॰/'\"-]"
    return _Months(
        re.compile(rf"(?<!\d)(?P<day>\d{{1,2}}){mark}{{0,3}}(?:(?:{before})\s?)?{name}{mark}{{0,3}}(?:(?:{eras})\s?)?"
                   r"(?P<year>\d{4}|\d{2})(?!\d)"),
        re.compile(rf"(?<!\d)(?P<year>\d{{4}}){mark}{{0,3}}{name}{mark}{{0,3}}(?P<day>\d{{1,2}})(?!\d)"),
        numbers,
    )  # fmt: skip


def _names(languages: Languages) -> Iterator[tuple[str, Calendar, int]]:
    widths: tuple[Width, ...] = ("wide", "abbreviated")
    for code in languages.codes("months"):
        for width in widths:
            yield from ((name, "gregorian", number) for number, name in month_names(code, "format", width).items())
    for language in languages.by_code.values():
        dates = language.dates
        yield from ((name, "gregorian", number) for name, number in dates.months.items())
        yield from ((name, "hijri", number) for name, number in dates.hijri_months.items())
        yield from ((name, "persian", number) for name, number in dates.persian_months.items())


@from_words
def _eras(languages: Languages) -> Mapping[str, Calendar]:
    return dict(languages.words.dates.eras)


def _era(text: str, start: int, end: int) -> Calendar | None:
    """The calendar of an era that stands right behind or before a date; the longest name counts."""
    behind, before = text[end : end + _ERA_REACH].lstrip(" ("), text[max(0, start - _ERA_REACH) : end]
    for era in sorted(_eras(), key=len, reverse=True):
        rest = behind.removeprefix(era)
        if rest != behind and not rest[:1].isalpha():
            return _eras()[era]
        if len(era) > 1 and era in before:
            return _eras()[era]
    return None


def _fold(text: str) -> str:
    return _DROPPED.sub("", unicodedata.normalize("NFKD", text))


def _plain(name: str) -> str:
    return re.sub(r"[\s.]", "", _fold(name))


def _fold_in_place(text: str) -> tuple[str, list[int]]:
    """The folded text, and the position in ``text`` of each of its letters."""
    letters = [(letter, at) for at, char in enumerate(text) for letter in _fold(char)]
    return "".join(letter for letter, _ in letters), [at for _, at in letters]
