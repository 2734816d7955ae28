"""Draws a subject as a chart of one kind, with its rows as they can be read."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from training.charts.look import Look, formatted
from training.charts.plot_parts import Plot, Row, categories, draw_title, finish, label_values
from training.charts.subjects import numbers, subject


def bars(
    figure: Figure,
    drawn: Look,
    random: Random,
    *,
    upright: bool = True,
    count: int = 1,
    stacked: bool = False,
    whole: bool = False,
) -> Plot:
    """Bars: single, grouped, stacked, or stacked to a whole."""
    about = subject(random, 12 if count == 1 else 7, count, positive=stacked)
    values = np.array(about.values)
    if whole:
        values = np.round(100 * values / values.sum(axis=0), 0)
        values[-1] += 100 - values.sum(axis=0)
        about.unit = "%"
    if not about.ordered and count == 1 and random.random() < 0.5:
        order = np.argsort(-values[0])
        values = values[:, order]
        about.categories = [about.categories[n] for n in order]
    if not upright:
        about.categories, values = about.categories[::-1], values[:, ::-1]
    ax = figure.subplots()
    places = np.arange(len(about.categories), dtype=float)
    thickness = drawn.bar_width if stacked or count == 1 else drawn.bar_width / count
    base = np.zeros(len(places))
    boxes: list[tuple[float, float, float, float]] = []
    several = count == 1 and random.random() < 0.15
    for n, row in enumerate(values):
        middle = places if stacked else places + (n - (count - 1) / 2) * thickness
        start = base.copy() if stacked else np.zeros(len(places))
        colour = [drawn.palette[k % 6] for k in range(len(places))] if several else drawn.palette[n % 6]
        edge: dict[str, Any] = {"edgecolor": random.choice(("black", "white")), "linewidth": 0.8} if drawn.edge else {}
        draw = ax.bar if upright else ax.barh
        draw(middle, row, thickness, start, color=colour, label=about.series[n] or None, **edge)
        boxes += zip(middle.tolist(), start.tolist(), (start + row).tolist(), row.tolist(), strict=True)
        base += row
    printed = label_values(ax, drawn, about, boxes, upright, stacked)
    (ax.set_ymargin if upright else ax.set_xmargin)(0.12 if printed else 0.05)
    ax.autoscale_view()
    categories(ax, drawn, about.categories, upright)
    name = ("stacked_bar" if stacked else "bar_grouped" if count > 1 else "bar") + ("" if upright else "_horizontal")
    rows = [
        Row(c, s, float(v))
        for s, row in zip(about.series, values, strict=True)
        for c, v in zip(about.categories, row, strict=True)
    ]
    return finish(figure, ax, drawn, random, about, Plot(name, rows, printed=printed), upright=upright)


def lines(
    figure: Figure,
    drawn: Look,
    random: Random,
    *,
    count: int = 1,
    filled: bool = False,
    log: bool = False,
    inverted: bool = False,
) -> Plot:
    """Lines or areas over time; areas of several series are stacked."""
    about = subject(random, random.choice((6, 10, 12, 20)), count, positive=filled or log, time=True)
    if log:
        about.values = [[round(value * 10 ** random.uniform(-1.5, 1.5), 3) + 0.01 for value in row] for row in about.values]
    ax = figure.subplots()
    numeric = all(category.isdigit() for category in about.categories)
    places = np.array([float(c) for c in about.categories]) if numeric else np.arange(len(about.categories), dtype=float)
    printed = False
    if filled:
        ax.stackplot(places, about.values, labels=[s or "_" for s in about.series], colors=drawn.palette)
    for n, row in enumerate([] if filled else about.values):
        style = random.choice(("--", ":", "-.")) if drawn.dashes and (n > 0 or count == 1) else "-"
        marker = random.choice("os^D") if drawn.markers else ""
        ax.plot(
            places,
            row,
            style,
            color=drawn.palette[n % 6],
            marker=marker,
            markersize=random.uniform(4, 8),
            label=about.series[n] or None,
        )
        if drawn.values != "none" and count == 1 and len(row) <= 10:
            boxes = [(x, y, y, y) for x, y in zip(places.tolist(), row, strict=True)]
            printed = label_values(ax, drawn, about, boxes, True) and drawn.values == "outside"
    if numeric:
        if random.random() < 0.4 and len(places) <= 12:
            ax.set_xticks(places, about.categories)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if len(places) < 9:
            ax.set_xticks(places, about.categories)
    else:
        categories(ax, drawn, about.categories, True)
    if log:
        ax.set_yscale("log")
    elif filled or (min(map(min, about.values)) > 0 and random.random() < 0.5):
        ax.set_ylim(bottom=0)
    if inverted:
        ax.invert_yaxis()
    if drawn.legend == "direct" and count > 1 and not filled:
        for n, row in enumerate(about.values):
            ax.annotate(
                about.series[n],
                (places[-1], row[-1]),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=drawn.palette[n % 6],
            )
    name = "area" if filled else "line_multi" if count > 1 else "line"
    rows = [
        Row(c, s, v)
        for s, row in zip(about.series, about.values, strict=True)
        for c, v in zip(about.categories, row, strict=True)
    ]
    return finish(figure, ax, drawn, random, about, Plot(name, rows, printed=printed), upright=True, log=log)


def histogram(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Touching bars over the bins of a number."""
    about = subject(random, 3, 1, positive=True)
    bins = random.randint(5, 14)
    width = random.choice((0.5, 1, 2, 5, 10, 20, 100))
    first = width * random.randint(0, 5)
    edges = first + width * np.arange(bins + 1)
    centre, spread = random.uniform(0.3, 0.7) * bins, random.uniform(1.2, 3)
    counts = np.round(
        random.choice((20, 100, 900)) * np.exp(-(((np.arange(bins) + 0.5 - centre) / spread) ** 2)) + random.random() * 4
    )
    ax = figure.subplots()
    edge = random.choice(("white", "black", None))
    ax.bar(edges[:-1], counts, width, align="edge", color=drawn.palette[0], edgecolor=edge, linewidth=0.8 if edge else 0)
    about.x_title, about.y_title, about.unit = about.y_title, random.choice(("Count", "Frequency", "Number of days")), ""
    rows = [Row(f"{a:g} – {b:g}", "", float(v)) for a, b, v in zip(edges[:-1], edges[1:], counts, strict=True)]
    return finish(figure, ax, drawn, random, about, Plot("histogram", rows), upright=True)


def scatter(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Points between two numeric axes."""
    about = subject(random, 3, 1, positive=True)
    count = random.randint(8, 45)
    xs = numbers(random, count, 1, "", positive=True, smooth=False)[0]
    slope, size = random.uniform(-1, 1.5), max(xs)
    ys = [round(100 * (0.6 + slope * x / size / 2) + random.gauss(0, random.choice((3, 10, 25))), 1) for x in xs]
    ax = figure.subplots()
    ax.scatter(xs, ys, s=random.choice((16, 25, 40, 60)), color=drawn.palette[0], alpha=random.choice((1.0, 1.0, 0.7)))
    about.x_title, about.unit = random.choice(("Speed", "Income", "Length (cm)", "Hours of sun")), ""
    rows = [Row(f"{x:g}", "", y) for x, y in zip(xs, ys, strict=True)]
    return finish(figure, ax, drawn, random, about, Plot("scatter", rows), upright=True)


def dots(figure: Figure, drawn: Look, random: Random) -> Plot:
    """One dot a category, with or without a stroke that leads to it or an interval around it."""
    about = subject(random, 10, 1, positive=True)
    ax, upright = figure.subplots(), random.random() < 0.35
    places, row = np.arange(len(about.categories), dtype=float), np.array(about.values[0])
    stroke = random.choice(("none", "stem", "interval"))
    colour = drawn.palette[0]
    if stroke == "stem":
        (ax.vlines if upright else ax.hlines)(places, 0, row, color=colour, linewidth=1.2)
    if stroke == "interval":
        error = row * random.uniform(0.05, 0.2)
        across, up = (None, error) if upright else (error, None)
        ax.errorbar(places if upright else row, row if upright else places, yerr=up, xerr=across, fmt="none", ecolor=colour)
    ax.plot(places if upright else row, row if upright else places, "o", color=colour, markersize=random.uniform(5, 10))
    categories(ax, drawn, about.categories, upright)
    rows = [Row(c, "", float(v)) for c, v in zip(about.categories, row, strict=True)]
    return finish(figure, ax, drawn, random, about, Plot("dot", rows), upright=upright)


def pie(figure: Figure, drawn: Look, random: Random) -> Plot:
    """A pie or donut with names beside it or in a legend, and shares or amounts on it or not."""
    about = subject(random, 6, 1, positive=True)
    row = np.array(about.values[0])
    shares = 100 * row / row.sum()
    ax, donut = figure.subplots(), random.random() < 0.4
    legend = random.random() < 0.4
    show = random.choice(("percent", "percent", "none", "amount"))
    automatic: Callable[[float], str] | str | None = {"percent": random.choice(("%1.0f%%", "%1.1f%%")), "none": None}.get(show)
    if show == "amount":
        automatic = lambda share: formatted(round(share * row.sum() / 100, 2), drawn.number_format, about.unit)  # noqa: E731 - as matplotlib takes it
    ax.pie(
        row,
        labels=None if legend else about.categories,
        autopct=automatic,
        colors=drawn.palette,
        startangle=random.choice((0, 90, 140)),
        counterclock=random.random() < 0.5,
        pctdistance=0.78 if donut else 0.6,
        wedgeprops={"width": 0.42 if donut else None, "edgecolor": "white" if random.random() < 0.5 else None},
    )
    if legend:
        ax.legend(about.categories, loc="center left", bbox_to_anchor=(1, 0.5))
    values = row if show == "amount" else shares
    rows = [Row(c, "", float(v)) for c, v in zip(about.categories, values, strict=True)]
    plot = Plot("donut" if donut else "pie", rows, printed=show != "none")
    plot.title = draw_title(figure, ax, drawn, random, about)
    return plot
