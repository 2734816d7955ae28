"""Dates in scripts other than Latin, with other digits, and of other calendars."""

from __future__ import annotations

import datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.dates import find_dates, parse_date

DATES = st.dates(min_value=datetime.date(1990, 1, 1), max_value=datetime.date(2060, 12, 31))


@given(DATES, st.sampled_from(["ar", "he", "uk", "ru", "bg", "hi", "th"]), st.sampled_from(["d MMMM y", "d MMM y"]))
def test_months_of_a_locale_are_read_back(date: datetime.date, locale: str, pattern: str) -> None:
    assert parse_date(format_date(date, pattern, locale=locale)) == date


@pytest.mark.parametrize(
    ("printed", "iso"),
    [
        ("١٥/٠٣/٢٠٢٤", "2024-03-15"),
        ("१५ जनवरी २०२४", "2024-01-15"),
        ("15 फरवरी 2024", "2024-02-15"),
        ("๑๕/๐๓/๒๕๖๗", "2024-03-15"),
        ("วันที่ 15 มกราคม พ.ศ. 2567", "2024-01-15"),
        ("15 มี.ค. 67", "2024-03-15"),
        ("15 ม.ค. 2567", "2024-01-15"),
        ("15 มี.ค. 2024", "2024-03-15"),
        ("التاريخ: 1445/09/12 هـ", "2024-03-22"),
        ("١٢/٠٩/١٤٤٥", "2024-03-22"),
        ("12 رمضان 1445", "2024-03-22"),
        ("3 جمادى الاولى 1445", "2023-11-17"),
        ("15 كانون الثاني 2024", "2024-01-15"),
        ("12 مارس، 2024", "2024-03-12"),
        ("2 آب 2024", "2024-08-02"),
        ("۱۴۰۳/۰۱/۱۵", "2024-04-03"),
        ("۱۵ فروردین ۱۴۰۳", "2024-04-03"),
        ("תאריך: 5 במרץ 2024", "2024-03-05"),
        ("«12» марта 2024 г.", "2024-03-12"),
        ("令和六年四月一日", "2024-04-01"),
        ("令和元年12月31日", "2019-12-31"),
        ("昭和50年3月2日", "1975-03-02"),
        ("令和6.4.1", "2024-04-01"),
    ],
)
def test_dates_of_other_scripts_and_calendars(printed: str, iso: str) -> None:
    date = parse_date(printed)
    assert date is not None
    assert date.isoformat() == iso


def test_letters_of_eras_count_on_a_japanese_page() -> None:
    assert [date.isoformat() for _, _, date in find_dates("R6.4.1", weights={"ja": 1.0})] == ["2024-04-01"]
    assert find_dates("R6.4.1", weights={"en": 1.0}) == []


@pytest.mark.parametrize("printed", ["12/03/2567", "1403/05/12", "part 1445/09/12"])
def test_years_of_other_calendars_do_not_count_on_pages_of_other_scripts(printed: str) -> None:
    assert find_dates(printed, weights={"en": 1.0}) == []


def test_a_thai_page_prints_buddhist_years_beside_latin_letters() -> None:
    assert [date.isoformat() for _, _, date in find_dates("No. 12 15/03/2567", weights={"th": 1.0})] == ["2024-03-15"]


def test_a_day_that_a_calendar_lacks_is_no_date() -> None:
    assert find_dates("31 رمضان 1445") == []
