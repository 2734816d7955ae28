"""Charts in many styles, drawn from data, are read as that data."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, log10, radians, sin

import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.engines.embedded.chart.chart_labels import parse_label_number
from pipeline.engines.embedded.chart.chart_reader import analyse_chart
from pipeline.records import Word
from tests.engines.embedded.charts import (
    BOTTOM,
    COLOURS,
    LEFT,
    RIGHT,
    TOP,
    Series,
    draw_horizontal_bars,
    draw_lines,
    draw_vertical_bars,
    draw_x_ticks,
    draw_y_ticks,
    titled_sheet,
)
from tests.engines.embedded.page_builder import BLUE, GREEN, RED, Colour, Sheet
from tests.engines.embedded.test_chart import LABELS, VALUES, near, read, rows

YEARS = ["2015", "2016", "2017", "2018", "2019", "2020"]
POWER: Series = {"Coal": [40.0, 38.0, 33.0, 30.0, 25.0, 20.0], "Wind": [10.0, 13.0, 18.0, 22.0, 27.0, 35.0]}


def group_centres(count: int) -> list[float]:
    """Return the x of the middles of ``count`` equal parts of the plot."""
    return [LEFT + (n + 0.5) * (RIGHT - LEFT) / count for n in range(count)]


def pixel_of(value: float, top: float) -> float:
    """Return the y of a value on an axis from 0 to ``top``."""
    return BOTTOM - value / top * (BOTTOM - TOP)


def draw_rotated_labels(sheet: Sheet, labels: Sequence[str]) -> None:
    """Draw labels that run upwards below the plot and end at it."""
    for x, label in zip(group_centres(len(labels)), labels, strict=True):
        sheet.turned(x, BOTTOM + 8 + ImageFont.load_default(13).getlength(label) / 2, label, 13)


def row_values(sheet: Sheet) -> list[float]:
    """The values of all rows, also of those that are not sure."""
    return [float(row.value) for row in analyse_chart(sheet.page(), sheet.pixels()).rows if row.value is not None]


def test_lines_over_rotated_labels_with_thin_strokes_in_the_legend() -> None:
    sheet = titled_sheet("Electricity by source", "", "TWh")
    draw_y_ticks(sheet, [0, 10, 20, 30, 40])
    draw_rotated_labels(sheet, YEARS)
    for k, (name, values) in enumerate(POWER.items()):
        sheet.draw.line([(x, pixel_of(v, 40)) for x, v in zip(group_centres(6), values, strict=True)], COLOURS[k], 2)
        sheet.draw.line((RIGHT + 6, 110 + 20 * k, RIGHT + 20, 110 + 20 * k), tuple(255 - (255 - c) // 2 for c in COLOURS[k]), 2)
        sheet.text(RIGHT + 26, 110 + 20 * k, name, 12)
    claims = read(sheet)
    assert claims["chart_type"].value == "line_multi"
    assert claims["y_title"].value == "TWh"
    assert rows(claims) == {(year, name): near(values[n]) for name, values in POWER.items() for n, year in enumerate(YEARS)}


def test_peaks_between_steep_lines_are_read_at_their_top() -> None:
    values = [10.0, 78.0, 5.0, 70.0, 12.0]
    sheet = titled_sheet("Rain in five towns")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    for x, label in zip(group_centres(5), LABELS, strict=True):
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
    sheet.draw.line([(x, pixel_of(v, 80)) for x, v in zip(group_centres(5), values, strict=True)], BLUE, 3, joint="curve")
    expected = {(label, None): pytest.approx(value, rel=0.05) for label, value in zip(LABELS, values, strict=True)}
    assert rows(read(sheet)) == expected


def test_dashed_lines_are_lines() -> None:
    sheet = titled_sheet("Electricity by source")
    draw_y_ticks(sheet, [0, 10, 20, 30, 40])
    years = [float(year) for year in YEARS]
    draw_x_ticks(sheet, years)
    values = POWER["Wind"]
    for n in range(5):
        (x0, x1), (y0, y1) = (LEFT + 94 * n, LEFT + 94 * (n + 1)), (pixel_of(values[n], 40), pixel_of(values[n + 1], 40))
        for part in range(0, 94, 12):
            a, b = part / 94, min(1.0, (part + 7) / 94)
            sheet.draw.line((x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0)), RED, 2)
    claims = read(sheet)
    assert claims["chart_type"].value == "line"
    assert rows(claims) == {(year, None): near(value) for year, value in zip(YEARS, values, strict=True)}


def test_months_with_narrow_gaps_are_single_labels() -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    values = [5.1, 5.9, 8.2, 11.3, 15.2, 18.4, 20.1, 19.8, 16.5, 12.6, 8.4, 5.7]
    sheet = titled_sheet("Mean temperature")
    draw_y_ticks(sheet, [0, 5, 10, 15, 20])
    for x, month in zip(group_centres(12), months, strict=True):
        sheet.text(x, BOTTOM + 14, month, 17, "mm")
        sheet.lines -= 1
    points = [(x, pixel_of(v, 20)) for x, v in zip(group_centres(12), values, strict=True)]
    sheet.draw.line(points, BLUE, 2)
    for x, y in points:
        sheet.draw.ellipse((x - 4, y - 4, x + 4, y + 4), BLUE)
    expected = {(month, None): pytest.approx(value, rel=0.05) for month, value in zip(months, values, strict=True)}
    assert rows(read(sheet)) == expected


def test_slanted_labels_belong_to_the_point_at_their_end() -> None:
    labels = ["Jan 2023", "Mar 2023", "May 2023", "Jul 2023", "Sep 2023"]
    sheet = titled_sheet("Temperature of the water")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    points = [(x, pixel_of(v, 80)) for x, v in zip(group_centres(5), VALUES, strict=True)]
    sheet.draw.line(points, BLUE, 2)
    for (x, y), label in zip(points, labels, strict=True):
        sheet.draw.ellipse((x - 4, y - 4, x + 4, y + 4), BLUE)
        first, second = label.split()
        sheet.words.append(Word(first, (x - 56, BOTTOM + 10, x - 30, BOTTOM + 52), sheet.lines))
        sheet.words.append(Word(second, (x - 30, BOTTOM + 10, x, BOTTOM + 52), sheet.lines))
        sheet.lines += 1
    assert rows(read(sheet)) == {(label, None): near(value) for label, value in zip(labels, VALUES, strict=True)}


def test_stacked_areas_have_their_own_values() -> None:
    sheet = titled_sheet("Electricity by source", "Year", "TWh")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_x_ticks(sheet, [float(year) for year in YEARS])
    xs = [LEFT + 94.0 * n for n in range(6)]
    floor = [0.0] * 6
    for k, (name, values) in enumerate(POWER.items()):
        top = [a + b for a, b in zip(floor, values, strict=True)]
        edge = [(x, pixel_of(v, 80)) for x, v in zip(xs, top, strict=True)]
        base = [(x, pixel_of(v, 80)) for x, v in zip(xs, floor, strict=True)]
        sheet.draw.polygon([*edge, *reversed(base)], COLOURS[k])
        sheet.draw.rectangle((RIGHT + 8, 105 + 20 * k, RIGHT + 18, 115 + 20 * k), COLOURS[k])
        sheet.text(RIGHT + 24, 110 + 20 * k, name, 12)
        floor = top
    claims = read(sheet)
    assert claims["chart_type"].value == "area"
    expected = {(year, name): near(values[n]) for name, values in POWER.items() for n, year in enumerate(YEARS)}
    assert rows(claims) == expected


def test_an_area_with_an_outline_is_no_line_chart() -> None:
    sheet = titled_sheet("Water in the lake")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_x_ticks(sheet, [2000, 2005, 2010, 2015, 2020])
    points = [(LEFT + n * 117.5, pixel_of(value, 80)) for n, value in enumerate(VALUES)]
    sheet.draw.polygon([(LEFT, BOTTOM), *points, (RIGHT, BOTTOM)], (160, 190, 220))
    sheet.draw.line(points, BLUE, 3)
    claims = read(sheet)
    assert claims["chart_type"].value == "area"
    assert rows(claims) == {(str(2000 + 5 * n), None): near(value) for n, value in enumerate(VALUES)}


def test_bars_below_zero_in_another_colour_are_one_series() -> None:
    values = [45.0, -20.0, 78.0, -55.0, 12.0]
    sheet = titled_sheet("Change of passengers")
    for tick in (-80, -40, 0, 40, 80):
        y = 245 - tick * 1.9
        sheet.draw.line((LEFT, y, RIGHT, y), (224, 224, 224))
        sheet.text(LEFT - 8, y, f"{tick}", 13, "rm")
    for x, label, value in zip(group_centres(5), LABELS, values, strict=True):
        top, bottom = sorted((245, round(245 - value * 1.9)))
        sheet.draw.rectangle((x - 38, top, x + 38, bottom - 1), GREEN if value > 0 else RED)
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
    claims = read(sheet)
    assert claims["chart_type"].value == "bar"
    expected = {(label, None): pytest.approx(value, abs=1) for label, value in zip(LABELS, values, strict=True)}
    assert rows(claims) == expected


def test_grid_lines_over_bars_do_not_cut_them() -> None:
    sheet = titled_sheet("Sunny days by region")
    draw_vertical_bars(sheet, LABELS, {"": VALUES}, [0, 80])
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    claims = read(sheet)
    assert claims["chart_type"].value == "bar"
    assert rows(claims) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


@pytest.mark.parametrize("hatched", [False, True])
def test_outlined_and_hatched_bars_are_read(hatched: bool) -> None:
    sheet = titled_sheet("Sunny days by region")
    for tick in (0, 20, 40, 60, 80):
        sheet.text(LEFT - 8, pixel_of(tick, 80), f"{tick}", 13, "rm")
    for x, label, value in zip(group_centres(5), LABELS, VALUES, strict=True):
        box = (x - 38, pixel_of(value, 80), x + 38, BOTTOM)
        sheet.draw.rectangle(box, (150, 230, 190) if hatched else (255, 255, 255), (0, 0, 0), 2)
        high = round(BOTTOM - box[1])
        for start in range(-high, 76, 14) if hatched else ():
            line = [(x - 38 + start + up, BOTTOM - up) for up in range(high) if 0 <= start + up <= 76]
            sheet.draw.line(line, (0, 0, 0))
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
    claims = read(sheet)
    assert claims["chart_type"].value == "bar"
    assert rows(claims) == {
        (label, None): pytest.approx(value, rel=0.05, abs=0.8) for label, value in zip(LABELS, VALUES, strict=True)
    }


def test_a_logarithmic_axis_is_recognised() -> None:
    values = [3.0, 40.0, 1200.0, 150.0, 26000.0]
    sheet = titled_sheet("Cells counted")
    for power in range(6):
        y = BOTTOM - power * 62
        sheet.draw.line((LEFT, y, RIGHT, y), (224, 224, 224))
        sheet.text(LEFT - 8, y, f"{10**power:,}", 13, "rm")
    for x, label, value in zip(group_centres(5), LABELS, values, strict=True):
        sheet.draw.rectangle((x - 38, round(BOTTOM - 62 * log10(value)), x + 38, BOTTOM - 1), BLUE)
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
    expected = {(label, None): pytest.approx(value, rel=0.05) for label, value in zip(LABELS, values, strict=True)}
    assert rows(read(sheet)) == expected


@pytest.mark.parametrize(
    "print_tick", ["{:,}".format, lambda v: f"{v:,}".replace(",", " "), lambda v: f"{v:,}".replace(",", ".")]
)
def test_ticks_with_grouped_thousands_are_read(print_tick: object) -> None:
    assert callable(print_tick)
    sheet = titled_sheet("Sunny hours by region")
    for tick in range(0, 80_001, 20_000):
        sheet.draw.line((LEFT, pixel_of(tick, 80_000), RIGHT, pixel_of(tick, 80_000)), (224, 224, 224))
        sheet.text(LEFT - 8, pixel_of(tick, 80_000), str(print_tick(tick)), 13, "rm")
    draw_vertical_bars(sheet, LABELS, {"": VALUES}, [0, 80])
    expected = {(label, None): pytest.approx(1000 * v, rel=0.05) for label, v in zip(LABELS, VALUES, strict=True)}
    assert rows(read(sheet)) == expected


def test_a_chart_on_a_dark_background_is_read() -> None:
    sheet = Sheet(paper=(30, 30, 34))
    sheet.text(LEFT - 60, 30, "Sunny days by region", 22, "lm", (240, 240, 240))
    for tick in (0, 20, 40, 60, 80):
        sheet.draw.line((LEFT, pixel_of(tick, 80), RIGHT, pixel_of(tick, 80)), (70, 70, 74))
        sheet.text(LEFT - 8, pixel_of(tick, 80), f"{tick}", 13, "rm", (220, 220, 220))
    for x, label, value in zip(group_centres(5), LABELS, VALUES, strict=True):
        sheet.draw.rectangle((x - 38, round(pixel_of(value, 80)), x + 38, BOTTOM - 1), (90, 160, 230))
        sheet.text(x, BOTTOM + 14, label, 13, "mm", (220, 220, 220))
    claims = read(sheet)
    assert (claims["chart_type"].value, claims["title"].value) == ("bar", "Sunny days by region")
    assert rows(claims) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


def test_dots_at_the_end_of_a_stroke_are_no_bars() -> None:
    sheet = titled_sheet("Rating of fruit")
    draw_x_ticks(sheet, [0, 20, 40, 60, 80])
    for n, (label, value) in enumerate(zip(LABELS, VALUES, strict=True)):
        y, x = TOP + (n + 0.5) * 62, LEFT + value / 80 * (RIGHT - LEFT)
        sheet.text(LEFT - 6, y, label, 13, "rm")
        sheet.draw.line((LEFT, y, x, y), (60, 60, 60), 2)
        sheet.draw.ellipse((x - 7, y - 7, x + 7, y + 7), BLUE)
    claims = read(sheet)
    assert claims["chart_type"].value == "dot"
    assert rows(claims) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


def test_hollow_points_are_one_point_each_and_the_summary_has_no_values() -> None:
    sheet = titled_sheet("", "Weight", "Price")
    draw_y_ticks(sheet, [0, 10, 20, 30, 40])
    draw_x_ticks(sheet, [0, 50, 100, 150, 200])
    points = [(20, 8), (45, 14), (70, 11), (105, 22), (130, 31), (160, 27), (190, 38)]
    for x, y in points:
        cx, cy = LEFT + x / 200 * (RIGHT - LEFT), pixel_of(y, 40)
        sheet.draw.ellipse((cx - 5, cy - 5, cx + 5, cy + 5), None, BLUE, 2)
    claims = read(sheet)
    assert claims["chart_type"].value == "scatter"
    assert len(claims["data"].value) == len(points)
    assert claims["summary"].value == "A scatter plot without a title. The points rise from left to right."


def test_a_pie_with_a_sector_pulled_out_is_a_pie() -> None:
    shares = {"Cats": 38, "Dogs": 31, "Fish": 19, "Birds": 12}
    sheet = titled_sheet("Pets in the street")
    start = -90.0
    for n, (name, share) in enumerate(shares.items()):
        middle = radians(start + 1.8 * share)
        dx, dy = (12 * cos(middle), 12 * sin(middle)) if n == 0 else (0, 0)
        sheet.draw.pieslice((180 + dx, 110 + dy, 440 + dx, 370 + dy), start, start + 3.6 * share, COLOURS[n])
        sheet.text(310 + 178 * cos(middle), 240 + 178 * sin(middle), f"{name} ({share} %)", 13, "mm")
        start += 3.6 * share
    claims = read(sheet)
    assert claims["chart_type"].value == "pie"
    assert rows(claims) == {(name, None): share for name, share in shares.items()}
    assert "The largest share is 38 for Cats; the smallest is 12 for Birds." in claims["summary"].value


def test_a_percentage_in_the_hole_belongs_to_its_sector() -> None:
    sheet = titled_sheet("Trips by bicycle")
    sheet.draw.ellipse((140, 100, 420, 380), (222, 200, 170))
    sheet.draw.pieslice((140, 100, 420, 380), -90, -90 + 3.6 * 71, BLUE)
    sheet.draw.ellipse((205, 165, 355, 315), (255, 255, 255))
    sheet.text(280, 240, "72%", 20, "mm")
    assert sorted(row_values(sheet)) == [28, 72]


def test_a_printed_number_that_its_bar_contradicts_is_measured() -> None:
    values = [34.0, 61.0, 27.0, 48.0, 12.0, 55.0]
    sheet = titled_sheet("What people had for breakfast")
    draw_horizontal_bars(sheet, [*LABELS, "Abroad"], values, printed=True, ticks=[0, 80])
    word = next(word for word in sheet.words if word.text == "27")
    sheet.words[sheet.words.index(word)] = Word("2", word.box, word.line)
    assert [float(row["value"]) for row in read(sheet)["data"].value] == pytest.approx(values, abs=0.6)


def test_years_below_every_second_bar_name_all_bars() -> None:
    years = [str(2005 + n) for n in range(10)]
    values = [12.0, 20.0, 28.0, 33.0, 41.0, 47.0, 52.0, 60.0, 66.0, 74.0]
    sheet = titled_sheet("Cups per person")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_vertical_bars(sheet, [year if n % 2 == 0 else "" for n, year in enumerate(years)], {"": values}, [0, 80])
    assert rows(read(sheet)) == {(year, None): near(value) for year, value in zip(years, values, strict=True)}


def test_markers_that_ocr_takes_for_letters_are_points() -> None:
    sheet = titled_sheet("Trips by public transport")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    for x, label, value in zip(group_centres(5), LABELS, VALUES, strict=True):
        y = pixel_of(value, 80)
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
        sheet.draw.ellipse((x - 6, y - 6, x + 6, y + 6), BLUE)
        if label in ("South", "West"):
            sheet.words.append(Word("o", (x - 7, y - 7, x + 7, y + 7), sheet.lines))
            sheet.lines += 1
    claims = read(sheet)
    assert claims["chart_type"].value == "dot"
    assert rows(claims) == {(label, None): near(value) for label, value in zip(LABELS, VALUES, strict=True)}


def test_a_colour_that_is_the_rim_of_a_stroke_is_no_line() -> None:
    """A dark line that is drawn large and scaled down has rims as pale as the second line."""
    dark: Colour = (62, 92, 105)
    pale: Colour = (158, 173, 180)
    years = [2000.0, 2005.0, 2010.0, 2015.0]
    sheet = titled_sheet("Trips by public transport")
    large = Image.new("RGB", (sheet.image.width * 4, sheet.image.height * 4), (255, 255, 255))
    large_draw = ImageDraw.Draw(large)
    for colour, values in ((dark, [20.0, 35.0, 33.0, 52.0]), (pale, [72.0, 60.0, 64.0, 68.0])):
        points = [(4 * (LEFT + n * 156.67), 4 * pixel_of(v, 80)) for n, v in enumerate(values)]
        large_draw.line(points, colour, 9)
    sheet.image.paste(large.resize(sheet.image.size, Image.Resampling.BOX).crop((0, 60, 640, 480)), (0, 60))
    sheet.draw = ImageDraw.Draw(sheet.image)
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_x_ticks(sheet, years)
    assert sorted(row_values(sheet)) == pytest.approx([20, 33, 35, 52, 60, 64, 68, 72], abs=1.5)


def test_values_at_the_start_of_lines_are_no_axis() -> None:
    series = {"Trains": [18.0, 39.0], "Buses": [23.0, 47.0], "Trams": [28.0, 55.0]}
    sheet = titled_sheet("More people know about trams")
    for x, label in ((150, "Spring"), (450, "Autumn")):
        sheet.text(x, BOTTOM + 14, label, 13, "mm")
    for k, (name, (first, last)) in enumerate(series.items()):
        y0, y1 = BOTTOM - 5 * first, BOTTOM - 5 * last
        sheet.draw.line((150, y0, 450, y1), COLOURS[k], 3)
        sheet.text(140, y0, f"{first:g}", 13, "rm", COLOURS[k])
        sheet.text(460, y1, f"{last:g}", 13, "lm", COLOURS[k])
        sheet.text(495, y1, name, 13, "lm", COLOURS[k])
    values_read = rows(read(sheet))
    assert {values_read[label, name] for name, values in series.items() for label in ("Spring",)} == {18, 23, 28}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("30-", 30),
        ("30 –", 30),
        ("-30", -30),
        ("10³", 1000),
        ("2×10¹", 20),
        ("6 × 10°", 6),
        ("48 300", 48300),
        ("$1,250", 1250),
    ],
)
def test_numbers_of_axes_are_parsed(text: str, number: float) -> None:
    assert parse_label_number(text) == number


def test_lines_with_dots_over_the_labels_are_read_at_the_labels() -> None:
    years = [2010.0, 2012.0, 2014.0, 2016.0, 2018.0]
    series = {"Trains": [20.0, 65.0, 33.0, 52.0, 70.0], "Buses": [62.0, 22.0, 64.0, 30.0, 12.0]}
    sheet = titled_sheet("Trips by public transport", "Year")
    draw_y_ticks(sheet, [0, 20, 40, 60, 80])
    draw_x_ticks(sheet, years)
    draw_lines(sheet, series, years, [0, 80], True)
    claims = read(sheet)
    assert len(row_values(sheet)) == 10
    assert {row["category"] for row in claims["data"].value} == {f"{year:g}" for year in years}
    assert all(row["value"] is None for row in claims["data"].value)  # without a legend no value belongs to a line


@pytest.mark.timeout(200)
def test_thousands_of_words_and_marks_take_at_most_seconds() -> None:
    sheet = Sheet(1200, 1200)
    for n in range(14_400):
        x, y = 10 * (n % 120), 10 * (n // 120)
        sheet.draw.rectangle((x, y, x + 9, y + 9), (*COLOURS, (255, 255, 255))[n * n % 7 % 5])
        if n % 2:
            sheet.words.append(Word(("12", "Oslo", "2015")[n % 3], (x, y, x + 18, y + 9), n))
    assert "summary" in read(sheet)
