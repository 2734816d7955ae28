"""The parts that charts of all kinds share: rows, printed values, names of categories, titles, grid and legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from training.charts.look import Look, formatted
from training.charts.subjects import NOTES, Subject


@dataclass(frozen=True)
class Row:
    """One mark of a chart; ``value`` is the number that is printed at it or that its size shows."""

    category: str
    series: str
    value: float


@dataclass
class Plot:
    """What was drawn: the type as the template names it, the rows, and the titles that are printed."""

    kind: str
    rows: list[Row]
    title: str = ""
    x_title: str = ""
    y_title: str = ""
    printed: bool = False


def _ink_on_marks(drawn: Look) -> str:
    """White on dark marks, black on light ones, by the first colour of the palette."""
    red, green, blue = (int(drawn.palette[0][at : at + 2], 16) for at in (1, 3, 5))
    return "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 140 else "black"


def label_values(
    ax: Axes,
    drawn: Look,
    subject_: Subject,
    boxes: Sequence[tuple[float, float, float, float]],
    upright: bool,
    stacked: bool = False,
) -> bool:
    """Prints values on bars given as (middle, start, end, value); in stacked bars always inside."""
    if drawn.values == "none":
        return False
    size = float(drawn.rc["font.size"]) * 0.8
    for middle, start, end, value in boxes:
        text = formatted(value, drawn.number_format, subject_.unit)
        inside = drawn.values == "inside" or stacked
        at = (start + end) / 2 if inside else end
        point = (middle, at) if upright else (at, middle)
        shift = 0.0 if inside else (3 if end >= start else -3)
        ax.annotate(
            text,
            point,
            xytext=(0, shift) if upright else (shift, 0),
            textcoords="offset points",
            ha="center" if upright or inside else ("left" if end >= start else "right"),
            va="center" if inside or not upright else ("bottom" if end >= start else "top"),
            fontsize=size,
            color=_ink_on_marks(drawn) if inside and not drawn.edge else None,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if inside and drawn.edge else None,
        )
    return True


def categories(ax: Axes, drawn: Look, names: Sequence[str], upright: bool) -> None:
    """Names along the axis of the categories, turned where they are long."""
    places = np.arange(len(names))
    if not upright:
        ax.set_yticks(places, names)
        return
    crowded = sum(map(len, names)) > 9 * drawn.size[0]
    turn = drawn.label_turn or (45 if crowded else 0)
    ax.set_xticks(places, names, rotation=turn, ha="right" if turn in (30, 45) else "center")


def draw_title(figure: Figure, ax: Axes, drawn: Look, random: Random, about: Subject) -> str:
    """The title that was drawn, or an empty text; a subtitle and a note where the look has them."""
    if drawn.note:
        figure.text(0.02, -0.05, random.choice(NOTES), fontsize=float(drawn.rc["font.size"]) * 0.75)
    if drawn.title_place == "none":
        return ""
    ax.set_title(about.title, loc=drawn.title_place, pad=18 if drawn.subtitle else 8)  # type: ignore[arg-type]
    if drawn.subtitle:
        ax.text(
            0.5 if drawn.title_place == "center" else 0, 1.015, f"{about.y_title}, 2024", transform=ax.transAxes,
            ha="center" if drawn.title_place == "center" else "left", fontsize=float(drawn.rc["font.size"]) * 0.85,
        )  # fmt: skip
    return about.title


def finish(
    figure: Figure,
    ax: Axes,
    drawn: Look,
    random: Random,
    about: Subject,
    plot: Plot,
    *,
    upright: bool,
    log: bool = False,
    legend: bool = True,
) -> Plot:
    """Titles, grid, spines, numbers of the axis and legend."""
    plot.title = draw_title(figure, ax, drawn, random, about)
    value_axis = ax.yaxis if upright else ax.xaxis
    if drawn.number_format != "plain" and not log:
        value_axis.set_major_formatter(
            FuncFormatter(lambda value, _: formatted(round(value, 4), drawn.number_format, about.unit))
        )
    if plot.printed and not drawn.value_axis:
        value_axis.set_visible(False)
    elif drawn.axis_title == "turned":
        (ax.set_ylabel if upright else ax.set_xlabel)(about.y_title)
        if upright:
            plot.y_title = about.y_title
        else:
            plot.x_title = about.y_title
    if drawn.axis_title != "none" and about.x_title and random.random() < 0.7:
        (ax.set_xlabel if upright else ax.set_ylabel)(about.x_title)
        if upright:
            plot.x_title = about.x_title
        else:
            plot.y_title = about.x_title
    if drawn.grid != "none":
        lines_of = "both" if drawn.grid == "both" or plot.kind == "scatter" else ("y" if upright else "x")
        ax.grid(axis=lines_of)  # type: ignore[arg-type]
    for side in ("left", "bottom", "top", "right"):
        ax.spines[side].set_visible(side in drawn.spines)
    direct = drawn.legend == "direct" and plot.kind == "line_multi"
    if legend and len({row.series for row in plot.rows}) > 1 and not direct:
        place = {
            "right": {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)},
            "top": {"loc": "lower center", "bbox_to_anchor": (0.5, 1.08), "ncols": 5},
            "bottom": {"loc": "upper center", "bbox_to_anchor": (0.5, -0.22), "ncols": 5},
        }.get(drawn.legend, {"loc": "best"})
        ax.legend(**place)  # type: ignore[arg-type]
    return plot
