"""Reads dots: single markers of one size, beside category labels (dot plots) or between two numeric axes (scatter plots)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.bar_values import decimal_error, round_to_step
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import MAX_PIECES, ColourRegions, fill_rings
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.records import Box

MIN_DOTS = 5
"""Fewest markers of a dot plot."""
MAX_DOTS = 400
"""Most markers of a dot plot. More are noise."""


@dataclass(frozen=True, slots=True)
class Dot:
    """The centre of a marker in pixels."""

    x: float
    y: float
    colour: int


def find_dots(regions: ColourRegions, height: float, swatches: Sequence[Box]) -> list[Dot]:
    """Return spots of one size: squares up to a letter's height, or discs up to two; none when they are fewer than ``MIN_DOTS``."""
    sized_dots: list[tuple[Dot, float]] = []
    for colour in range(len(regions.colours)):
        mask = (regions.index == colour).astype(np.uint8)
        spots = cv2.morphologyEx(fill_rings(mask), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, _, stats, centres = cv2.connectedComponentsWithStats(spots, connectivity=8)
        if count > MAX_PIECES:
            continue
        for (x, y, w, h, area), (cx, cy) in zip(stats[1:count].tolist(), centres[1:count].tolist(), strict=True):
            disc = 0.7 < area / (w * h) < 0.87
            is_round = 0.65 < w / h < 1.55 and area >= 0.6 * w * h and 3 <= max(w, h) <= (2.0 if disc else 1.3) * height
            if is_round and not any(a <= x + w / 2 <= c and b <= y + h / 2 <= d for a, b, c, d in swatches):
                sized_dots.append((Dot(cx + 0.5, cy + 0.5, colour), float(max(w, h))))
    if len(sized_dots) < MIN_DOTS:
        return []
    usual = median(size for _, size in sized_dots)
    dots = [dot for dot, size in sized_dots if abs(size - usual) <= max(1.5, 0.3 * usual)]
    return dots if MIN_DOTS <= len(dots) <= MAX_DOTS else []


def read_dots(
    dots: Sequence[Dot],
    axes: tuple[Axis | None, Axis | None],
    labels: Sequence[ChartLabel],
    series_labels: SeriesLabels,
    precision: float = 1.0,
) -> list[DataRow]:
    """Return a row for each dot. ``labels`` are the categories when only one axis has numbers.

    ``precision`` is the largest error of a centre, in pixels.
    """
    across, up = axes
    signals = {"evenly_spaced": _evenness(dots)}
    rows: list[DataRow] = []
    no_words: tuple[int, ...] = ()
    for dot in sorted(dots, key=lambda dot: (dot.y, dot.x) if up is None else (dot.x, dot.y)):
        series_label = series_labels.get(dot.colour)
        series = series_label.text if series_label else None
        if across and up:
            category, words = str(round_to_step(across.value(dot.x), precision * abs(across.slope))), no_words
            value, step = _value_and_step(up, dot.y)
        elif across or up:
            label = _nearest_label(dot, labels, vertical=up is not None)
            if label is None:
                continue
            value, step = _value_and_step(across, dot.x) if across else _value_and_step(up, dot.y) if up else (0.0, 1.0)
            category, words = label.text, label.words
        else:
            return []
        step *= precision
        rows.append(
            DataRow(category, series, round_to_step(value, abs(step)), words, error=decimal_error(step), signals=signals)
        )
    return rows


def _evenness(dots: Sequence[Dot]) -> float:
    """Return 1 for dots at even distances from each other, which are a dotted line, down to 0 for those that are spread at random."""
    places = np.array([(dot.x, dot.y) for dot in dots])
    distances = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(distances, np.inf)
    nearest = distances.min(axis=1)
    low, middle, high = np.percentile(nearest, (20, 50, 80))
    return float(max(0.0, 1 - (high - low) / max(1.0, middle)))


def _value_and_step(axis: Axis, pixel: float) -> tuple[float, float]:
    """Return the value at a pixel, and the difference that one pixel makes there."""
    value = axis.value(pixel)
    return value, abs(value) * (10 ** abs(axis.slope) - 1) if axis.log else abs(axis.slope)


def _nearest_label(dot: Dot, labels: Sequence[ChartLabel], vertical: bool) -> ChartLabel | None:
    """Return the label in line with a dot: below it in vertical plots, else on its left."""
    distances = [(abs(label.x - dot.x) if vertical else abs(label.y - dot.y), label) for label in labels]
    distance, label = min(distances, key=lambda pair: pair[0], default=(1e9, None))
    return label if label and distance <= (0.7 * label.width if vertical else 0.7 * label.height) else None
