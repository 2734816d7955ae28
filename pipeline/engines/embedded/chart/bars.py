"""Bars: rows (or columns) of rectangles with categories on one side, values at their ends, and series by colour.

Everything is computed in two directions: ``u``, in which values grow (right, or up), and ``v``, along which the bars stand in line
(down, or right).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from math import floor, log10
from statistics import median

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.labels import Label, join
from pipeline.engines.embedded.chart.legend import Names
from pipeline.engines.embedded.chart.paint import Rect
from pipeline.records import Box


@dataclass(slots=True)
class Bar:
    """One rectangle: from ``start`` to ``end`` in the direction of values, at ``low`` to ``high`` across it."""

    start: float
    end: float
    low: float
    high: float
    colour: int
    printed: Label | None = None
    value: Decimal | None = None

    @property
    def middle(self) -> float:
        """Centre across the direction of values."""
        return (self.low + self.high) / 2


@dataclass(slots=True)
class Bars:
    """All bars of a chart, in rows at the same ``v``, and the rows in groups under one category."""

    vertical: bool
    rows: list[list[Bar]]
    groups: list[list[list[Bar]]] = field(default_factory=list)
    stacked: bool = False
    touching: bool = False

    @property
    def all(self) -> list[Bar]:
        """Every bar, row by row."""
        return [bar for row in self.rows for bar in row]

    @property
    def base(self) -> float:
        """Where the bars begin, in the direction of values."""
        return median(row[0].start for row in self.rows)

    def box(self) -> Box:
        """The box around all bars, in pixels."""
        bars = self.all
        start, end = min(bar.start for bar in bars), max(bar.end for bar in bars)
        low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
        return (low, -end, high, -start) if self.vertical else (start, low, end, high)


def uv(box: Box, vertical: bool) -> Box:
    """A box in pixels as (u0, v0, u1, v1)."""
    x0, y0, x1, y1 = box
    return (-y1, x0, -y0, x1) if vertical else box


def find_bars(rects: Sequence[Rect], slivers: Sequence[Rect] = ()) -> Bars | None:
    """The bars among rectangles of a picture, None when there are fewer than two of them.

    ``slivers`` are rectangles too thin to be told from lines; those that stand in line with the bars are very low bars.
    """
    best: tuple[float, list[Bar], bool] | None = None
    for vertical in (True, False):
        bars = [_bar(rect, vertical) for rect in rects]
        thick = _common([bar.high - bar.low for bar in bars])
        alike = [bar for bar in bars if abs(bar.high - bar.low - thick) <= max(2.0, 0.15 * thick)]
        lengths = {round(bar.end - bar.start) for bar in alike}
        score = len(alike) + 0.5 * _aligned(alike) + 0.1 * min(len(lengths), 5)
        if len(alike) >= 2 and (best is None or score > best[0]):
            best = score, alike, vertical
    if best is None:
        return None
    bars = _standing(best[1])
    rows = _rows(bars + _low(bars, [_bar(rect, best[2]) for rect in slivers]))
    bars_ = Bars(best[2], rows)
    bars_.stacked = _stacked(rows)
    bars_.groups = [[row] for row in rows] if bars_.stacked else _groups(rows)
    bars_.touching = _touching(rows)
    return bars_


def _bar(rect: Rect, vertical: bool) -> Bar:
    u0, v0, u1, v1 = uv(rect.box, vertical)
    return Bar(u0, u1, v0, v1, rect.colour)


def _common(sizes: Sequence[float]) -> float:
    """The size that most others are close to, the larger one where two are as frequent."""
    near = {size: sum(abs(size - other) <= max(1.5, 0.12 * size) for other in sizes) for size in set(sizes)}
    return max(near, key=lambda size: (near[size], size), default=0.0)


def _aligned(bars: Sequence[Bar]) -> int:
    """How many bars begin at the most frequent place."""
    starts = [bar.start for bar in bars]
    return max((sum(abs(start - other) <= 2 for other in starts) for start in starts), default=0)


def _standing(bars: list[Bar]) -> list[Bar]:
    """Without strays: where most bars begin at one place, the others must continue one of them."""
    base = max((bar.start for bar in bars), key=lambda start: sum(abs(start - bar.start) <= 2 for bar in bars))
    based = [bar for bar in bars if abs(bar.start - base) <= 2 or abs(bar.end - base) <= 4]
    if len(based) < 0.5 * len(bars):
        return bars
    kept = list(based)
    for bar in sorted(bars, key=lambda bar: bar.start):
        beside = [other for other in kept if abs(other.middle - bar.middle) < 0.3 * (bar.high - bar.low)]
        if bar not in kept and any(-2 <= bar.start - other.end <= max(4.0, 0.3 * (bar.high - bar.low)) for other in beside):
            kept.append(bar)
    return kept if len(kept) >= 2 else bars


def _low(bars: Sequence[Bar], slivers: Sequence[Bar]) -> list[Bar]:
    """Slivers of the bars' colour and thickness that begin where they begin, beside them."""
    thick, base = median(bar.high - bar.low for bar in bars), median(bar.start for bar in bars)
    fitting = [
        bar for bar in slivers if abs(bar.high - bar.low - thick) <= max(2.0, 0.1 * thick) and abs(bar.start - base) <= 2
    ]
    colours = {bar.colour for bar in bars}
    return [
        bar
        for bar in fitting
        if bar.colour in colours and all(bar.high <= each.low + 1 or each.high <= bar.low + 1 for each in bars)
    ]


def _rows(bars: Sequence[Bar]) -> list[list[Bar]]:
    rows: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda bar: bar.middle):
        if rows and bar.middle - rows[-1][0].middle < 0.5 * (bar.high - bar.low):
            rows[-1].append(bar)
        else:
            rows.append([bar])
    return [sorted(row, key=lambda bar: bar.start) for row in rows]


def _stacked(rows: Sequence[Sequence[Bar]]) -> bool:
    """Whether bars continue each other in most of the rows that hold several."""
    several = [row for row in rows if len(row) > 1]
    touching = [row for row in several if all(b.start - a.end <= max(4.0, 0.3 * (a.high - a.low)) for a, b in pairwise(row))]
    return bool(several) and 2 * len(touching) >= len(several) and 3 * len(several) >= len(rows)


def _touching(rows: Sequence[Sequence[Bar]]) -> bool:
    """Whether neighbouring rows leave no real gap between them, as in a histogram."""
    gaps = [b[0].low - a[0].high for a, b in pairwise(rows)]
    thick = median(row[0].high - row[0].low for row in rows)
    return len(gaps) >= 3 and median(gaps) <= max(1.5, 0.08 * thick)


def _groups(rows: list[list[Bar]]) -> list[list[list[Bar]]]:
    """Rows of different colours next to each other form a group; one colour, one row each."""
    colours = {bar.colour for row in rows for bar in row}
    again = [colour for colour in colours if sum(row[0].colour == colour for row in rows) > 1]
    if not 2 <= len(colours) < max(3, len(rows)) or 2 * len(again) < len(colours):
        return [[row] for row in rows]
    gaps = [b[0].low - a[0].high for a, b in pairwise(rows)]
    thick = median(row[0].high - row[0].low for row in rows)
    groups = [[rows[0]]]
    for row, gap in zip(rows[1:], gaps, strict=True):
        fresh = row[0].colour not in {other[0].colour for other in groups[-1]}
        if fresh and gap <= 0.35 * thick:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups if max(map(len, groups)) > 1 else [[row] for row in rows]


def print_values(bars: Bars, numbers: Sequence[Label]) -> None:
    """Give each bar the number printed in it, else just beyond its end (or before its start, where bars run that way)."""
    free = list(numbers)
    for place in (_within, _beyond, *((_before,) if bars.stacked or not _based(bars) else ())):
        for bar in bars.all:
            if bar.printed is None and (
                label := next((each for each in free if place(bar, uv(each.box, bars.vertical))), None)
            ):
                bar.printed, bar.value = label, label.number
                free.remove(label)
    got = [bar for bar in bars.all if bar.printed]
    if len(got) < 0.4 * len(bars.all):
        for bar in got:
            bar.printed = bar.value = None


def _based(bars: Bars) -> bool:
    """Whether all bars begin at one place."""
    starts = [bar.start for bar in bars.all]
    return max(starts) - min(starts) <= 4


def _within(bar: Bar, box: Box) -> bool:
    u, v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bar.start <= u <= bar.end and bar.low <= v <= bar.high


def _beyond(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= box[0] - bar.end <= reach


def _before(bar: Bar, box: Box) -> bool:
    reach = max(10.0, 1.2 * min(box[2] - box[0], box[3] - box[1]))
    return bar.low - 2 <= (box[1] + box[3]) / 2 <= bar.high + 2 and -4 <= bar.start - box[2] <= reach


def measure(bars: Bars, axis: Axis | None) -> bool:
    """Values for the bars without a printed one: from the axis, else in proportion to those that have one."""
    missing = [bar for bar in bars.all if bar.value is None]
    sign = -1 if bars.vertical else 1
    axis = axis and _at_zero(axis, sign * bars.base)
    known = [float(bar.value) / (bar.end - bar.start) for bar in bars.all if bar.value is not None and bar.end > bar.start]
    for bar in missing:
        if axis is not None and not axis.log:
            start = axis.value(sign * bar.start)
            value = axis.value(sign * bar.end) - (start if bars.stacked else 0.0)
            if not bars.stacked and abs(start) > abs(value) and start < 0:
                value = start
            bar.value = rounded(value, abs(axis.slope))
        elif axis is not None:
            bar.value = rounded(axis.value(sign * bar.end), abs(axis.value(sign * bar.end)) / 200)
        elif len(known) >= 3:
            bar.value = rounded(median(known) * (bar.end - bar.start), median(known))
    return axis is not None or not missing


def _at_zero(axis: Axis, base: float) -> Axis:
    """Bars stand on zero: where the axis nearly says so, it is moved to say so exactly."""
    off = axis.value(base)
    return replace(axis, start=axis.start - off) if not axis.log and abs(off) < 5 * abs(axis.slope) else axis


def rounded(value: float, step: float) -> Decimal:
    """A measured value, to as many digits as ``step`` (the value of one pixel) carries."""
    if step >= 20:
        unit = 10 ** floor(log10(step))
        return Decimal(round(value / unit) * unit)
    digits = 0
    while digits < 9 and step < 0.2 * 10.0**-digits:
        digits += 1
    return Decimal(f"{value:.{digits}f}") + 0


def categories(bars: Bars, phrases: Sequence[Label], words: Sequence[Label]) -> list[Label | None]:
    """The label of each group: before the bars' base, in line with the group; else printed in or just above the bar."""
    centres = [_centre(group) for group in bars.groups]
    pitch = min((b - a for a, b in pairwise(centres)), default=1e9)
    base = min(bar.start for bar in bars.all)
    before = [label for label in _pieces(phrases, words, bars, pitch) if uv(label.box, bars.vertical)[2] <= base + 4]
    if bars.vertical:
        before = _label_rows(before, bars.box())
    found = [_gathered([label for label in before if _nearest(label, centres, bars) == n], bars) for n in range(len(centres))]
    if sum(label is not None for label in found) * 2 >= len(found):
        return found
    inside = [_own(group, phrases, bars) for group in bars.groups]
    return inside if sum(label is not None for label in inside) > sum(label is not None for label in found) else found


def own_labels(bars: Bars, phrases: Sequence[Label]) -> list[Label] | None:
    """A label above each single bar of horizontal rows, in the order of ``bars.all``; None unless nearly all have their own."""
    if bars.vertical:
        return None
    texts = [label for label in phrases if label.number is None and not label.turned]
    found: list[Label] = []
    for bar in bars.all:
        thick = bar.high - bar.low
        over = [label for label in texts if -0.2 * thick < bar.low - label.box[3] + 2 < 0.8 * thick]
        over = [label for label in over if bar.start - thick < label.x < bar.end + thick and label not in found]
        if not over:
            return None
        found.append(min(over, key=lambda label: abs(label.x - (bar.start + bar.end) / 2)))
    return found


def ungroup(bars: Bars, phrases: Sequence[Label]) -> None:
    """Take groups apart where single rows have labels of their own."""
    if bars.vertical or len(bars.groups) == len(bars.rows):
        return
    left = [label for label in phrases if label.box[2] <= bars.base + 4 and not label.turned]
    thick = median(row[0].high - row[0].low for row in bars.rows)
    own = sum(any(abs(label.y - row[0].middle) < 0.35 * thick for label in left) for row in bars.rows)
    if own > len(bars.groups):
        bars.groups = [[row] for row in bars.rows]


def _centre(group: Sequence[Sequence[Bar]]) -> float:
    return (group[0][0].low + group[-1][0].high) / 2


def _pieces(phrases: Sequence[Label], words: Sequence[Label], bars: Bars, pitch: float) -> list[Label]:
    """Phrases, and the single words of those that are wider than one group of upright bars."""
    if not bars.vertical:
        return [label for label in phrases if not label.turned]
    wide = [label for label in phrases if label.width > 1.4 * pitch and not label.turned]
    narrow = [label for label in phrases if label not in wide]
    singles = [word for label in wide for word in words if set(word.words) <= set(label.words)]
    return narrow + [piece for word in singles for piece in _unglued(word, pitch)]


def _unglued(word: Label, pitch: float) -> list[Label]:
    """A word wider than a bar that is several capitalised words without blanks ("MarApr"), as these words."""
    parts = re.findall(r"[A-ZÀ-Þ][^A-ZÀ-Þ]+", word.text)
    if len(parts) < 2 or "".join(parts) != word.text or word.width < 0.55 * pitch * len(parts):
        return [word]
    x0, y0, x1, y1 = word.box
    edges = [sum(map(len, parts[:n])) / len(word.text) for n in range(len(parts) + 1)]
    boxes = [(x0 + a * (x1 - x0), y0, x0 + b * (x1 - x0), y1) for a, b in pairwise(edges)]
    return [Label(part, box, word.words, None) for part, box in zip(parts, boxes, strict=True)]


def _nearest(label: Label, centres: Sequence[float], bars: Bars) -> int | None:
    _, v0, _, v1 = uv(label.box, bars.vertical)
    middle = (v0 + v1) / 2
    number = min(range(len(centres)), key=lambda n: abs(centres[n] - middle))
    around = sorted(abs(centre - centres[number]) for centre in centres)[1:2]
    reach = 0.5 * around[0] if around else 1e9
    return number if abs(centres[number] - middle) <= reach else None


def _label_rows(labels: Sequence[Label], plot: Box) -> list[Label]:
    """The rows of labels next below the bars; a lone text under the middle is the title of the axis."""
    middle, width = (plot[0] + plot[2]) / 2, plot[2] - plot[0]
    kept: list[Label] = []
    for row in _in_rows(labels):
        height = max(label.height for label in row)
        if kept and min(label.box[1] for label in row) - max(label.box[3] for label in kept) > 0.5 * height:
            break
        whole = (min(label.box[0] for label in row) + max(label.box[2] for label in row)) / 2
        spread = max(label.box[2] for label in row) - min(label.box[0] for label in row)
        if kept and abs(whole - middle) < 0.1 * width and spread < 0.6 * width:
            break
        kept += row
    return kept


def _in_rows(labels: Sequence[Label]) -> list[list[Label]]:
    rows: list[list[Label]] = []
    for label in sorted(labels, key=lambda label: label.y):
        if rows and (label.turned or abs(label.y - rows[-1][0].y) < 0.6 * label.height):
            rows[-1].append(label)
        else:
            rows.append([label])
    return rows


def _gathered(labels: Sequence[Label], bars: Bars) -> Label | None:
    """The labels of one category as one; of those left of a bar, the tick that OCR may read as a dash is taken off."""
    if not labels:
        return None
    label = join(labels)
    return label if bars.vertical else replace(label, text=label.text.rstrip(" -–—_|") or label.text)


def _own(group: Sequence[Sequence[Bar]], phrases: Sequence[Label], bars: Bars) -> Label | None:
    """A text within the group's first bar, or between it and the one before."""
    bar = group[0][0]
    thick = bar.high - bar.low
    texts = [label for label in phrases if label.number is None and not bars.vertical and not label.turned]
    near = [label for label in texts if bar.start - 3 <= label.box[0] < bar.start + 2 * thick]
    inside = [label for label in near if bar.low <= label.y <= bar.high]
    above = [label for label in near if bar.low - 1.1 * thick <= label.y < bar.low]
    return next(iter(inside or above), None)


def series_names(bars: Bars, names: Names, phrases: Sequence[Label]) -> dict[tuple[int, int], str]:
    """Series by (colour, place in its row): the legend's, else the headings over the first row of stacked bars."""
    found = {(bar.colour, n): names[bar.colour].text for row in bars.rows for n, bar in enumerate(row) if bar.colour in names}
    if found or not bars.stacked or bars.vertical:
        return found
    row = max(bars.rows[:3], key=len)
    headings = _headings(phrases, bars.rows[0][0].low, row[0].start - 3 * (row[0].high - row[0].low), row[-1].end)
    if len(headings) < len(row) or len(row) < 2:
        return {}
    if len(headings) == len(row):
        return _by_colour(bars, {(bar.colour, n): headings[n].text for n, bar in enumerate(row)})
    nearest = [min(headings, key=lambda label: abs((bar.start + bar.end) / 2 - label.x)) for bar in row]
    if len(set(nearest)) < len(row):
        return {}
    return _by_colour(bars, {(bar.colour, n): nearest[n].text for n, bar in enumerate(row)})


def _by_colour(bars: Bars, named: dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """The names for every place at which their colour stands, where each has its own colour."""
    by_colour = {colour: name for (colour, _), name in named.items()}
    if len(by_colour) < len(named):
        return named
    return {(bar.colour, n): by_colour[bar.colour] for row in bars.rows for n, bar in enumerate(row) if bar.colour in by_colour}


def _headings(phrases: Sequence[Label], top: float, left: float, right: float) -> list[Label]:
    """Texts right above the bars, lines of one heading joined, from left to right."""
    lines: list[list[Label]] = []
    above = [
        label
        for label in phrases
        if label.number is None and label.box[3] < top + 4 and left < label.x and label.box[0] < right
    ]
    for row in reversed(_in_rows(above)):
        edge = min(label.box[1] for label in lines[-1]) if lines else top
        height = max(label.height for label in row)
        if edge - max(label.box[3] for label in row) > (0.5 if lines else 1.6) * height:
            break
        if max(label.width for label in row) > 0.5 * (right - left) or (lines and len(row) < min(2, len(lines[0]))):
            break
        lines.append(row)
    columns: list[list[Label]] = []
    for label in sorted((label for row in lines for label in row), key=lambda label: label.x):
        if columns and any(label.box[0] < other.box[2] and other.box[0] < label.box[2] for other in columns[-1]):
            columns[-1].append(label)
        else:
            columns.append([label])
    return [join(column) for column in columns]
