"""The type of field that some printed values have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipeline.templates.template import FieldType
from pipeline.values.country_names import country_code
from pipeline.values.dates import parse_date, parse_time
from pipeline.values.identifiers import parse_iban
from pipeline.values.leaf_values import QUANTITY, parse_leaf, parse_phone
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number, plain_decimal

LONGEST_DATE, LONGEST_TIME = 32, 14
"""Characters of a text that is a date or a time; a longer one mentions it."""
MOST_DIGITS = 9
"""Digits of a number; a longer one is the number of something."""
_CENTS = re.compile(r".*\d[.,]\d{2}(?!\d)\D{0,6}", re.DOTALL)
_CODE_LABEL = re.compile(
    r"(?:^|[\s.])(?:no|nr|num|number|nummer|numero|n[°º]|id|code|ref|reference|referenz|kode)[.°º#]?$|#$|(?:nummer|nr\.?)$",
    re.IGNORECASE,
)
_PHONE = re.compile(r"[+(0][\d\s()./–-]{6,}")


def common_type(label: str, values: Sequence[str]) -> FieldType:
    """The narrowest type that all values have; ``text`` where they have none in common."""
    if not values:
        return "text"
    checks: tuple[tuple[FieldType, Callable[[str], bool]], ...] = (
        ("iban", lambda text: parse_iban(text) is not None),
        ("mail", lambda text: parse_leaf("mail", text) is not None),
        ("url", lambda text: parse_leaf("url", text) is not None),
        (
            "date",
            lambda text: len(text) <= LONGEST_DATE and parse_date(text) is not None and parse_leaf("period", text) is None,
        ),
        ("period", lambda text: parse_leaf("period", text) is not None),
        ("time", lambda text: len(text) <= LONGEST_TIME and parse_time(text) is not None),
        ("percentage", lambda text: "%" in text and parse_leaf("percentage", text) is not None),
        ("money", _is_money),
        ("phone", lambda text: bool(_PHONE.fullmatch(text)) and parse_phone(text) is not None),
        ("quantity", lambda text: bool(QUANTITY.fullmatch(text)) and parse_leaf("quantity", text) is not None),
        ("identifier", lambda text: bool(_CODE_LABEL.search(label)) and _is_code(text)),
        ("integer", lambda text: _is_number(text) and parse_leaf("integer", text) is not None),
        ("number", _is_number),
        ("boolean", lambda text: parse_leaf("boolean", text) is not None),
        ("country", lambda text: len(text) > 3 and country_code(text) is not None),
        ("identifier", _is_code),
    )
    return next((kind for kind, holds in checks if all(map(holds, values))), "text")


def normal_form(kind: FieldType | None, text: str) -> str | None:
    """A printed text as a value of a type, in the form in which results hold it; None where it is none."""
    if kind == "date":
        day = parse_date(text)
        return day.isoformat() if day else None
    if kind == "money":
        money = parse_money(text)
        return plain_decimal(money.amount) if money else None
    if kind == "number":
        number = parse_number(text)
        return None if number is None else plain_decimal(number)
    return parse_leaf(kind or "text", text)


def _is_money(text: str) -> bool:
    money = parse_money(text) if len(text) <= 40 else None
    return money is not None and (money.currency is not None or bool(_CENTS.fullmatch(text)))


def _is_number(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return (
        parse_number(text) is not None
        and len(digits) <= MOST_DIGITS
        and not (len(digits) > 1 and text.startswith("0") and text.isdigit())
    )


def _is_code(text: str) -> bool:
    return len(text.split()) <= 4 and len(text) <= 60 and any(map(str.isdigit, text))
