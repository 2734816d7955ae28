"""Which colour is which series: swatches beside labels, else labels printed in the colour of their marks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.engines.embedded.chart.labels import Label, join, letter_height
from pipeline.engines.embedded.chart.paint import Painting, Rect, text_colour
from pipeline.records import Box

Names = dict[int, Label]
"""Series label by colour number."""


def find_legend(painting: Painting, phrases: Sequence[Label]) -> tuple[Names, list[Box]]:
    """Labels with a small patch of colour on their left, by colour; and the boxes of these patches."""
    height = letter_height(phrases)
    pairs = [(patch, label) for patch in _patches(painting, height, phrases) if (label := _beside(patch, phrases, height))]
    pairs = [pair for pair in pairs if _lined_up(pair, pairs)]
    names: Names = {}
    for patch, label in pairs:
        if patch.colour not in names and label not in names.values():
            names[patch.colour] = label
    if len(names) < 2 and any(label.number is not None for label in names.values()):
        return {}, []
    return names, [patch.box for patch, label in pairs if names.get(patch.colour) is label]


def _patches(painting: Painting, height: float, phrases: Sequence[Label]) -> list[Rect]:
    found: list[Rect] = []
    for colour in range(len(painting.colours)):
        mask = (painting.raw == colour).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for x, y, w, h, area in stats[1:count].tolist():
            small = 0.25 * height <= w <= 2.2 * height and 0.1 * height <= h <= 1.5 * height
            if small and area >= 0.5 * w * h and area >= 8 and not _inside(x + w / 2, y + h / 2, phrases):
                found.append(Rect((x, y, x + w, y + h), colour))
    return found


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
    height = letter_height(phrases)
    found: dict[int, list[Label]] = {}
    for label in sorted(phrases, key=lambda label: label.y):
        colour = text_colour(painting, label) if label.number is None and not label.turned else -1
        if colour not in colours:
            continue
        lines = found.setdefault(colour, [])
        if not lines or (0 < label.y - lines[-1].y < 1.8 * height and abs(label.x - lines[-1].x) < 6 * height):
            lines.append(label)
    return {colour: join(lines) for colour, lines in found.items()}
