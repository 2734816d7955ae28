"""Draws each kind of chart on the axes of matplotlib.

``data`` is a frame with the columns of ``ChartValue``. Shapes of values have an id that ``inert_svg`` resolves: "mark:3" is value 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from pipeline.publish.chart_values import plain_number
from pipeline.publish.inert_svg import limit_letters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

MAX_KEYS, MAX_TICKS = 20, 40
"""Most entries of the legend, and most names below the plot."""
MAX_NAME_LETTERS, LEVEL_LETTERS = 24, 70
"""Longest name along an axis or in the legend, and letters of names that stand level below the plot."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#555555")
"""The palette of Okabe and Ito, which readers with any colour vision can distinguish."""
_VERTICAL_KINDS = ("bar", "bar_grouped", "stacked_bar", "histogram", "scatter")


def draw_chart(figure: Figure, kind: str, data: DataFrame) -> None:
    """Draw the values on the only axes of a figure, with names of categories and a legend. Add columns to ``data``."""
    axes, names = figure.axes[0], list(dict.fromkeys(data["series"]))
    data["colour"] = [COLOURS[names.index(name) % len(COLOURS)] for name in data["series"]]
    data["number"] = data["category"].map(plain_number).astype(float)
    is_stacked = kind.startswith("stacked") or kind == "area"
    data["end"] = data.groupby(["category", data["value"] >= 0])["value"].cumsum() if is_stacked else data["value"]
    data["start"] = data["end"] - data["value"]
    keys = [(name or "(no name)", COLOURS[n % len(COLOURS)]) for n, name in enumerate(names)] if names != [""] else []
    if kind in ("pie", "donut"):
        keys = _draw_pie(axes, data[data["value"] > 0], 0.45 if kind == "donut" else None)
    elif kind in ("line", "line_multi", "area") or (kind == "scatter" and data["number"].notna().all()):
        _draw_points(axes, kind, data)
    else:
        figure.set_figheight(_draw_bars(axes, kind, data, 1 if is_stacked or kind == "dot" else len(names)))
    if keys:
        from matplotlib.patches import Patch

        handles = [Patch(color=colour) for _, colour in keys[:MAX_KEYS]]
        labels = [limit_letters(name, MAX_NAME_LETTERS) for name, _ in keys[:MAX_KEYS]]
        for patch in figure.legend(handles, labels, loc="outside right center", frameon=False).get_patches():
            patch.set_gid("key:")
        figure.set_figheight(max(figure.get_figheight(), 0.6 + 0.18 * len(handles)))


def _draw_pie(axes: Axes, data: DataFrame, width: float | None) -> list[tuple[str, str]]:
    """Draw sectors clockwise from the top, in the order of the data. Return texts and colours of the legend."""
    if data.empty:
        return []
    colours = [COLOURS[n % len(COLOURS)] for n in range(len(data))]
    style = {"width": width, "edgecolor": "white"}
    sectors = axes.pie(data["value"], startangle=90, counterclock=False, colors=colours, wedgeprops=style)[0]
    for sector, number in zip(sectors, data.index, strict=True):
        sector.set_gid(f"mark:{number}")
    names = data["category"].where(data["category"] != "", data["series"]).replace("", "(no name)")
    texts = [
        f"{limit_letters(name, MAX_NAME_LETTERS - 8)}: {value:g}" for name, value in zip(names, data["value"], strict=True)
    ]
    return list(zip(texts, colours, strict=True))


def _draw_points(axes: Axes, kind: str, data: DataFrame) -> None:
    """Draw points, and the lines or stacked areas of each series. Numeric categories stand at their distances."""
    has_distances = data["number"].notna().all() and (kind == "scatter" or data["number"].nunique() > 1)
    data["x"] = data["number"] if has_distances else data["category"].factorize()[0]
    axes.scatter(data["x"], data["end"], 20, data["colour"], gid=_mark_ids(data), zorder=3)
    if kind == "scatter":
        axes.grid()
        return
    for _, line in data.sort_values("x", kind="stable").groupby("series", sort=False):
        if kind == "area":
            axes.fill_between(line["x"], line["start"], line["end"], color=line["colour"].iloc[0], alpha=0.6, gid="area:")
        else:
            axes.plot(line["x"], line["end"], color=line["colour"].iloc[0], gid="line:")
    _name_categories(axes, dict(zip(data["x"], data["category"], strict=True)), is_vertical=True)


def _draw_bars(axes: Axes, kind: str, data: DataFrame, lanes: int) -> float:
    """Draw bars, or dots at their ends. Return the height of the figure in inches.

    Each group has ``lanes`` lanes, one for each series. Values with the same labels stand beside each other unless they are stacked.
    """
    is_vertical = kind in _VERTICAL_KINDS
    repeats = 0 if kind.startswith("stacked") else data.groupby(["category", "series"]).cumcount()
    groups = data.assign(repeat=repeats).groupby(["category", "repeat"], sort=False).ngroup()
    lane = data["series"].factorize()[0] - (lanes - 1) / 2 if lanes > 1 else 0.0
    positions = groups + 0.8 * lane / lanes
    if kind == "dot":
        axes.scatter(data["value"], positions, 20, data["colour"], gid=_mark_ids(data))
    else:
        draw, thickness = axes.bar if is_vertical else axes.barh, 1.0 if kind == "histogram" else 0.8 / lanes
        for number, bar in enumerate(draw(positions, data["value"], thickness, data["start"], color=data["colour"])):
            bar.set_gid(f"mark:{number}")
    _name_categories(axes, dict(zip(groups, data["category"], strict=True)), is_vertical)
    return 3.6 if is_vertical else max(2.0, 1.0 + 0.23 * groups.nunique() * max(1.0, 0.6 * lanes))


def _mark_ids(data: DataFrame) -> str:
    """Return the id that tells ``inert_svg`` the values of a group of points."""
    return "mark:" + ",".join(map(str, data.index))


def _name_categories(axes: Axes, names: Mapping[float, str], is_vertical: bool) -> None:
    """Name the positions of categories. Below the plot at most ``MAX_TICKS`` have names, which run upwards when they are long."""
    step = ceil(len(names) / MAX_TICKS) if is_vertical else 1
    labels = {position: limit_letters(name, MAX_NAME_LETTERS) for position, name in list(names.items())[::step]}
    if is_vertical:
        is_long = len(labels) * max(map(len, labels.values())) > LEVEL_LETTERS
        axes.set_xticks(list(labels), list(labels.values()), rotation=90 if is_long else 0)
    else:
        axes.set_yticks(list(labels), list(labels.values()))
        axes.invert_yaxis()
    axes.grid(axis="y" if is_vertical else "x")
