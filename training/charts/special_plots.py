"""Draws the rarer charts: waterfalls, box plots, two scales, broken axes, several panels, pyramids."""

from __future__ import annotations

from random import Random

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from training.charts.look import Look, formatted
from training.charts.plot_parts import Plot, Row, categories, draw_title, finish, label_values
from training.charts.subjects import subject


def waterfall(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Bars that begin where the one before ends."""
    about = subject(random, 8, 1, positive=True)
    steps = np.array(about.values[0]) * np.array([1, *[random.choice((-0.5, 0.5, 0.8)) for _ in about.categories[1:]]])
    steps = np.round(steps, 1)
    starts = np.concatenate([[0], np.cumsum(steps)[:-1]])
    ax = figure.subplots()
    colours = [drawn.palette[0] if step >= 0 else drawn.palette[1] for step in steps]
    places = np.arange(len(steps), dtype=float)
    ax.bar(places, steps, drawn.bar_width, starts, color=colours)
    boxes = list(zip(places.tolist(), starts.tolist(), (starts + steps).tolist(), steps.tolist(), strict=True))
    printed = label_values(ax, drawn, about, boxes, True)
    categories(ax, drawn, about.categories, True)
    rows = [Row(c, "", float(v)) for c, v in zip(about.categories, steps, strict=True)]
    return finish(figure, ax, drawn, random, about, Plot("bar", rows, printed=printed), upright=True)


def boxes(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Box plots; the rows are the medians."""
    about = subject(random, 6, 1, positive=True)
    samples = np.random.default_rng(random.randrange(2**31))
    groups = [value * (1 + 0.25 * samples.standard_normal(60)) for value in about.values[0]]
    ax = figure.subplots()
    ax.boxplot(groups, patch_artist=random.random() < 0.5)
    ax.set_xticks(range(1, len(groups) + 1), about.categories)
    rows = [Row(c, "", float(np.median(group))) for c, group in zip(about.categories, groups, strict=True)]
    return finish(figure, ax, drawn, random, about, Plot("other", rows), upright=True)


def dual(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Bars with a line on a second axis at the right, or on the same axis."""
    about = subject(random, 10, 2, positive=True, time=True)
    ax = figure.subplots()
    places = np.arange(len(about.categories), dtype=float)
    second = random.random() < 0.7
    factor = random.choice((0.013, 0.2, 37)) if second else random.uniform(0.6, 1.2)
    line = [round(value * factor, 2) for value in about.values[1]]
    ax.bar(places, about.values[0], drawn.bar_width, color=drawn.palette[0], label=about.series[0])
    other = ax.twinx() if second else ax
    other.plot(places, line, color=drawn.palette[1], marker="o" if drawn.markers else "", label=about.series[1])
    if second:
        other.set_ylabel(about.series[1])
        handles = [*ax.get_legend_handles_labels()[0], *other.get_legend_handles_labels()[0]]
        ax.legend(handles, about.series, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    categories(ax, drawn, about.categories, True)
    rows = [
        Row(c, s, float(v))
        for s, row in zip(about.series, (about.values[0], line), strict=True)
        for c, v in zip(about.categories, row, strict=True)
    ]
    return finish(figure, ax, drawn, random, about, Plot("bar", rows), upright=True, legend=not second)


def broken(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Bars whose axis leaves numbers out, or does not begin at zero."""
    about = subject(random, 8, 1, positive=True)
    row = np.array(about.values[0])
    tall = random.randrange(len(row))
    row[tall] = float(np.round(row.max() * random.uniform(4, 8)))
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [1, 2], "hspace": 0.06})
    rest = float(np.delete(row, tall).max())
    for ax in (upper, lower):
        ax.bar(np.arange(len(row)), row, drawn.bar_width, color=drawn.palette[0])
    upper.set_ylim(row[tall] - 0.6 * rest, row[tall] + 0.3 * rest)
    lower.set_ylim(0, 1.3 * rest)
    upper.spines["bottom"].set_visible(False)
    lower.spines["top"].set_visible(False)
    upper.tick_params(bottom=False)
    categories(lower, drawn, about.categories, True)
    rows = [Row(c, "", float(v)) for c, v in zip(about.categories, row, strict=True)]
    plot = Plot("bar", rows)
    plot.title = draw_title(figure, upper, drawn, random, about)
    return plot


def multiples(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Small charts with a heading each, on common scales."""
    count = random.choice((2, 3, 4))
    about = subject(random, 8, count, positive=True, time=True)
    as_bars = random.random() < 0.5
    across = 2 if count == 4 else count
    places = np.arange(len(about.categories), dtype=float)
    for ax, name, row in zip(
        figure.subplots(-(-count // across), across, sharey=True, squeeze=False).ravel(),
        about.series,
        about.values,
        strict=True,
    ):
        if as_bars:
            ax.bar(places, row, drawn.bar_width, color=drawn.palette[0])
        else:
            ax.plot(places, row, color=drawn.palette[0])
        ax.set_title(name, fontsize=float(drawn.rc["font.size"]))
        ax.set_xticks(
            places, about.categories, rotation=90 if len(places) > 4 else 0, fontsize=float(drawn.rc["font.size"]) * 0.7
        )
    rows = [
        Row(c, s, v)
        for s, row in zip(about.series, about.values, strict=True)
        for c, v in zip(about.categories, row, strict=True)
    ]
    figure.suptitle(about.title)
    return Plot("bar" if as_bars else "line", rows, title=about.title)


def nested(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Groups of bars side by side; each bar has the name of its series below it, each group its name above or below."""
    about = subject(random, 4, random.choice((2, 3)), positive=True)
    panels = figure.subplots(1, len(about.categories), sharey=True, gridspec_kw={"wspace": 0.08}, squeeze=False)[0]
    below, coloured = random.random() < 0.5, random.random() < 0.7
    names = [name[:9] for name in about.series]
    for ax, category, row in zip(panels, about.categories, np.array(about.values).T, strict=True):
        ax.bar(names, row, drawn.bar_width, color=drawn.palette[: len(row)] if coloured else drawn.palette[0])
        ax.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 3 else 0)
        (ax.set_xlabel if below else ax.set_title)(category, fontsize=float(drawn.rc["font.size"]))
    panels[0].set_ylabel(about.y_title)
    rows = [
        Row(c, s, v) for s, row in zip(names, about.values, strict=True) for c, v in zip(about.categories, row, strict=True)
    ]
    return Plot("bar_grouped", rows, y_title=about.y_title)


def pyramid(figure: Figure, drawn: Look, random: Random) -> Plot:
    """Horizontal bars to both sides of a middle line."""
    about = subject(random, 10, 2, positive=True)
    ax, places = figure.subplots(), np.arange(len(about.categories), dtype=float)
    for n, row in enumerate(np.array(about.values)):
        signed = row if n else -row
        ax.barh(places, signed, drawn.bar_width, color=drawn.palette[n], label=about.series[n])
        if drawn.values != "none":
            for y, value in zip(places, signed, strict=True):
                ax.annotate(
                    formatted(abs(float(value)), drawn.number_format, about.unit), (value, y), xytext=(3 if n else -3, 0),
                    textcoords="offset points", ha="left" if n else "right", va="center", fontsize=float(drawn.rc["font.size"]) * 0.8,
                )  # fmt: skip
    ax.margins(x=0.15)
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: formatted(abs(round(value, 4)), drawn.number_format, about.unit))
    )
    ax.set_yticks(places, about.categories)
    rows = [
        Row(c, s, v)
        for s, row in zip(about.series, about.values, strict=True)
        for c, v in zip(about.categories, row, strict=True)
    ]
    plot = Plot("stacked_bar_horizontal", rows, printed=drawn.values != "none")
    plot.title = draw_title(figure, ax, drawn, random, about)
    ax.legend()
    return plot
