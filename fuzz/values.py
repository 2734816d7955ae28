"""The parsers of numbers, money, currencies, dates, times and identifiers: all of them on the same text.

The first byte chooses the decimal mark and the order of dates; the rest is the text as UTF-8 (what is not, as its replacement).
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import get_args

from pipeline.values.currencies import parse_currency, split_currency
from pipeline.values.dates import Order, find_dates, guess_order, parse_date, parse_time
from pipeline.values.identifiers import is_valid_vat, normalise_identifier, parse_vat, repair_vat, same_identifier
from pipeline.values.money import parse_money
from pipeline.values.numbers import guess_decimal_mark, parse_number, plain_decimal

MARKS = (None, ".", ",")
ORDERS: tuple[Order | None, ...] = (None, *get_args(Order))


def once(data: bytes) -> None:
    """Values of any text are what their types promise."""
    choice, text = (data[0] if data else 0), data[1:].decode(errors="replace")
    _amounts(text, MARKS[choice % len(MARKS)])
    _dates(text, ORDERS[choice % len(ORDERS)])
    _identifiers(text)


def _amounts(text: str, mark: str | None) -> None:
    _number(parse_number(text, mark), mark)
    money = parse_money(text, mark)
    _number(money.amount if money else None, mark)
    _, rest = split_currency(text)
    for code in (parse_currency(text), money.currency if money else None, split_currency(text)[0]):
        assert code is None or re.fullmatch("[A-Z]{3}", code), code
    assert rest in text
    assert guess_decimal_mark([text]) in MARKS


def _number(value: Decimal | None, mark: str | None) -> None:
    if value is None:
        return
    assert value.is_finite()
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain_decimal(value)), plain_decimal(value)
    assert value or not value.is_signed(), "minus zero"
    if mark != "," or "." not in plain_decimal(value):
        assert parse_number(plain_decimal(value), mark or ".") == value


def _dates(text: str, order: Order | None) -> None:
    end = 0
    for start, stop, date in find_dates(text, order):
        assert end <= start < stop <= len(text)
        assert 1900 <= date.year <= 2100
        end = stop
    date_found = parse_date(text, order)
    assert date_found is None or parse_date(date_found.isoformat(), order) == date_found
    time = parse_time(text)
    assert time is None or re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", time), time
    assert time is None or datetime.time.fromisoformat(time)
    assert guess_order([text]) in ORDERS


def _identifiers(text: str) -> None:
    vat = parse_vat(text)
    assert vat is None or re.fullmatch("[A-Z]{2,3}[A-Z0-9]{2,16}", vat), vat
    assert vat is None or parse_vat(vat) == vat
    repaired = repair_vat(text)
    assert repaired is None or is_valid_vat(repaired)
    assert isinstance(is_valid_vat(text), bool)
    assert normalise_identifier(normalise_identifier(text)) == normalise_identifier(text)
    assert same_identifier(text, text) is bool(normalise_identifier(text))
