"""Finds a chart's title, the titles of its axes, and the notes below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels, letter_height
from pipeline.engines.embedded.chart.colour_regions import ColourRegions
from pipeline.languages import Languages, from_words
from pipeline.languages.evidence import Weights, language_weights, weight
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Box
from pipeline.values.boxes import bounding_box

CLEARLY_LESS = 0.5
"""Weight below which a language is not the picture's."""


@from_words
def _notes(languages: Languages) -> dict[str, re.Pattern[str]]:
    """How a source or a note begins, by language."""
    words = {code: language.charts.notes for code, language in languages.by_code.items()}
    return {
        code: re.compile(rf"\W*(?:{plain_any_of(notes)}|\*)\b\s*(?P<mark>[:：.]?)", re.IGNORECASE)
        for code, notes in words.items()
        if notes
    }


def find_notes(phrases: Sequence[ChartLabel], height: float) -> list[ChartLabel]:
    """Return source and notes: all labels from the first line of the lower half that begins with a word for them.

    Without a mark behind it the word counts in the picture's languages only: "Not" is a note in Turkish.
    """
    weights = language_weights(label.text for label in phrases)
    starts = [label.box[1] for label in phrases if label.y > 0.45 * height and _begins_note(label.text, weights)]
    return [label for label in phrases if starts and label.y > min(starts)]


def _begins_note(text: str, weights: Weights) -> bool:
    found = ((code, match["mark"]) for code, pattern in _notes().items() if (match := pattern.match(text)))
    return any(mark or weight((code,), weights) >= CLEARLY_LESS for code, mark in found)


def find_title(phrases: Sequence[ChartLabel], regions: ColourRegions, plot: Box) -> list[ChartLabel]:
    """Return the lines of the title: the first prominent text above the plot; none without one."""
    top, middle = plot[1], (plot[0] + plot[2]) / 2
    usual = letter_height(phrases)
    width = regions.pixels.shape[1]
    above = [label for label in phrases if label.y < top and not label.rotated]
    lines = sorted(above, key=lambda label: label.y)
    for number, label in enumerate(lines):
        words = len(label.text.split())
        long = words >= 3 and label.width > 0.3 * width
        placed = abs(label.x - width / 2) < 0.2 * width or label.box[0] < 0.15 * width
        short = words >= 2 and label.height > 1.08 * usual and (placed or label.width > 0.2 * width)
        is_lone = number == 0 and not any(abs(other.y - label.y) < 0.6 * usual for other in phrases if other is not label)
        is_heading = is_lone and abs(label.x - width / 2) < 0.08 * width and label.y < 0.12 * regions.pixels.shape[0]
        large = len(label.text) >= 4 and label.height > (1.14 if is_lone and placed else 1.25) * usual
        over = abs(label.x - middle) < 0.05 * (plot[2] - plot[0]) or -1.3 * usual < label.box[0] - plot[0] < 0.8 * usual
        is_heading |= is_lone and over and words >= 2
        if label.number is None and (long or short or large or (is_heading and len(label.text) >= 4)):
            return _continuation_lines(label, lines[number + 1 :], regions)
    return []


def _continuation_lines(first: ChartLabel, lines: Sequence[ChartLabel], regions: ColourRegions) -> list[ChartLabel]:
    """Return the first line and those that continue it in the same size and weight."""
    title, ink = [first], _ink_strength(first, regions)
    for label in lines:
        last = title[-1]
        same = 0.84 < label.height / first.height < 1.19 and abs(_ink_strength(label, regions) - ink) < 40
        beside = abs(label.y - last.y) < 0.4 * last.height
        below = -0.4 * last.height < label.box[1] - last.box[3] < 0.75 * last.height
        aligned = abs(label.box[0] - first.box[0]) < 1.5 * first.height or abs(label.x - first.x) < 1.5 * first.height
        if same and (beside or (below and aligned)):
            title.append(label)
        elif below:
            break
    return title


def _ink_strength(label: ChartLabel, regions: ColourRegions) -> float:
    """Return the contrast of the letters with the background: 0 to 255."""
    x0, y0, x1, y1 = (max(0, round(edge)) for edge in label.box)
    window = regions.pixels[y0 : y1 + 1, x0 : x1 + 1].reshape(-1, 3).astype(np.int16)
    if not len(window):
        return 0.0
    distance = np.abs(window - regions.background).max(axis=1)
    return float(np.percentile(distance, 88))


@dataclass(frozen=True, slots=True)
class AxisTitles:
    """The titles of the two axes."""

    x: ChartLabel | None
    y: ChartLabel | None


def axis_titles(phrases: Sequence[ChartLabel], plot: Box, axes: tuple[Axis | None, Axis | None], below: float) -> AxisTitles:
    """Return the titles of the axes: text just under the tick labels, which end at ``below``, and rotated text beside the plot."""
    usual = letter_height(phrases)
    x0, y0, x1, y1 = plot
    level = [label for label in phrases if not label.rotated and label.number is None and x0 - usual < label.x < x1 + usual]
    under = [label for label in level if -0.4 * usual < label.box[1] - below < _title_reach(label, plot) * usual]
    rotated = [label for label in phrases if label.rotated and label.number is None and y0 - usual < label.y < y1 + usual]
    beside = [label for label in rotated if label.x < x0 or label.x > x1]
    heading = (_heading_over_axis(phrases, plot, axes, usual) or _unit_label(phrases, plot, axes)) if not beside else None
    return AxisTitles(
        join_labels(under) if under else None,
        _join_rotated(beside, x0, usual) or heading,
    )


def _unit_label(phrases: Sequence[ChartLabel], plot: Box, axes: tuple[Axis | None, Axis | None]) -> ChartLabel | None:
    """Return the one short text left of the numbers of a vertical axis: a unit, which is not rotated."""
    if axes[1] is None:
        return None
    left = min(tick.box[0] for tick in axes[1].ticks)
    candidates = [
        label for label in phrases if label.box[2] <= left + 2 and plot[1] < label.y < plot[3] and len(label.text) <= 4
    ]
    return candidates[0] if len(candidates) == 1 and candidates[0].number is None else None


def _title_reach(label: ChartLabel, plot: Box) -> float:
    """Return how far below the ticks a title may stand, in letter heights: farther when it is centred under the plot."""
    return 3.2 if abs(label.x - (plot[0] + plot[2]) / 2) < 0.08 * (plot[2] - plot[0]) else 1.6


def _join_rotated(beside: Sequence[ChartLabel], left: float, usual: float) -> ChartLabel | None:
    """Return the rotated text on one side as one label: read upwards left of the plot, downwards right of it."""
    side = [label for label in beside if label.x < left] or list(beside)
    if not side:
        return None
    tallest = max(side, key=lambda label: label.height)
    line = [label for label in side if abs(label.x - tallest.x) < 0.6 * usual]
    ordered = sorted(line, key=lambda label: -label.y if tallest.x < left else label.y)
    words = tuple(index for label in ordered for index in label.words)
    return ChartLabel(
        " ".join(label.text for label in ordered), bounding_box([label.box for label in ordered]), words, None, True
    )


def _heading_over_axis(
    phrases: Sequence[ChartLabel], plot: Box, axes: tuple[Axis | None, Axis | None], usual: float
) -> ChartLabel | None:
    """Return the text over the left end of the plot. Some charts print the title of their vertical axis there."""
    x0, y0, x1, _ = plot
    vertical = axes[1]
    top = min(y0, vertical.span[0]) if vertical else y0
    left = min([x0, *(tick.box[0] for tick in vertical.ticks)]) if vertical else x0
    fitting = [
        label
        for label in phrases
        if label.number is None
        and not label.rotated
        and 0 <= top - label.y < 2.6 * usual
        and abs(label.box[0] - left) < 1.5 * usual
        and label.width < 0.5 * (x1 - x0)
    ]
    return max(fitting, key=lambda label: label.y, default=None)
