"""Numbers in the notation of many countries."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_decimal, get_decimal_symbol
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.numbers import guess_decimal_mark, parse_number, plain_decimal

LOCALES = ["en", "de", "fr", "es", "it", "nl", "pl", "zh", "de_CH", "en_IN", "pt", "lv"]
AMOUNTS = st.decimals(min_value="-9999999.99", max_value="9999999.99", places=2, allow_nan=False, allow_infinity=False)


@given(AMOUNTS, st.sampled_from(LOCALES))
def test_numbers_of_a_locale_are_read_back(amount: Decimal, locale: str) -> None:
    printed = format_decimal(amount, format="#,##0.00" if locale != "en_IN" else "#,##,##0.00", locale=locale)
    assert parse_number(printed, get_decimal_symbol(locale)) == amount
    assert parse_number(printed) == amount


@given(st.text(max_size=60), st.sampled_from([None, ".", ","]))
def test_any_text_is_parsed_without_an_error(text: str, mark: str | None) -> None:
    value = parse_number(text, mark)
    assert value is None or any(c.isdigit() for c in text)


@pytest.mark.parametrize(
    ("printed", "mark", "value"),
    [
        ("1.234", None, "1234"),
        ("1.234", ".", "1.234"),
        ("1,234", ".", "1234"),
        ("0.125", ",", "0.125"),
        ("1234.567", None, "1234.567"),
        ("12,50-", None, "-12.50"),
        ("(5.00)", None, "-5.00"),
        ("−7,10", None, "-7.10"),
        ("1'234.50", None, "1234.50"),
        ("１２３.５", None, "123.5"),
        (".50", None, "0.50"),
    ],
)
def test_the_decimal_mark_follows_from_the_text_or_the_page(printed: str, mark: str | None, value: str) -> None:
    assert parse_number(printed, mark) == Decimal(value)


@pytest.mark.parametrize("printed", ["", "-", "1.2.3", "1,23,4", "12 34", "12a", "1.234.56", "2024-01-05", "9" * 60])
def test_other_texts_are_no_numbers(printed: str) -> None:
    assert parse_number(printed) is None


def test_the_texts_of_a_page_show_its_decimal_mark() -> None:
    assert guess_decimal_mark(["Summe 12,50", "1.000", "7,00"]) == ","
    assert guess_decimal_mark(["Total 12.50", "1,000.00"]) == "."
    assert guess_decimal_mark(["no numbers", "12"]) is None


def test_plain_has_no_exponent() -> None:
    assert plain_decimal(Decimal("1E+3")) == "1000"
    assert plain_decimal(Decimal("10.00")) == "10.00"
