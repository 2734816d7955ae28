"""Plots a chart from the data that was read of it: an SVG to compare with the original, in which misread values stand out.

matplotlib draws it. It is imported only when a chart is plotted. Texts come from documents of strangers and are never interpreted.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from pipeline.publish.chart_values import MAX_LETTERS, chart_values, plain_number
from pipeline.publish.inert_svg import clean_text, inert_svg, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

MAX_MARKS, MAX_KEYS, MAX_TICKS = 300, 20, 40
"""Most values that are drawn, entries of the legend, and names below the plot."""
MAX_NAME_LETTERS, LEVEL_LETTERS = 24, 70
"""Longest name along an axis or in the legend, and letters of names that stand level below the plot."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#555555")
"""The palette of Okabe and Ito, which readers with any colour vision can distinguish."""
_VERTICAL_KINDS = ("bar", "bar_grouped", "stacked_bar", "histogram", "scatter")
_SETTINGS: Any = {
    "svg.fonttype": "none",  # texts stay texts, which a browser can search
    "svg.hashsalt": "chart",  # equal data gives equal bytes
    "text.parse_math": False,
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#dddddd",
}
_LOCK = threading.Lock()
"""matplotlib's settings are global."""


def plot_chart(fields: Mapping[str, Any]) -> str | None:
    """Return a chart as SVG, by the values of the template ``chart``; None when there is nothing to draw.

    The kinds are those of ``chart_type``. Other kinds are drawn as horizontal bars.
    """
    if not (values := chart_values(fields.get("data"))):
        return None
    import matplotlib
    from matplotlib.figure import Figure
    from pandas import DataFrame

    kind, title, x_title, y_title = (
        clean_text(fields.get(name), MAX_LETTERS) for name in ("chart_type", "title", "x_title", "y_title")
    )
    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's matplotlibrc may have texts interpreted
        matplotlib.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # browsers have other fonts
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        figure.suptitle(title, fontsize=10, fontweight="bold")
        figure.add_subplot(xlabel=x_title, ylabel=shorten(y_title, 45))
        _draw(figure, kind, DataFrame(values[:MAX_MARKS]))
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    about = f"{title or 'Chart without a title'}: {kind.replace('_', ' ') or 'other'} with {len(values)} values that were read."
    if len(values) > MAX_MARKS:
        about += f" The first {MAX_MARKS} of {len(values)} values are drawn."
    return inert_svg(svg.getvalue(), about, [value.text for value in values])


def _draw(figure: Figure, kind: str, data: DataFrame) -> None:
    axes, names = figure.axes[0], list(dict.fromkeys(data["series"]))
    data["colour"] = [COLOURS[names.index(name) % len(COLOURS)] for name in data["series"]]
    data["number"] = data["category"].map(plain_number).astype(float)
    is_stacked = kind.startswith("stacked") or kind == "area"
    data["end"] = data.groupby(["category", data["value"] >= 0])["value"].cumsum() if is_stacked else data["value"]
    data["start"] = data["end"] - data["value"]
    keys = dict(zip(data["series"].replace("", "(no name)"), data["colour"], strict=True)) if names != [""] else {}
    if kind in ("pie", "donut"):
        keys = _draw_pie(axes, data[data["value"] > 0], 0.45 if kind == "donut" else None)
    elif kind in ("line", "line_multi", "area") or (kind == "scatter" and data["number"].notna().all()):
        _draw_points(axes, kind, data)
    else:
        height = _draw_bars(axes, kind, data, 1 if is_stacked or kind == "dot" else len(names))
        figure.set_figheight(height)
    if keys:
        from matplotlib.patches import Patch

        handles = [Patch(color=colour) for colour in keys.values()][:MAX_KEYS]
        labels = [shorten(name, MAX_NAME_LETTERS) for name in keys][:MAX_KEYS]
        for patch in figure.legend(handles, labels, loc="outside right upper", frameon=False).get_patches():
            patch.set_gid("key:")


def _draw_pie(axes: Axes, data: DataFrame, width: float | None) -> dict[str, str]:
    """Draw sectors clockwise from the top, in the order of the data. Return the colours by the texts of the legend."""
    if data.empty:
        return {}
    colours = [COLOURS[n % len(COLOURS)] for n in range(len(data))]
    style = {"width": width, "edgecolor": "white"}
    sectors = axes.pie(data["value"], startangle=90, counterclock=False, colors=colours, wedgeprops=style)[0]
    for sector, number in zip(sectors, data.index, strict=True):
        sector.set_gid(f"mark:{number}")
    names = data["category"].where(data["category"] != "", data["series"]).replace("", "(no name)")
    return {f"{name}: {value:g}": colour for name, value, colour in zip(names, data["value"], colours, strict=True)}


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
    return "mark:" + ",".join(map(str, data.index))


def _name_categories(axes: Axes, names: Mapping[float, str], is_vertical: bool) -> None:
    """Name the positions of categories. Below the plot at most ``MAX_TICKS`` have names, which run upwards when they are long."""
    step = ceil(len(names) / MAX_TICKS) if is_vertical else 1
    chosen = {position: shorten(name, MAX_NAME_LETTERS) for position, name in list(names.items())[::step]}
    if is_vertical:
        is_long = len(chosen) * max(map(len, chosen.values())) > LEVEL_LETTERS
        axes.set_xticks(list(chosen), list(chosen.values()), rotation=90 if is_long else 0)
    else:
        axes.set_yticks(list(chosen), list(chosen.values()))
        axes.invert_yaxis()
    axes.grid(axis="y" if is_vertical else "x")
