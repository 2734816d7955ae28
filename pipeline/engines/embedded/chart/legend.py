"""Names the series of each colour: by swatches beside labels, else by labels printed in the colour of their marks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels, letter_height
from pipeline.engines.embedded.chart.colour_regions import (
    BACKGROUND,
    COLOUR_TOLERANCE,
    MAX_PIECES,
    ColourRegions,
    Rect,
    text_colour,
    tint_colour,
)
from pipeline.records import Box

SeriesLabels = dict[int, ChartLabel]
"""Label of a series by colour number."""


def find_legend(regions: ColourRegions, phrases: Sequence[ChartLabel]) -> tuple[SeriesLabels, list[Box]]:
    """Return the labels that have a swatch on their left, by its colour, and the boxes of these swatches."""
    height = letter_height(phrases)
    pairs = [
        (swatch, label)
        for swatch in _find_swatches(regions, height, phrases)
        if (label := _label_right_of(swatch, phrases, height))
    ]
    labelled = {label.words for _, label in pairs}
    pairs += _find_stroke_swatches(regions, [label for label in phrases if label.words not in labelled], height, pairs)
    pairs = [pair for pair in pairs if _is_aligned(pair, pairs)]
    series_labels: SeriesLabels = {}
    for swatch, label in sorted(pairs, key=lambda pair: np.ptp(regions.colours[pair[0].colour]) <= 30):
        if swatch.colour not in series_labels and label not in series_labels.values():
            series_labels[swatch.colour] = label
    if len(series_labels) < 2 and any(label.number is not None for label in series_labels.values()):
        return {}, []
    return series_labels, [swatch.box for swatch, label in pairs if series_labels.get(swatch.colour) is label]


def _find_swatches(regions: ColourRegions, height: float, phrases: Sequence[ChartLabel]) -> list[Rect]:
    rects: list[Rect] = []
    for colour in range(len(regions.colours)):
        mask = cv2.morphologyEx((regions.raw_index == colour).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for x, y, w, h, area in stats[1 : count if count <= MAX_PIECES else 0].tolist():
            small = (
                0.25 * height <= w <= 3.5 * height
                and min(2.0, 0.1 * height) <= h <= 1.5 * height
                and (w < 2.2 * height or h < 0.9 * height)
            )
            if (
                small
                and (area >= 0.5 * w * h or w >= 1.2 * height)
                and area >= 8
                and not _inside(x + w / 2, y + h / 2, phrases)
            ):
                rects.append(Rect((x, y, x + w, y + h), colour))
    return rects


def _find_stroke_swatches(
    regions: ColourRegions, phrases: Sequence[ChartLabel], height: float, pairs: Sequence[tuple[Rect, ChartLabel]]
) -> list[tuple[Rect, ChartLabel]]:
    """Return strokes and the labels right of them. Each is lined up with another swatch, and too thin to have its full colour."""
    strokes = [
        (Rect(box, colour), label)
        for label in phrases
        if label.number is None and not label.rotated and (box := _stroke_box(regions, label, height))
        if (colour := tint_colour(regions, box)) != BACKGROUND
    ]
    known = [*pairs, *strokes]
    return [
        (swatch, label)
        for swatch, label in strokes
        if any(
            other.colour != swatch.colour
            and (abs(other.box[0] - swatch.box[0]) <= 3 or abs(label.y - beside.y) <= 3)
            and abs((other.box[2] - other.box[0]) - (swatch.box[2] - swatch.box[0])) <= 4
            for other, beside in known
        )
    ]


def _stroke_box(regions: ColourRegions, label: ChartLabel, height: float) -> Box | None:
    """Return the box of the mark just left of a label when it is a short level stroke, else None."""
    x1, y0, y1 = round(label.box[0]), max(0, round(label.y - 0.6 * height)), round(label.y + 0.6 * height)
    x0 = max(0, round(x1 - 3.5 * height))
    window = regions.pixels[y0:y1, x0:x1].astype(np.int16)
    if not window.size:
        return None
    ink = (np.abs(window - regions.background).max(axis=2, initial=0) > COLOUR_TOLERANCE).astype(np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for x, y, w, h, _ in sorted(stats[1:count].tolist(), key=lambda piece: -piece[0]):
        level = 0.5 * height <= w and h <= 0.4 * height and x > 0 and 0 < y < len(ink) - h
        if level and len(ink[0]) - x - w <= 1.3 * height:
            return (x0 + x, y0 + y, x0 + x + w, y0 + y + h)
    return None


def _inside(x: float, y: float, labels: Sequence[ChartLabel]) -> bool:
    return any(label.box[0] <= x <= label.box[2] and label.box[1] <= y <= label.box[3] for label in labels)


def _label_right_of(swatch: Rect, phrases: Sequence[ChartLabel], height: float) -> ChartLabel | None:
    x1, y = swatch.box[2], (swatch.box[1] + swatch.box[3]) / 2
    fitting = [
        label
        for label in phrases
        if not label.rotated and -0.3 * height < label.box[0] - x1 < 1.8 * height and abs(label.y - y) < 0.5 * height
    ]
    return min(fitting, key=lambda label: label.box[0], default=None)


def _is_aligned(pair: tuple[Rect, ChartLabel], pairs: Sequence[tuple[Rect, ChartLabel]]) -> bool:
    """Return whether a swatch of another colour and the same size is in the same row or column. A label of words needs none."""
    swatch, label = pair
    if label.number is None and len(label.text) >= 3:
        return True
    return any(
        other.colour != swatch.colour
        and (abs(other.box[0] - swatch.box[0]) <= 2 or abs(other.box[1] - swatch.box[1]) <= 2)
        and abs((other.box[3] - other.box[1]) - (swatch.box[3] - swatch.box[1])) <= 2
        for other, _ in pairs
    )


def coloured_labels(regions: ColourRegions, phrases: Sequence[ChartLabel], colours: Sequence[int]) -> SeriesLabels:
    """Return the labels printed in the colour of marks, with the lines of one label joined."""
    texts = [label for label in phrases if label.number is None and not label.rotated]
    colour_by_words = {label.words: text_colour(regions, label) for label in texts}
    series_labels: SeriesLabels = {}
    for label in sorted(texts, key=lambda label: label.y):
        colour = colour_by_words[label.words]
        if colour in colours and colour not in series_labels:
            others = [other for other in texts if colour_by_words[other.words] in (BACKGROUND, colour)]
            series_labels[colour] = join_labels(_continuation_lines(label, others))
    return series_labels


def _continuation_lines(label: ChartLabel, others: Sequence[ChartLabel]) -> list[ChartLabel]:
    """Return a label and the lines just below that continue it."""
    lines = [label]
    for other in sorted(others, key=lambda other: other.y):
        last = lines[-1]
        below = -0.4 * last.height < other.box[1] - last.box[3] < 0.5 * last.height
        beside = min(other.box[2], last.box[2]) - max(other.box[0], last.box[0]) > 0.4 * min(other.width, last.width)
        if other.y > last.y + 0.5 * last.height and below and beside and 0.75 < other.height / last.height < 1.33:
            lines.append(other)
    return lines
