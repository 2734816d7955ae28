"""Names bars: categories from the labels beside them, series from the legend or from the headings above them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.chart.bars import Bar, Bars, uv_box
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.records import Box


def find_categories(bars: Bars, phrases: Sequence[ChartLabel], words: Sequence[ChartLabel]) -> list[ChartLabel | None]:
    """Return the label of each group: before the bars' base and in line with the group, else printed in the bar or just above it."""
    centres = [_group_centre(group) for group in bars.groups]
    pitch = min((b - a for a, b in pairwise(centres)), default=1e9)
    base = min(bar.start for bar in bars.all)
    before = [
        label for label in _label_candidates(phrases, words, bars, pitch) if uv_box(label.box, bars.vertical)[2] <= base + 4
    ]
    if bars.vertical:
        before = _rows_below_bars(_anchor_slanted(before, centres), bars.box())
    labels = [
        _join_category([label for label in before if _nearest_group(label, centres, bars) == n], bars)
        for n in range(len(centres))
    ]
    if sum(label is not None for label in labels) * 2 >= len(labels):
        return _complete_sequence(labels) if bars.vertical else labels
    inside = [_label_in_bar(group, phrases, bars) for group in bars.groups]
    return inside if sum(label is not None for label in inside) > sum(label is not None for label in labels) else labels


def _complete_sequence(labels: Sequence[ChartLabel | None]) -> list[ChartLabel | None]:
    """Return categories that count up in even steps (0, 5, 10, …) with misread ones corrected and unprinted ones added."""
    known = [(n, label, label.number) for n, label in enumerate(labels) if label is not None and label.number is not None]
    steps = [(b - a) / (m - n) for (n, _, a), (m, _, b) in pairwise(known)]
    if len(known) < 4 or not (step := median(steps)):
        return list(labels)
    starts = [value - n * step for n, _, value in known]
    start = max(starts, key=starts.count)
    fitting = {n for (n, _, _), own_start in zip(known, starts, strict=True) if own_start == start}
    if len(fitting) < max(4, 0.7 * len(known)) or step != step.to_integral_value():
        return list(labels)
    sample = known[0][1]
    return [
        label if n in fitting else replace(sample, text=f"{start + n * step:f}", words=label.words if label else ())
        for n, label in enumerate(labels)
    ]


def bottom_labels(
    phrases: Sequence[ChartLabel],
    words: Sequence[ChartLabel],
    plot: Box,
    ticks: Sequence[ChartLabel],
    positions: Sequence[float],
) -> list[ChartLabel]:
    """Return the first row of at least two labels below a plot, without the ``ticks`` of its vertical axis.

    The labels may be level, rotated or slanted. ``positions`` are the x of the marks that they may belong to.
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
    """Return slanted labels with a narrow box at the end that is nearest to ``positions``, other labels as they are."""
    long = [label for label in labels if len(label.text) > 2]
    slanted = [label for label in long if label.slanted or (len(label.text) == 3 and label.height > 0.75 * label.width)]
    if not positions or not long or len(slanted) < 0.7 * len(long):
        return list(labels)

    def distance(at: Callable[[ChartLabel], float]) -> float:
        """Return the usual distance; of lines without markers, which have few positions, the smallest: an end label may be missing."""
        distances = sorted(min(abs(at(label) - position) for label in labels) for position in positions)
        return distances[len(distances) // 2 if len(distances) > 3 else 0]

    end = min((2, 0), key=lambda end: distance(lambda label: label.box[end]))
    if distance(lambda label: label.box[end]) >= distance(lambda label: label.x):
        return list(labels)
    return [replace(label, box=(label.box[end] - 4, label.box[1], label.box[end] + 4, label.box[3])) for label in labels]


def _split_even_words(row: Sequence[ChartLabel], words: Sequence[ChartLabel]) -> list[ChartLabel]:
    """Return the single words of a row of phrases when all of them stand at even steps ("Jan Feb Mar"), else the phrases."""
    singles = sorted((word for label in row for word in words if set(word.words) <= set(label.words)), key=lambda word: word.x)
    steps = [b.x - a.x for a, b in pairwise(singles)]
    even = len(singles) >= 4 and max(steps) - min(steps) < 0.3 * median(steps)
    return singles if even and len(singles) > len(row) else list(row)


def labels_above_bars(bars: Bars, phrases: Sequence[ChartLabel]) -> list[ChartLabel] | None:
    """Return a label above each bar of horizontal rows, in the order of ``bars.all``; None unless every bar has its own."""
    if bars.vertical:
        return None
    texts = [label for label in phrases if label.number is None and not label.rotated]
    labels: list[ChartLabel] = []
    for bar in bars.all:
        thickness = bar.high - bar.low
        above = [label for label in texts if -0.2 * thickness < bar.low - label.box[3] + 2 < 0.8 * thickness]
        above = [label for label in above if bar.start - thickness < label.x < bar.end + thickness and label not in labels]
        if not above:
            return None
        labels.append(min(above, key=lambda label: abs(label.x - (bar.start + bar.end) / 2)))
    return labels


def ungroup_labelled_rows(bars: Bars, phrases: Sequence[ChartLabel]) -> None:
    """Split the groups into rows when the rows have labels of their own."""
    if bars.vertical or len(bars.groups) == len(bars.rows):
        return
    left = [label for label in phrases if label.box[2] <= bars.base + 4 and not label.rotated]
    thickness = median(row[0].high - row[0].low for row in bars.rows)
    labelled_rows = sum(any(abs(label.y - row[0].middle) < 0.35 * thickness for label in left) for row in bars.rows)
    if labelled_rows > len(bars.groups):
        bars.groups = [[row] for row in bars.rows]


def _group_centre(group: Sequence[Sequence[Bar]]) -> float:
    return (group[0][0].low + group[-1][0].high) / 2


def _label_candidates(phrases: Sequence[ChartLabel], words: Sequence[ChartLabel], bars: Bars, pitch: float) -> list[ChartLabel]:
    """Return the phrases, with those that are wider than a group of vertical bars split into words."""
    if not bars.vertical:
        return [label for label in phrases if not label.rotated]
    wide = [label for label in phrases if label.width > 1.4 * pitch and not label.rotated and not label.slanted]
    narrow = [label for label in phrases if label not in wide]
    singles = [word for label in wide for word in words if set(word.words) <= set(label.words)]
    return narrow + [piece for word in singles for piece in _split_glued(word, pitch)]


def _split_glued(word: ChartLabel, pitch: float) -> list[ChartLabel]:
    """Return the parts of a word that is several capitalised words without blanks ("MarApr") and wider than a bar."""
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
    """Return the rows of labels just below the bars. A single text under the middle is the title of the axis and left out."""
    middle, width = (plot[0] + plot[2]) / 2, plot[2] - plot[0]
    labels_below: list[ChartLabel] = []
    for row in _group_into_rows(labels):
        height = max(label.height for label in row)
        if labels_below and min(label.box[1] for label in row) - max(label.box[3] for label in labels_below) > 0.5 * height:
            break
        whole = (min(label.box[0] for label in row) + max(label.box[2] for label in row)) / 2
        spread = max(label.box[2] for label in row) - min(label.box[0] for label in row)
        if labels_below and abs(whole - middle) < 0.1 * width and spread < 0.6 * width:
            break
        labels_below += row
    return labels_below


def _group_into_rows(labels: Sequence[ChartLabel]) -> list[list[ChartLabel]]:
    rows: list[list[ChartLabel]] = []
    for label in sorted(labels, key=lambda label: label.y):
        if rows and (label.rotated or abs(label.y - rows[-1][0].y) < 0.6 * label.height):
            rows[-1].append(label)
        else:
            rows.append([label])
    return rows


def _join_category(labels: Sequence[ChartLabel], bars: Bars) -> ChartLabel | None:
    """Return the labels of one category as one. A tick left of a bar, which OCR may read as a dash, is removed."""
    if not labels:
        return None
    label = join_labels(labels)
    return label if bars.vertical else replace(label, text=label.text.rstrip(" -–—_|") or label.text)


def _label_in_bar(group: Sequence[Sequence[Bar]], phrases: Sequence[ChartLabel], bars: Bars) -> ChartLabel | None:
    """Return a text in the group's first bar, or between it and the bar before."""
    bar = group[0][0]
    thickness = bar.high - bar.low
    texts = [label for label in phrases if label.number is None and not bars.vertical and not label.rotated]
    near = [label for label in texts if bar.start - 3 <= label.box[0] < bar.start + 2 * thickness]
    inside = [label for label in near if bar.low <= label.y <= bar.high]
    above = [label for label in near if bar.low - 1.1 * thickness <= label.y < bar.low]
    return next(iter(inside or above), None)


def series_names(bars: Bars, names: SeriesLabels, phrases: Sequence[ChartLabel]) -> dict[tuple[int, int], str]:
    """Return series by (colour, number in the row): from the legend, else from the headings over the first row of stacked bars."""
    from_legend = {
        (bar.colour, n): names[bar.colour].text for row in bars.rows for n, bar in enumerate(row) if bar.colour in names
    }
    if from_legend or not bars.stacked or bars.vertical:
        return from_legend
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


def _spread_by_colour(bars: Bars, names: dict[tuple[int, int], str]) -> dict[tuple[int, int], str]:
    """Return the names for all bars of their colour, when each name has its own colour."""
    by_colour = {colour: name for (colour, _), name in names.items()}
    if len(by_colour) < len(names):
        return names
    return {(bar.colour, n): by_colour[bar.colour] for row in bars.rows for n, bar in enumerate(row) if bar.colour in by_colour}


def _column_headings(phrases: Sequence[ChartLabel], top: float, left: float, right: float) -> list[ChartLabel]:
    """Return the texts just above the bars from left to right, with the lines of one heading joined."""
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
