"""Reads pies and donuts: sectors of a circle in different colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import hypot, pi

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels, parse_label_number
from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, ColourRegions
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.legend import SeriesLabels
from pipeline.records import Box

MIN_SHARE = 0.01
"""Smallest share of the circle that is a sector."""
MIN_CORE = 0.25
"""Least share of a sector's pixels that are more than two pixels inside it."""
HOLE_RADIUS = 0.4
"""Radius within which a number stands in the hole, as a share of the circle's radius."""
MIN_ROUNDNESS = 0.95
"""Least ratio between the area of an outline and that of a circle of the same length. A circle has 1, a square 0.79."""
PERCENT_TOLERANCE = 3.5
"""A number in the hole is a sector's percentage when they differ by less."""
_NAME_WITH_PERCENT = re.compile(r"(.*[^\W\d].*?)[\s,:;(–—-]+(\d[\d.,]*\s?%)\)?")
"""A name with its percentage: "Cats (38 %)"."""
_NAME_WITH_NUMBER = re.compile(r"(.*[^\W\d].*?)[\s,:;(–—-]+(\d[\d.,]*)\)?")
"""A name with a number behind it: "Cats: 38"."""
SHARE_TOLERANCE = 0.03
"""Most difference between a number's share of all numbers and its sector's share of the circle."""


@dataclass(frozen=True, slots=True)
class Pie:
    """A circle in pixels, and the share of each sector by colour number."""

    x: float
    y: float
    radius: float
    donut: bool
    shares: dict[int, float]
    decimals: int = 1
    """Of a share in percent."""

    @property
    def box(self) -> Box:
        """The box around the circle."""
        return (self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


def find_pie(regions: ColourRegions) -> Pie | None:
    """Return the largest disc or ring of at least two colours; None without one."""
    marks = (regions.index != BACKGROUND).astype(np.uint8)
    joined = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    for piece in sorted(range(1, count), key=lambda piece: -stats[piece][4])[:5]:
        x, y, w, h, _ = (int(value) for value in stats[piece])
        if min(w, h) >= 40 and 0.93 < w / h < 1.07 and (pie := _measure_pie(regions, pieces == piece, (x, y, w, h))):
            return pie
    return _find_exploded_pie(regions, marks)


def _find_exploded_pie(regions: ColourRegions, marks: NDArray[np.uint8]) -> Pie | None:
    """Return a disc with sectors pulled out: at least two solid pieces whose common outline is nearly round."""
    side = max(9, min(marks.shape) // 16) | 1
    joined = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return None
    piece = max(range(1, count), key=lambda piece: int(stats[piece][4]))
    x, y, w, h, _ = (int(value) for value in stats[piece])
    index = np.where(pieces == piece, regions.index, BACKGROUND)[y : y + h, x : x + w]
    counts = np.bincount(index[index != BACKGROUND], minlength=len(regions.colours))
    shares = {
        colour: number / counts.sum() for colour, number in enumerate(counts.tolist()) if number >= MIN_SHARE * counts.sum()
    }
    solid = [colour for colour in shares if _is_solid((index == colour).astype(np.uint8))]
    rim, _ = cv2.findContours((index != BACKGROUND).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.convexHull(np.concatenate(rim)) if rim else np.zeros((0, 1, 2), np.int32)
    roundness = 4 * pi * cv2.contourArea(hull) / max(1.0, cv2.arcLength(hull, closed=True)) ** 2 if len(hull) > 2 else 0.0
    full = len(hull) > 2 and counts.sum() > 0.85 * cv2.contourArea(hull)
    if min(w, h) < 40 or not 0.8 < w / h < 1.25 or roundness < MIN_ROUNDNESS or not full or len(solid) < max(2, len(shares)):
        return None
    return Pie(x + w / 2, y + h / 2, min(w, h) / 2, False, shares)


def _is_solid(mask: NDArray[np.uint8]) -> bool:
    """Return whether nearly all of a mask is one piece, as a sector is."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    return count > 1 and int(stats[1:, 4].max()) > 0.9 * int(stats[1:, 4].sum())


def _measure_pie(regions: ColourRegions, mask: NDArray[np.bool_], box: tuple[int, int, int, int]) -> Pie | None:
    x, y, w, h = box
    part = mask[y : y + h, x : x + w].astype(np.uint8)
    outline, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(part), outline, -1, 1, cv2.FILLED)
    if not 0.95 < filled.sum() / (pi / 4 * w * h) < 1.04:
        return None
    index = regions.index[y : y + h, x : x + w]
    across = np.arange(w) - (w - 1) / 2
    down = np.arange(h)[:, None] - (h - 1) / 2
    distance = np.hypot(across[None, :], down) / (min(w, h) / 2)
    donut = bool((index[distance < 0.3] == BACKGROUND).mean() > 0.7)
    inside = index[(distance < 0.97) & (distance > (0.3 if donut else 0.0))]
    counts = np.bincount(inside[inside != BACKGROUND], minlength=len(regions.colours))
    enough = counts.sum() > 0.5 * inside.size
    rims = [colour for colour in np.flatnonzero(counts).tolist() if not _is_sector((index == colour).astype(np.uint8))]
    counts[rims] = 0
    shares = {colour: count / counts.sum() for colour, count in enumerate(counts.tolist()) if count >= MIN_SHARE * counts.sum()}
    return Pie(x + w / 2, y + h / 2, min(w, h) / 2, donut, shares) if len(shares) >= 2 and enough else None


def _is_sector(mask: NDArray[np.uint8]) -> bool:
    """Return whether a colour's mask is no thin rim between sectors, where colours are blended."""
    core = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=2)
    return int(core.sum()) >= MIN_CORE * int(mask.sum())


def read_pie(pie: Pie, regions: ColourRegions, series_labels: SeriesLabels, phrases: Sequence[ChartLabel]) -> list[DataRow]:
    """Return a row for each sector, the largest first: its printed value, else its share of the circle in percent."""
    near = [label for label in phrases if hypot(label.x - pie.x, label.y - pie.y) < 1.7 * pie.radius and not label.rotated]
    around: dict[int, list[ChartLabel]] = {}
    for label in near:
        around.setdefault(_sector_colour(pie, regions, label), []).append(label)
    for label in near:
        if pie.donut and label.number is not None and hypot(label.x - pie.x, label.y - pie.y) < HOLE_RADIUS * pie.radius:
            _, colour = min((abs(100 * share - float(label.number)), colour) for colour, share in pie.shares.items())
            if abs(100 * pie.shares[colour] - float(label.number)) < PERCENT_TOLERANCE:
                around.setdefault(colour, []).append(label)
    shares = _complete_shares(pie.shares, around)
    rows = [_row(share, pie.decimals, series_labels.get(colour), around.get(colour, [])) for colour, share in shares.items()]
    rows = _with_numbers_behind_names(rows, list(shares.values()))
    rows = _compared_with_shares(rows, list(shares.values()))
    if any(row.category for row in rows):  # a shade of a sector has no name
        rows = [row for row in rows if row.category or row.printed]
    return sorted(rows, key=lambda row: -(row.value or Decimal(0)))


def _with_numbers_behind_names(rows: Sequence[DataRow], shares: Sequence[float]) -> list[DataRow]:
    """Return the rows with the numbers behind their names as values, "Cats: 38", where all of them have the sectors' proportions.

    A word that follows every name, "Cats, value: 38", is no part of it.
    """
    matches = [_NAME_WITH_NUMBER.fullmatch(row.category) if row.category and not row.printed else None for row in rows]
    numbers = [parse_label_number(match[2]) if match else row.value for match, row in zip(matches, rows, strict=True)]
    values = [float(number) if number is not None else 0.0 for number in numbers]
    if not any(matches) or not all(match or row.printed for match, row in zip(matches, rows, strict=True)) or sum(values) <= 0:
        return list(rows)
    if (
        max(abs(value / sum(values) - share / sum(shares)) for value, share in zip(values, shares, strict=True))
        > SHARE_TOLERANCE
    ):
        return list(rows)
    names = [match[1] if match else row.category or "" for match, row in zip(matches, rows, strict=True)]
    last = {name.split()[-1].strip(":,;") for name in names if len(name.split()) > 1}
    if len(last) == 1 and all(len(name.split()) > 1 for name in names):
        names = [" ".join(name.split()[:-1]).strip(" :,;") for name in names]
    return [
        replace(row, category=name, value=number, printed=True, error=Decimal(0)) if match else row
        for row, match, name, number in zip(rows, matches, names, numbers, strict=True)
    ]


def _compared_with_shares(rows: Sequence[DataRow], shares: Sequence[float]) -> list[DataRow]:
    """Return the rows with the signals of printed numbers: how far each is from its sector's share of their sum."""
    values = [float(row.value) if row.printed and row.value is not None else None for row in rows]
    known = [(value, share) for value, share in zip(values, shares, strict=True) if value is not None]
    total, part = sum(value for value, _ in known), sum(share for _, share in known)
    if total <= 0 or part <= 0:
        return list(rows)
    return [
        row if value is None else replace(row, signals={"off_share": min(1.0, abs(value / total - share / part) / 0.04)})
        for row, value, share in zip(rows, values, shares, strict=True)
    ]


def _complete_shares(shares: dict[int, float], around: dict[int, list[ChartLabel]]) -> dict[int, float]:
    """Return the shares with those of unprinted sectors scaled to what the printed percentages leave."""
    printed = {
        colour: label for colour, labels in around.items() for label in labels if label.number is not None and colour in shares
    }
    printed_shares = {colour: float(label.number or 0) / 100 for colour, label in printed.items()}
    rest = sum(share for colour, share in shares.items() if colour not in printed_shares)
    remainder = 1 - sum(printed_shares.values())
    if not printed_shares or rest <= 0 or abs(remainder - rest) > 0.05 or remainder <= 0:
        return shares
    return {colour: share if colour in printed_shares else share * remainder / rest for colour, share in shares.items()}


def _sector_colour(pie: Pie, regions: ColourRegions, label: ChartLabel) -> int:
    """Return the first sector colour on the line from a label to the centre; ``BACKGROUND`` without one."""
    for part in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        reach = min(part, 0.92 * pie.radius / max(1.0, hypot(label.x - pie.x, label.y - pie.y)))
        x, y = round(pie.x + reach * (label.x - pie.x)), round(pie.y + reach * (label.y - pie.y))
        colour = int(regions.index[min(max(y, 0), len(regions.index) - 1), min(max(x, 0), regions.index.shape[1] - 1)])
        if colour in pie.shares:
            return colour
    return BACKGROUND


def _row(share: float, decimals: int, name: ChartLabel | None, labels: Sequence[ChartLabel]) -> DataRow:
    printed = next((label for label in labels if label.number is not None), None)
    texts = [label for label in labels if label.number is None]
    category = name or (join_labels(texts) if texts else None)
    if category and printed is None and (match := _NAME_WITH_PERCENT.fullmatch(category.text)):
        printed = replace(category, number=parse_label_number(match[2]))
        category = replace(category, text=match[1])
    value = printed.number if printed else Decimal(f"{100 * share:.{decimals}f}")
    words = (*(category.words if category else ()), *(printed.words if printed else ()))
    error = Decimal(0) if printed else Decimal("0.3") if decimals == 1 else Decimal("0.01")
    return DataRow(category.text if category else None, None, value, words, printed is not None, error)
