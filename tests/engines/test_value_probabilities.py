"""The probability of each value in a language model's answer, from those of its tokens."""

from __future__ import annotations

import pytest

from pipeline.engines.value_probabilities import value_probabilities


def test_a_value_is_as_likely_as_the_tokens_that_write_it() -> None:
    pieces = ['{"', "total", '": "', "12", ".50", '", "', "due", '": ', "null", "}"]
    likely = [1.0, 1.0, 0.9, 0.8, 0.5, 1.0, 1.0, 1.0, 0.25, 1.0]
    assert value_probabilities(pieces, likely) == pytest.approx({"total": 0.9 * 0.8 * 0.5, "due": 0.25})


def test_a_token_that_begins_the_value_counts_and_one_that_ends_before_it_does_not() -> None:
    pieces = ['{"a":', ' "', "x", '"}']
    assert value_probabilities(pieces, [0.1, 0.5, 0.5, 1.0]) == pytest.approx({"a": 0.25})


def test_tables_count_as_one_value() -> None:
    pieces = ['{"rows": ', '[{"n": "', "1", '"}, {"n": "', "2", '"}]', "}"]
    assert value_probabilities(pieces, [1.0, 1.0, 0.5, 1.0, 0.5, 1.0, 1.0]) == pytest.approx({"rows": 0.25})


@pytest.mark.parametrize("text", ["", "no object", '{"a"', '{"a": "cut of', "{1: 2}", "[" * 5000, '{"a": ' + "[" * 5000])
def test_what_is_no_whole_value_has_no_probability(text: str) -> None:
    assert value_probabilities([text], [0.5]) == {}


def test_values_before_a_cut_one_have_theirs() -> None:
    assert value_probabilities(['{"a": ', '"x"', ', "b": ', '"cu'], [1.0, 0.5, 1.0, 1.0]) == {"a": 0.5}
