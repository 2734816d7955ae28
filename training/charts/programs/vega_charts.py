"""Charts of Vega-Lite, which the Python package vl-convert-python draws without a browser."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from training.charts.programs.drawn_subject import IN_TIME, Truth, has_numbers, truth_of
from training.charts.programs.other_program import DrawingFailedError, lacks_module
from training.charts.subjects import Subject

THEMES = (
    None, None, "excel", "ggplot2", "quartz", "vox", "fivethirtyeight", "latimes", "urbaninstitute", "googlecharts", "powerbi", "dark",
)  # fmt: skip
TURNED = {"x": "y", "y": "x", "xOffset": "yOffset"}
"""The channels of upright bars, and those of bars that lie."""


def lacks_vega() -> str | None:
    """What to install where Vega-Lite is missing."""
    return lacks_module("vl_convert", "vl-convert-python")


def draw_vega(drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart in one of the themes of Vega-Lite."""
    if form in ("pie", "scatter", "hist"):
        return None
    in_time = form in IN_TIME and has_numbers(drawn)
    mark: str | dict[str, Any] = "area" if form == "area" else "point" if form == "points" else "bar"
    if form in ("line", "lines", "dense"):
        mark = {"type": "line", "point": random.random() < 0.3}
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": _rows(drawn, in_time)},
        "mark": mark,
        "encoding": _channels(drawn, form, in_time),
        "width": random.choice((300, 400, 500)),
        "height": random.choice((200, 300)),
    }
    titled = random.random() < 0.6
    if titled:
        spec["title"] = drawn.title
    printed = form in ("bar", "barh") and random.random() < 0.3
    if printed:
        place = {"type": "text", "align": "left", "dx": 3} if form == "barh" else {"type": "text", "dy": -7}
        spec["layer"] = [{"mark": spec.pop("mark")}, {"mark": place, "encoding": {"text": {"field": "v"}}}]
    theme, scale = random.choice(THEMES), random.choice((1, 1, 1.5, 2))
    settings = {"theme": theme} if theme else {}
    try:
        content = import_module("vl_convert").vegalite_to_png(spec, scale=scale, **settings)
    except ValueError as error:
        raise DrawingFailedError(str(error)[-300:]) from error
    out.write_bytes(content)
    return truth_of(drawn, form, printed=printed, titled=titled)


def _rows(drawn: Subject, in_time: bool) -> list[dict[str, Any]]:
    suffix = "-01-01T12:00:00" if in_time else ""  # noon: in no time zone is it the year before
    return [
        {"c": category + suffix, "s": name, "v": value}
        for name, row in zip(drawn.series, drawn.values, strict=True)
        for category, value in zip(drawn.categories, row, strict=True)
    ]


def _channels(drawn: Subject, form: str, in_time: bool) -> dict[str, Any]:
    """What lies along each axis and what the colours tell."""
    kind = "temporal" if in_time else "nominal"
    category = {"field": "c", "type": kind, "sort": None, "title": drawn.x_title or None}
    value = {"field": "v", "type": "quantitative", "title": drawn.y_title}
    series = {"field": "s", "type": "nominal", "sort": None, "title": None}
    if form == "points":
        return {"x": value, "y": category}
    channels = {"x": category, "y": value}
    if form.startswith("grouped"):
        channels["xOffset"] = series
    if len(drawn.series) > 1:
        channels["color"] = series
    return {TURNED.get(name, name): channel for name, channel in channels.items()} if form.endswith("h") else channels
