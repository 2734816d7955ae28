"""Dates in many languages and orders, also joined to other text."""

from __future__ import annotations

import datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.dates import find_dates, guess_order, parse_date, parse_time

DATES = st.dates(min_value=datetime.date(1990, 1, 1), max_value=datetime.date(2060, 12, 31))


@given(DATES, st.sampled_from(["en", "de", "fr", "es", "it", "nl", "pl", "zh", "pt", "lv"]))
def test_long_dates_of_a_locale_are_read_back(date: datetime.date, locale: str) -> None:
    assert parse_date(format_date(date, "long", locale=locale)) == date


@given(DATES, st.sampled_from(["de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "en_GB"]))
def test_numeric_dates_of_a_locale_are_read_back(date: datetime.date, locale: str) -> None:
    assert parse_date(format_date(date, "dd.MM.yyyy" if locale == "de_DE" else "dd/MM/yyyy", locale=locale), "DMY") == date
    assert parse_date(date.isoformat(), "MDY") == date
    assert parse_date(f"{date:%m/%d/%Y}", "MDY") == date


@given(st.text(max_size=100))
def test_any_text_is_parsed_without_an_error(text: str) -> None:
    parse_date(text)
    parse_time(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in find_dates(text))


@pytest.mark.parametrize(
    ("printed", "iso"),
    [
        ("23/09/20215:57:07PM", "2021-09-23"),
        ("1er août 2020", "2020-08-01"),
        ("avr 03, 2015", "2015-04-03"),
        ("15-MAR-2018", "2018-03-15"),
        ("5 Mar 24", "2024-03-05"),
        ("20210923", "2021-09-23"),
        ("2024年3月5日", "2024-03-05"),
        ("2024/3/5", "2024-03-05"),
        ("2024-3-15 09:10", "2024-03-15"),
        ("09/23/2021", "2021-09-23"),
        ("05.01 2022", "2022-01-05"),
    ],
)
def test_printed_dates_become_iso_dates(printed: str, iso: str) -> None:
    date = parse_date(printed)
    assert date is not None
    assert date.isoformat() == iso


@pytest.mark.parametrize(
    "printed", ["31/02/2018", "1.234,56", "0123/45678", "08.30 - 12.30 Uhr", "+33 4 72 07 08 55", "2024", ""]
)
def test_other_texts_are_no_dates(printed: str) -> None:
    assert parse_date(printed) is None


def test_unambiguous_dates_show_the_order() -> None:
    assert guess_order(["11/03/2017", "11/17/2017"]) == "MDY"
    assert guess_order(["03.04.2017", "25.04.2017"]) == "DMY"
    assert guess_order(["03.04.2017"]) is None
    assert guess_order(["Tel: 01.13.20.64.84"]) is None
    assert guess_order(["Tel: 01-24-20-64-84", "14-03-2024"]) == "DMY"
    assert guess_order(["25-02-13 18:56", "2025-02-13"]) == "YMD"
    assert guess_order(["03/04/2024", "paid 2024-03-04"]) == "MDY"
    assert guess_order(["12/12/24", "2024-12-12"]) is None
    assert parse_date("03/04/2024", "MDY") == datetime.date(2024, 3, 4)
    assert parse_date("03/04/2024") == datetime.date(2024, 4, 3)


@pytest.mark.parametrize(
    ("printed", "time"),
    [
        ("at 17:57", "17:57"),
        ("5:57:07PM", "17:57:07"),
        ("12:05 am", "00:05"),
        ("14h30", "14:30"),
        ("25:99", None),
        ("1.30", None),
    ],
)
def test_printed_times_become_hours_and_minutes(printed: str, time: str | None) -> None:
    assert parse_time(printed) == time
