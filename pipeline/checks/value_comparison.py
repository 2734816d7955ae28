"""Compares two normalised values of one type."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from rapidfuzz import fuzz

from pipeline.checks.text_keys import digits, letters_and_digits
from pipeline.records import Json
from pipeline.values.identifiers import same_identifier

NUMBERS = ("money", "number", "integer", "percentage")
"""Types whose values are plain numbers."""
_LEAST_PHONE, _COUNTRY_CODE = 6, 3
"""Digits of a telephone number at least, and of a country's code at most."""
SAME_TEXT_RATIO = 88.0
"""rapidfuzz ratio from which two texts or names count as the same."""


def is_absent(value: Json) -> bool:
    """Whether there is no value: None, an empty text or an empty list."""
    return value is None or value in ("", [])


def as_decimal(value: Json) -> Decimal | None:
    """The number of a plain decimal string; None for anything else."""
    try:
        number = Decimal(str(value)) if value is not None and not isinstance(value, bool | list | dict) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def same_value(kind: str, a: Json, b: Json) -> bool:
    """Whether two values of a template type are equal: amounts by value, identifiers without marks, texts except small differences.

    A name inside a longer one (a trading name in the full legal name) is the same. A text with different digits is not.
    """
    if kind in NUMBERS:
        return as_decimal(a) is not None and as_decimal(a) == as_decimal(b)
    if kind == "identifier":
        return same_identifier(str(a), str(b))
    if kind in ("text", "party", "address"):
        return _same_text(letters_and_digits(str(a)), letters_and_digits(str(b)))
    if kind == "phone":
        return same_phone(str(a), str(b))
    if kind == "url":
        return _bare_url(str(a)) == _bare_url(str(b))
    return bool(letters_and_digits(str(a)) == letters_and_digits(str(b)))


def same_phone(a: str, b: str) -> bool:
    """Whether two telephone numbers are one: equal, or one of them without the country's code or the zero before the area's."""
    short, long = sorted((digits(a).lstrip("0"), digits(b).lstrip("0")), key=len)
    return len(short) >= _LEAST_PHONE and long.endswith(short) and len(long) - len(short) <= _COUNTRY_CODE


def _bare_url(text: str) -> str:
    return text.casefold().partition("://")[2 if "://" in text else 0].removeprefix("www.").rstrip("/")


def _same_text(a: str, b: str) -> bool:
    if a == b:
        return True
    if digits(a) != digits(b):
        return False
    shorter, longer = sorted((a, b), key=len)
    return (len(shorter) >= 4 and shorter in longer) or fuzz.ratio(a, b) >= SAME_TEXT_RATIO
