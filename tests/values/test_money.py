"""Amounts of money with their currencies, as people and scanners write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.currencies import parse_currency
from pipeline.values.money import Money, parse_money

AMOUNTS = st.decimals(min_value="-999999.99", max_value="999999.99", places=2, allow_nan=False, allow_infinity=False)
LOCALES = st.sampled_from(["en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "zh_CN"])


@given(AMOUNTS, LOCALES, st.sampled_from(["EUR", "GBP", "PLN", "CHF", "USD", "SEK"]))
def test_amounts_of_a_locale_are_read_back(amount: Decimal, locale: str, currency: str) -> None:
    printed = format_currency(amount, currency, format="¤¤ #,##0.00" if currency == "SEK" else None, locale=locale)
    money = parse_money(printed)
    assert money is not None
    assert money.amount == amount


@given(st.text(max_size=70), st.sampled_from([None, ".", ","]))
def test_any_text_is_parsed_without_an_error(text: str, mark: str | None) -> None:
    money = parse_money(text, mark)
    assert money is None or any(c.isdigit() for c in text)


@pytest.mark.parametrize(
    ("printed", "amount", "currency"),
    [
        ("€3180,00", "3180.00", "EUR"),
        ("€ 1.234,50", "1234.50", "EUR"),
        ("6,699,550원", "6699550", "KRW"),
        ("12.50 EUR", "12.50", "EUR"),
        ("RM12.50", "12.50", "MYR"),
        ("12,50zł", "12.50", "PLN"),
        ("CHF 20.–", "20", "CHF"),
        ("123,-", "123", None),
        ("-€12.00", "-12.00", "EUR"),
        ("($35.13)", "-35.13", "USD"),
        ("3 441 812 euros", "3441812", "EUR"),
        ("￥1,280.00", "1280.00", None),
    ],
)
def test_amounts_with_symbols_codes_and_words_are_parsed(printed: str, amount: str, currency: str | None) -> None:
    money = parse_money(printed)
    assert money is not None
    assert money.amount == Decimal(amount)
    if currency:
        assert money.currency == currency


@pytest.mark.parametrize("printed", ["EUR", "100 Stk", "19%", "€", "12 May", "A4"])
def test_other_texts_are_no_amounts(printed: str) -> None:
    assert parse_money(printed) is None


def test_money_is_never_a_float() -> None:
    assert parse_money("0.10 USD") == Money(Decimal("0.10"), "USD")


@pytest.mark.parametrize(
    ("text", "code"), [("€", "EUR"), ("zł", "PLN"), ("eur", "EUR"), ("元", "CNY"), ("Euro", "EUR"), ("(RM)", "MYR")]
)
def test_currencies_by_symbol_code_and_name(text: str, code: str) -> None:
    assert parse_currency(text) == code


@pytest.mark.parametrize("text", ["STD", "XYZ", "the", "", "VAT"])
def test_other_texts_name_no_currency(text: str) -> None:
    assert parse_currency(text) is None
