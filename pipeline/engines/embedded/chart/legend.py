"""Which colour is which series: swatches beside labels, else labels printed in the colour of their marks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.engines.embedded.chart.chart_labels import Label, join, letter_height
from pipeline.engines.embedded.chart.colour_regions import NEAR, PAPER, PIECES, Painting, Rect, text_colour, tint
from pipeline.records import Box

Names = dict[int, Label]
"""Series label by colour number."""


def find_legend(painting: Painting, phrases: Sequence[Label]) -> tuple[Names, list[Box]]:
    """Labels with a small patch of colour on their left, by colour; and the boxes of these patches."""
    height = letter_height(phrases)
    pairs = [(patch, label) for patch in _patches(painting, height, phrases) if (label := _beside(patch, phrases, height))]
    named = {label.words for _, label in pairs}
    pairs += _strokes(painting, [label for label in phrases if label.words not in named], height, pairs)
    pairs = [pair for pair in pairs if _lined_up(pair, pairs)]
    names: Names = {}
    for patch, label in sorted(pairs, key=lambda pair: np.ptp(painting.colours[pair[0].colour]) <= 30):
        if patch.colour not in names and label not in names.values():
            names[patch.colour] = label
    if len(names) < 2 and any(label.number is not None for label in names.values()):
        return {}, []
    return names, [patch.box for patch, label in pairs if names.get(patch.colour) is label]


def _patches(painting: Painting, height: float, phrases: Sequence[Label]) -> list[Rect]:
    found: list[Rect] = []
    for colour in range(len(painting.colours)):
        mask = cv2.morphologyEx((painting.raw == colour).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for x, y, w, h, area in stats[1 : count if count <= PIECES else 0].tolist():
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
                found.append(Rect((x, y, x + w, y + h), colour))
    return found


def _strokes(
    painting: Painting, phrases: Sequence[Label], height: float, pairs: Sequence[tuple[Rect, Label]]
) -> list[tuple[Rect, Label]]:
    """Labels with a stroke on their left that is too thin to have its full colour anywhere, in line with other swatches."""
    found = [
        (Rect(box, colour), label)
        for label in phrases
        if label.number is None and not label.turned and (box := _stroke(painting, label, height))
        if (colour := tint(painting, box)) != PAPER
    ]
    known = [*pairs, *found]
    return [
        (patch, label)
        for patch, label in found
        if any(
            other.colour != patch.colour
            and (abs(other.box[0] - patch.box[0]) <= 3 or abs(label.y - beside.y) <= 3)
            and abs((other.box[2] - other.box[0]) - (patch.box[2] - patch.box[0])) <= 4
            for other, beside in known
        )
    ]


def _stroke(painting: Painting, label: Label, height: float) -> Box | None:
    """The box of what is drawn right before a label, when that is one short level stroke."""
    x1, y0, y1 = round(label.box[0]), max(0, round(label.y - 0.6 * height)), round(label.y + 0.6 * height)
    x0 = max(0, round(x1 - 3.5 * height))
    window = painting.pixels[y0:y1, x0:x1].astype(np.int16)
    if not window.size:
        return None
    inked = (np.abs(window - painting.paper).max(axis=2, initial=0) > NEAR).astype(np.uint8)
    joined = cv2.morphologyEx(inked, cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for x, y, w, h, _ in sorted(stats[1:count].tolist(), key=lambda piece: -piece[0]):
        level = 0.5 * height <= w and h <= 0.4 * height and x > 0 and 0 < y < len(inked) - h
        if level and len(inked[0]) - x - w <= 1.3 * height:
            return (x0 + x, y0 + y, x0 + x + w, y0 + y + h)
    return None


def _inside(x: float, y: float, labels: Sequence[Label]) -> bool:
    return any(label.box[0] <= x <= label.box[2] and label.box[1] <= y <= label.box[3] for label in labels)


def _beside(patch: Rect, phrases: Sequence[Label], height: float) -> Label | None:
    x1, y = patch.box[2], (patch.box[1] + patch.box[3]) / 2
    fitting = [
        label
        for label in phrases
        if not label.turned and -0.3 * height < label.box[0] - x1 < 1.3 * height and abs(label.y - y) < 0.5 * height
    ]
    return min(fitting, key=lambda label: label.box[0], default=None)


def _lined_up(pair: tuple[Rect, Label], pairs: Sequence[tuple[Rect, Label]]) -> bool:
    """Whether a patch of another colour and the same size stands in the same row or column; words need no such company."""
    patch, label = pair
    if label.number is None and len(label.text) >= 3:
        return True
    return any(
        other.colour != patch.colour
        and (abs(other.box[0] - patch.box[0]) <= 2 or abs(other.box[1] - patch.box[1]) <= 2)
        and abs((other.box[3] - other.box[1]) - (patch.box[3] - patch.box[1])) <= 2
        for other, _ in pairs
    )


def coloured_labels(painting: Painting, phrases: Sequence[Label], colours: Sequence[int]) -> Names:
    """Labels printed in the colour of marks, lines of one label joined."""
    texts = [label for label in phrases if label.number is None and not label.turned]
    shades = {label.words: text_colour(painting, label) for label in texts}
    found: Names = {}
    for label in sorted(texts, key=lambda label: label.y):
        colour = shades[label.words]
        if colour in colours and colour not in found:
            others = [other for other in texts if shades[other.words] in (PAPER, colour)]
            found[colour] = join(_grown(label, others))
    return found


def _grown(label: Label, others: Sequence[Label]) -> list[Label]:
    """The lines right below a label that go on with it."""
    lines = [label]
    for other in sorted(others, key=lambda other: other.y):
        last = lines[-1]
        below = -0.4 * last.height < other.box[1] - last.box[3] < 0.5 * last.height
        beside = min(other.box[2], last.box[2]) - max(other.box[0], last.box[0]) > 0.4 * min(other.width, last.width)
        if other.y > last.y + 0.5 * last.height and below and beside and 0.75 < other.height / last.height < 1.33:
            lines.append(other)
    return lines
