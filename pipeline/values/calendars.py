"""Dates of calendars other than the Gregorian one: Buddhist (Thailand), lunar Hijri (Arab countries) and solar Hijri (Iran).

Lunar Hijri follows the Umm al-Qura calendar of Saudi Arabia (hijridate), solar Hijri the arithmetic of persiantools.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.languages.language import Calendar

BUDDHIST_YEARS = range(2443, 2644)
"""Buddhist years of 1900 to 2100."""
HIJRI_YEARS = range(1300, 1500)
"""Years of both Hijri calendars that are printed on documents."""
FIRST_LUNAR_YEAR = 1415
"""The year from which a Hijri year without an era is lunar (1994), before which it is solar (until 2036)."""
_BUDDHIST_SHIFT = 543
_THAI, _ARABIC = re.compile("[\u0e00-\u0e7f]"), re.compile("[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufeff]")
_OF_THAI, _OF_HIJRI = ("th",), ("ar", "fa", "ur")
_ENOUGH_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Habits:
    """Which calendars a text may print dates in without saying so."""

    buddhist: bool = False
    hijri: bool = False


GREGORIAN_ONLY = Habits()


def habits(text: str, weights: Mapping[str, float] | None) -> Habits:
    """The habits of a text, by its letters and digits and by the languages of its page."""
    if text.isascii() and not weights:
        return GREGORIAN_ONLY
    return Habits(
        buddhist=_speaks(_OF_THAI, weights) or bool(_THAI.search(text)),
        hijri=_speaks(_OF_HIJRI, weights) or bool(_ARABIC.search(text)),
    )


def _speaks(codes: Collection[str], weights: Mapping[str, float] | None) -> bool:
    return weights is not None and any(weights.get(code, 0.0) >= _ENOUGH_WEIGHT for code in codes)


def calendar_of(year: int, habits: Habits) -> Calendar | None:
    """The calendar of a year of four digits without an era; None where it is of none."""
    if habits.buddhist and year in BUDDHIST_YEARS:
        return "buddhist"
    if habits.hijri and year in HIJRI_YEARS:
        return "hijri" if year >= FIRST_LUNAR_YEAR else "persian"
    return "gregorian"


def to_gregorian(calendar: Calendar, year: int, month: int, day: int) -> datetime.date | None:
    """The day in the Gregorian calendar; None for one that the calendar does not have."""
    try:
        if calendar == "hijri":
            from hijridate import Hijri

            return datetime.date(*Hijri(year, month, day).to_gregorian().datetuple())
        if calendar == "persian":
            from persiantools.jdatetime import JalaliDate

            return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
        return datetime.date(year - (_BUDDHIST_SHIFT if calendar == "buddhist" else 0), month, day)
    except (ValueError, OverflowError):
        return None
