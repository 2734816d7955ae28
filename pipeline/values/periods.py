"""Periods ("01.03. - 31.03.2026", "March 2026") and durations ("14 days", "2 h 30 min") as people print them."""

from __future__ import annotations

import calendar
import datetime
import re
import unicodedata
from dataclasses import dataclass

from pipeline.languages.evidence import Weights
from pipeline.values.dates import Order, find_dates, month_names

_LONGEST = 200
_BETWEEN = re.compile(r"\s*(?:[-–—/~]|[^\W\d_]{1,5}\.?|\s)\s*(?:[^\W\d_]{1,5}\s+)?")
"""What stands between the two days of a period: a dash, or a short word as "to", "bis", "au"."""
_PARTIAL = re.compile(r"(?<![\d.,/])(\d{1,2})\s?\.(?:\s?(\d{1,2})\s?\.?)?\s*(?:[-–—]|[^\W\d_]{1,5})\s*(?=\d)")
"""The first day without its year, or without its month: "01.03. - 31.03.2026", "1. bis 31.03.2026"."""
_MONTH = re.compile(
    r"(?<![\d./-])(?:(0?[1-9]|1[0-2])\s?[/.-]\s?((?:19|20)\d\d)|((?:19|20)\d\d)\s?[/-]\s?(0[1-9]|1[0-2]))(?![\d./-])"
)
_NAMED_MONTH = re.compile(r"(?<![^\W\d_])(?<!\d\s)(?<!\d\.\s)([^\W\d_]{3,12})\.?\s+(?:de\s+)?((?:19|20)\d\d)(?![\d.])")
_CJK_MONTH = re.compile(r"((?:19|20)\d\d)\s?[年년]\s?(\d{1,2})\s?[月월](?!\s?\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST_DAYS = 366 * 6
Span = tuple[datetime.date, datetime.date]


@dataclass(frozen=True, slots=True)
class FoundPeriod:
    """A period and the characters that print it."""

    start: int
    end: int
    first: datetime.date
    last: datetime.date

    @property
    def value(self) -> str:
        """As results hold it."""
        return f"{self.first.isoformat()}/{self.last.isoformat()}"


def find_periods(text: str, order: Order | None = None, weights: Weights | None = None) -> list[FoundPeriod]:
    """Every period in a text, left to right: two days with a dash or a short word between them, or a whole month."""
    if len(text) > _LONGEST * 4 or not any(c.isdecimal() for c in text):
        return []
    dates = find_dates(text, order, weights)
    if not dates and not _YEAR.search(text):
        return []
    found: list[FoundPeriod] = []
    at = 0
    while at + 1 < len(dates):
        (start, end, first), (begin, stop, last) = dates[at], dates[at + 1]
        if _BETWEEN.fullmatch(text[end:begin]) and first <= last and (last - first).days <= _MOST_DAYS:
            found.append(FoundPeriod(start, stop, first, last))
            at += 1
        at += 1
    taken = [(period.start, period.end) for period in found]
    for begin, stop, last in dates:
        if not any(begin < e and stop > s for s, e in taken) and (found_one := _with_partial(text, begin, stop, last)):
            found.append(found_one)
    found += [m for m in _months(text) if not any(m.start < end and m.end > start for start, end, _ in dates)]
    return sorted(found, key=lambda period: period.start)


def _with_partial(text: str, begin: int, stop: int, last: datetime.date) -> FoundPeriod | None:
    for match in _PARTIAL.finditer(text, max(0, begin - 24)):
        if match.end() == begin:
            try:
                first = last.replace(day=int(match[1]), month=int(match[2] or last.month))
            except ValueError:
                return None
            if first > last and match[2]:
                first = first.replace(year=first.year - 1)
            return FoundPeriod(match.start(), stop, first, last) if first <= last else None
    return None


def _months(text: str) -> list[FoundPeriod]:
    found = []
    for match in _MONTH.finditer(text):
        found += _whole_month(match, int(match[2] or match[3]), int(match[1] or match[4]))
    for match in _NAMED_MONTH.finditer(text):
        if numbers := month_names().get(_folded(match[1])):
            found += _whole_month(match, int(match[2]), next(iter(numbers)))
    for match in _CJK_MONTH.finditer(text):
        found += _whole_month(match, int(match[1]), int(match[2]))
    return found


def _whole_month(match: re.Match[str], year: int, month: int) -> list[FoundPeriod]:
    if not 1 <= month <= 12:
        return []
    last = calendar.monthrange(year, month)[1]
    return [FoundPeriod(match.start(), match.end(), datetime.date(year, month, 1), datetime.date(year, month, last))]


def _folded(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalpha())


def parse_period(text: str) -> str | None:
    """The period in a text, as ``2026-03-01/2026-03-31``; None for any other text."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).strip()
    if match := re.fullmatch(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)", plain):
        plain = f"{match[1]} - {match[2]}"
    found = find_periods(plain)
    return found[0].value if found else None


_UNITS = {
    "Y": "years year yrs yr jahre jahren jahr ans an année années años año anni anno jaar lat rok roky roků år vuotta anos ano",
    "M": "months month monate monaten monat mois meses mes mesi mese maanden maand miesięcy miesiące miesiąc měsíců månader måneder",
    "W": "weeks week wk wochen woche wk semaines semaine semanas semana settimane settimana weken tygodni týdnů veckor uger uker",
    "D": (
        "days day d tage tagen tag jours jour días dias día dia giorni giorno dagen dag dni dzień dnů dní dny den dagar dage dager dní"
        " päivää nap napon zile дней дня дні днів gün 天 日 일"
    ),
    "h": "hours hour hrs hr h stunden stunde std heures heure horas hora ore ora uren uur godzin godz hodin timmar timer tuntia",
    "m": "minutes minute mins min minuten minuti minutos minuter minutter minut",
    "s": "seconds second secs sec sekunden sekunde secondes segundos secondi seconden s",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_PART = re.compile(r"(\d{1,5}(?:[.,]\d{1,3})?)\s*-?\s*([^\W\d_]{1,12})\.?")
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?(?:\s*(?:h|hrs?|std)\.?)?", re.IGNORECASE)
_ISO = re.compile(r"P(?=.)(?:\d+[YMWD])*(?:T(?=.)(?:\d+(?:\.\d+)?[HMS])+)?")


def parse_duration(text: str) -> str | None:
    """The duration that a whole text prints, by ISO 8601: ``P14D`` for "14 days", ``PT2H30M`` for "2:30 h"; None for any other text."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).strip().casefold()
    if _ISO.fullmatch(text.strip()):
        return text.strip()
    if match := _CLOCK.fullmatch(plain):
        return _written([(match[1], "h"), (match[2], "m"), (match[3] or "0", "s")])
    parts = [(match[1].replace(",", "."), _UNIT_OF.get(match[2], "")) for match in _PART.finditer(plain)]
    rest = _PART.sub("", plain)
    if (
        not parts
        or any(not unit for _, unit in parts)
        or any(c.isalnum() for c in re.sub(r"\b(?:and|und|et|y|e|en|i|a)\b", "", rest))
    ):
        return None
    return _written(parts)


def _written(parts: list[tuple[str, str]]) -> str:
    def text(units: str) -> str:
        kept = [(number, unit) for unit in units for number, of in parts if of == unit and float(number)]
        return "".join(f"{number.lstrip('0') or '0'}{unit.upper()}" for number, unit in kept)

    days, time = text("YMWD"), text("hms")
    return f"P{days}T{time}" if time else f"P{days or '0D'}"
