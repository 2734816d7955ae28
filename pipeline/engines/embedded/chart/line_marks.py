"""Lines: thin strokes of one colour across the plot, read at their markers or at the labels of the horizontal axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bar_values import inexact, rounded
from pipeline.engines.embedded.chart.chart_labels import Label, letter_height
from pipeline.engines.embedded.chart.colour_regions import PAPER, Painting, filled_rings, paler, text_colour
from pipeline.engines.embedded.chart.legend import Names
from pipeline.engines.embedded.chart.summary import Row
from pipeline.records import Box

EVEN = 0.12
"""Labels are at even steps where none is off by more than this part of a step."""
WIDE = 0.22
"""A line runs over at least this part of the picture's width …"""
OFF = 1.0
"""Pixels by which a line may be off."""
CAP = 1.0
"""Pixels by which a stroke goes beyond its ends."""
SURE = 0.15
"""A whole number between two ticks is certain where one pixel is less than this."""
THICK = 16
"""An area is higher than this; a stroke is not."""
DASH = 21
"""Gaps narrower than so many pixels are those between dashes."""
MARKS = 8
"""A dashed line has at least so many dashes."""
COVERED = 0.7
"""… and is seen in at least this part of the columns it runs over."""


@dataclass(frozen=True, slots=True)
class Line:
    """One stroke: its colour, and the y of its centre for each x it covers (NaN where it is hidden)."""

    colour: int
    left: int
    heights: NDArray[np.float64]
    markers: tuple[float, ...]
    """The x of its markers, where it has any."""
    floors: NDArray[np.float64] | None = None
    """For an area, the y of its lower edge."""

    @property
    def right(self) -> int:
        """The last x."""
        return self.left + len(self.heights) - 1

    def floor(self, x: float) -> float | None:
        """The y of an area's lower edge at an x."""
        if self.floors is None:
            return None
        return float(np.nanmedian(self.floors[max(0, min(round(x), self.right) - self.left)]))

    def at(self, x: float, reach: int = 4) -> float | None:
        """The y at an x: where the strokes on both sides of it meet, else from the columns within ``reach``."""
        if not self.markers and self.floors is None and (kink := self._kink(x)) is not None:
            return kink
        centre = math.floor(x) - self.left
        for wide in (1, reach):
            window = self.heights[max(0, centre - wide) : max(0, centre + wide + 1)]
            if len(window) and not np.isnan(window).all():
                return float(np.nanmedian(window))
        return None

    def _kink(self, x: float) -> float | None:
        """The y at which the strokes left and right of an x meet, where they do: at a peak the stroke itself is blunt."""
        meets = [y for near, far in ((-3, -12), (3, 12)) if (y := self._extended(x, near, far)) is not None]
        if not meets or (len(meets) == 2 and abs(meets[0] - meets[1]) > 4):
            return None
        return sum(meets) / len(meets)

    def _extended(self, x: float, near: int, far: int) -> float | None:
        """A straight stroke from ``near`` to ``far`` columns beside an x, extended to it."""
        low, high = sorted((math.floor(x) + near - self.left, math.floor(x) + far - self.left))
        window = self.heights[max(0, low) : max(0, high + 1)]
        if len(window) < abs(far - near) + 1 or np.isnan(window).any():
            return None
        places = np.arange(low, high + 1) + self.left + 0.5 - x
        slope, start = np.polyfit(places, window, 1)
        return float(start) if np.abs(window - slope * places - start).max() <= 1.0 else None


def find_lines(painting: Painting, words: Sequence[Label], swatches: Sequence[Box]) -> list[Line]:
    """The strokes of a picture, one a colour."""
    found: list[Line] = []
    for colour in range(len(painting.colours)):
        mask = _clear_of_rims(colour, painting)
        for box in [*swatches, *(word.box for word in words if text_colour(painting, word) == colour)]:
            x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
            mask[y0 : y1 + 1, x0 : x1 + 1] = 0
        coloured = bool(np.ptp(painting.colours[colour]) > 30)
        bare = np.where(painting.index == colour, mask, 0).astype(np.uint8)
        dashed = coloured and _dashed(bare)
        line = _line(colour, mask if coloured and not dashed else bare, coloured, dashed)
        if line and not any(_same(line, other) for other in found):
            found.append(line)
    return found


def _clear_of_rims(colour: int, painting: Painting) -> NDArray[np.uint8]:
    """The mask of a colour without the rims of stronger strokes, whose blends with the paper look like a paler colour."""
    stronger = [other for other in range(len(painting.colours)) if paler(painting, colour, other)]
    strokes = np.isin(painting.raw, stronger).astype(np.uint8)
    near = cv2.dilate(strokes, np.ones((3, 3), np.uint8))
    return np.asarray((painting.raw == colour) & (near == 0), np.uint8)


def begins(lines: Sequence[Line], axis: Axis) -> bool:
    """Whether the numbers of an axis are the values of the lines, printed where each begins."""
    starts = [(line.left, float(line.heights[~np.isnan(line.heights)][0])) for line in lines]
    beside = [
        any(abs(tick.y - y) < 0.8 * tick.height and -4 < x - tick.box[2] < 2.5 * tick.height for x, y in starts)
        for tick in axis.ticks
    ]
    return len(axis.ticks) <= len(lines) and all(beside)


def on_edge(line: Line, area: Line) -> bool:
    """Whether a line runs along the upper edge of an area that is more than the line itself."""
    return area.floors is not None and float(np.median(area.floors - area.heights)) > THICK and _near(line, area, 5.0)


def _same(line: Line, other: Line) -> bool:
    """Whether one is but the edge of the other, in a shade of its colour."""
    return _near(line, other, 2.5)


def _near(line: Line, other: Line, reach: float) -> bool:
    """Whether lines are within ``reach`` pixels of each other nearly everywhere."""
    left, right = max(line.left, other.left), min(line.right, other.right) + 1
    if right - left < 0.5 * len(line.heights):
        return False
    apart = np.abs(line.heights[left - line.left : right - line.left] - other.heights[left - other.left : right - other.left])
    apart = apart[~np.isnan(apart)]
    return len(apart) > 0.5 * (right - left) and float((apart <= reach).mean()) > 0.9


def _line(colour: int, mask: NDArray[np.uint8], coloured: bool, dashed: bool = False) -> Line | None:
    """The mask as a line, when it is one: thin, wide, and not the straight rule of an axis or grid."""
    mask = _largest(mask, dashed)
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns) or columns[-1] - columns[0] < WIDE * mask.shape[1]:
        return None
    left, right = int(columns[0]), int(columns[-1])
    part = mask[:, left : right + 1]
    counts = part.sum(axis=0)
    seen = counts > 0
    covered = cv2.morphologyEx(seen[None].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, DASH), np.uint8)) if dashed else seen
    top, bottom = part.argmax(axis=0), len(part) - 1 - part[::-1].argmax(axis=0)
    spread = (bottom - top)[seen]
    thin = max(7.0, 0.03 * len(part))
    if covered.mean() < COVERED or np.median(counts[seen]) > thin or (spread > 0.35 * len(part)).mean() > 0.3:
        return None
    if np.median(spread) > max(3 * thin, 0.1 * len(part)):
        return None
    heights = np.where(seen, (part * np.arange(len(part))[:, None]).sum(axis=0) / np.maximum(counts, 1) + 0.5, np.nan)
    straight = (np.abs(heights - np.nanmedian(heights))[seen] <= 1.5).mean()
    if np.nanmax(heights) - np.nanmin(heights) < (2 if coloured else 6) or (not coloured and straight > 0.6):
        return None
    if dashed:
        known = np.flatnonzero(seen)
        return Line(colour, left, np.interp(np.arange(len(heights)), known, heights[known]), ())
    return Line(colour, left, heights, _markers(part, left))


def find_areas(painting: Painting) -> list[Line]:
    """Filled areas under lines, one a colour: wide, whole from edge to edge, and no rectangles."""
    found = []
    for colour in range(len(painting.colours)):
        mask = (painting.index == colour).astype(np.uint8)
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        if count < 2:
            continue
        widest = max(range(1, count), key=lambda piece: int(stats[piece][4]))
        x, y, w, h, area = (int(value) for value in stats[widest])
        if w < WIDE * mask.shape[1] or h < 8 or area > 0.97 * w * h:
            continue
        part = pieces[y : y + h, x : x + w] == widest
        top, bottom = part.argmax(axis=0), h - 1 - part[::-1].argmax(axis=0)
        whole = part.sum(axis=0) >= 0.85 * (bottom - top + 1)
        jumps = np.abs(np.diff(top)) > max(4, 0.12 * h)
        if (
            whole.mean() > 0.9
            and np.median(bottom - top) > 4
            and jumps.sum() <= 1
            and len(np.unique(top)) > 5
            and (top <= 2).mean() < 0.6
        ):
            found.append(Line(colour, x, (y + top).astype(float), (), (y + bottom + 1).astype(float)))
    return found


def _dashed(mask: NDArray[np.uint8]) -> bool:
    """Whether a mask is made of many short pieces, most of them alone in their columns."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if not MARKS <= count - 1 <= 400:
        return False
    columns = mask.any(axis=0)
    spread = len(mask) - 1 - mask[::-1].argmax(axis=0) - mask.argmax(axis=0)
    short = np.median(stats[1:, 2]) < 0.06 * mask.shape[1]
    return bool(short and columns.mean() > 0.4 * WIDE and np.median(spread[columns]) < 0.03 * len(mask) + 4)


def _largest(mask: NDArray[np.uint8], dashed: bool = False) -> NDArray[np.uint8]:
    """The pieces that belong to the widest one: those that continue it, gaps of a few pixels bridged, wider ones between dashes."""
    near = cv2.dilate(mask, np.ones((15, 19) if dashed else (5, 9), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    if count < 2:
        return mask
    widest = max(range(1, count), key=lambda piece: stats[piece][2])
    low, high = stats[widest][0], stats[widest][0] + stats[widest][2]
    keep = [
        piece
        for piece in range(1, count)
        if piece == widest
        or (
            stats[piece][2] > 0.15 * mask.shape[1]
            and (stats[piece][0] >= high - 4 or stats[piece][0] + stats[piece][2] <= low + 4)
        )
    ]
    return np.where(np.isin(pieces, keep), mask, 0).astype(np.uint8)


def _markers(part: NDArray[np.uint8], left: int) -> tuple[float, ...]:
    """Centres of the dots on a line, rings filled; none when the line has no thicker spots."""
    filled = filled_rings(part)
    counts = filled.sum(axis=0)
    stroke = float(np.percentile(counts[counts > 0], 15))
    size = int(max(4, round(1.6 * stroke + 1)))
    dots = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    count, _, stats, centres = cv2.connectedComponentsWithStats(dots, connectivity=8)
    found = [
        (float(centres[n][0]), int(stats[n][2]), int(stats[n][3]))
        for n in range(1, count)
        if 0.6 < stats[n][2] / stats[n][3] < 1.7
    ]
    return tuple(sorted(left + x + 0.5 for x, _, _ in found)) if 2 <= len(found) <= 120 else ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What lines are read against: the axes, and the labels along the bottom."""

    x_axis: Axis | None
    y_axis: Axis | None
    labels: Sequence[Label]
    places: tuple[float, ...] = ()
    """The x at which values stand: of the ticks, or of the labels."""


def read_lines(lines: Sequence[Line], ground: Ground, names: Names, numbers: Sequence[Label], painting: Painting) -> list[Row]:
    """Rows of all lines; printed numbers go to the nearest point of a line, of their own colour where they are coloured."""
    ground = replace(ground, places=_stations(lines, ground))
    markers = _settled(_common_markers(lines), ground.places)
    points = [(line, x, y) for line in lines for x in _places(line, ground, markers) if (y := line.at(x)) is not None]
    printed = _printed(points, numbers, painting)
    if implied := ground.y_axis is None:
        ground = replace(ground, y_axis=_implied([(points[number][2], label) for number, label in printed.items()]))
    rows = []
    for number, (line, x, y) in enumerate(points):
        label = printed.get(number)
        if label and ground.y_axis and line.floors is None and _contradicted(label, y, ground.y_axis):
            label = None
        value, error = label.number if label else None, 0.0
        if value is None and ground.y_axis is not None:
            measured = ground.y_axis.value(y)
            if (floor := line.floor(x)) is not None:
                baseline = max([ground.y_axis.span[1], *(each.floor(x) or floor for each in lines)])
                measured += ground.y_axis.value(baseline) - ground.y_axis.value(floor)
            if not implied and not _within(y, ground.y_axis):
                continue
            step = abs(ground.y_axis.slope)
            error = OFF * step if not ground.y_axis.log else abs(measured) * (10 ** (OFF * step) - 1)
            value = rounded(measured, error / 2)
        if ground.x_axis and not _within(x, ground.x_axis):
            continue
        category, words = _category(x, ground)
        sure = bool(words) or ground.x_axis is None or abs(ground.x_axis.slope) < SURE
        name = names.get(line.colour)
        if value is not None and (category or name):
            used = (*words, *(label.words if label else ()), *(name.words if name else ()))
            rows.append(Row(category, name.text if name else None, value, used, label is not None, inexact(error), sure))
    return rows


def _contradicted(label: Label, y: float, axis: Axis) -> bool:
    """Whether a well calibrated axis says that a number cannot be the value at a place: it belongs to something else."""
    if axis.log or len(axis.ticks) < 4 or label.number is None:
        return False
    low, high = sorted(axis.value(place) for place in axis.span)
    return abs(float(label.number) - axis.value(y)) > 0.05 * (high - low)


def _implied(printed: Sequence[tuple[float, Label]]) -> Axis | None:
    """An upright axis by the values printed at points, where all of them agree."""
    usable = [(y, label) for y, label in printed if label.number is not None]
    pairs = [(p, float(a.number or 0), q, float(b.number or 0)) for (p, a), (q, b) in combinations(usable[:40], 2)]
    slopes = [(b - a) / (q - p) for p, a, q, b in pairs if abs(q - p) > 8]
    if len(usable) < 3 or not slopes or (slope := median(slopes)) >= 0:
        return None
    start = median(float(label.number or 0) - slope * y for y, label in usable)
    off = max(abs((float(label.number or 0) - start) / slope - y) for y, label in usable)
    return Axis(slope, start, False, tuple(label for _, label in usable), False) if off <= 3 else None


def _settled(markers: list[float], places: Sequence[float]) -> list[float]:
    """No markers where they say no more than the labels: most are over labels, and most labels are under one."""
    near = sum(any(abs(x - place) <= 4 for place in places) for x in markers)
    marked = sum(any(abs(x - place) <= 4 for x in markers) for place in places)
    return [] if len(places) >= 3 and near > 0.6 * len(markers) and marked > 0.7 * len(places) else markers


def _within(place: float, axis: Axis) -> bool:
    """Whether a pixel is where an axis may still count: hardly more than a step beyond its first and last number."""
    low, high = axis.span
    reach = 1.1 * (high - low) / (len(axis.ticks) - 1) + 5
    return low - reach <= place <= high + reach


def _common_markers(lines: Sequence[Line]) -> list[float]:
    """The x of the markers of all lines: series are read at the same places, and markers hide each other."""
    found: list[float] = []
    for x in sorted(x for line in lines for x in line.markers):
        if not found or x - found[-1] > 5:
            found.append(x)
    return found


def _stations(lines: Sequence[Line], ground: Ground) -> tuple[float, ...]:
    """Where values stand over the labels: letters are centred only nearly, so even steps are taken where they are nearly even.

    Lines that begin and end at the first and the last label say where these are.
    """
    if ground.x_axis:
        return tuple(ground.x_axis.pixel(value) for value in _steps(ground.x_axis, lines))
    centres = sorted(label.x for label in ground.labels)
    if len(centres) < 3:
        return tuple(centres)
    numbers = np.arange(len(centres))
    pitch, start = np.polyfit(numbers, centres, 1)
    first, last = min(line.left for line in lines) + CAP, max(line.right for line in lines) + 1 - CAP
    if np.abs(numbers * pitch + start - centres).max() > EVEN * pitch:
        return tuple(centres)
    if max(abs(first - start), abs(last - start - pitch * numbers[-1])) < EVEN * pitch:
        start, pitch = first, (last - first) / numbers[-1]
    return tuple(float(place) for place in numbers * pitch + start)


def _steps(axis: Axis, lines: Sequence[Line]) -> list[float]:
    """The values of the ticks, and of those that OCR left out where they are at even steps; as far as the lines go."""
    values = sorted({float(tick.number) for tick in axis.ticks if tick.number is not None})
    step = min(b - a for a, b in pairwise(values))
    counts = [(value - values[0]) / step for value in values]
    if axis.log or max(abs(count - round(count)) for count in counts) > 0.01 or round(counts[-1]) > 1.5 * len(values):
        return values
    ends = sorted(axis.value(x) for x in (min(line.left for line in lines), max(line.right for line in lines)))
    first = -int((values[0] - ends[0]) / step + 0.1) if ends[0] < values[0] else 0
    last = int((ends[1] - values[0]) / step + 0.1)
    return [
        values[0] + number * step
        for number in range(max(first, -1), max(round(counts[-1]), min(last, round(counts[-1]) + 1)) + 1)
    ]


def _places(line: Line, ground: Ground, markers: Sequence[float]) -> list[float]:
    """Where a line is read: at its markers, else at the labels below it."""
    own = [x for x in markers if line.left - 3 <= x <= line.right + 3]
    if len(own) >= 2 and (ground.x_axis or all(_below(x, ground.labels) for x in own)):
        return own
    return sorted(min(max(x, line.left), line.right) for x in ground.places if line.left - 12 <= x <= line.right + 12)


def _below(x: float, labels: Sequence[Label]) -> Label | None:
    """The label below an x: the nearest, if it is not much nearer to another label than to it."""
    nearest = min(labels, key=lambda label: abs(label.x - x), default=None)
    return nearest if nearest and abs(nearest.x - x) <= max(0.6 * nearest.width, 8.0) else None


def _category(x: float, ground: Ground) -> tuple[str | None, tuple[int, ...]]:
    if ground.x_axis is None:
        label = _below(x, ground.labels)
        return (label.text, label.words) if label else (None, ())
    tick = min(ground.x_axis.ticks, key=lambda tick: abs(tick.x - x))
    pitch = abs(ground.x_axis.slope)
    if abs(tick.x - x) <= 3:
        return tick.text, tick.words
    whole = all(tick.number is not None and tick.number == int(tick.number) for tick in ground.x_axis.ticks)
    value = ground.x_axis.value(x)
    return (str(round(value)) if whole and pitch < 0.35 else str(rounded(value, pitch))), ()


def _printed(points: Sequence[tuple[Line, float, float]], numbers: Sequence[Label], painting: Painting) -> dict[int, Label]:
    """Numbers by the point they stand next to, nearest pairs first."""
    height = letter_height(numbers)
    pairs = []
    for label in numbers:
        colour = text_colour(painting, label)
        for number, (line, x, y) in enumerate(points):
            across, down = max(0.0, abs(label.x - x) - label.width / 2), max(0.0, abs(label.y - y) - label.height / 2)
            end = x <= line.left + height or x >= line.right - height
            if across < (1.2 if end else 0.6) * height and down < 1.6 * height:
                other = 0.0 if colour in (PAPER, line.colour) else 1.5 * height
                pairs.append((abs(label.x - x) + abs(label.y - y) + other, number, label))
    found: dict[int, Label] = {}
    for _, number, label in sorted(pairs, key=lambda pair: pair[0]):
        if number not in found and label not in found.values():
            found[number] = label
    return found
