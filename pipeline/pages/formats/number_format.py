"""Numbers and dates of a spreadsheet as they are displayed.

Source: ECMA-376-1, 18.8.30 (numFmt) and 18.8.31. What a sheet leaves to the country of the person who looks at it is shown so that it
cannot be misread: thousands are not marked, the decimal mark is a point, and a date in the country's own form is an ISO date.
"""

from __future__ import annotations

import locale
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale, UnknownLocaleError

_ACCOUNTING = "#,##0.00;-#,##0.00;-;@"
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
    41: "#,##0;-#,##0;-;@", 42: "#,##0;-#,##0;-;@", 43: _ACCOUNTING, 44: _ACCOUNTING, 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "0.0E+0", 49: "@",
}  # fmt: skip
"""The formats that a file names by number only. 14 and 22 are dates in the form of the reader's country."""
_SYSTEM_DATE, _SYSTEM_TIME = "F800", "F400"
_SIGNIFICANT = 11
"""Digits of a number without a format (General), as Excel shows them. Whole numbers keep all of theirs."""
_MAX_DIGITS = 30
"""Digits of a number that is shown in a format; larger ones are shown as they are stored."""
_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]*")|\\(?P<escaped>.)|(?P<blank>_.)|(?P<fill>\*.)|(?P<bracket>\[[^\]]*\])|(?P<ampm>AM/PM|A/P|上午/下午)"""
    r"""|(?P<general>General|Standard)|(?P<exponent>E[+-])|(?P<date>y+|m+|d+|h+|s+|g+|e+|b+)|(?P<number>[0#?][0#?,]*|\.|%|@)|(?P<other>.)""",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?[\d.]+)\]")
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - sheets have no time zone
_FALSE_LEAP_DAY = 60
"""29 February 1900, which the 1900 date system has and the calendar has not (18.17.4.1)."""
_LAST_DAY = 2_958_465
"""31 December 9999."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    tokens: tuple[_Token, ...]
    condition: tuple[str, Decimal] | None
    language: str
    is_date: bool


def display(raw: str, code: str, *, since_1904: bool = False) -> str:
    """A number of a sheet, as it is stored, in a format; as it is stored where it is no number."""
    try:
        value = Decimal(raw.strip())
    except InvalidOperation:
        return raw
    if not value.is_finite() or value.adjusted() > _MAX_DIGITS:
        return raw
    section, value = _choose(_sections(code[:500]), value)
    if section is None or not section.tokens:
        return "" if section is not None and code.strip() else general(value)
    if section.is_date:
        return _date(value, section, since_1904=since_1904) or general(value)
    return _number(value, section)


def is_date(code: str) -> bool:
    """Whether a format shows dates or times."""
    return any(section.is_date for section in _sections(code[:500])[:1])


def general(value: Decimal) -> str:
    """A number without a format."""
    if value == value.to_integral_value() and value.adjusted() < 21:
        return f"{value.to_integral_value():f}"
    text = f"{value:.{_SIGNIFICANT}g}"
    plain = Decimal(text)
    return f"{plain.normalize():f}" if -10 < plain.adjusted() < 21 else f"{plain.normalize():E}"


@lru_cache(2_000)
def _sections(code: str) -> tuple[_Section, ...]:
    parts: list[list[_Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or "other"
        if kind == "other" and match[0] == ";":
            parts.append([])
        else:
            parts[-1].append(_Token(kind, match[kind]))
    return tuple(map(_section, parts[:4]))


def _section(tokens: list[_Token]) -> _Section:
    condition, language = None, ""
    kept = []
    for token in tokens:
        if token.kind != "bracket":
            kept.append(token)
        elif match := _CONDITION.fullmatch(token.text):
            condition = (match[1], _decimal(match[2]))
        elif token.text[1:2] == "$":
            sign, _, code = token.text[2:-1].rpartition("-") if "-" in token.text else (token.text[2:-1], "", "")
            language = code or language
            if sign:
                kept.append(_Token("quoted", f'"{sign}"'))
        elif token.text[1:-1].lower().strip("hms") == "" and token.text != "[]":
            kept.append(_Token("elapsed", token.text[1:-1].lower()))
    language = language.upper()
    date = any(token.kind in ("date", "ampm", "elapsed") for token in kept)
    if language == _SYSTEM_DATE:
        kept = [_Token("date", "yyyy"), _Token("other", "-"), _Token("date", "mm"), _Token("other", "-"), _Token("date", "dd")]
    elif language == _SYSTEM_TIME:
        kept = [_Token("date", "h"), _Token("other", ":"), _Token("date", "mm"), _Token("other", ":"), _Token("date", "ss")]
    return _Section(tuple(kept), condition, language, date)


def _choose(sections: tuple[_Section, ...], value: Decimal) -> tuple[_Section | None, Decimal]:
    """The part of a format for a value: the first whose condition holds; else those for positive, negative and zero numbers."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _holds(section.condition, value):
                return section, value
        return None, value
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return (sections[0] if sections else None), value


def _holds(condition: tuple[str, Decimal], value: Decimal) -> bool:
    sign, limit = condition
    return {
        "<": value < limit,
        ">": value > limit,
        "=": value == limit,
        "<=": value <= limit,
        ">=": value >= limit,
        "<>": value != limit,
    }[sign]


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)


# ---- numbers ----------------------------------------------------------------------------------------------------------


def _number(value: Decimal, section: _Section) -> str:
    tokens = section.tokens
    if not any(token.kind in ("number", "general") for token in tokens):  # text alone
        return ("-" if value < 0 else "") + "".join(_literal(token) for token in tokens).strip()
    digits = [index for index, token in enumerate(tokens) if token.kind == "number" and token.text[0] in "0#?"]
    value *= 100 ** sum(token.text == "%" for token in tokens)
    if any(token.kind == "exponent" for token in tokens):
        return f"{value:.{_decimals(tokens)}E}"
    point = next((index for index, token in enumerate(tokens) if token.kind == "number" and token.text == "."), len(tokens))
    whole = "".join(tokens[index].text for index in digits if index < point)
    last = tokens[digits[-1]].text if digits else ""
    value /= 1000 ** (len(last) - len(last.rstrip(",")))
    if any(token.text == "/" for token in tokens) and digits:  # a fraction, shown as a decimal number
        return general(value)
    least = sum(tokens[index].text.count("0") for index in digits if index > point)
    most = _decimals(tokens)
    rounded = value.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP) if abs(value.adjusted()) + most < 27 else value
    text = f"{abs(rounded):f}"
    integer, _, fraction = text.partition(".")
    fraction = fraction[:least] + fraction[least:].rstrip("0")
    integer = integer.rjust(whole.count("0"), "0") if integer.strip("0") or "0" in whole else ""
    minus = "-" if rounded < 0 else ""
    out, placed = [], False
    for index, token in enumerate(tokens):
        if index in digits and index < point and not placed:
            out.append(minus + integer)
            placed = True
        elif index == point:
            out.append(("" if placed else minus) + (f".{fraction}" if fraction else ""))
            placed = True
        elif token.kind == "general" or token.text == "@":
            out.append(general(value))
        elif token.text == "%":
            out.append("%")
        elif index not in digits:
            out.append(_literal(token))
    return re.sub(r"\s+", " ", "".join(out)).strip()


def _decimals(tokens: tuple[_Token, ...]) -> int:
    """Digits behind the point, at most 20."""
    seen, count = False, 0
    for token in tokens:
        if token.kind == "exponent":
            break
        if token.text == "." and token.kind == "number":
            seen = True
        elif seen and token.kind == "number":
            count += sum(letter in "0#?" for letter in token.text)
    return min(20, count)


def _literal(token: _Token) -> str:
    if token.kind == "quoted":
        return token.text[1:-1]
    if token.kind in ("escaped", "other"):
        return token.text
    return " " if token.kind == "blank" else ""


# ---- dates ------------------------------------------------------------------------------------------------------------


def _date(value: Decimal, section: _Section, *, since_1904: bool) -> str:
    """The date; empty where the calendar does not have it."""
    days = float(value)
    if not 0 <= days <= _LAST_DAY:
        return ""
    start = _EPOCH_1904 if since_1904 else _EPOCH
    if not since_1904 and days < _FALSE_LEAP_DAY:
        days += 1
    whole = int(days)
    seconds = round((days - whole) * 86_400, 3)
    try:
        moment = start + timedelta(days=whole, seconds=round(seconds))
    except OverflowError:
        return ""
    total = int(value * 86_400 + Decimal("0.5"))
    half_day = any(token.kind == "ampm" for token in section.tokens)
    language = _locale(section.language)
    parts, last = [], ""
    for index, token in enumerate(section.tokens):
        letter = token.text[:1].lower()
        if token.kind == "date":
            is_minute = letter == "m" and len(token.text) <= 2 and (last == "h" or _next_date(section.tokens, index) == "s")
            parts.append(_date_part("n" if is_minute else letter, len(token.text), moment, half_day, language))
            last = letter
        elif token.kind == "elapsed":
            divisor = {"h": 3600, "m": 60, "s": 1}[letter]
            parts.append(str(total // divisor).rjust(len(token.text), "0"))
            last = letter
        elif token.kind == "ampm":
            parts.append("AM" if moment.hour < 12 else "PM")
        elif token.kind == "number" and token.text == ".":
            parts.append(".")
        elif token.kind != "number":
            parts.append(_literal(token))
    text = "".join(parts).strip()
    return text if section.tokens[-1].text == "." else text.rstrip(".")


def _next_date(tokens: tuple[_Token, ...], index: int) -> str:
    return next((token.text[:1].lower() for token in tokens[index + 1 :] if token.kind in ("date", "elapsed")), "")


def _date_part(letter: str, count: int, moment: datetime, half_day: bool, language: Locale) -> str:
    if letter in "ye":
        return f"{moment.year:04d}" if count > 2 or letter == "e" else f"{moment.year % 100:02d}"
    if letter == "m" and count > 2:
        width = {3: "abbreviated", 4: "wide"}.get(count, "narrow")
        return str(language.months["format"][width][moment.month])
    if letter == "d" and count > 2:
        return str(language.days["format"]["abbreviated" if count == 3 else "wide"][moment.weekday()])
    hour = (moment.hour - 1) % 12 + 1 if half_day else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "n": moment.minute, "s": moment.second}.get(letter)
    return "" if number is None else f"{number:0{min(count, 2)}d}"


@lru_cache(200)
def _locale(code: str) -> Locale:
    """The language of a Windows number of it (MS-LCID), as ``407``; English for unknown ones."""
    try:
        name = locale.windows_locale.get(int(code[-4:], 16)) if code else None
    except ValueError:
        name = None
    try:
        return Locale.parse(name or "en")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
