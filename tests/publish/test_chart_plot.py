"""Charts drawn again: the marks and labels of the data, to scale, and nothing a label could smuggle in."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.publish.chart_plot import MOST, redraw

SVG = "{http://www.w3.org/2000/svg}"
Rows = list[dict[str, Any]]


def fields(kind: str, rows: Any, title: str | None = "Trams in service") -> dict[str, Any]:
    """The fields as the JSON of a document has them."""
    values = {"chart_type": kind, "title": title, "x_title": "City", "y_title": "Trams", "data": rows}
    return {name: {"value": value, "printed": None, "page": 1} for name, value in values.items()}


def drawn(kind: str, rows: Rows, title: str | None = "Trams in service") -> ElementTree.Element:
    svg = redraw(fields(kind, rows, title))
    assert svg is not None
    return ElementTree.fromstring(svg)


def marks(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [element for element in root.iter() if element.get("class") == "mark"]


def told(root: ElementTree.Element) -> list[str | None]:
    return [mark.findtext(f"{SVG}title") for mark in marks(root)]


def texts(root: ElementTree.Element) -> list[str | None]:
    return [text.text for text in root.iter(f"{SVG}text")]


SINGLE = [{"category": "Oslo", "series": None, "value": "10"}, {"category": "Rome", "series": None, "value": "40"}]
DOUBLE = [
    {"category": year, "series": name, "value": value}
    for year, men, women in (("2019", "10", "14.5"), ("2020", "24", "18"))
    for name, value in (("Men", men), ("Women", women))
]


def test_upright_bars_are_as_high_as_their_values() -> None:
    root = drawn("bar", SINGLE)
    low, high = (float(mark.get("height", 0)) for mark in marks(root))
    assert high == pytest.approx(4 * low, rel=0.01)
    assert told(root) == ["Oslo: 10", "Rome: 40"]
    assert {"Trams in service", "City", "Trams", "Oslo", "Rome", "0", "40"} <= set(texts(root))


def test_horizontal_bars_are_as_long_as_their_values() -> None:
    low, high = (float(mark.get("width", 0)) for mark in marks(drawn("bar_horizontal", SINGLE)))
    assert high == pytest.approx(4 * low, rel=0.01)


def test_negative_bars_hang_below_zero() -> None:
    up, down = marks(drawn("bar", [{"category": "a", "value": "5"}, {"category": "b", "value": "-5"}]))
    assert float(down.get("y", 0)) == pytest.approx(float(up.get("y", 0)) + float(up.get("height", 0)), abs=0.2)


def test_grouped_bars_stand_beside_each_other_in_the_colours_of_the_legend() -> None:
    root = drawn("bar_grouped", DOUBLE)
    lefts = [float(mark.get("x", 0)) for mark in marks(root)]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 4
    colours = [mark.get("fill") for mark in marks(root)]
    assert colours == [colours[0], colours[1]] * 2
    assert [key.get("fill") for key in root.iter() if key.get("class") == "key"] == colours[:2]
    assert {"Men", "Women"} <= set(texts(root))


@pytest.mark.parametrize(
    ("kind", "start", "length"), [("stacked_bar", "y", "height"), ("stacked_bar_horizontal", "x", "width")]
)
def test_stacked_bars_go_on_where_the_one_before_ends(kind: str, start: str, length: str) -> None:
    first, second, *_ = marks(drawn(kind, DOUBLE))
    a, b = (float(mark.get(start, 0)) for mark in (first, second))
    wide = float((second if start == "y" else first).get(length, 0))
    assert abs(a - b) == pytest.approx(wide, abs=0.2)


def test_histogram_bars_touch() -> None:
    rows = [{"category": f"{n} – {n + 1}", "value": n + 1} for n in range(4)]
    first, second, *_ = marks(drawn("histogram", rows))
    gap = float(second.get("x", 0)) - float(first.get("x", 0)) - float(first.get("width", 0))
    assert 0 <= gap <= 1.5


def test_lines_have_a_stroke_a_series_and_a_point_a_value() -> None:
    root = drawn("line_multi", DOUBLE)
    assert len([line for line in root.iter() if line.get("class") == "line"]) == 2
    assert told(root) == ["2019, Men: 10", "2020, Men: 24", "2019, Women: 14.5", "2020, Women: 18"]


def test_numeric_categories_stand_at_their_distance() -> None:
    rows = [{"category": year, "value": 1} for year in ("2000", "2010", "2015")]
    a, b, c = (float(mark.get("cx", 0)) for mark in marks(drawn("line", rows)))
    assert b - a == pytest.approx(2 * (c - b), rel=0.01)


def test_areas_are_filled_and_stand_on_each_other() -> None:
    root = drawn("area", DOUBLE)
    areas = [area for area in root.iter() if area.get("class") == "area"]
    assert len(areas) == 2
    ends = [re.findall(r"([\d.]+),([\d.]+)", area.get("points", "")) for area in areas]
    assert ends[0][:2] == ends[1][2:][::-1]


def test_scatter_points_stand_at_both_numbers() -> None:
    root = drawn("scatter", [{"category": x, "value": y} for x, y in (("1", "10"), ("2", "20"), ("4", "40"))])
    places = [(float(mark.get("cx", 0)), float(mark.get("cy", 0))) for mark in marks(root)]
    (x0, y0), (x1, y1), (x2, y2) = places
    assert x2 - x1 == pytest.approx(2 * (x1 - x0), rel=0.01)
    assert y1 - y2 == pytest.approx(2 * (y0 - y1), rel=0.01)


@pytest.mark.parametrize("kind", ["pie", "donut"])
def test_sectors_take_their_share_of_the_circle(kind: str) -> None:
    root = drawn(kind, [{"category": name, "value": value} for name, value in (("Rent", 50), ("Food", 25), ("Other", 25))])
    rent = marks(root)[0].get("d", "")
    x, y = (float(part) for part in rent.split("M")[1].split(" ")[0].split(","))
    end_x, end_y = (float(part) for part in rent.split(" ")[-2].split(","))
    assert math.atan2(end_x - x, y - end_y) == pytest.approx(math.pi, abs=0.01)
    assert {"Rent: 50", "Food: 25"} <= set(texts(root))


def test_a_whole_circle_is_drawn() -> None:
    (mark,) = marks(drawn("pie", [{"category": "All", "value": 100}]))
    assert " 1 1 " in mark.get("d", "")


def test_a_screen_reader_gets_the_title_and_what_it_is() -> None:
    root = drawn("bar", SINGLE)
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root.iter() if element.get("id")}
    said = [named[name] for name in root.get("aria-labelledby", "").split()]
    assert said == ["Trams in service", "bar with 2 values that were read."]


HOSTILE = '</title><script>alert("1")</script><image href=\'http://x.example/\' onload="a()"/>&\x00\x1b'


@pytest.mark.parametrize("kind", ["bar", "bar_horizontal", "line", "area", "pie", "scatter", "dot", "<b>", HOSTILE])
def test_hostile_labels_are_only_text(kind: str) -> None:
    rows = [{"category": HOSTILE, "series": HOSTILE, "value": "3"}, {"category": "b", "series": "c\ud800", "value": 4}]
    svg = redraw({**fields(kind, rows, HOSTILE), "x_title": {"value": HOSTILE}, "y_title": {"value": HOSTILE}})
    assert svg is not None
    root = ElementTree.fromstring(svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "desc", "rect", "text", "line", "polyline", "polygon", "circle", "path"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name}
    assert "<script" not in svg


@pytest.mark.parametrize("value", ["NaN", "inf", "1e400", "12 %", None, True, [], "9" * 5000])
def test_what_is_no_number_is_not_drawn(value: Any) -> None:
    assert redraw(fields("bar", [{"category": "a", "value": value}])) is None


@pytest.mark.parametrize("rows", [None, [], "rows", [None], [{"category": "a"}], {"value": 3}])
def test_without_values_there_is_no_drawing(rows: Any) -> None:
    assert redraw(fields("bar", rows)) is None
    assert redraw({}) is None


@pytest.mark.parametrize(
    "kind", ["bar", "bar_grouped_horizontal", "stacked_bar", "line", "area", "pie", "scatter", "dot", "other"]
)
def test_values_that_are_all_zero_or_enormous_are_no_failure(kind: str) -> None:
    for value in ("0", "-3", "1e-12", "999999999999"):
        svg = redraw(fields(kind, [{"category": str(n), "series": None, "value": value} for n in range(3)]))
        assert svg is not None
        assert "nan" not in svg
        assert "inf" not in svg


def test_too_many_values_are_left_out_and_said_so() -> None:
    rows = [{"category": str(n), "value": n} for n in range(MOST + 50)]
    root = drawn("line", rows)
    assert len(marks(root)) == MOST
    assert f"first {MOST} of {MOST + 50}" in (root.findtext(f"{SVG}desc") or "")


def test_categories_that_were_not_read_stand_beside_each_other() -> None:
    rows = [{"category": None, "series": None, "value": n} for n in (1, 2, 3)]
    assert len({mark.get("x") for mark in marks(drawn("bar", rows))}) == 3
