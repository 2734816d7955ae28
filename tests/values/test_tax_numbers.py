"""Tax numbers of countries by form and check digits."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.values.tax_numbers import find_tax_numbers

_ALL = {"es": 1.0, "ja": 1.0, "ko": 1.0, "pl": 1.0, "zh": 1.0}


def _found(text: str, languages: dict[str, float]) -> list[str]:
    return [text[start:end] for start, end in find_tax_numbers(text, languages)]


@pytest.mark.parametrize(
    ("printed", "number", "languages"),
    [
        ("CNPJ-11.222.333/0001-81", "11.222.333/0001-81", {"pt": 1.0}),
        ("30-70000001-6", "30-70000001-6", {"en": 1.0}),
        ("4711 B-12345674", "B-12345674", {"es": 1.0}),
        ("RUT: 7.612.345-4", "7.612.345-4", {"es": 1.0}),
        ("ABN 51 824 753 556", "51 824 753 556", {"en": 1.0}),
        ("登録番号 T9234567890123", "T9234567890123", {"ja": 1.0}),
        ("123-45-67890", "123-45-67890", {"ko": 1.0}),
    ],
)
def test_a_number_is_found_in_the_form_of_its_country(printed: str, number: str, languages: dict[str, float]) -> None:
    assert _found(printed, languages) == [number]


@pytest.mark.parametrize(
    "printed",
    ["11.222.333/0001-82", "30-70000001-7", "B-12345675", "7.612.345-5", "51 824 753 557", "130-70000001-6", "30-70000001-65"],
)
def test_a_wrong_check_digit_or_more_digits_make_it_none(printed: str) -> None:
    assert _found(printed, _ALL) == []


def test_a_form_that_codes_of_goods_have_too_counts_only_in_the_language_of_its_country() -> None:
    assert _found("B12345674", {"en": 1.0, "es": 0.1}) == []
    assert _found("B12345674", {"en": 1.0, "es": 0.4}) == ["B12345674"]


@given(st.text(alphabet="0123456789-./ ABT", max_size=60))
def test_numbers_never_overlap_and_are_what_stands_there(text: str) -> None:
    spans = list(find_tax_numbers(text, _ALL))
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
