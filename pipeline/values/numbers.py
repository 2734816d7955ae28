"""Numbers as people print them: thousands and decimal marks of many countries, minus signs in many places.

The rules follow the number patterns of Unicode's CLDR and the usual mistakes of OCR.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from pipeline.values.digits import ARABIC_DECIMAL, ascii_digits

BLANKS = " \u00a0\u2007\u2009\u202f"
APOSTROPHES = "'’`´"
MINUSES = "-−–—‐"
CREDIT = "CR"
"""Accounts mark amounts in the customer's favour so."""
_DIRECTIONS = "\u200e\u200f\u061c"
"""Invisible marks of the direction of writing, which programs put around numbers."""
_SHAPE = re.compile(rf"(?P<digits>[0-9][0-9.,{APOSTROPHES}{BLANKS}]*|[.,][0-9]+)")
_NO_DIGIT = re.compile(r"[^0-9]")
_MARKED = re.compile(r"[0-9]([.,])([0-9]+)(?![0-9.,])")
_LONGEST = 40  # a longer string of digits is a code, not an amount


def parse_number(text: str, decimal_mark: str | None = None) -> Decimal | None:
    """The number that the whole of ``text`` prints, or None.

    ``decimal_mark`` ("." or ",") decides where the text is ambiguous: "1.234" is 1234 unless the mark is ".".
    Accepts a leading or trailing minus, accounting brackets, Indian groups, and digits of all scripts. The Arabic mark ``٫`` is always
    a decimal one.
    """
    if not text.isascii():
        decimal_mark = "." if ARABIC_DECIMAL in text else decimal_mark
        text = ascii_digits(unicodedata.normalize("NFKC", text)).strip(_DIRECTIONS)
    plain = text.strip()
    if len(plain) > _LONGEST:
        return None
    negative, plain = _take_sign(plain)
    match = _SHAPE.fullmatch(plain)
    if match is None:
        return None
    digits = _decimal_string(match["digits"].rstrip(BLANKS), decimal_mark)
    if digits is None:
        return None
    value = Decimal(digits)
    return -value if negative and value else value


def guess_decimal_mark(texts: list[str], decimals: int = 2) -> str | None:
    """The decimal mark that most of ``texts`` use, or None where both are used as often.

    ``decimals`` is the number of decimals of the currency (ISO 4217): "135.500" is a hundred and thirty-five dinars.
    """
    votes = {".": 0, ",": 0}
    for text in texts:
        for mark, digits in _MARKED.findall(text):
            if len(digits) in (2, decimals):
                votes[mark] += 1
            elif len(digits) == 3:
                votes["," if mark == "." else "."] += 0 if text.startswith("0") else 1
    if votes["."] == votes[","]:
        return None
    return max(votes, key=lambda mark: votes[mark])


def plain_decimal(value: Decimal) -> str:
    """The number as a plain decimal string, as printed: no exponent, no grouping."""
    return f"{value:f}"


def _take_sign(text: str) -> tuple[bool, str]:
    if text.startswith("(") and text.endswith(")"):
        return True, text[1:-1].strip()
    if text[:1] and text[0] in MINUSES:
        return True, text[1:].lstrip()
    if text[-1:] and text[-1] in MINUSES:
        return True, text[:-1].rstrip()
    if text.endswith(CREDIT) and text[:-2].rstrip()[-1:].isdigit():
        return True, text[:-2].rstrip()
    return False, text[1:].lstrip() if text.startswith("+") else text


def _decimal_string(digits: str, decimal_mark: str | None) -> str | None:
    if digits.isdigit():
        return digits
    marks = [c for c in digits if not c.isdigit()]
    mark = _decimal_mark_of(digits, marks, decimal_mark)
    if mark is None:
        whole, fraction = digits, ""
    else:
        whole, _, fraction = digits.rpartition(mark)
    if not (fraction.isdigit() or not fraction) or not _well_grouped(whole):
        return None
    whole = _NO_DIGIT.sub("", whole) or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _decimal_mark_of(digits: str, marks: list[str], decimal_mark: str | None) -> str | None:
    """Which mark in ``digits`` is the decimal one; None when there is none."""
    points = [c for c in marks if c in ".,"]
    if not points:
        return None
    last = points[-1]
    if points.count(last) > 1:
        return None
    if len(set(points)) == 2 or any(c not in ".," for c in marks):
        return last
    before, _, after = digits.partition(last)
    could_group = len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0")
    return last if not could_group or decimal_mark == last else None


def _well_grouped(whole: str) -> bool:
    """Groups of three, or the Indian groups of two before the last three, all by the same mark."""
    parts = _NO_DIGIT.split(whole)
    if len(parts) == 1:
        return True
    marks = {"'" if c in APOSTROPHES else " " if c in BLANKS else c for c in whole if not c.isdigit()}
    if len(marks) > 1 or len(parts[-1]) != 3 or not 1 <= len(parts[0]) <= 3:
        return False
    return all(len(part) == 3 for part in parts[1:]) or all(len(part) == 2 for part in parts[1:-1])
