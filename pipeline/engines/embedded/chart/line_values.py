"""Reads the values of lines and areas, at their markers, at the labels of the horizontal axis, or at its whole numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from statistics import median

import numpy as np

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bar_values import decimal_error, round_to_step
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, letter_height
from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, ColourRegions, text_colour
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.engines.embedded.chart.line_marks import LineMark

EVEN_TOLERANCE = 0.12
"""Most distance of a label from its even step, as a share of the step."""
LINE_ERROR = 1.0
"""Largest error of a line's height, in pixels."""
STROKE_OVERHANG = 1.0
"""Pixels by which a stroke is longer than its line, at each end."""
CERTAIN_STEP = 0.15
"""A whole number between two ticks is certain when one pixel is worth less than this."""
MIN_BEND = 2.0
"""Fewest pixels by which a line bends where its direction changes."""
MIN_BEND_PITCH = 10.0
"""Fewest pixels between two whole numbers at which single bends show what a line was drawn from."""
MIN_YEAR_PITCH = 5.0
"""Fewest pixels between two whole numbers of an axis at which a line is read."""


@dataclass(frozen=True, slots=True)
class LineScales:
    """The scales that lines are read with: the axes, and the labels along the bottom."""

    x_axis: Axis | None
    y_axis: Axis | None
    labels: Sequence[ChartLabel]
    positions: tuple[float, ...] = ()
    """The x of the ticks, or of the labels."""
    line_error: float = LINE_ERROR
    """Largest error of a line's height, in pixels."""


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
        value, error, off_axis = label.number if label else None, 0.0, 0.0
        if value is not None and scales.y_axis is not None:
            off_axis = min(1.0, abs(scales.y_axis.pixel(float(value)) - y) / 20) if value > 0 or not scales.y_axis.log else 1.0
        if value is None and scales.y_axis is not None:
            measured = scales.y_axis.value(y)
            if (bottom := line.floor_at(x)) is not None:
                floors = [each.floor_at(x) or bottom for each in lines]
                baseline = max(floors if scales.line_error < LINE_ERROR else [scales.y_axis.span[1], *floors])
                measured += scales.y_axis.value(baseline) - scales.y_axis.value(bottom)
            if not implied and not _is_within_axis(y, scales.y_axis):
                continue
            step = abs(scales.y_axis.slope)
            error = scales.line_error * step
            if scales.y_axis.log:
                error = abs(measured) * (10**error - 1)
            value = round_to_step(measured, error / 2)
        if scales.x_axis and not _is_within_axis(x, scales.x_axis):
            continue
        category, words = _category(x, scales)
        category_certain = bool(words) or scales.x_axis is None or abs(scales.x_axis.slope) < CERTAIN_STEP
        name = series_labels.get(line.colour)
        if value is not None and (category or name):
            used = (*words, *(label.words if label else ()), *(name.words if name else ()))
            series, printed_here = name.text if name else None, label is not None
            signals = {**line.signals(x), "off_axis": off_axis, "unnamed": float(name is None and len(lines) > 1)}
            rows.append(DataRow(category, series, value, used, printed_here, decimal_error(error), category_certain, signals))
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
        values = _tick_values(scales.x_axis, lines)
        return tuple(scales.x_axis.pixel(value) for value in _whole_numbers(values, scales.x_axis, lines) or values)
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


def _whole_numbers(ticks: Sequence[float], axis: Axis, lines: Sequence[LineMark]) -> list[float]:
    """Return all whole numbers along the lines when the lines have corners at those between the ticks, as with yearly values; else none."""
    pitch = abs(axis.slope) and 1 / abs(axis.slope)
    steps = [b - a for a, b in pairwise(ticks)]
    if axis.log or pitch < MIN_YEAR_PITCH or not steps or any(tick != round(tick) for tick in ticks) or min(steps) < 2:
        return []
    ends = sorted(axis.value(x) for x in (min(line.left for line in lines), max(line.right for line in lines)))
    numbers = [float(number) for number in range(math.ceil(ends[0] - 0.3), math.floor(ends[1] + 0.3) + 1)]
    between = [number for number in numbers if number not in ticks]
    corners = sum(_corner(line, axis.pixel(number), pitch) for line in lines for number in between)
    others = sum(_corner(line, axis.pixel(number + 0.5), pitch) for line in lines for number in between)
    count = len(between) * len(lines)
    if not count or len(numbers) > 150:
        return []
    return numbers if (corners > 0.5 * count and corners > 2.5 * others) or _bends_at(between, axis, lines, pitch) else []


def _bends_at(numbers: Sequence[float], axis: Axis, lines: Sequence[LineMark], pitch: float) -> bool:
    """Return whether lines bend at some of these numbers of an axis, and almost nowhere between two whole numbers."""
    if pitch < MIN_BEND_PITCH:
        return False
    on, hits = 0, set[float]()
    places = [x for line in lines for x in _bends(line, max(2, round(0.25 * pitch)))]
    for x in places:
        value = axis.value(x)
        if abs(value - round(value)) * pitch <= max(1.5, 0.2 * pitch):
            on += 1
            hits.add(float(round(value)))
    return len(hits & set(numbers)) >= 2 and on >= 0.8 * len(places)


def _bends(line: LineMark, reach: int) -> list[float]:
    """Return the x at which a line bends most within ``reach`` pixels, where it bends by ``MIN_BEND`` pixels at least."""
    if len(line.heights) <= 4 * reach:
        return []
    middle = line.heights[reach:-reach]
    bend = np.nan_to_num(np.abs(line.heights[: -2 * reach] - 2 * middle + line.heights[2 * reach :]))
    places, n = list[float](), 0
    while n < len(bend):
        if bend[n] < MIN_BEND:
            n += 1
            continue
        end = n
        while end < len(bend) and bend[end] >= MIN_BEND:
            end += 1
        places.append(line.left + reach + (n + end - 1) / 2 + 0.5)
        n = end
    return places


def _corner(line: LineMark, x: float, pitch: float) -> float:
    """Return by how many pixels a line bends at an x."""
    reach = 0.4 * pitch
    at = np.floor(np.array([x - reach, x, x + reach])).astype(int) - line.left
    if at.min() < 0 or at.max() >= len(line.heights):
        return 0.0
    before, here, after = line.heights[at]
    bend = abs(before - 2 * here + after)
    return 0.0 if np.isnan(bend) else float(min(bend, 10.0))


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
    pitch = abs(scales.x_axis.slope) * scales.line_error / LINE_ERROR
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
