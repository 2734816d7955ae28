"""A plotted chart shows the values of the data to scale, and hostile texts in it stay texts."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.publish.chart_plot import MAX_MARKS, plot_chart
from pipeline.publish.chart_values import chart_values

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
Rows = list[dict[str, Any]]
Box = tuple[float, float, float, float]


def fields(kind: str, rows: Any, title: str | None = "Trams in service") -> dict[str, Any]:
    """Values of the template ``chart`` by field name."""
    return {"chart_type": kind, "title": title, "x_title": "City", "y_title": "Trams", "data": rows}


def plot(kind: str, rows: Rows, title: str | None = "Trams in service") -> ElementTree.Element:
    svg = plot_chart(fields(kind, rows, title))
    assert svg is not None
    return ElementTree.fromstring(svg)


def shapes(root: ElementTree.Element, kind: str = "mark") -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == kind]


def mark_texts(root: ElementTree.Element) -> list[str | None]:
    return [mark.findtext(f"{SVG}title") for mark in shapes(root)]


def texts(root: ElementTree.Element) -> set[str | None]:
    return {text.text for text in root.iter(f"{SVG}text")}


def numbers(element: ElementTree.Element) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", element.get("d", ""))]


def boxes(root: ElementTree.Element) -> list[Box]:
    """Left, top, right and bottom of each bar."""
    coordinates = [numbers(mark) for mark in shapes(root)]
    return [(min(xy[::2]), min(xy[1::2]), max(xy[::2]), max(xy[1::2])) for xy in coordinates]


def points(root: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(mark.get("x", 0)), float(mark.get("y", 0))) for mark in shapes(root)]


SINGLE = [{"category": "Oslo", "series": None, "value": "10"}, {"category": "Rome", "series": None, "value": "40"}]
DOUBLE = [
    {"category": year, "series": name, "value": value}
    for year, men, women in (("2019", "10", "14.5"), ("2020", "24", "18"))
    for name, value in (("Men", men), ("Women", women))
]


def test_vertical_bars_are_as_high_as_their_values() -> None:
    root = plot("bar", SINGLE)
    low, high = (bottom - top for _, top, _, bottom in boxes(root))
    assert high == pytest.approx(4 * low, rel=0.01)
    assert mark_texts(root) == ["Oslo: 10", "Rome: 40"]
    assert {"Trams in service", "City", "Trams", "Oslo", "Rome", "0", "40"} <= texts(root)


def test_horizontal_bars_are_as_long_as_their_values_and_the_first_is_on_top() -> None:
    root = plot("bar_horizontal", SINGLE)
    oslo, rome = boxes(root)
    assert rome[2] - rome[0] == pytest.approx(4 * (oslo[2] - oslo[0]), rel=0.01)
    assert oslo[3] < rome[1]
    assert {"Oslo", "Rome"} <= texts(root)


def test_negative_bars_are_below_zero() -> None:
    positive, negative = boxes(plot("bar", [{"category": "a", "value": "5"}, {"category": "b", "value": "-5"}]))
    assert positive[3] == pytest.approx(negative[1], abs=0.2)


def test_grouped_bars_stand_beside_each_other_in_the_colours_of_the_legend() -> None:
    root = plot("bar_grouped", DOUBLE)
    lefts = [left for left, *_ in boxes(root)]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 4
    colours = [mark.get("fill") for mark in shapes(root)]
    assert colours == [colours[0], colours[1]] * 2
    assert [key.get("fill") for key in shapes(root, "key")] == colours[:2]
    assert {"Men", "Women"} <= texts(root)


@pytest.mark.parametrize(("kind", "end", "start"), [("stacked_bar", 1, 3), ("stacked_bar_horizontal", 2, 0)])
def test_a_stacked_bar_starts_where_the_one_before_ends(kind: str, end: int, start: int) -> None:
    first, second, *_ = boxes(plot(kind, DOUBLE))
    assert first[end] == pytest.approx(second[start], abs=0.01)
    assert abs(second[end] - second[start]) == pytest.approx(1.45 * abs(first[end] - first[start]), rel=0.01)


def test_histogram_bars_touch() -> None:
    first, second, *_ = boxes(plot("histogram", [{"category": f"{n} – {n + 1}", "value": n + 1} for n in range(4)]))
    assert second[0] == pytest.approx(first[2], abs=0.01)


def test_each_series_is_a_line_and_each_value_a_point() -> None:
    root = plot("line_multi", DOUBLE)
    assert len(shapes(root, "line")) == 2
    assert mark_texts(root) == ["2019, Men: 10", "2019, Women: 14.5", "2020, Men: 24", "2020, Women: 18"]
    men = numbers(shapes(root, "line")[0])
    assert [tuple(men[:2]), tuple(men[2:])] == [pytest.approx(points(root)[n], abs=0.01) for n in (0, 2)]


def test_numeric_categories_stand_at_their_distances() -> None:
    (a, _), (b, _), (c, _) = points(plot("line", [{"category": year, "value": 1} for year in ("2000", "2010", "2015")]))
    assert b - a == pytest.approx(2 * (c - b), rel=0.01)


def test_areas_are_filled_and_stacked() -> None:
    root = plot("area", DOUBLE)
    outlines = {f"#{path.get('id')}": numbers(path) for path in root.iter(f"{SVG}path")}
    lower, upper = (outlines[use.get(HREF, "")] for use in shapes(root, "area"))
    shifts = [float(use.get("y", 0)) for use in shapes(root, "area")]
    corners = [
        {(round(x), round(y + shift)) for x, y in zip(area[::2], area[1::2], strict=True)}
        for area, shift in zip((lower, upper), shifts, strict=True)
    ]
    men, women = ({(round(x), round(y)) for x, y in points(root)[n::2]} for n in (0, 1))
    assert men <= corners[0]
    assert men <= corners[1]
    assert women <= corners[1]


def test_scatter_points_stand_at_both_numbers() -> None:
    root = plot("scatter", [{"category": x, "value": y} for x, y in (("1", "10"), ("2", "20"), ("4", "40"))])
    (x0, y0), (x1, y1), (x2, y2) = points(root)
    assert x2 - x1 == pytest.approx(2 * (x1 - x0), rel=0.01)
    assert y1 - y2 == pytest.approx(2 * (y0 - y1), rel=0.01)


@pytest.mark.parametrize("kind", ["pie", "donut"])
def test_sectors_have_their_share_of_the_circle_clockwise_from_the_top(kind: str) -> None:
    root = plot(kind, [{"category": name, "value": value} for name, value in (("Rent", 50), ("Food", 25), ("Other", 25))])
    rent, food, other = boxes(root)
    middle, radius = rent[0], rent[2] - rent[0]
    assert rent[3] - rent[1] == pytest.approx(2 * radius, rel=0.01), "the right half"
    assert food == pytest.approx((middle - radius, rent[1] + radius, middle, rent[3]), abs=0.5), "the lower left quarter"
    assert other == pytest.approx((middle - radius, rent[1], middle, rent[1] + radius), abs=0.5), "the upper left quarter"
    assert {"Rent: 50", "Food: 25"} <= texts(root)


def test_the_legend_of_a_pie_has_each_sector_with_its_value() -> None:
    rows = [{"category": name, "value": 25} for name in ("Everything that is needed for a house", None, None)]
    root = plot("pie", rows)
    assert len(shapes(root, "key")) == 3
    assert any(text and text.startswith("Everything") and text.endswith("…: 25") for text in texts(root))


def test_a_donut_has_a_hole() -> None:
    rows = [{"category": "Rent", "value": 50}, {"category": "Food", "value": 50}]
    centres = [(numbers(mark), box) for mark, box in zip(shapes(plot("donut", rows)), boxes(plot("donut", rows)), strict=True)]
    for coordinates, (left, top, right, bottom) in centres:
        radius, y = right - left, (top + bottom) / 2
        x = left if coordinates is centres[0][0] else right
        distances = [abs(complex(px - x, py - y)) for px, py in zip(coordinates[::2], coordinates[1::2], strict=True)]
        assert min(distances) > 0.4 * radius


def test_a_whole_circle_is_drawn() -> None:
    ((left, top, right, bottom),) = boxes(plot("pie", [{"category": "All", "value": 100}]))
    assert right - left == pytest.approx(bottom - top, rel=0.01)
    assert right - left > 100


def test_dots_stand_at_the_ends_of_their_bars() -> None:
    root = plot("dot", SINGLE)
    (bars, dots) = ([right for _, _, right, _ in boxes(plot("bar_horizontal", SINGLE))], [x for x, _ in points(root)])
    assert dots[1] > dots[0]
    assert len(bars) == len(dots)
    assert {"Oslo", "Rome"} <= texts(root)


def test_a_screen_reader_gets_the_title_and_a_summary() -> None:
    root = plot("bar", SINGLE)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Trams in service: bar with 2 values that were read."


HOSTILE = '</title><script>alert("1")</script><image href=\'http://x.example/\' onload="a()"/>&\x00\x1b'
KINDS = [
    "bar",
    "bar_horizontal",
    "bar_grouped",
    "stacked_bar",
    "histogram",
    "line",
    "area",
    "pie",
    "donut",
    "scatter",
    "dot",
    "<b>",
]


@pytest.mark.parametrize("kind", [*KINDS, HOSTILE])
def test_hostile_labels_are_only_text(kind: str) -> None:
    rows = [{"category": HOSTILE, "series": HOSTILE, "value": "3"}, {"category": "b", "series": "c\ud800", "value": 4}]
    svg = plot_chart({**fields(kind, rows, HOSTILE), "x_title": HOSTILE, "y_title": HOSTILE})
    assert svg is not None
    root = ElementTree.fromstring(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "defs", "clipPath", "rect", "path", "use", "text", "title"}
    attributes = [(name.rpartition("}")[2], value) for element in root.iter() for name, value in element.attrib.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]
    assert all(value.startswith("#") for name, value in attributes if name == "href"), "only to shapes of the same drawing"
    assert all(value.startswith("url(#") for name, value in attributes if name == "clip-path")
    assert "<script" not in svg


def test_texts_are_never_read_as_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    formula = r"$\frac{1}{2}$ \alpha_1 $5 and $6"
    monkeypatch.setitem(matplotlib.rcParams, "text.usetex", True)
    assert formula in texts(
        plot("bar", [{"category": formula, "value": 3}, {"category": "_b", "series": "_c", "value": 4}], formula)
    )
    assert matplotlib.rcParams["text.usetex"] is True, "settings of other users of matplotlib stay"


def test_names_with_a_leading_underscore_are_in_the_legend() -> None:
    rows = [{"category": "a", "series": name, "value": 3} for name in ("_Men", "_Women")]
    assert {"_Men", "_Women"} <= texts(plot("bar_grouped", rows))


@pytest.mark.parametrize("value", ["NaN", "inf", "1e400", "12 %", None, True, [], "9" * 5000])
def test_values_that_are_no_plain_numbers_are_not_drawn(value: Any) -> None:
    assert plot_chart(fields("bar", [{"category": "a", "value": value}])) is None


@pytest.mark.parametrize("rows", [None, [], "rows", [None], [{"category": "a"}], {"value": 3}])
def test_without_values_there_is_no_plot(rows: Any) -> None:
    assert plot_chart(fields("bar", rows)) is None
    assert not chart_values(rows)
    assert plot_chart({}) is None


@pytest.mark.parametrize("kind", [*KINDS, "bar_grouped_horizontal", "other"])
def test_values_that_are_all_zero_or_very_large_are_drawn(kind: str) -> None:
    for value in ("0", "-3", "1e-12", "1e-400", "999999999999999"):
        rows = [{"category": str(n), "series": None, "value": value} for n in range(3)]
        assert len(chart_values(rows)) == 3
        svg = plot_chart(fields(kind, rows))
        assert svg is not None
        assert not re.search(r'"[^"]*\b(?:nan|inf)\b', svg)


def test_values_above_the_limit_are_left_out_and_the_summary_says_so() -> None:
    root = plot("line", [{"category": str(n), "value": n} for n in range(MAX_MARKS + 50)])
    assert len(shapes(root)) == MAX_MARKS
    assert f"first {MAX_MARKS} of {MAX_MARKS + 50}" in root.get("aria-label", "")


def test_values_without_a_category_stand_beside_each_other() -> None:
    rows = [{"category": None, "series": None, "value": n} for n in (1, 2, 3)]
    assert len({left for left, *_ in boxes(plot("bar", rows))}) == 3


@pytest.mark.parametrize("kind", ["bar_grouped", "line_multi", "pie"])
def test_equal_data_gives_equal_bytes_also_in_threads(kind: str) -> None:
    expected = plot_chart(fields(kind, DOUBLE))
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(plot_chart, [fields(kind, DOUBLE)] * 8)) == {expected}


def test_matplotlib_is_imported_only_for_a_plot() -> None:
    import subprocess
    import sys

    program = "import sys, pipeline.publish.chart_plot as plot; plot.plot_chart({}); print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
