"""A summary gives what was read, no more precisely than it was read, and nothing uncertain."""

from __future__ import annotations

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
    assert "Next comes Oslo." in summarize("bar", None, single)
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
