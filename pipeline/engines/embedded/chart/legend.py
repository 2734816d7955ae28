"""Names the series of each colour: by swatches beside labels, else by labels printed in the colour of their marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
Pair = tuple[Rect, ChartLabel]
"""A swatch, and the label beside it."""
MAX_SHADE = 64
"""Most difference in a channel between a mark and its swatch where one of them is transparent."""


def find_legend(
    regions: ColourRegions, phrases: Sequence[ChartLabel], words: Sequence[ChartLabel]
) -> tuple[SeriesLabels, list[Box]]:
    """Return the labels that have a swatch beside them, by its colour, and the boxes of these swatches.

    All swatches of a legend are on the left of their labels, or all on the right.
    """
    height = letter_height(phrases)
    swatches = _find_swatches(regions, height, words)
    phrases = _split_at_swatches(phrases, words, [swatch for swatch in swatches if _is_lined_up(swatch, swatches)])
    left, right = (_pairs_on_one_side(regions, phrases, swatches, height, on_left=side) for side in (True, False))
    clear_left, clear_right = _clear_pairs(left), _clear_pairs(right)
    pairs = _with_similar_pairs(clear_left, left) or left
    if len({swatch.colour for swatch, _ in clear_right}) > len({swatch.colour for swatch, _ in clear_left}):
        pairs = _with_similar_pairs(clear_right, right)
    series_labels: SeriesLabels = {}
    for swatch, label in sorted(pairs, key=lambda pair: np.ptp(regions.colours[pair[0].colour]) <= 30):
        if swatch.colour not in series_labels and label not in series_labels.values():
            series_labels[swatch.colour] = label
    if len(series_labels) < 2 and any(label.number is not None for label in series_labels.values()):
        return {}, []
    return series_labels, [swatch.box for swatch, label in pairs if series_labels.get(swatch.colour) is label]


def labels_of_marks(series_labels: SeriesLabels, colours: Iterable[int], regions: ColourRegions) -> SeriesLabels:
    """Return the labels by the colours of marks. A mark that is a little transparent has the label with the nearest colour."""
    marks = set(colours)
    named = {colour: label for colour, label in series_labels.items() if colour in marks}
    swatches = [colour for colour in series_labels if colour not in marks]
    for swatch in swatches:
        distances = {
            mark: int(np.abs(regions.colours[mark].astype(int) - regions.colours[swatch]).max()) for mark in marks - set(named)
        }
        nearest = min(distances, key=lambda mark: distances[mark], default=None)
        if nearest is not None and distances[nearest] <= MAX_SHADE:
            rivals = [abs(regions.colours[nearest].astype(int) - regions.colours[other]).max() for other in swatches]
            if min(rivals) == distances[nearest]:
                named[nearest] = series_labels[swatch]
    return {**series_labels, **named}


def _pairs_on_one_side(
    regions: ColourRegions, phrases: Sequence[ChartLabel], swatches: Sequence[Rect], height: float, on_left: bool
) -> list[Pair]:
    """Return swatches and the labels on their right (or on their left)."""
    pairs = [(swatch, label) for swatch in swatches if (label := _label_beside(swatch, phrases, height, on_left))]
    labelled = {label.words for _, label in pairs}
    rest = [label for label in phrases if label.words not in labelled]
    pairs += _find_faint_swatches(regions, rest, height, pairs, on_left)
    return [pair for pair in pairs if _is_aligned(pair, pairs)]


def _clear_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose swatch is lined up with one of another colour and of its size, beside a label of its own."""
    return [
        (swatch, label)
        for swatch, label in pairs
        if _is_lined_up(swatch, [other for other, beside in pairs if beside is not label])
    ]


def _with_similar_pairs(clear: Sequence[Pair], pairs: Sequence[Pair]) -> list[Pair]:
    """Return the clear pairs and those in line with one of them: a swatch with a marker is higher than one without."""
    return [
        (swatch, label)
        for swatch, label in pairs
        if (swatch, label) in clear
        or any(
            (abs(known.box[0] - swatch.box[0]) <= 4 or abs(known.box[1] + known.box[3] - swatch.box[1] - swatch.box[3]) <= 4)
            and abs((known.box[2] - known.box[0]) - (swatch.box[2] - swatch.box[0])) <= 0.35 * (known.box[2] - known.box[0])
            for known, _ in clear
        )
    ]


def _is_lined_up(swatch: Rect, others: Sequence[Rect]) -> bool:
    """Return whether another swatch has the same size, another colour, and stands in the same row or column."""
    x0, y0, x1, y1 = swatch.box
    return any(
        other.colour != swatch.colour
        and (abs(other.box[0] - x0) <= 2 or abs(other.box[1] + other.box[3] - y0 - y1) <= 4)
        and abs((other.box[3] - other.box[1]) - (y1 - y0)) <= max(2.0, 0.25 * (y1 - y0))
        and abs((other.box[2] - other.box[0]) - (x1 - x0)) <= 3
        for other in others
    )


def _split_at_swatches(
    phrases: Sequence[ChartLabel], words: Sequence[ChartLabel], swatches: Sequence[Rect]
) -> list[ChartLabel]:
    """Return the phrases, cut where a swatch stands between two of their words."""
    by_index = {word.words[0]: word for word in words}
    parts: list[ChartLabel] = []
    for phrase in phrases:
        singles = [by_index[index] for index in phrase.words if index in by_index]
        groups: list[list[ChartLabel]] = []
        for word in singles:
            if groups and not _is_between(groups[-1][-1], word, swatches):
                groups[-1].append(word)
            else:
                groups.append([word])
        parts += [phrase] if len(groups) < 2 or phrase.rotated else [join_labels(group) for group in groups]
    return parts


def _is_between(before: ChartLabel, after: ChartLabel, swatches: Sequence[Rect]) -> bool:
    """Return whether the middle of a swatch is between two words of a line."""
    return any(
        before.x < (box[0] + box[2]) / 2 < after.x
        and before.box[1] < (box[1] + box[3]) / 2 < before.box[3]
        and box[0] > before.box[2] - 0.3 * before.height
        and box[2] < after.box[0] + 0.3 * after.height
        for box in (swatch.box for swatch in swatches)
    )


def _find_swatches(regions: ColourRegions, height: float, words: Sequence[ChartLabel]) -> list[Rect]:
    rects: list[Rect] = []
    for colour in range(len(regions.colours)):
        mask = cv2.morphologyEx((regions.raw_index == colour).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for x, y, w, h, area in stats[1 : count if count <= MAX_PIECES else 0].tolist():
            small = 0.25 * height <= w <= 3.5 * height and h <= 1.5 * height and (w < 2.2 * height or h < 0.9 * height)
            stroke = w >= 1.2 * height
            solid = area >= 8 and (stroke or (area >= 0.5 * w * h and h >= min(2.0, 0.1 * height)))
            if small and solid and not _inside(x + w / 2, y + h / 2, words):
                rects.append(Rect((x, y, x + w, y + h), colour))
    return rects


def _find_faint_swatches(
    regions: ColourRegions, phrases: Sequence[ChartLabel], height: float, pairs: Sequence[Pair], on_left: bool
) -> list[Pair]:
    """Return strokes and small blocks, and the labels right (or left) of them. Each is lined up with another swatch.

    Strokes are too thin to have their full colour; blocks may have another shade than transparent marks.
    """
    faint = [
        (Rect(box, colour), label)
        for label in phrases
        if label.number is None and not label.rotated and (box := _swatch_box(regions, label, height, on_left))
        if (colour := _nearest_colour(regions, box)) != BACKGROUND
    ]
    known = [*pairs, *faint]
    return [
        (swatch, label)
        for swatch, label in faint
        if any(
            other.colour != swatch.colour
            and (abs(other.box[0] - swatch.box[0]) <= 3 or abs(label.y - beside.y) <= 3)
            and abs((other.box[2] - other.box[0]) - (swatch.box[2] - swatch.box[0])) <= 4
            for other, beside in known
        )
    ]


def _swatch_box(regions: ColourRegions, label: ChartLabel, height: float, on_left: bool) -> Box | None:
    """Return the box of the mark just left (or right) of a label when it is a short level stroke or a small block, else None."""
    y0, y1 = max(0, round(label.y - 0.8 * height)), round(label.y + 0.8 * height)
    edge = round(label.box[0] if on_left else label.box[2])
    x0, x1 = (max(0, round(edge - 3.5 * height)), edge) if on_left else (edge, round(edge + 3.5 * height))
    window = regions.pixels[y0:y1, x0:x1].astype(np.int16)
    if not window.size:
        return None
    ink = (np.abs(window - regions.background).max(axis=2, initial=0) > COLOUR_TOLERANCE).astype(np.uint8)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    wide = len(ink[0])
    for x, y, w, h, area in sorted(stats[1:count].tolist(), key=lambda piece: -piece[0] if on_left else piece[0]):
        whole = 0 < y < len(ink) - h and (x > 0 if on_left else x + w < wide)
        gap = wide - x - w if on_left else x
        stroke = 0.5 * height <= w and h <= 0.4 * height
        block = 0.35 * height <= min(w, h) and h <= 1.3 * height and area >= 0.75 * w * h
        if whole and (stroke or block) and gap <= 1.3 * height:
            return (x0 + x, y0 + y, x0 + x + w, y0 + y + h)
    return None


def _nearest_colour(regions: ColourRegions, box: Box) -> int:
    """Return the mark colour of a swatch: its own, a paler shade of it, or the nearest one within ``MAX_SHADE``."""
    if not len(regions.colours):
        return BACKGROUND
    x0, y0, x1, y1 = (round(side) for side in box)
    window = regions.pixels[y0:y1, x0:x1].reshape(-1, 3).astype(np.int16)
    strength = np.abs(window - regions.background).max(axis=1)
    ink = np.median(window[strength >= 0.8 * strength.max()], axis=0)
    gaps = np.abs(regions.colours - ink).max(axis=1)
    if gaps.min() > COLOUR_TOLERANCE and (tint := tint_colour(regions, box)) != BACKGROUND:
        return tint
    return int(gaps.argmin()) if gaps.min() <= MAX_SHADE else BACKGROUND


def _inside(x: float, y: float, labels: Sequence[ChartLabel]) -> bool:
    return any(label.box[0] <= x <= label.box[2] and label.box[1] <= y <= label.box[3] for label in labels)


def _label_beside(swatch: Rect, phrases: Sequence[ChartLabel], height: float, on_left: bool) -> ChartLabel | None:
    """Return the nearest label right of a swatch that is on its left, or left of one that is on its right."""
    y = (swatch.box[1] + swatch.box[3]) / 2
    gaps = [
        (label.box[0] - swatch.box[2] if on_left else swatch.box[0] - label.box[2], label)
        for label in phrases
        if not label.rotated and abs(label.y - y) < 0.5 * height
    ]
    near = [(gap, label) for gap, label in gaps if -0.3 * height < gap < 1.8 * height]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _is_aligned(pair: Pair, pairs: Sequence[Pair]) -> bool:
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
