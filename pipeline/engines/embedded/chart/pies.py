"""Pies and donuts: sectors of a circle in different colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import hypot, pi

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.labels import Label, join
from pipeline.engines.embedded.chart.legend import Names
from pipeline.engines.embedded.chart.paint import PAPER, Painting
from pipeline.engines.embedded.chart.summary import Row
from pipeline.records import Box

LEAST = 0.01
"""Smallest share of the circle that counts as a sector."""


@dataclass(frozen=True, slots=True)
class Pie:
    """A circle in pixels; ``shares`` of its area by colour number."""

    x: float
    y: float
    radius: float
    donut: bool
    shares: dict[int, float]

    @property
    def box(self) -> Box:
        """The box around the circle."""
        return (self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def find_pie(painting: Painting) -> Pie | None:
    """The largest disc or ring made of at least two colours."""
    marked = (painting.index != PAPER).astype(np.uint8)
    joined = cv2.morphologyEx(marked, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for piece in sorted(range(1, count), key=lambda piece: -stats[piece][4])[:5]:
        x, y, w, h, _ = (int(value) for value in stats[piece])
        if min(w, h) >= 40 and 0.93 < w / h < 1.07 and (pie := _pie(painting, pieces == piece, (x, y, w, h))):
            return pie
    return None


def _pie(painting: Painting, mask: NDArray[np.bool_], box: tuple[int, int, int, int]) -> Pie | None:
    x, y, w, h = box
    part = mask[y : y + h, x : x + w].astype(np.uint8)
    outline, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(part), outline, -1, 1, cv2.FILLED)
    if not 0.95 < filled.sum() / (pi / 4 * w * h) < 1.04:
        return None
    index = painting.index[y : y + h, x : x + w]
    across = np.arange(w) - (w - 1) / 2
    down = np.arange(h)[:, None] - (h - 1) / 2
    distance = np.hypot(across[None, :], down) / (min(w, h) / 2)
    donut = bool((index[distance < 0.3] == PAPER).mean() > 0.7)
    inside = index[(distance < 0.97) & (distance > (0.3 if donut else 0.0))]
    counts = np.bincount(inside[inside != PAPER], minlength=len(painting.colours))
    shares = {colour: count / counts.sum() for colour, count in enumerate(counts.tolist()) if count >= LEAST * counts.sum()}
    enough = counts.sum() > 0.5 * inside.size
    return Pie(x + w / 2, y + h / 2, min(w, h) / 2, donut, shares) if len(shares) >= 2 and enough else None


def read_pie(pie: Pie, painting: Painting, names: Names, phrases: Sequence[Label]) -> list[Row]:
    """A row for each sector, the largest first: the printed value, else its share of the circle in percent."""
    near = [label for label in phrases if hypot(label.x - pie.x, label.y - pie.y) < 1.7 * pie.radius and not label.turned]
    around: dict[int, list[Label]] = {}
    for label in near:
        around.setdefault(_sector(pie, painting, label), []).append(label)
    rows = [_row(share, names.get(colour), around.get(colour, [])) for colour, share in pie.shares.items()]
    return sorted(rows, key=lambda row: -(row.value or Decimal(0)))


def _sector(pie: Pie, painting: Painting, label: Label) -> int:
    """The colour at which a label points: straight from it towards the centre."""
    for part in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        reach = min(part, 0.92 * pie.radius / max(1.0, hypot(label.x - pie.x, label.y - pie.y)))
        x, y = round(pie.x + reach * (label.x - pie.x)), round(pie.y + reach * (label.y - pie.y))
        colour = int(painting.index[min(max(y, 0), len(painting.index) - 1), min(max(x, 0), painting.index.shape[1] - 1)])
        if colour in pie.shares:
            return colour
    return PAPER


def _row(share: float, name: Label | None, labels: Sequence[Label]) -> Row:
    printed = next((label for label in labels if label.number is not None), None)
    texts = [label for label in labels if label.number is None]
    category = name or (join(texts) if texts else None)
    value = printed.number if printed else Decimal(f"{100 * share:.1f}")
    words = (*(category.words if category else ()), *(printed.words if printed else ()))
    error = Decimal(0) if printed else Decimal("0.3")
    return Row(category.text if category else None, None, value, words, printed is not None, error)
