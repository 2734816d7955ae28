"""Digits and marks of all scripts in numbers and amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.digits import ascii_digits
from pipeline.values.money import parse_money
from pipeline.values.numbers import parse_number


@given(st.text(max_size=80))
def test_the_length_stays(text: str) -> None:
    assert len(ascii_digits(text)) == len(text)


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("١٬٢٣٤٫٥٠", "1234.50"),
        ("١٢٫٥٠٠", "12.500"),
        ("۱۲۳٬۴۵۶", "123456"),
        ("۱۲،۵۰۰", "12500"),
        ("१,२३,४५६.७८", "123456.78"),
        ("๑,๒๓๔.๕๐", "1234.50"),
        ("-٥٠", "-50"),
        ("\u200f١٥٠\u200f", "150"),
    ],
)
def test_numbers_of_other_scripts(printed: str, value: str) -> None:
    assert parse_number(printed) == Decimal(value)


@pytest.mark.parametrize(
    ("printed", "amount", "currency"),
    [("١٬٢٣٤٫٥٠ ر.س", "1234.50", "SAR"), ("₪ 1,234.50", "1234.50", "ILS"), ('1,234.50 ש"ח', "1234.50", "ILS"),
     ("₹ १,२३४.५०", "1234.50", "INR"), ("1 234,50 руб.", "1234.50", "RUB"), ("1,234.50 บาท", "1234.50", "THB"),
     ("۱۲۰٬۰۰۰ ریال", "120000", "IRR"), ("1 234,50 грн", "1234.50", "UAH")],
)  # fmt: skip
def test_amounts_of_other_scripts(printed: str, amount: str, currency: str) -> None:
    money = parse_money(printed)
    assert money is not None
    assert (money.amount, money.currency) == (Decimal(amount), currency)
