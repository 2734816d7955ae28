"""Charts of libraries of web pages: Chart.js, plotly, ECharts, Highcharts and ApexCharts, drawn in Chromium."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from training.charts.programs.browser_page import BrowserPage, lacks_browser
from training.charts.programs.drawn_subject import Truth, truth_of
from training.charts.subjects import Subject

SIZES = ((700, 450), (900, 500), (500, 350), (1000, 600))
MARGIN = 8


@dataclass(frozen=True)
class _Chart:
    """What a library is asked for. ``names`` has a name for each series; sizes are in pixels."""

    data: Subject
    form: str
    width: int
    height: int

    @property
    def names(self) -> list[str]:
        return [name or self.data.y_title for name in self.data.series]

    @property
    def several(self) -> bool:
        return len(self.data.series) > 1

    @property
    def bars(self) -> bool:
        return self.form.startswith(("bar", "grouped", "stacked"))

    @property
    def lying(self) -> bool:
        return self.form.endswith("h")

    @property
    def stacked(self) -> bool:
        return self.form.startswith("stacked")

    @property
    def pie(self) -> bool:
        return self.form == "pie"


@dataclass(frozen=True)
class _Body:
    """The elements and scripts that draw a chart, and whether it prints values or has a hole in its middle."""

    html: str
    printed: bool = False
    donut: bool = False


def _chart_js(chart: _Chart, random: Random) -> _Body | None:  # noqa: ARG001 (every library gets random numbers)
    if chart.pie:
        return None
    colours = ("#36a2eb", "#ff6384", "#4bc0c0", "#ff9f40")
    sets: list[dict[str, Any]] = [
        {
            "label": name,
            "data": row,
            "backgroundColor": colour,
            "borderColor": colour,
            **({"fill": True} if chart.form == "area" else {}),
        }
        for name, row, colour in zip(
            chart.names, chart.data.values, colours, strict=False
        )  # there are more colours than series
    ]
    options = {
        "animation": False,
        "responsive": False,
        "plugins": {"title": {"display": True, "text": chart.data.title}, "legend": {"display": chart.several}},
        "scales": {"x": {"stacked": chart.stacked}, "y": {"stacked": chart.stacked}},
        **({"indexAxis": "y"} if chart.lying else {}),
    }
    whole = {
        "type": "bar" if chart.bars else "line",
        "data": {"labels": chart.data.categories, "datasets": sets},
        "options": options,
    }
    canvas = f"<canvas id=c width={chart.width} height={chart.height}></canvas>"
    return _Body(f"{canvas}<script>new Chart(document.getElementById('c'),{_json(whole)})</script>")


def _plotly(chart: _Chart, random: Random) -> _Body:
    traces: list[dict[str, Any]] = []
    for name, row in zip(chart.names, chart.data.values, strict=True):
        if chart.pie:
            shown = "label+value" if random.random() < 0.5 else "value"
            traces.append({"type": "pie", "labels": chart.data.categories, "values": row, "textinfo": shown, "sort": False})
            continue
        trace: dict[str, Any] = {"name": name, "type": "bar" if chart.bars else "scatter"}
        trace |= {"x": row, "y": chart.data.categories} if chart.lying else {"x": chart.data.categories, "y": row}
        if chart.lying:
            trace["orientation"] = "h"
        if not chart.bars:
            trace["mode"] = random.choice(("lines", "lines+markers"))
        if chart.form == "area":
            trace["fill"] = "tozeroy"
        traces.append(trace)
    names: dict[str, Any] = {"type": "category"}  # years below bars are names
    layout = {
        "title": {"text": chart.data.title},
        "width": chart.width,
        "height": chart.height,
        "barmode": "stack" if chart.stacked else "group",
        "showlegend": chart.several or (chart.pie and traces[0]["textinfo"] == "value"),
        "yaxis": {
            "title": {"text": "" if chart.lying else chart.data.y_title},
            "automargin": True,
            **(names if chart.lying else {}),
        },
        "xaxis": {"automargin": True, **(names if chart.bars and not chart.lying else {})},
    }
    script = f"Plotly.newPlot('c',{_json(traces)},{_json(layout)},{{staticPlot:true}})"
    return _Body(f"<div id=c></div><script>{script}</script>", printed=chart.pie)


def _echarts(chart: _Chart, random: Random) -> _Body:
    printed = chart.pie or (chart.bars and random.random() < 0.3)
    options: dict[str, Any] = {"title": {"text": chart.data.title}}
    donut = False
    if chart.pie:
        donut = random.random() < 0.4
        sectors = [
            {"name": name, "value": value} for name, value in zip(chart.data.categories, chart.data.values[0], strict=True)
        ]
        radius = ["40%", "70%"] if donut else "65%"
        label = {"formatter": "{b}: {c}"}
        options["series"] = [{"type": "pie", "radius": radius, "animation": False, "label": label, "data": sectors}]
    else:
        place = "inside" if chart.stacked else "right" if chart.lying else "top"
        axis, values = {"type": "category", "data": chart.data.categories}, {"type": "value"}
        options |= {
            "legend": {"show": chart.several, "top": 28},
            "grid": {"top": 70, "containLabel": True},
            "xAxis": values if chart.lying else axis,
            "yAxis": axis if chart.lying else values,
            "series": [
                {
                    "name": name,
                    "type": "bar" if chart.bars else "line",
                    "data": row,
                    "stack": "a" if chart.stacked else None,
                    "animation": False,
                    "label": {"show": printed, "position": place},
                    **({"areaStyle": {}} if chart.form == "area" else {}),
                }
                for name, row in zip(chart.names, chart.data.values, strict=True)
            ],
        }
    element = f"<div id=c style='width:{chart.width}px;height:{chart.height}px'></div>"
    script = f"echarts.init(document.getElementById('c')).setOption({_json(options)})"
    return _Body(f"{element}<script>{script}</script>", printed, donut)


def _highcharts(chart: _Chart, random: Random) -> _Body:
    printed = chart.pie or (chart.bars and random.random() < 0.35)
    kind = "pie" if chart.pie else "area" if chart.form == "area" else "line"
    if chart.bars:
        kind = "bar" if chart.lying else "column"
    labels = {"enabled": printed, **({"format": "{point.name}: {point.y}"} if chart.pie else {})}
    options = {
        "chart": {"type": kind, "width": chart.width, "height": chart.height, "animation": False},
        "title": {"text": chart.data.title},
        "credits": {"enabled": random.random() < 0.5},
        "xAxis": {"categories": chart.data.categories},
        "yAxis": {"title": {"text": chart.data.y_title}},
        "legend": {"enabled": chart.several},
        "plotOptions": {
            "series": {"animation": False, "stacking": "normal" if chart.stacked else None, "dataLabels": labels},
        },
        "series": [
            {"name": name, "data": list(zip(chart.data.categories, row, strict=True)) if chart.pie else row}
            for name, row in zip(chart.names, chart.data.values, strict=True)
        ],
    }
    return _Body(f"<div id=c></div><script>Highcharts.chart('c',{_json(options)})</script>", printed)


def _apexcharts(chart: _Chart, random: Random) -> _Body | None:
    if chart.pie or chart.form == "area":
        return None
    printed = chart.bars and random.random() < 0.5
    options = {
        "chart": {
            "type": "bar" if chart.bars else "line",
            "width": chart.width,
            "height": chart.height,
            "animations": {"enabled": False},
            "stacked": chart.stacked,
            "toolbar": {"show": False},
        },
        "series": [{"name": name, "data": row} for name, row in zip(chart.names, chart.data.values, strict=True)],
        "xaxis": {"categories": chart.data.categories},
        "title": {"text": chart.data.title},
        "plotOptions": {"bar": {"horizontal": chart.lying}},
        "dataLabels": {"enabled": printed},
        "stroke": {"width": 0 if chart.bars else 3, "curve": "straight"},
        "legend": {"show": chart.several},
    }
    script = f"new ApexCharts(document.getElementById('c'),{_json(options)}).render()"
    return _Body(f"<div id=c></div><script>{script}</script>", printed)


@dataclass(frozen=True)
class _Library:
    """A library: its npm package, its script in the folder of packages, and what draws with it."""

    package: str
    script: str
    body: Callable[[_Chart, Random], _Body | None]


LIBRARIES = {
    "chartjs": _Library("chart.js", "chart.js/dist/chart.umd.js", _chart_js),
    "plotly": _Library("plotly.js-dist-min", "plotly.js-dist-min/plotly.min.js", _plotly),
    "echarts": _Library("echarts", "echarts/dist/echarts.min.js", _echarts),
    "highcharts": _Library("highcharts", "highcharts/highcharts.js", _highcharts),
    "apex": _Library("apexcharts", "apexcharts/dist/apexcharts.js", _apexcharts),
}


def lacks_web(packages: Path | None) -> str | None:
    """What to install where Chromium or a library is missing; ``packages`` is the folder with ``node_modules``."""
    missing = [each.package for each in LIBRARIES.values() if not (packages and _script(packages, each).exists())]
    npm = f"the npm packages {', '.join(missing)} in node_modules of --packages" if missing else None
    return " and ".join(filter(None, (lacks_browser(), npm))) or None


def draw_web(page: BrowserPage, packages: Path, drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart of one of the libraries, whose name is ``lib`` of the truth."""
    name = random.choice(tuple(LIBRARIES))
    chart = _Chart(drawn, form, *random.choice(SIZES))
    if form in ("scatter", "points", "hist"):
        return None
    library = LIBRARIES[name]
    body = library.body(chart, random)
    if body is None:
        return None
    script = _script(packages, library).read_text(encoding="utf-8")
    head = f"<head><meta charset=utf-8><script>{script}</script></head>"
    html = f"<html>{head}<body style='margin:{MARGIN}px;background:white'>{body.html}</body></html>"
    page.picture(html, out, chart.width + 2 * MARGIN, chart.height + 2 * MARGIN)
    truth = truth_of(drawn, form, printed=body.printed) | {"lib": name}
    return truth | {"chart_type": "donut"} if body.donut else truth


def _script(packages: Path, library: _Library) -> Path:
    return packages / "node_modules" / library.script


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
