"""A chart drawn anew from what was read of it: a self-contained SVG to be laid beside the original, so that misreadings catch the eye.

Labels come from documents and are hostile: they are cut, stripped of what XML forbids, and escaped. No script, link or outside file
is ever part of the drawing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from html import escape
from itertools import pairwise
from math import ceil, cos, floor, log10, pi, sin
from typing import Any

from pipeline.records import Evidence

WIDTH, LEFT, RIGHT, TOP = 640.0, 64.0, 20.0, 44.0
"""Pixels: of the drawing, and around the plot."""
PLOT = 260.0
"""Height of the plot of upright charts."""
ROW = 22.0
"""Height of a horizontal bar with its gap."""
KEY = 150.0
"""Width of the legend."""
MOST = 300
"""More rows than that are not drawn."""
LONGEST = 60
"""Labels are cut after so many characters."""
LARGEST = 1e15
"""Values beyond are no values."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#555555")
"""Told apart with all kinds of sight (Okabe and Ito)."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HORIZONTAL = re.compile(r"horizontal$|^dot$|^other$")


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of the data."""

    category: str
    series: str
    value: float

    @property
    def told(self) -> str:
        """ "Oslo, 2019: 12.5"."""
        return f"{', '.join(part for part in (self.category, self.series) if part)}: {self.value:g}"


def redraw(fields: Mapping[str, Any]) -> str | None:
    """The SVG of a chart by the fields of the template ``chart`` as the JSON of a document has them (``{"title": {"value": …}, …}``).

    None when there are no values to draw. The kinds are those of ``chart_type``; unknown ones are drawn as horizontal bars.
    """
    marks = _marks(_value(fields, "data"))
    if not marks:
        return None
    kind = _clean(_value(fields, "chart_type") or "other")
    title, x_title, y_title = (_clean(_value(fields, name) or "") for name in ("title", "x_title", "y_title"))
    drawn = marks[:MOST]
    if kind in ("pie", "donut"):
        body, height = _pie(drawn, donut=kind == "donut")
    elif kind == "scatter" and all(_number(mark.category) is not None for mark in drawn):
        body, height = _points(drawn)
    elif kind in ("line", "line_multi", "area"):
        body, height = _lines(drawn, filled=kind == "area")
    elif _HORIZONTAL.search(kind) or kind not in ("bar", "bar_grouped", "stacked_bar", "histogram", "scatter"):
        body, height = _lying(drawn, stacked=kind.startswith("stacked"), dots=kind == "dot")
    else:
        body, height = _standing(drawn, stacked=kind.startswith("stacked"), touching=kind == "histogram")
    left_out = f" The first {MOST} of {len(marks)} values are drawn." if len(marks) > MOST else ""
    about = f"{kind.replace('_', ' ')} with {len(marks)} values that were read.{left_out}"
    return _sheet(title, about, (x_title, y_title), body, height)


def redrawn(fields: Mapping[str, Evidence]) -> str | None:
    """The SVG of a chart as it was read; see ``redraw``."""
    return redraw({name: {"value": evidence.value} for name, evidence in fields.items()})


def _value(fields: Mapping[str, Any], name: str) -> Any:
    field = fields.get(name)
    return field.get("value") if isinstance(field, Mapping) else None


def _marks(rows: Any) -> list[Mark]:
    return [
        Mark(_clean(row.get("category") or ""), _clean(row.get("series") or ""), value)
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping) and (value := _number(row.get("value"))) is not None
    ]


def _number(value: Any) -> float | None:
    """A finite number within reach; None for anything else."""
    try:
        number = Decimal(str(value)[:LONGEST])
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() and abs(number) < LARGEST else None


def _clean(text: Any) -> str:
    """A label on one line, cut, without what XML forbids. Not yet escaped."""
    line = " ".join(_FORBIDDEN.sub("", str(text)[: 4 * LONGEST]).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _once(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


# ---- elements --------------------------------------------------------------------------------


def _sheet(title: str, about: str, axes: tuple[str, str], body: Sequence[str], height: float) -> str:
    """The whole drawing. Its title and description are what a screen reader says."""
    titles = [_text(WIDTH / 2, 20, title, "middle", size=15, weight="bold")] if title else []
    titles += [_text(WIDTH / 2, height - 8, axes[0], "middle")] if axes[0] else []
    titles += [_text(14, height / 2, axes[1], "middle", turned=True)] if axes[1] else []
    inner = "".join([*titles, *body])
    name = "chart-" + hashlib.sha256(inner.encode()).hexdigest()[:12]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-labelledby="{name}-title {name}-about" font-family="sans-serif" font-size="12" fill="#222">'
        f'<title id="{name}-title">{escape(title or "Chart without a title")}</title>'
        f'<desc id="{name}-about">{escape(about)}</desc>'
        f'<rect width="{WIDTH:g}" height="{height:g}" fill="#fff"/>{inner}</svg>'
    )


def _text(
    x: float, y: float, text: str, anchor: str = "start", *, size: int = 12, weight: str = "normal", turned: bool = False
) -> str:
    way = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    look = f' font-size="{size}"' * (size != 12) + f' font-weight="{weight}"' * (weight != "normal")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}{way}>{escape(text)}</text>'


def _short(text: str, room: float) -> str:
    """A label that fits into so many pixels."""
    letters = max(2, int(room / 6.5))
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _rect(box: tuple[float, float, float, float], mark: Mark, colour: str) -> str:
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    size = f'width="{max(0.5, x1 - x0):.1f}" height="{max(0.5, y1 - y0):.1f}"'
    return f'<rect class="mark" x="{x0:.1f}" y="{y0:.1f}" {size} fill="{colour}"><title>{escape(mark.told)}</title></rect>'


def _circle(x: float, y: float, mark: Mark, colour: str) -> str:
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>{escape(mark.told)}</title></circle>'


def _rule(x0: float, y0: float, x1: float, y1: float, colour: str = "#ddd") -> str:
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}"/>'


def _legend(series: Sequence[str]) -> list[str]:
    """Swatches and names on the right; nothing for a single series without a name."""
    if series == [""]:
        return []
    x, found = WIDTH - KEY + 8, []
    for number, name in enumerate(series[:20]):
        y = TOP + 6 + 18 * number
        found.append(f'<rect class="key" x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" fill="{_colour(number)}"/>')
        found.append(_text(x + 16, y, _short(name or "(no name)", KEY - 30)))
    return found


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


# ---- scales ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from ``low`` to ``high`` on pixels from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """About five round values."""
        step = _step(self.high - self.low)
        return [number * step for number in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]


def _step(length: float) -> float:
    """1, 2 or 5 times a power of ten, so that four to ten of them make the length."""
    power = 10.0 ** floor(log10(length / 4))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= length / 4)


def _scale(values: Sequence[float], start: float, end: float, *, zero: bool = True) -> Scale:
    """A scale over all values that begins and ends at round ones; with zero in it for bars and areas."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(0.0, low), max(0.0, high)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    step = _step(high - low)
    return Scale(floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, start, end)


def _levels(scale: Scale, x0: float, x1: float) -> list[str]:
    """Grid lines and numbers of an upright axis."""
    parts = []
    for tick in scale.ticks():
        parts += [_rule(x0, scale.at(tick), x1, scale.at(tick)), _text(x0 - 6, scale.at(tick) + 4, f"{tick:.10g}", "end")]
    return parts


def _columns(scale: Scale, y0: float, y1: float) -> list[str]:
    """Grid lines and numbers of a horizontal axis."""
    parts = []
    for tick in scale.ticks():
        parts += [_rule(scale.at(tick), y0, scale.at(tick), y1), _text(scale.at(tick), y1 + 16, f"{tick:.10g}", "middle")]
    return parts


# ---- kinds -----------------------------------------------------------------------------------


def _spans(marks: Sequence[Mark], *, stacked: bool) -> list[tuple[float, float]]:
    """From where to where each bar goes; stacked ones begin where the one before ends, up and down apart."""
    ends: dict[tuple[str, bool], float] = {}
    spans = []
    for mark in marks:
        key = (mark.category, mark.value >= 0)
        start = ends.get(key, 0.0) if stacked else 0.0
        ends[key] = start + mark.value
        spans.append((start, start + mark.value))
    return spans


def _slots(marks: Sequence[Mark], *, stacked: bool) -> tuple[list[str], list[str], list[tuple[int, float, float]]]:
    """Categories, series, and for each mark the number of its category and the part of the category's room it takes (0 to 1).

    Marks that share category and series (a category that was not read, say) stand beside each other.
    """
    series = _once([mark.series for mark in marks])
    if stacked:
        categories = _once([mark.category for mark in marks])
        return categories, series, [(categories.index(mark.category), 0.0, 1.0) for mark in marks]
    seen: dict[tuple[str, str], int] = {}
    names: list[tuple[str, int]] = []
    for mark in marks:
        again = seen[mark.category, mark.series] = seen.get((mark.category, mark.series), -1) + 1
        names.append((mark.category, again))
    groups = list(dict.fromkeys(names))
    places = {group: number for number, group in enumerate(groups)}
    lane = {name: number for number, name in enumerate(series)}
    wide = 1 / len(series)
    slots = [
        (places[name], lane[mark.series] * wide, (lane[mark.series] + 1) * wide)
        for mark, name in zip(marks, names, strict=True)
    ]
    return [category for category, _ in groups], series, slots


def _standing(marks: Sequence[Mark], *, stacked: bool, touching: bool) -> tuple[list[str], float]:
    """Upright bars."""
    categories, series, slots = _slots(marks, stacked=stacked)
    spans = _spans(marks, stacked=stacked)
    key = _legend(series)
    x1, y1 = WIDTH - (KEY if key else RIGHT), TOP + PLOT
    scale = _scale([end for span in spans for end in span], y1, TOP)
    pitch = (x1 - LEFT) / len(categories)
    pad, room = (0.0, pitch - 1) if touching else (0.12 * pitch, 0.76 * pitch)
    parts = _levels(scale, LEFT, x1)
    for mark, (place, a, b), (low, high) in zip(marks, slots, spans, strict=True):
        left = LEFT + place * pitch + pad
        box = (left + a * room, scale.at(low), left + b * room, scale.at(high))
        parts.append(_rect(box, mark, _colour(series.index(mark.series))))
    parts += [_rule(LEFT, scale.at(0), x1, scale.at(0), "#444"), *_names(categories, LEFT, pitch, y1), *key]
    return parts, y1 + _foot(categories, pitch)


def _names(categories: Sequence[str], x0: float, pitch: float, y: float) -> list[str]:
    """Labels under the plot, turned where they are too long for their place."""
    if _foot(categories, pitch) < 60:
        return [_text(x0 + (n + 0.5) * pitch, y + 16, name, "middle") for n, name in enumerate(categories)]
    return [
        _text(x0 + (n + 0.5) * pitch + 4, y + 8, _short(name, 110), "end", turned=True) for n, name in enumerate(categories)
    ]


def _foot(categories: Sequence[str], pitch: float) -> float:
    """Height of what stands under a plot."""
    return 48.0 if all(len(name) * 6.5 <= pitch for name in categories) else 150.0


def _lying(marks: Sequence[Mark], *, stacked: bool, dots: bool) -> tuple[list[str], float]:
    """Horizontal bars, or dots at their ends."""
    categories, series, slots = _slots(marks, stacked=stacked)
    spans = _spans(marks, stacked=stacked)
    key = _legend(series)
    lanes = 1 if stacked or dots else len(series)
    pitch = ROW * max(1.0, 0.6 * lanes)
    x0, x1, y1 = 200.0, WIDTH - (KEY if key else RIGHT), TOP + pitch * len(categories)
    scale = _scale([end for span in spans for end in span], x0, x1)
    parts = _columns(scale, TOP, y1)
    for mark, (place, a, b), (low, high) in zip(marks, slots, spans, strict=True):
        top = TOP + place * pitch + 0.12 * pitch
        colour = _colour(series.index(mark.series))
        box = (scale.at(low), top + a * 0.76 * pitch, scale.at(high), top + b * 0.76 * pitch)
        parts.append(_circle(box[2], top + 0.38 * pitch, mark, colour) if dots else _rect(box, mark, colour))
    labels = [_text(x0 - 6, TOP + (n + 0.5) * pitch + 4, _short(name, 170), "end") for n, name in enumerate(categories)]
    return [*parts, _rule(scale.at(0), TOP, scale.at(0), y1, "#444"), *labels, *key], max(
        y1 + 48, TOP + 18.0 * len(key) / 2 + 20
    )


def _lines(marks: Sequence[Mark], *, filled: bool) -> tuple[list[str], float]:
    """Lines with their points; areas on each other."""
    categories = _once([mark.category for mark in marks])
    series = _once([mark.series for mark in marks])
    key = _legend(series)
    x1, y1 = WIDTH - (KEY if key else RIGHT), TOP + PLOT
    spans = _spans(marks, stacked=filled)
    scale = _scale([end for _, end in spans], y1, TOP, zero=filled)
    pitch = (x1 - LEFT) / len(categories)
    across = {name: LEFT + (n + 0.5) * pitch for n, name in enumerate(categories)}
    numbers = [_number(name) for name in categories]
    known = [number for number in numbers if number is not None]
    if len(known) == len(categories) > 1:
        even = Scale(min(known), max(known), LEFT + pitch / 2, x1 - pitch / 2)
        across = {name: even.at(number) for name, number in zip(categories, known, strict=True)}
    parts = _levels(scale, LEFT, x1)
    for number, name in enumerate(series):
        own = [(mark, span) for mark, span in zip(marks, spans, strict=True) if mark.series == name]
        own.sort(key=lambda pair: across[pair[0].category])
        parts += _line(own, across, scale, _colour(number), filled=filled)
    step = max(1, ceil(len(categories) * 30 / (x1 - LEFT)))
    shown = [(across[name], name) for name in categories[::step]]
    labels = [_text(x, y1 + 16, _short(name, 0.95 * step * pitch), "middle") for x, name in shown]
    return [*parts, *labels, *key], y1 + 48


def _line(
    own: Sequence[tuple[Mark, tuple[float, float]]], across: Mapping[str, float], scale: Scale, colour: str, *, filled: bool
) -> list[str]:
    places = [(across[mark.category], scale.at(high), scale.at(low)) for mark, (low, high) in own]
    along = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    dots = [_circle(x, y, mark, colour) for (x, y, _), (mark, _) in zip(places, own, strict=True)]
    if filled:
        back = " ".join(f"{x:.1f},{floor_:.1f}" for x, _, floor_ in reversed(places))
        return [f'<polygon class="area" points="{along} {back}" fill="{colour}" fill-opacity="0.6"/>', *dots]
    return [f'<polyline class="line" points="{along}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _points(marks: Sequence[Mark]) -> tuple[list[str], float]:
    """A scatter plot; the categories are numbers."""
    series = _once([mark.series for mark in marks])
    key = _legend(series)
    x1, y1 = WIDTH - (KEY if key else RIGHT), TOP + PLOT
    places = [_number(mark.category) or 0.0 for mark in marks]
    across, up = _scale(places, LEFT, x1, zero=False), _scale([mark.value for mark in marks], y1, TOP, zero=False)
    dots = [
        _circle(across.at(x), up.at(mark.value), mark, _colour(series.index(mark.series)))
        for x, mark in zip(places, marks, strict=True)
    ]
    return [*_levels(up, LEFT, x1), *_columns(across, TOP, y1), *dots, *key], y1 + 48


def _pie(marks: Sequence[Mark], *, donut: bool) -> tuple[list[str], float]:
    """Sectors in the order of the data, clockwise from the top, with their labels and values beside them."""
    positive = [mark for mark in marks if mark.value > 0]
    total = sum(mark.value for mark in positive)
    x, y, radius = 170.0, TOP + PLOT / 2, 120.0
    parts, ends = [], [0.0]
    for mark in positive:
        ends.append(ends[-1] + 2 * pi * mark.value / total)
    for number, (mark, (a, b)) in enumerate(zip(positive, pairwise(ends), strict=True)):
        parts.append(_sector((x, y, radius), a, min(b, a + 2 * pi - 1e-4), mark, _colour(number)))
        row = TOP + 10 + min(18.0, PLOT / len(positive)) * number
        name = _short(mark.category or mark.series or "(no name)", 220)
        parts.append(f'<rect class="key" x="330" y="{row - 9:.1f}" width="10" height="10" fill="{_colour(number)}"/>')
        parts.append(_text(346, row, f"{name}: {mark.value:g}"))
    if donut:
        parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{0.55 * radius:g}" fill="#fff"/>')
    return parts, TOP + PLOT + 30


def _sector(circle: tuple[float, float, float], a: float, b: float, mark: Mark, colour: str) -> str:
    x, y, radius = circle
    first, last = (f"{x + radius * sin(angle):.2f},{y - radius * cos(angle):.2f}" for angle in (a, b))
    path = f"M{x:g},{y:g} L{first} A{radius:g},{radius:g} 0 {int(b - a > pi)} 1 {last} Z"
    return f'<path class="mark" d="{path}" fill="{colour}" stroke="#fff"><title>{escape(mark.told)}</title></path>'
