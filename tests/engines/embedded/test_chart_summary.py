"""A summary gives what was read, no more precisely than it was read, and nothing uncertain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.summary import round_to_error, summarize


def row(category: str, value: str, series: str | None = None, error: str = "0") -> DataRow:
    return DataRow(category, series, Decimal(value), printed=error == "0", error=Decimal(error))


@pytest.mark.parametrize(
    ("value", "error", "rounded"),
    [("39.87", "0.15", "39.9"), ("546.3", "1.7", "546"), ("11483", "60", "11500"), ("7.25", "0", "7.25")],
)
def test_measured_values_are_as_round_as_the_scale_allows(value: str, error: str, rounded: str) -> None:
    assert round_to_error(Decimal(value), Decimal(error)) == Decimal(rounded)


def test_printed_values_are_given_as_printed_and_measured_ones_with_about() -> None:
    assert "The highest value is 61.5 for Rome; the lowest is 12 for Oslo." in summarize(
        "bar", "Days", [row("Rome", "61.5"), row("Oslo", "12")]
    )
    assert "The highest value is about 61.4 for Rome; the lowest is about 12 for Oslo." in summarize(
        "bar", "Days", [row("Rome", "61.43", error="0.3"), row("Oslo", "11.96", error="0.3")]
    )


def test_a_value_too_small_for_the_scale_is_left_out() -> None:
    summary = summarize("bar", None, [row("Rome", "60", error="1"), row("Oslo", "3", error="1")])
    assert summary.endswith("The highest value is about 60 for Rome; the lowest is that of Oslo.")


def test_a_category_between_ticks_is_named_only_when_it_is_certain() -> None:
    rows = [DataRow("1892", None, Decimal(40), error=Decimal(1), category_certain=False), row("1910", "90", error="1")]
    assert "1892" not in summarize("line", None, rows)


def test_extremes_are_limited_to_what_was_read_when_numbers_are_unmatched() -> None:
    rows = [row("Rome", "60"), row("Oslo", "30"), row("Bern", "45")]
    assert "that was read" in summarize("line", None, rows, unmatched=1)
    assert "highest" not in summarize("line", None, rows, unmatched=4)


def test_marks_outside_of_the_series_are_left_out() -> None:
    rows = [row("Rome", "60", "Men"), row("Rome", "40", "Women"), row("Rome", "2")]
    assert "lowest is 40 for Rome, Women" in summarize("stacked_bar", None, rows)


def test_clear_comparisons_are_made_in_words() -> None:
    single = [row(name, value) for name, value in (("Rome", "60"), ("Oslo", "50"), ("Bern", "20"), ("Graz", "10"))]
    assert "Next comes Oslo with 50." in summarize("bar", None, single)
    close = [row(name, value, error="2") for name, value in (("Rome", "60"), ("Oslo", "59"), ("Bern", "20"), ("Graz", "15"))]
    assert "Next comes" not in summarize("bar", None, close)
    double = [row(town, value, name) for town in ("Rome", "Oslo") for name, value in (("Men", "60"), ("Women", "40"))]
    assert "Men is the highest in every category." in summarize("bar_grouped", None, double)


def test_a_difference_within_the_error_is_no_trend() -> None:
    assert "rises" in summarize("line", None, [row("2000", "10", error="1"), row("2001", "20", error="1")])
    assert "rises" not in summarize("line", None, [row("2000", "19", error="1"), row("2001", "20", error="1")])


def test_a_scatter_plot_is_summarised_in_words_only() -> None:
    rows = [row(str(n), str(50 - 3 * n), error="0.5") for n in range(1, 9)]
    assert summarize("scatter", None, rows) == "A scatter plot without a title. The points fall from left to right."


def test_a_number_that_is_not_sure_is_in_no_sentence_and_the_summary_says_so() -> None:
    rows = [
        replace(row(name, value), confidence=sure)
        for name, value, sure in (("Rome", "61.5", 0.97), ("Oslo", "12", 0.6), ("Bern", "40", 0.98))
    ]
    summary = summarize("bar", None, rows, sure_from=0.9)
    assert "The highest value that was read is 61.5 for Rome; the lowest is 40 for Bern." in summary
    assert "12" not in summary
    assert summary.endswith("Not all of its values could be read for sure.")


def test_a_chart_without_sure_values_says_only_that() -> None:
    rows = [replace(row("Rome", "61.5"), confidence=0.5), DataRow("Oslo", None, None, confidence=0.2)]
    assert summarize("bar", "Days", rows, sure_from=0.9) == "A bar chart titled “Days”. Its values could not be read for sure."


def test_no_second_place_is_named_when_a_value_is_missing() -> None:
    rows = [row(name, value) for name, value in (("Rome", "60"), ("Oslo", "50"), ("Bern", "20"), ("Graz", "10"))]
    assert "Next comes" not in summarize("bar", None, [*rows, DataRow("Linz", None, None)])


@pytest.mark.parametrize("name", ["Oslo 69", "12 2.2%"])
def test_a_name_with_a_value_in_it_is_not_told(name: str) -> None:
    rows = [row("Rome", "60"), row(name, "80"), row("Bern", "45")]
    summary = summarize("bar", None, rows)
    assert name not in summary
    assert "The highest value that was read is 60 for Rome" in summary
