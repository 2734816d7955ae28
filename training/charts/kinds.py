"""The kinds of charts that are drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from matplotlib.figure import Figure

from training.charts.look import Look
from training.charts.plot_parts import Plot
from training.charts.plots import bars, dots, histogram, lines, pie, scatter
from training.charts.special_plots import boxes, broken, dual, multiples, nested, pyramid, waterfall

Draw = Callable[[Figure, Look, Random], Plot]
KINDS: dict[str, Draw] = {
    "bar": bars,
    "bar_horizontal": lambda f, d, r: bars(f, d, r, upright=False),
    "grouped": lambda f, d, r: bars(f, d, r, count=r.choice((2, 2, 3, 4))),
    "grouped_horizontal": lambda f, d, r: bars(f, d, r, upright=False, count=r.choice((2, 3))),
    "stacked": lambda f, d, r: bars(f, d, r, count=r.choice((2, 3, 4)), stacked=True),
    "stacked_horizontal": lambda f, d, r: bars(f, d, r, upright=False, count=r.choice((2, 3)), stacked=True),
    "whole": lambda f, d, r: bars(f, d, r, upright=r.random() < 0.5, count=r.choice((3, 3, 4)), stacked=True, whole=True),
    "waterfall": waterfall,
    "line": lines,
    "lines": lambda f, d, r: lines(f, d, r, count=r.choice((2, 3, 4))),
    "area": lambda f, d, r: lines(f, d, r, filled=True),
    "areas": lambda f, d, r: lines(f, d, r, count=r.choice((2, 3)), filled=True),
    "log": lambda f, d, r: lines(f, d, r, log=True),
    "inverted": lambda f, d, r: lines(f, d, r, inverted=True),
    "histogram": histogram,
    "scatter": scatter,
    "dot": dots,
    "pie": pie,
    "box": boxes,
    "dual": dual,
    "broken": broken,
    "multiples": multiples,
    "nested": nested,
    "pyramid": pyramid,
}  # fmt: skip
COMMON = (
    "bar",
    "bar_horizontal",
    "grouped",
    "grouped_horizontal",
    "stacked",
    "stacked_horizontal",
    "line",
    "line",
    "lines",
    "lines",
    "pie",
)
"""Drawn twice as often."""
