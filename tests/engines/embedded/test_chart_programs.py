"""Habits of programs that draw charts: R, gnuplot, libraries of web pages and spreadsheets."""

from __future__ import annotations

from math import cos, radians, sin

import pytest

from pipeline.engines.embedded.chart.chart_labels import parse_label_number
from tests.engines.embedded.charts import (
    BOTTOM,
    COLOURS,
    LEFT,
    RIGHT,
    TOP,
    Series,
    draw_vertical_bars,
    draw_y_ticks,
    titled_sheet,
)
from tests.engines.embedded.page_builder import BLUE, Colour, Sheet
from tests.engines.embedded.test_chart import read, rows

TICKS = [0, 10, 20, 30, 40]
TOWNS = ["Ulm", "Jena", "Kiel"]
POWER: Series = {"Coal": [38.0, 24.0, 31.0], "Wind": [12.0, 29.0, 19.0]}
EXPECTED = {(town, name): pytest.approx(values[n], rel=0.05) for name, values in POWER.items() for n, town in enumerate(TOWNS)}
GREY: Colour = (60, 60, 60)


def grouped_bars() -> Sheet:
    sheet = titled_sheet("Power by town")
    draw_y_ticks(sheet, TICKS)
    draw_vertical_bars(sheet, TOWNS, POWER, TICKS)
    return sheet


def height_of(value: float, low: float, high: float) -> float:
    return BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP)


def test_a_legend_with_its_names_left_of_the_swatches() -> None:
    sheet = grouped_bars()
    for number, name in enumerate(POWER):
        y = TOP - 40 + 20 * number
        sheet.text(RIGHT - 40, y, name, 12, "rm")
        sheet.draw.rectangle((RIGHT - 34, y - 4, RIGHT - 4, y + 4), COLOURS[number])
    assert rows(read(sheet)) == EXPECTED


def test_swatches_have_a_stronger_colour_than_transparent_bars() -> None:
    sheet = grouped_bars()
    for number, name in enumerate(POWER):
        x = LEFT + 120 + 90 * number
        strong = tuple(max(0, channel - 45) for channel in COLOURS[number])
        sheet.draw.rectangle((x, BOTTOM + 40, x + 9, BOTTOM + 49), strong)
        sheet.text(x + 15, BOTTOM + 45, name, 12)
    assert rows(read(sheet)) == EXPECTED


def test_two_numbers_are_an_axis_where_both_have_a_grid_line() -> None:
    sheet, bare = titled_sheet("Orders"), titled_sheet("Orders")
    values = {"Ulm": 22.0, "Jena": 14.0, "Kiel": 27.0, "Bonn": 18.0}
    for each, ruled in ((sheet, True), (bare, False)):
        for tick in (10, 20):
            y = height_of(tick, 0, 30)
            if ruled:
                each.draw.line((LEFT, y, RIGHT, y), (214, 214, 214))
            each.text(LEFT - 8, y, f"{tick}", 13, "rm")
        draw_vertical_bars(each, list(values), {"": list(values.values())}, [0, 30])
    assert rows(read(sheet)) == {(town, None): pytest.approx(value, rel=0.05) for town, value in values.items()}
    assert not rows(read(bare))


def test_a_thin_grey_line_in_a_frame_of_its_colour_is_a_line() -> None:
    values = [12.0, 30.0, 21.0, 36.0, 9.0, 17.0]
    sheet = titled_sheet("Visitors")
    draw_y_ticks(sheet, TICKS)
    xs = [LEFT + 20 + 85 * n for n in range(len(values))]
    for n, x in enumerate(xs):
        sheet.text(x, BOTTOM + 14, str(2015 + n), 13, "mm")
    sheet.draw.rectangle((LEFT, TOP, RIGHT, BOTTOM), outline=GREY)
    sheet.draw.line([(x, height_of(v, 0, 40)) for x, v in zip(xs, values, strict=True)], GREY, 1)
    claims = read(sheet)
    assert claims["chart_type"].value == "line"
    assert rows(claims) == {(str(2015 + n), None): pytest.approx(v, rel=0.06) for n, v in enumerate(values)}


def test_years_between_the_ticks_are_read_where_a_line_bends_at_some_of_them_and_nowhere_else() -> None:
    values = [20.0, 20.0, 21.0, 22.0, 23.0, 31.0, 32.0, 33.0, 33.0, 33.0, 24.0]
    sheet = titled_sheet("Visitors")
    draw_y_ticks(sheet, TICKS)
    xs = [LEFT + 10 + 44 * n for n in range(len(values))]
    for n in (0, 5, 10):
        sheet.draw.line((xs[n], BOTTOM, xs[n], BOTTOM + 5), GREY)
        sheet.text(xs[n], BOTTOM + 18, str(2010 + n), 13, "mm")
    sheet.draw.line([(x, height_of(v, 0, 40)) for x, v in zip(xs, values, strict=True)], BLUE, 2)
    assert rows(read(sheet)) == {(str(2010 + n), None): pytest.approx(v, rel=0.05) for n, v in enumerate(values)}


def test_a_mark_that_covers_most_of_the_picture_is_not_its_background() -> None:
    values = [30.0, 36.0, 33.0, 38.0]
    sheet = Sheet(640, 480)
    draw_y_ticks(sheet, TICKS)
    xs = [float(LEFT + 150 * n) for n in range(4)]
    for n, x in enumerate(xs):
        sheet.text(x, BOTTOM + 14, TOWNS[n] if n < 3 else "Bonn", 13, "mm")
    outline = [(x, height_of(v, 0, 40)) for x, v in zip(xs, values, strict=True)]
    sheet.draw.polygon([(xs[0], BOTTOM), *outline, (xs[-1], BOTTOM)], GREY)
    claims = read(sheet)
    assert claims["chart_type"].value == "area"
    expected = {(town, None): pytest.approx(v, rel=0.06) for town, v in zip([*TOWNS, "Bonn"], values, strict=True)}
    assert rows(claims) == expected


def test_numbers_behind_the_names_of_sectors_are_their_values() -> None:
    shares = {"Cats": 190.0, "Dogs": 110.0, "Birds": 80.0}
    sheet = titled_sheet("Pets")
    start = -90.0
    for number, (name, value) in enumerate(shares.items()):
        end = start + 360 * value / sum(shares.values())
        sheet.draw.pieslice((180, 120, 420, 360), start, end, COLOURS[number])
        middle = radians((start + end) / 2)
        sheet.text(300 + 165 * cos(middle), 240 + 150 * sin(middle), f"{name}: {value:g}", 13, "mm")
        start = end
    assert rows(read(sheet)) == {(name, None): value for name, value in shares.items()}


@pytest.mark.parametrize(("text", "value"), [("2e+06", 2_000_000), ("1.5e-03", 0.0015), ("0e+00", 0), ("-4E+05", -400_000)])
def test_numbers_with_an_exponent(text: str, value: float) -> None:
    number = parse_label_number(text)
    assert number is not None
    assert float(number) == pytest.approx(value)


def test_a_word_with_e_is_no_number() -> None:
    assert parse_label_number("e+06") is None
