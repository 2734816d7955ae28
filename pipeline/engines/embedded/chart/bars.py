"""Finds bars: rows or columns of rectangles with categories on one side, values at their ends, and one colour for each series.

All positions are in two directions: ``u``, in which values grow (right, or up), and ``v``, along which the bars are lined up (down, or
right).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import ColourRegions, Rect, blended_edges
from pipeline.records import Box


@dataclass(slots=True)
class Bar:
    """One rectangle: from ``start`` to ``end`` in the direction of values, at ``low`` to ``high`` across it."""

    start: float
    end: float
    low: float
    high: float
    colour: int
    value_label: ChartLabel | None = None
    value: Decimal | None = None
    error: Decimal = Decimal(0)
    """Largest error of a measured value."""

    @property
    def length(self) -> float:
        """From start to end in pixels."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Centre across the direction of values."""
        return (self.low + self.high) / 2


@dataclass(slots=True)
class Bars:
    """All bars of a chart. A row has the same ``v``; a group of rows belongs to one category."""

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
    def starts(self) -> list[float]:
        """Start of every bar, in the direction of values."""
        return [bar.start for bar in self.all]

    @property
    def base(self) -> float:
        """Usual start of the bars, in the direction of values."""
        return median(row[0].start for row in self.rows)

    def box(self) -> Box:
        """The box around all bars, in pixels."""
        bars = self.all
        start, end = min(bar.start for bar in bars), max(bar.end for bar in bars)
        low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
        return (low, -end, high, -start) if self.vertical else (start, low, end, high)


def uv_box(box: Box, vertical: bool) -> Box:
    """Return a box in pixels as (u0, v0, u1, v1)."""
    x0, y0, x1, y1 = box
    return (-y1, x0, -y0, x1) if vertical else box


def find_bars(rects: Sequence[Rect], thin_rects: Sequence[Rect] = ()) -> Bars | None:
    """Return the bars among the rectangles of a picture; None when there are fewer than two.

    ``thin_rects`` are as thin as lines. Those that are lined up with the bars are very low bars.
    """
    best: tuple[float, list[Bar], bool] | None = None
    for vertical in (True, False):
        bars = [_bar(rect, vertical) for rect in rects]
        thickness = _usual_size([bar.high - bar.low for bar in bars])
        similar = [bar for bar in bars if abs(bar.high - bar.low - thickness) <= max(2.0, 0.15 * thickness)]
        lengths = {round(bar.end - bar.start) for bar in similar}
        score = len(similar) + 0.5 * _count_aligned(similar) + 0.1 * min(len(lengths), 5)
        if len(similar) >= 2 and (best is None or score > best[0]):
            best = score, similar, vertical
    if best is None:
        return None
    bars = _without_strays(best[1])
    rows = _group_into_rows(bars + _low_bars(bars, [_bar(rect, best[2]) for rect in thin_rects]))
    chart = Bars(best[2], rows)
    chart.stacked = _are_stacked(rows)
    chart.groups = [[row] for row in rows] if chart.stacked else _group_rows(rows)
    chart.touching = _are_touching(rows)
    return chart


def refine_ends(bars: Bars, regions: ColourRegions) -> None:
    """Move the ends of all bars to the positions that the blended pixels at their edges show."""
    for bar in bars.all:
        box = (bar.low, -bar.end, bar.high, -bar.start) if bars.vertical else (bar.start, bar.low, bar.end, bar.high)
        first, last = blended_edges(regions, box, bars.vertical)
        bar.start, bar.end = (-last, -first) if bars.vertical else (first, last)


def _bar(rect: Rect, vertical: bool) -> Bar:
    u0, v0, u1, v1 = uv_box(rect.box, vertical)
    return Bar(u0, u1, v0, v1, rect.colour)


def _usual_size(sizes: Sequence[float]) -> float:
    """Return the size that most others are close to; the larger one of two that are as frequent."""
    near = {size: sum(abs(size - other) <= max(1.5, 0.12 * size) for other in sizes) for size in set(sizes)}
    return max(near, key=lambda size: (near[size], size), default=0.0)


def _count_aligned(bars: Sequence[Bar]) -> int:
    """Return how many bars begin at the most frequent position."""
    starts = [bar.start for bar in bars]
    return max((sum(abs(start - other) <= 2 for other in starts) for start in starts), default=0)


def _without_strays(bars: list[Bar]) -> list[Bar]:
    """Return the bars without strays: when most bars begin at one position, each other bar must continue one of them."""
    base = max((bar.start for bar in bars), key=lambda start: sum(abs(start - bar.start) <= 2 for bar in bars))
    for bar in bars:  # a label that reaches into a bar hides its start
        offset = bar.start - base
        hidden = 2 < offset <= min(10.0, 0.3 * (bar.high - bar.low))
        if hidden and not any(other.start < bar.start and _in_same_row(other, bar) for other in bars):
            bar.start = base
    based = [bar for bar in bars if abs(bar.start - base) <= 2 or abs(bar.end - base) <= 4]
    if len(based) < 0.5 * len(bars) or is_waterfall(bars):
        return bars
    remaining = list(based)
    for bar in sorted(bars, key=lambda bar: bar.start):
        beside = [other for other in remaining if _in_same_row(other, bar)]
        if bar not in remaining and any(
            -2 <= bar.start - other.end <= max(4.0, 0.3 * (bar.high - bar.low)) for other in beside
        ):
            remaining.append(bar)
    return remaining if len(remaining) >= 2 else bars


def _in_same_row(bar: Bar, other: Bar) -> bool:
    """Return whether two bars are in one row."""
    return abs(bar.middle - other.middle) < 0.3 * (other.high - other.low)


def is_waterfall(bars: Sequence[Bar]) -> bool:
    """Return whether bars in rows of their own begin where their neighbours end, most of them at different positions."""
    ordered = sorted(bars, key=lambda bar: bar.middle)
    if len(ordered) < 3 or any(_in_same_row(a, b) for a, b in pairwise(ordered)):
        return False
    joined = [
        min(abs(b.start - a.end), abs(b.end - a.end), abs(b.start - a.start)) if _floats(b, ordered) else 99
        for a, b in pairwise(ordered)
    ]
    return sum(distance <= 3 for distance in joined) > 0.6 * len(joined)


def _floats(bar: Bar, bars: Sequence[Bar]) -> bool:
    """Return whether few other bars begin where a bar begins."""
    return sum(abs(bar.start - other.start) <= 2 for other in bars) <= max(2, 0.34 * len(bars))


def _low_bars(bars: Sequence[Bar], thin_rects: Sequence[Bar]) -> list[Bar]:
    """Return the thin rectangles that have the bars' colour and thickness, begin where they begin, and stand beside them."""
    thickness, base = median(bar.high - bar.low for bar in bars), median(bar.start for bar in bars)
    fitting = [
        bar
        for bar in thin_rects
        if abs(bar.high - bar.low - thickness) <= max(2.0, 0.1 * thickness) and abs(bar.start - base) <= 2
    ]
    colours = {bar.colour for bar in bars}
    return [
        bar
        for bar in fitting
        if bar.colour in colours and all(bar.high <= each.low + 1 or each.high <= bar.low + 1 for each in bars)
    ]


def _group_into_rows(bars: Sequence[Bar]) -> list[list[Bar]]:
    rows: list[list[Bar]] = []
    for bar in sorted(bars, key=lambda bar: bar.middle):
        if rows and bar.middle - rows[-1][0].middle < 0.5 * (bar.high - bar.low):
            rows[-1].append(bar)
        else:
            rows.append([bar])
    return [sorted(row, key=lambda bar: bar.start) for row in rows]


def _are_stacked(rows: Sequence[Sequence[Bar]]) -> bool:
    """Return whether bars continue each other in most of the rows that have several."""
    several = [row for row in rows if len(row) > 1]
    touching = [row for row in several if all(b.start - a.end <= max(4.0, 0.3 * (a.high - a.low)) for a, b in pairwise(row))]
    return bool(several) and 2 * len(touching) >= len(several) and 3 * len(several) >= len(rows)


def _are_touching(rows: Sequence[Sequence[Bar]]) -> bool:
    """Return whether neighbouring rows have almost no gap between them, as in a histogram."""
    gaps = [b[0].low - a[0].high for a, b in pairwise(rows)]
    thickness = median(row[0].high - row[0].low for row in rows)
    return len(gaps) >= 3 and median(gaps) <= max(1.5, 0.08 * thickness)


def _group_rows(rows: list[list[Bar]]) -> list[list[list[Bar]]]:
    """Return the rows in groups: neighbouring rows of different colours. A chart of one colour has groups of one row."""
    colours = {bar.colour for row in rows for bar in row}
    repeated = [colour for colour in colours if sum(row[0].colour == colour for row in rows) > 1]
    if not 2 <= len(colours) < max(3, len(rows)) or 2 * len(repeated) < len(colours):
        return [[row] for row in rows]
    gaps = [b[0].low - a[0].high for a, b in pairwise(rows)]
    thickness = median(row[0].high - row[0].low for row in rows)
    groups = [[rows[0]]]
    for row, gap in zip(rows[1:], gaps, strict=True):
        is_new = row[0].colour not in {other[0].colour for other in groups[-1]}
        if is_new and gap <= 0.35 * thickness:
            groups[-1].append(row)
        else:
            groups.append([row])
    if max(map(len, groups)) < 2 or (_are_even(gaps, thickness) and not _are_alike(groups)):
        return [[row] for row in rows]
    return groups


def _are_even(gaps: Sequence[float], thickness: float) -> bool:
    """Return whether all gaps between rows are the same."""
    return max(gaps) - min(gaps) <= max(3.0, 0.05 * thickness)


def _are_alike(groups: Sequence[Sequence[Sequence[Bar]]]) -> bool:
    """Return whether all groups have the same colours in the same order, and all bars begin at one position."""
    orders = {tuple(row[0].colour for row in group) for group in groups}
    starts = [row[0].start for group in groups for row in group]
    return len(orders) == 1 and max(starts) - min(starts) <= 4
