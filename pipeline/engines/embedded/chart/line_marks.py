"""Reads lines: thin strokes of one colour across the plot, at their markers or at the labels of the horizontal axis."""

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
from pipeline.engines.embedded.chart.bar_values import decimal_error, round_to_step
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, letter_height
from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, ColourRegions, fill_rings, is_paler, text_colour
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.records import Box

EVEN_TOLERANCE = 0.12
"""Most distance of a label from its even step, as a share of the step."""
MIN_WIDTH = 0.22
"""Least width of a line, as a share of the picture's."""
LINE_ERROR = 1.0
"""Largest error of a line's height, in pixels."""
STROKE_OVERHANG = 1.0
"""Pixels by which a stroke is longer than its line, at each end."""
CERTAIN_STEP = 0.15
"""A whole number between two ticks is certain when one pixel is worth less than this."""
MIN_AREA_HEIGHT = 16
"""Least usual height of an area, in pixels. A stroke is lower."""
MAX_DASH_GAP = 21
"""Most pixels between two dashes."""
MIN_DASHES = 8
"""Fewest dashes of a dashed line."""
MIN_COVERAGE = 0.7
"""Least share of a line's columns that have pixels of it."""


@dataclass(frozen=True, slots=True)
class LineMark:
    """One stroke: its colour, and the y of its centre for each x (NaN where it is hidden)."""

    colour: int
    left: int
    heights: NDArray[np.float64]
    markers: tuple[float, ...]
    """The x of its markers."""
    floors: NDArray[np.float64] | None = None
    """For an area, the y of its lower edge."""

    @property
    def right(self) -> int:
        """The last x."""
        return self.left + len(self.heights) - 1

    def floor_at(self, x: float) -> float | None:
        """Return the y of an area's lower edge at an x; None for a line."""
        if self.floors is None:
            return None
        return float(np.nanmedian(self.floors[max(0, min(round(x), self.right) - self.left)]))

    def y_at(self, x: float, reach: int = 4) -> float | None:
        """Return the y at an x: where the strokes on both sides of it meet, else from the columns within ``reach``."""
        if not self.markers and self.floors is None and (kink := self._kink_y(x)) is not None:
            return kink
        centre = math.floor(x) - self.left
        for wide in (1, reach):
            window = self.heights[max(0, centre - wide) : max(0, centre + wide + 1)]
            if len(window) and not np.isnan(window).all():
                return float(np.nanmedian(window))
        return None

    def _kink_y(self, x: float) -> float | None:
        """Return the y at which the strokes left and right of an x meet; None when they do not. The drawn peak itself is blunt."""
        crossings = [y for near, far in ((-3, -12), (3, 12)) if (y := self._extrapolate(x, near, far)) is not None]
        if not crossings or (len(crossings) == 2 and abs(crossings[0] - crossings[1]) > 4):
            return None
        return sum(crossings) / len(crossings)

    def _extrapolate(self, x: float, near: int, far: int) -> float | None:
        """Return the y at an x of the straight stroke from ``near`` to ``far`` columns beside it; None when it is not straight."""
        low, high = sorted((math.floor(x) + near - self.left, math.floor(x) + far - self.left))
        window = self.heights[max(0, low) : max(0, high + 1)]
        if len(window) < abs(far - near) + 1 or np.isnan(window).any():
            return None
        positions = np.arange(low, high + 1) + self.left + 0.5 - x
        slope, start = np.polyfit(positions, window, 1)
        return float(start) if np.abs(window - slope * positions - start).max() <= 1.0 else None


def find_lines(regions: ColourRegions, words: Sequence[ChartLabel], swatches: Sequence[Box]) -> list[LineMark]:
    """Return the lines of a picture, at most one for each colour."""
    lines: list[LineMark] = []
    for colour in range(len(regions.colours)):
        mask = _mask_without_rims(colour, regions)
        for box in [*swatches, *(word.box for word in words if text_colour(regions, word) == colour)]:
            x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
            mask[y0 : y1 + 1, x0 : x1 + 1] = 0
        coloured = bool(np.ptp(regions.colours[colour]) > 30)
        bare = np.where(regions.index == colour, mask, 0).astype(np.uint8)
        dashed = coloured and _is_dashed(bare)
        line = _trace_line(colour, mask if coloured and not dashed else bare, coloured, dashed)
        if line and not any(_is_rim_of(line, other) for other in lines):
            lines.append(line)
    return lines


def _mask_without_rims(colour: int, regions: ColourRegions) -> NDArray[np.uint8]:
    """Return the mask of a colour without the rims of stronger strokes. Their blends with the background look like a paler colour."""
    stronger = [other for other in range(len(regions.colours)) if is_paler(regions, colour, other)]
    strokes = np.isin(regions.raw_index, stronger).astype(np.uint8)
    near = cv2.dilate(strokes, np.ones((3, 3), np.uint8))
    return np.asarray((regions.raw_index == colour) & (near == 0), np.uint8)


def are_start_values(lines: Sequence[LineMark], axis: Axis) -> bool:
    """Return whether the numbers of an axis are the values of the lines, printed at their left ends."""
    starts = [(line.left, float(line.heights[~np.isnan(line.heights)][0])) for line in lines]
    beside = [
        any(abs(tick.y - y) < 0.8 * tick.height and -4 < x - tick.box[2] < 2.5 * tick.height for x, y in starts)
        for tick in axis.ticks
    ]
    return len(axis.ticks) <= len(lines) and all(beside)


def follows_edge(line: LineMark, area: LineMark) -> bool:
    """Return whether a line follows the upper edge of an area that is higher than a stroke."""
    return (
        area.floors is not None
        and float(np.median(area.floors - area.heights)) > MIN_AREA_HEIGHT
        and _are_close(line, area, 5.0)
    )


def _is_rim_of(line: LineMark, other: LineMark) -> bool:
    """Return whether a line is only the rim of another one, in a shade of its colour."""
    return _are_close(line, other, 2.5)


def _are_close(line: LineMark, other: LineMark, reach: float) -> bool:
    """Return whether lines are within ``reach`` pixels of each other nearly everywhere."""
    left, right = max(line.left, other.left), min(line.right, other.right) + 1
    if right - left < 0.5 * len(line.heights):
        return False
    distances = np.abs(
        line.heights[left - line.left : right - line.left] - other.heights[left - other.left : right - other.left]
    )
    distances = distances[~np.isnan(distances)]
    return len(distances) > 0.5 * (right - left) and float((distances <= reach).mean()) > 0.9


def _trace_line(colour: int, mask: NDArray[np.uint8], coloured: bool, dashed: bool = False) -> LineMark | None:
    """Return the line in a mask: thin, wide, and not the straight rule of an axis or grid; None without one."""
    mask = _main_pieces(mask, dashed)
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns) or columns[-1] - columns[0] < MIN_WIDTH * mask.shape[1]:
        return None
    left, right = int(columns[0]), int(columns[-1])
    part = mask[:, left : right + 1]
    counts = part.sum(axis=0)
    filled_columns = counts > 0
    bridged = filled_columns
    if dashed:
        bridged = cv2.morphologyEx(filled_columns[None].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, MAX_DASH_GAP), np.uint8))
    top, bottom = part.argmax(axis=0), len(part) - 1 - part[::-1].argmax(axis=0)
    spread = (bottom - top)[filled_columns]
    thin = max(7.0, 0.03 * len(part))
    if bridged.mean() < MIN_COVERAGE or np.median(counts[filled_columns]) > thin or (spread > 0.35 * len(part)).mean() > 0.3:
        return None
    if np.median(spread) > max(3 * thin, 0.1 * len(part)):
        return None
    heights = np.where(filled_columns, (part * np.arange(len(part))[:, None]).sum(axis=0) / np.maximum(counts, 1) + 0.5, np.nan)
    straight = (np.abs(heights - np.nanmedian(heights))[filled_columns] <= 1.5).mean()
    if np.nanmax(heights) - np.nanmin(heights) < (2 if coloured else 6) or (not coloured and straight > 0.6):
        return None
    if dashed:
        known = np.flatnonzero(filled_columns)
        return LineMark(colour, left, np.interp(np.arange(len(heights)), known, heights[known]), ())
    return LineMark(colour, left, heights, _find_markers(part, left))


def find_areas(regions: ColourRegions) -> list[LineMark]:
    """Return filled areas under lines, at most one for each colour: wide, solid, and no rectangles."""
    areas = []
    for colour in range(len(regions.colours)):
        mask = (regions.index == colour).astype(np.uint8)
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        if count < 2:
            continue
        widest = max(range(1, count), key=lambda piece: int(stats[piece][4]))
        x, y, w, h, area = (int(value) for value in stats[widest])
        if w < MIN_WIDTH * mask.shape[1] or h < 8 or area > 0.97 * w * h:
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
            areas.append(LineMark(colour, x, (y + top).astype(float), (), (y + bottom + 1).astype(float)))
    return areas


def _is_dashed(mask: NDArray[np.uint8]) -> bool:
    """Return whether a mask has many short pieces, and few columns have more than one of them."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if not MIN_DASHES <= count - 1 <= 400:
        return False
    columns = mask.any(axis=0)
    spread = len(mask) - 1 - mask[::-1].argmax(axis=0) - mask.argmax(axis=0)
    short = np.median(stats[1:, 2]) < 0.06 * mask.shape[1]
    return bool(short and columns.mean() > 0.4 * MIN_WIDTH and np.median(spread[columns]) < 0.03 * len(mask) + 4)


def _main_pieces(mask: NDArray[np.uint8], dashed: bool = False) -> NDArray[np.uint8]:
    """Return the widest piece of a mask and those that continue it. Gaps of a few pixels are bridged, wider ones between dashes."""
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


def _find_markers(part: NDArray[np.uint8], left: int) -> tuple[float, ...]:
    """Return the x of the dots and rings on a line; none when the line has no thicker spots."""
    filled = fill_rings(part)
    counts = filled.sum(axis=0)
    stroke = float(np.percentile(counts[counts > 0], 15))
    size = int(max(4, round(1.6 * stroke + 1)))
    dots = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    count, _, stats, centres = cv2.connectedComponentsWithStats(dots, connectivity=8)
    xs = [float(centres[n][0]) for n in range(1, count) if 0.6 < stats[n][2] / stats[n][3] < 1.7]
    return tuple(sorted(left + x + 0.5 for x in xs)) if 2 <= len(xs) <= 120 else ()


@dataclass(frozen=True, slots=True)
class LineScales:
    """The scales that lines are read with: the axes, and the labels along the bottom."""

    x_axis: Axis | None
    y_axis: Axis | None
    labels: Sequence[ChartLabel]
    positions: tuple[float, ...] = ()
    """The x of the ticks, or of the labels."""


def read_lines(
    lines: Sequence[LineMark],
    scales: LineScales,
    series_labels: SeriesLabels,
    numbers: Sequence[ChartLabel],
    regions: ColourRegions,
) -> list[DataRow]:
    """Return the rows of all lines. A printed number belongs to the nearest point of a line, of its own colour if it is coloured."""
    scales = replace(scales, positions=_value_positions(lines, scales))
    markers = _without_redundant_markers(_common_markers(lines), scales.positions)
    points = [
        (line, x, y) for line in lines for x in _sample_positions(line, scales, markers) if (y := line.y_at(x)) is not None
    ]
    printed = _match_printed_numbers(points, numbers, regions)
    if implied := scales.y_axis is None:
        scales = replace(scales, y_axis=_implied_axis([(points[number][2], label) for number, label in printed.items()]))
    rows = []
    for number, (line, x, y) in enumerate(points):
        label = printed.get(number)
        if label and scales.y_axis and line.floors is None and _contradicts_axis(label, y, scales.y_axis):
            label = None
        value, error = label.number if label else None, 0.0
        if value is None and scales.y_axis is not None:
            measured = scales.y_axis.value(y)
            if (bottom := line.floor_at(x)) is not None:
                baseline = max([scales.y_axis.span[1], *(each.floor_at(x) or bottom for each in lines)])
                measured += scales.y_axis.value(baseline) - scales.y_axis.value(bottom)
            if not implied and not _is_within_axis(y, scales.y_axis):
                continue
            step = abs(scales.y_axis.slope)
            error = LINE_ERROR * step if not scales.y_axis.log else abs(measured) * (10 ** (LINE_ERROR * step) - 1)
            value = round_to_step(measured, error / 2)
        if scales.x_axis and not _is_within_axis(x, scales.x_axis):
            continue
        category, words = _category(x, scales)
        category_certain = bool(words) or scales.x_axis is None or abs(scales.x_axis.slope) < CERTAIN_STEP
        name = series_labels.get(line.colour)
        if value is not None and (category or name):
            used = (*words, *(label.words if label else ()), *(name.words if name else ()))
            series, printed_here = name.text if name else None, label is not None
            rows.append(DataRow(category, series, value, used, printed_here, decimal_error(error), category_certain))
    return rows


def _contradicts_axis(label: ChartLabel, y: float, axis: Axis) -> bool:
    """Return whether a well calibrated axis shows that a number cannot be the value at ``y``."""
    if axis.log or len(axis.ticks) < 4 or label.number is None:
        return False
    low, high = sorted(axis.value(position) for position in axis.span)
    return abs(float(label.number) - axis.value(y)) > 0.05 * (high - low)


def _implied_axis(printed: Sequence[tuple[float, ChartLabel]]) -> Axis | None:
    """Return a vertical axis by the values printed at points; None unless all of them agree."""
    usable = [(y, label) for y, label in printed if label.number is not None]
    pairs = [(p, float(a.number or 0), q, float(b.number or 0)) for (p, a), (q, b) in combinations(usable[:40], 2)]
    slopes = [(b - a) / (q - p) for p, a, q, b in pairs if abs(q - p) > 8]
    if len(usable) < 3 or not slopes or (slope := median(slopes)) >= 0:
        return None
    start = median(float(label.number or 0) - slope * y for y, label in usable)
    off = max(abs((float(label.number or 0) - start) / slope - y) for y, label in usable)
    return Axis(slope, start, False, tuple(label for _, label in usable), False) if off <= 3 else None


def _without_redundant_markers(markers: list[float], positions: Sequence[float]) -> list[float]:
    """Return no markers when they are redundant: most are over labels, and most labels are under one."""
    near = sum(any(abs(x - position) <= 4 for position in positions) for x in markers)
    marked = sum(any(abs(x - position) <= 4 for x in markers) for position in positions)
    return [] if len(positions) >= 3 and near > 0.6 * len(markers) and marked > 0.7 * len(positions) else markers


def _is_within_axis(position: float, axis: Axis) -> bool:
    """Return whether a pixel is within an axis, or at most about a step beyond its first or last number."""
    low, high = axis.span
    reach = 1.1 * (high - low) / (len(axis.ticks) - 1) + 5
    return low - reach <= position <= high + reach


def _common_markers(lines: Sequence[LineMark]) -> list[float]:
    """Return the x of the markers of all lines. All series are read at the same x, since markers hide each other."""
    positions: list[float] = []
    for x in sorted(x for line in lines for x in line.markers):
        if not positions or x - positions[-1] > 5:
            positions.append(x)
    return positions


def _value_positions(lines: Sequence[LineMark], scales: LineScales) -> tuple[float, ...]:
    """Return the x of the values over the labels. Labels are not exactly centred, so nearly even steps are made even.

    Lines that begin at the first label and end at the last one give their exact x.
    """
    if scales.x_axis:
        return tuple(scales.x_axis.pixel(value) for value in _tick_values(scales.x_axis, lines))
    centres = sorted(label.x for label in scales.labels)
    if len(centres) < 3:
        return tuple(centres)
    numbers = np.arange(len(centres))
    pitch, start = np.polyfit(numbers, centres, 1)
    first, last = min(line.left for line in lines) + STROKE_OVERHANG, max(line.right for line in lines) + 1 - STROKE_OVERHANG
    if np.abs(numbers * pitch + start - centres).max() > EVEN_TOLERANCE * pitch:
        return tuple(centres)
    if max(abs(first - start), abs(last - start - pitch * numbers[-1])) < EVEN_TOLERANCE * pitch:
        start, pitch = first, (last - first) / numbers[-1]
    return tuple(float(position) for position in numbers * pitch + start)


def _tick_values(axis: Axis, lines: Sequence[LineMark]) -> list[float]:
    """Return the values of the ticks. At even steps, ticks that OCR missed are added as far as the lines extend."""
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


def _sample_positions(line: LineMark, scales: LineScales, markers: Sequence[float]) -> list[float]:
    """Return the x at which a line is read: at its markers, else at the labels below it."""
    own = [x for x in markers if line.left - 3 <= x <= line.right + 3]
    if len(own) >= 2 and (scales.x_axis or all(_label_below(x, scales.labels) for x in own)):
        return own
    return sorted(min(max(x, line.left), line.right) for x in scales.positions if line.left - 12 <= x <= line.right + 12)


def _label_below(x: float, labels: Sequence[ChartLabel]) -> ChartLabel | None:
    """Return the nearest label below an x; None when none is near."""
    nearest = min(labels, key=lambda label: abs(label.x - x), default=None)
    return nearest if nearest and abs(nearest.x - x) <= max(0.6 * nearest.width, 8.0) else None


def _category(x: float, scales: LineScales) -> tuple[str | None, tuple[int, ...]]:
    if scales.x_axis is None:
        label = _label_below(x, scales.labels)
        return (label.text, label.words) if label else (None, ())
    tick = min(scales.x_axis.ticks, key=lambda tick: abs(tick.x - x))
    pitch = abs(scales.x_axis.slope)
    if abs(tick.x - x) <= 3:
        return tick.text, tick.words
    whole = all(tick.number is not None and tick.number == int(tick.number) for tick in scales.x_axis.ticks)
    value = scales.x_axis.value(x)
    return (str(round(value)) if whole and pitch < 0.35 else str(round_to_step(value, pitch))), ()


def _match_printed_numbers(
    points: Sequence[tuple[LineMark, float, float]], numbers: Sequence[ChartLabel], regions: ColourRegions
) -> dict[int, ChartLabel]:
    """Return the printed numbers by the index of the point beside them, nearest pairs first."""
    height = letter_height(numbers)
    pairs = []
    for label in numbers:
        colour = text_colour(regions, label)
        for number, (line, x, y) in enumerate(points):
            across, down = max(0.0, abs(label.x - x) - label.width / 2), max(0.0, abs(label.y - y) - label.height / 2)
            end = x <= line.left + height or x >= line.right - height
            if across < (1.2 if end else 0.6) * height and down < 1.6 * height:
                other = 0.0 if colour in (BACKGROUND, line.colour) else 1.5 * height
                pairs.append((abs(label.x - x) + abs(label.y - y) + other, number, label))
    matches: dict[int, ChartLabel] = {}
    for _, number, label in sorted(pairs, key=lambda pair: pair[0]):
        if number not in matches and label not in matches.values():
            matches[number] = label
    return matches
