"""How a chart looks: fonts, colours, grid, borders and places of its parts, chosen at random, with the habits of several programs."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

PALETTES: list[list[str]] = [
    ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"],
    ["#4c78a8", "#f58518", "#e45756", "#72b7b2", "#54a24b", "#eeca3b"],
    ["#4472c4", "#ed7d31", "#a5a5a5", "#ffc000", "#5b9bd5", "#70ad47"],
    ["#f8766d", "#7cae00", "#00bfc4", "#c77cff", "#b79f00", "#00ba38"],
    ["#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f"],
    ["#3366cc", "#dc3912", "#ff9900", "#109618", "#990099", "#0099c6"],
    ["#636efa", "#ef553b", "#00cc96", "#ab63fa", "#ffa15a", "#19d3f3"],
    ["#0b3954", "#bfd7ea", "#ff6663", "#e0ff4f", "#087e8b", "#7a7a7a"],
    ["#08306b", "#2171b5", "#6baed6", "#c6dbef", "#9ecae1", "#4292c6"],
    ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ab17d"],
    ["#2f7ed8", "#0d233a", "#8bbc21", "#910000", "#1aadce", "#492970"],
    ["#333333", "#888888", "#bbbbbb", "#555555", "#dddddd", "#111111"],
    ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725", "#31688e"],
    ["#7f3c8d", "#11a579", "#3969ac", "#f2b701", "#e73f74", "#80ba5a"],
]
FONTS = [
    "DejaVu Sans",
    "Liberation Sans",
    "Nimbus Sans",
    "Liberation Sans Narrow",
    "DejaVu Serif",
    "Liberation Serif",
    "DejaVu Sans Mono",
]
PAPERS = ["#ffffff"] * 8 + ["#f0f0f0", "#fbf7ee", "#fff1e5", "#eaf2f8", "#1e1e28"]


@dataclass
class Look:
    """The choices of one chart. ``rc`` are settings of matplotlib."""

    rc: dict[str, Any]
    palette: list[str]
    dark: bool
    size: tuple[float, float]
    dpi: int
    grid: str
    spines: tuple[str, ...]
    title_place: str
    legend: str
    values: str
    """Where numbers are printed on marks: ``none``, ``outside`` or ``inside``."""
    value_axis: bool
    axis_title: str
    """``turned``, ``top`` or ``none``."""
    number_format: str
    label_turn: int
    edge: bool
    bar_width: float
    subtitle: bool
    note: bool
    markers: bool
    dashes: bool
    panel: bool


def look(random: Random) -> Look:
    """A look drawn at random."""
    font = random.choice(FONTS)
    dpi = random.choice((72, 80, 100, 100, 120, 150))
    size = random.choice((9, 10, 10, 11, 12, 14) if dpi < 100 else (8, 9, 10, 10, 11, 12, 14))
    paper = random.choice(PAPERS)
    dark = paper == "#1e1e28"
    panel = random.random() < 0.18 and not dark
    ink = "#e8e8e8" if dark else random.choice(("#000000", "#333333", "#555555"))
    grid = random.choice(("y", "y", "both", "none", "x"))
    rc: dict[str, Any] = {
        "font.family": [font],
        "font.size": size,
        "axes.titlesize": size * random.choice((1.0, 1.2, 1.4, 1.6)),
        "axes.titleweight": random.choice(("normal", "bold")),
        "axes.labelsize": size * random.choice((0.9, 1.0, 1.1)),
        "xtick.labelsize": size * random.choice((0.8, 0.9, 1.0)),
        "ytick.labelsize": size * random.choice((0.8, 0.9, 1.0)),
        "legend.fontsize": size * random.choice((0.8, 0.9, 1.0)),
        "figure.facecolor": paper,
        "axes.facecolor": random.choice(("#ebebeb", "#eaeaf2", "#f5f5f5")) if panel else paper,
        "axes.edgecolor": ink,
        "text.color": ink,
        "axes.labelcolor": ink,
        "xtick.color": ink,
        "ytick.color": ink,
        "grid.color": "#ffffff"
        if panel
        else ("#444450" if dark else random.choice(("#dddddd", "#e8e8e8", "#c8c8c8", "#b0b0b0"))),
        "grid.linestyle": random.choice(("-", "-", "-", "--", ":")),
        "grid.linewidth": random.choice((0.5, 0.8, 1.0)),
        "axes.axisbelow": True,
        "lines.linewidth": random.choice((1.0, 1.5, 2.0, 2.5, 3.0)),
        "xtick.direction": random.choice(("out", "out", "in")),
        "ytick.direction": random.choice(("out", "out", "in")),
        "xtick.major.size": random.choice((0, 3.5, 5)),
        "ytick.major.size": random.choice((0, 3.5, 5)),
        "legend.frameon": random.random() < 0.5,
        "axes.formatter.useoffset": False,
    }
    values = random.choice(("none", "none", "outside", "outside", "inside"))
    return Look(
        rc=rc,
        palette=random.choice(PALETTES),
        dark=dark,
        size=(random.uniform(4.5, 10), random.uniform(3.2, 6.5)),
        dpi=dpi,
        grid="both" if panel else grid,
        spines=random.choice((("left", "bottom"), ("left", "bottom", "top", "right"), ("bottom",), ("left",), ())),
        title_place=random.choice(("center", "center", "left", "left", "none")),
        legend=random.choice(("inside", "right", "top", "bottom", "right", "direct")),
        values=values,
        value_axis=values == "none" or random.random() < 0.5,
        axis_title=random.choice(("turned", "turned", "turned", "top", "none")),
        number_format=random.choice(("plain", "comma", "comma", "short", "unit", "unit", "german")),
        label_turn=random.choice((0, 0, 0, 45, 90, 30)),
        edge=random.random() < 0.2,
        bar_width=random.uniform(0.5, 0.9),
        subtitle=random.random() < 0.2,
        note=random.random() < 0.3,
        markers=random.random() < 0.5,
        dashes=random.random() < 0.25,
        panel=panel,
    )


def formatted(value: float, style: str, unit: str) -> str:
    """A number as an axis or a mark prints it."""
    places = 0 if abs(value - round(value)) < 1e-9 else 1 if abs(value * 10 - round(value * 10)) < 1e-6 else 2
    text = f"{value:,.{places}f}"
    if style == "german":
        text = text.translate(str.maketrans(",.", ".,"))
    if style == "plain":
        text = text.replace(",", "")
    if style == "short" and abs(value) >= 1000:
        power, letter = (1e6, "M") if abs(value) >= 1e6 else (1e3, "k")
        text = f"{value / power:.2f}".rstrip("0").rstrip(".") + letter
    if style == "unit" and unit:
        text = f"{unit}{text}" if unit == "$" else f"{text}{unit}" if unit == "%" else f"{text} {unit}"
    return text
