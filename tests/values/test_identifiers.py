"""VAT ids and other identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.identifiers import is_valid_vat, normalise_identifier, parse_vat, repair_vat, same_identifier


@pytest.mark.parametrize(
    "printed", ["DE 314 159 262", "de314159262", "FR 40 303 265 045", "NL 004495445B01", "PL 8567346215", "ATU 13585627"]
)
def test_vat_ids_are_recognised_with_blanks_and_case(printed: str) -> None:
    vat = parse_vat(printed)
    assert vat == printed.replace(" ", "").upper()
    assert is_valid_vat(vat)


def test_a_wrong_check_digit_has_the_shape_but_is_not_valid() -> None:
    assert parse_vat("DE136695975") == "DE136695975"
    assert not is_valid_vat("DE136695975")


@pytest.mark.parametrize("printed", ["DE12345", "US123456789", "Invoice 123456789", "", "12345678901"])
def test_other_texts_are_no_vat_ids(printed: str) -> None:
    assert parse_vat(printed) is None


def test_a_misread_country_is_repaired_only_where_the_check_digits_prove_it() -> None:
    assert repair_vat("LU40003032949") == "LV40003032949"
    assert repair_vat("LU40003032948") is None
    assert repair_vat("DE314159262") is None


def test_identifiers_are_compared_without_marks() -> None:
    assert same_identifier("RE-2024/17", "re 2024 17")
    assert not same_identifier("RE-2024/17", "RE-2024/18")
    assert not same_identifier("", "--")


@given(st.text(max_size=60))
def test_any_text_is_parsed_without_an_error(text: str) -> None:
    parse_vat(text)
    is_valid_vat(text)
    assert normalise_identifier(normalise_identifier(text)) == normalise_identifier(text)
