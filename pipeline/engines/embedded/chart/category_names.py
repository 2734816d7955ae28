"""What bars are called: categories beside them, series by legend or by the headings over them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.chart.bars import Bar, Bars, uv_box
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.records import Box


def find_categories(bars: Bars, phrases: Sequence[ChartLabel], words: Sequence[ChartLabel]) -> list[ChartLabel | None]:
    """The label of each group: before the bars' base, in line with the group; else printed in or just above the bar."""
    centres = [_group_centre(group) for group in bars.groups]
    pitch = min((b - a for a, b in pairwise(centres)), default=1e9)
    base = min(bar.start for bar in bars.all)
    before = [
        label for label in _label_candidates(phrases, words, bars, pitch) if uv_box(label.box, bars.vertical)[2] <= base + 4
    ]
    if bars.vertical:
        before = _rows_below_bars(_anchor_slanted(before, centres), bars.box())
    found = [
        _join_category([label for label in before if _nearest_group(label, centres, bars) == n], bars)
        for n in range(len(centres))
    ]
    if sum(label is not None for label in found) * 2 >= len(found):
        return _complete_sequence(found) if bars.vertical else found
    inside = [_label_in_bar(group, phrases, bars) for group in bars.groups]
    return inside if sum(label is not None for label in inside) > sum(label is not None for label in found) else found


def _complete_sequence(found: Sequence[ChartLabel | None]) -> list[ChartLabel | None]:
    """Categories that count up in even steps, with those set right that OCR misread or that are not printed: 0, 5, 10, …"""
    known = [(n, label, label.number) for n, label in enumerate(found) if label is not None and label.number is not None]
    steps = [(b - a) / (m - n) for (n, _, a), (m, _, b) in pairwise(known)]
    if len(known) < 4 or not (step := median(steps)):
        return list(found)
    starts = [value - n * step for n, _, value in known]
    start = max(starts, key=starts.count)
    fitting = {n for (n, _, _), row_start in zip(known, starts, strict=True) if row_start == start}
    if len(fitting) < max(4, 0.7 * len(known)) or step != step.to_integral_value():
        return list(found)
    sample = known[0][1]
    return [
        label if n in fitting else replace(sample, text=f"{start + n * step:f}", words=label.words if label else ())
        for n, label in enumerate(found)
    ]


def bottom_labels(
    phrases: Sequence[ChartLabel],
    words: Sequence[ChartLabel],
    plot: Box,
    ticks: Sequence[ChartLabel],
    positions: Sequence[float],
) -> list[ChartLabel]:
    """The first row of at least two labels below a plot, ``ticks`` of its upright axis left out; level, turned or slanted ones.

    ``places`` are the x of what they may belong to.
    """
    known = {index for tick in ticks for index in tick.words}
    under = [label for label in phrases if label.box[1] > plot[3] - 4 and not known & set(label.words)]
    for first in sorted(under, key=lambda label: label.box[1]):
        size = min(first.height, first.width)
        row = [label for label in under if abs(label.box[1] - first.box[1]) < 0.6 * size]
        pieces = sorted(_split_even_words(_anchor_slanted(row, positions), words), key=lambda label: label.x)
        if len(pieces) >= 2:
            return pieces
    return []


def _anchor_slanted(labels: Sequence[ChartLabel], positions: Sequence[float]) -> list[ChartLabel]:
    """Slanted labels as narrow boxes at the end that is nearest to ``places``; others as they are."""
    slanted = [label for label in labels if label.slanted]
    if not positions or len(slanted) < 0.7 * len(labels):
        return list(labels)

    def distance(end: int) -> float:
        return sum(min(abs(label.box[end] - position) for position in positions) for label in labels)

    middle = sum(min(abs(label.x - position) for position in positions) for label in labels)
    end = min((2, 0), key=distance)
    if distance(end) >= middle:
        return list(labels)
    return [replace(label, box=(label.box[end] - 4, label.box[1], label.box[end] + 4, label.box[3])) for label in labels]


def _split_even_words(row: Sequence[ChartLabel], words: Sequence[ChartLabel]) -> list[ChartLabel]:
    """The single words of a row of phrases where all words of it stand at even steps: "Jan Feb Mar"."""
    singles = sorted((word for label in row for word in words if set(word.words) <= set(label.words)), key=lambda word: word.x)
    steps = [b.x - a.x for a, b in pairwise(singles)]
    even = len(singles) >= 4 and max(steps) - min(steps) < 0.3 * median(steps)
    return singles if even and len(singles) > len(row) else list(row)


def labels_above_bars(bars: Bars, phrases: Sequence[ChartLabel]) -> list[ChartLabel] | None:
    """A label above each single bar of horizontal rows, in the order of ``bars.all``; None unless nearly all have their own."""
    if bars.vertical:
        return None
    texts = [label for label in phrases if label.number is None and not label.rotated]
    found: list[ChartLabel] = []
    for bar in bars.all:
        thickness = bar.high - bar.low
        over = [label for label in texts if -0.2 * thickness < bar.low - label.box[3] + 2 < 0.8 * thickness]
        over = [label for label in over if bar.start - thickness < label.x < bar.end + thickness and label not in found]
        if not over:
            return None
        found.append(min(over, key=lambda label: abs(label.x - (bar.start + bar.end) / 2)))
    return found


def ungroup_labelled_rows(bars: Bars, phrases: Sequence[ChartLabel]) -> None:
    """Take groups apart where single rows have labels of their own."""
    if bars.vertical or len(bars.groups) == len(bars.rows):
        return
    left = [label for label in phrases if label.box[2] <= bars.base + 4 and not label.rotated]
    thickness = median(row[0].high - row[0].low for row in bars.rows)
    row_start = sum(any(abs(label.y - row[0].middle) < 0.35 * thickness for label in left) for row in bars.rows)
    if row_start > len(bars.groups):
        bars.groups = [[row] for row in bars.rows]


def _group_centre(group: Sequence[Sequence[Bar]]) -> float:
    return (group[0][0].low + group[-1][0].high) / 2


def _label_candidates(phrases: Sequence[ChartLabel], words: Sequence[ChartLabel], bars: Bars, pitch: float) -> list[ChartLabel]:
    """Phrases, and the single words of those that are wider than one group of upright bars."""
    if not bars.vertical:
        return [label for label in phrases if not label.rotated]
    wide = [label for label in phrases if label.width > 1.4 * pitch and not label.rotated]
    narrow = [label for label in phrases if label not in wide]
    singles = [word for label in wide for word in words if set(word.words) <= set(label.words)]
    return narrow + [piece for word in singles for piece in _split_glued(word, pitch)]


def _split_glued(word: ChartLabel, pitch: float) -> list[ChartLabel]:
    """A word wider than a bar that is several capitalised words without blanks ("MarApr"), as these words."""
    parts = re.findall(r"[A-ZÀ-Þ][^A-ZÀ-Þ]+", word.text)
    if len(parts) < 2 or "".join(parts) != word.text or word.width < 0.55 * pitch * len(parts):
        return [word]
    x0, y0, x1, y1 = word.box
    cuts = [sum(map(len, parts[:n])) / len(word.text) for n in range(len(parts) + 1)]
    boxes = [(x0 + a * (x1 - x0), y0, x0 + b * (x1 - x0), y1) for a, b in pairwise(cuts)]
    return [ChartLabel(part, box, word.words, None) for part, box in zip(parts, boxes, strict=True)]


def _nearest_group(label: ChartLabel, centres: Sequence[float], bars: Bars) -> int | None:
    _, v0, _, v1 = uv_box(label.box, bars.vertical)
    middle = (v0 + v1) / 2
    number = min(range(len(centres)), key=lambda n: abs(centres[n] - middle))
    around = sorted(abs(centre - centres[number]) for centre in centres)[1:2]
    reach = 0.5 * around[0] if around else 1e9
    return number if abs(centres[number] - middle) <= reach else None


def _rows_below_bars(labels: Sequence[ChartLabel], plot: Box) -> list[ChartLabel]:
    """The rows of labels next below the bars; a lone text under the middle is the title of the axis."""
    middle, width = (plot[0] + plot[2]) / 2, plot[2] - plot[0]
    kept: list[ChartLabel] = []
    for row in _group_into_rows(labels):
        height = max(label.height for label in row)
        if kept and min(label.box[1] for label in row) - max(label.box[3] for label in kept) > 0.5 * height:
            break
        whole = (min(label.box[0] for label in row) + max(label.box[2] for label in row)) / 2
        spread = max(label.box[2] for label in row) - min(label.box[0] for label in row)
        if kept and abs(whole - middle) < 0.1 * width and spread < 0.6 * width:
            break
        kept += row
    return kept


def _group_into_rows(labels: Sequence[ChartLabel]) -> list[list[ChartLabel]]:
    rows: list[list[ChartLabel]] = []
    for label in sorted(labels, key=lambda label: label.y):
        if rows and (label.rotated or abs(label.y - rows[-1][0].y) < 0.6 * label.height):
            rows[-1].append(label)
        else:
            rows.append([label])
    return rows


def _join_category(labels: Sequence[ChartLabel], bars: Bars) -> ChartLabel | None:
    """The labels of one category as one; of those left of a bar, the tick that OCR may read as a dash is taken off."""
    if not labels:
        return None
    label = join_labels(labels)
    return label if bars.vertical else replace(label, text=label.text.rstrip(" -–—_|") or label.text)


def _label_in_bar(group: Sequence[Sequence[Bar]], phrases: Sequence[ChartLabel], bars: Bars) -> ChartLabel | None:
    """A text within the group's first bar, or between it and the one before."""
    bar = group[0][0]
    thickness = bar.high - bar.low
    texts = [label for label in phrases if label.number is None and not bars.vertical and not label.rotated]
    near = [label for label in texts if bar.start - 3 <= label.box[0] < bar.start + 2 * thickness]
    inside = [label for label in near if bar.low <= label.y <= bar.high]
    above = [label for label in near if bar.low - 1.1 * thickness <= label.y < bar.low]
    return next(iter(inside or above), None)


def series_names(bars: Bars, names: SeriesLabels, phrases: Sequence[ChartLabel]) -> dict[tuple[int, int], str]:
    """Series by (colour, place in its row): the legend's, else the headings over the first row of stacked bars."""
    found = {(bar.colour, n): names[bar.colour].text for row in bars.rows for n, bar in enumerate(row) if bar.colour in names}
    if found or not bars.stacked or bars.vertical:
        return found
    row = max(bars.rows[:3], key=len)
    headings = _column_headings(phrases, bars.rows[0][0].low, row[0].start - 3 * (row[0].high - row[0].low), row[-1].end)
    if len(headings) < len(row) or len(row) < 2:
        return {}
    if len(headings) == len(row):
        return _spread_by_colour(bars, {(bar.colour, n): headings[n].text for n, bar in enumerate(row)})
    nearest = [min(headings, key=lambda label: abs((bar.start + bar.end) / 2 - label.x)) for bar in row]
    if len(set(nearest)) < len(row):
        return {}
    return _spread_by_colour(bars, {(bar.colour, n): nearest[n].text for n, bar in enumerate(row)})


def _spread_by_colour(bars: Bars, named: dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """The names for every place at which their colour stands, where each has its own colour."""
    by_colour = {colour: name for (colour, _), name in named.items()}
    if len(by_colour) < len(named):
        return named
    return {(bar.colour, n): by_colour[bar.colour] for row in bars.rows for n, bar in enumerate(row) if bar.colour in by_colour}


def _column_headings(phrases: Sequence[ChartLabel], top: float, left: float, right: float) -> list[ChartLabel]:
    """Texts right above the bars, lines of one heading joined, from left to right."""
    lines: list[list[ChartLabel]] = []
    above = [
        label
        for label in phrases
        if label.number is None and label.box[3] < top + 4 and left < label.x and label.box[0] < right
    ]
    for row in reversed(_group_into_rows(above)):
        edge = min(label.box[1] for label in lines[-1]) if lines else top
        height = max(label.height for label in row)
        if edge - max(label.box[3] for label in row) > (0.5 if lines else 1.6) * height:
            break
        if max(label.width for label in row) > 0.5 * (right - left) or (lines and len(row) < min(2, len(lines[0]))):
            break
        lines.append(row)
    columns: list[list[ChartLabel]] = []
    for label in sorted((label for row in lines for label in row), key=lambda label: label.x):
        if columns and any(label.box[0] < other.box[2] and other.box[0] < label.box[2] for other in columns[-1]):
            columns[-1].append(label)
        else:
            columns.append([label])
    return [join_labels(column) for column in columns]
