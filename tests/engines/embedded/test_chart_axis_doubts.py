"""Charts whose axes are read in another way than most: with a factor, an offset, downwards, or two of them."""

from __future__ import annotations

import pytest

from tests.engines.embedded.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    draw_horizontal_bars,
    draw_vertical_bars,
    draw_x_ticks,
    draw_y_ticks,
    titled_sheet,
)
from tests.engines.embedded.page_builder import Sheet
from tests.engines.embedded.test_chart import LABELS, VALUES, near, read, rows


def nulls(sheet: Sheet) -> list[str]:
    """The categories of the rows whose value is null; the summary must have no numbers."""
    claims = read(sheet)
    assert claims["summary"].value.endswith("Its values could not be read for sure.")
    return [row["category"] for row in claims["data"].value if row["value"] is None]


def bars() -> Sheet:
    sheet = titled_sheet("Visitors by region")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_vertical_bars(sheet, LABELS, {"": VALUES}, [0, 80])
    return sheet


@pytest.mark.parametrize(("text", "factor"), [("1e5", 1e5), ("1e-2", 1e-2), ("×10^3", 1e3), ("x 106", 1e6)])
def test_a_factor_above_the_axis_multiplies_the_values(text: str, factor: float) -> None:
    sheet = bars()
    sheet.text(LEFT - 20, TOP - 22, text, 13)
    found = rows(read(sheet))
    assert {key: value / factor for key, value in found.items()} == {
        (label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)
    }


def test_an_offset_above_the_axis_leaves_no_measured_value() -> None:
    sheet = bars()
    sheet.text(LEFT - 20, TOP - 22, "+1.5e6", 13)
    assert nulls(sheet) == LABELS


def test_a_number_elsewhere_is_no_factor() -> None:
    sheet = bars()
    sheet.text((LEFT + RIGHT) / 2, BOTTOM + 60, "1e5", 13)
    assert rows(read(sheet)) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


def test_a_second_axis_with_other_values_leaves_no_measured_value() -> None:
    sheet = bars()
    for n in range(5):
        sheet.text(RIGHT + 30, BOTTOM - n * (BOTTOM - TOP) / 4, f"{n * 0.5:.1f}", 13)
    assert nulls(sheet) == LABELS


def test_the_same_axis_at_both_sides_is_one_axis() -> None:
    sheet = bars()
    for n in range(5):
        sheet.text(RIGHT + 30, BOTTOM - n * (BOTTOM - TOP) / 4, str(20 * n), 13)
    assert rows(read(sheet)) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


def test_an_axis_that_grows_downwards_leaves_no_measured_value() -> None:
    sheet = titled_sheet("Depth of five lakes")
    for n in range(5):
        sheet.text(LEFT - 26, TOP + n * (BOTTOM - TOP) / 4, str(20 * n), 13)
    draw_vertical_bars(sheet, LABELS, {"": VALUES}, [0, 80])
    assert nulls(sheet) == LABELS


def test_printed_values_stay_whatever_the_axis_says() -> None:
    sheet = titled_sheet("What people had for breakfast")
    draw_x_ticks(sheet, [0, 4, 8, 12])
    draw_horizontal_bars(sheet, LABELS, [7.25, 3, 11.5, 2, 9], printed=True, ticks=[0, 13])
    assert [row["value"] for row in read(sheet)["data"].value] == ["7.25", "3", "11.5", "2", "9"]
