"""Finds lines and areas: thin strokes of one colour across the plot, and what is filled below them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, ColourRegions, fill_rings, is_paler, text_colour
from pipeline.records import Box

MIN_WIDTH = 0.22
"""Least width of a line, as a share of the picture's."""
MIN_AREA_HEIGHT = 16
"""Least usual height of an area, in pixels. A stroke is lower."""
MAX_DASH_GAP = 21
"""Most pixels between two dashes."""
MIN_DASHES = 8
"""Fewest dashes of a dashed line."""
MIN_COVERAGE = 0.7
"""Least share of a line's columns that have pixels of it."""


MIN_DARKNESS = 80
"""Least difference from the background of a grey line that is told from rules of its colour. Grids are paler."""
RULE_SHARE = 0.4
"""Least length of a straight rule in the colour of a line, as a share of the picture's side."""
RIM = 2
"""Columns at both sides of an area that may not have its full colour."""
MAX_STROKE_SHARE = 0.02
"""Most pixels of a thin stroke, as a share of the picture's."""
BLEND_REACH = 15
"""Side, in pixels, of the square around a stroke's pixels in which blended ones are searched."""
MIN_BLEND = 0.35
"""Least share of a stroke's colour in a blended pixel."""


@dataclass(frozen=True, slots=True)
class LineMark:
    """One stroke: its colour, and the y of its centre for each x (NaN where it is hidden)."""

    colour: int
    left: int
    heights: NDArray[np.float64]
    markers: tuple[float, ...]
    """The x of its markers."""
    floors: NDArray[np.float64] | None = None
    """For an area, the y of its lower edge."""

    @property
    def right(self) -> int:
        """The last x."""
        return self.left + len(self.heights) - 1

    def floor_at(self, x: float) -> float | None:
        """Return the y of an area's lower edge at an x; None for a line."""
        if self.floors is None:
            return None
        return float(np.nanmedian(self.floors[max(0, min(round(x), self.right) - self.left)]))

    def y_at(self, x: float, reach: int = 4) -> float | None:
        """Return the y at an x: where the strokes on both sides of it meet, else from the columns within ``reach``."""
        if not self.markers and self.floors is None and (kink := self._kink_y(x)) is not None:
            return kink
        centre = math.floor(x) - self.left
        for wide in (1, reach):
            window = self.heights[max(0, centre - wide) : max(0, centre + wide + 1)]
            if len(window) and not np.isnan(window).all():
                return float(np.nanmedian(window))
        return None

    def signals(self, x: float) -> dict[str, float]:
        """What the confidence of the height at an x depends on: how much of the line is hidden there, and how steep it is."""
        at = math.floor(x) - self.left
        window = self.heights[max(0, at - 4) : max(0, at + 5)]
        known = window[~np.isnan(window)]
        steep = float(np.ptp(known)) / max(1, len(known) - 1) if len(known) > 1 else 0.0
        return {"hidden": 1 - len(known) / 9, "steep": min(1.0, steep / 8), "dense": float(not self.markers)}

    def _kink_y(self, x: float) -> float | None:
        """Return the y at which the strokes left and right of an x meet; None when they do not. The drawn peak itself is blunt."""
        crossings = [y for near, far in ((-3, -12), (3, 12)) if (y := self._extrapolate(x, near, far)) is not None]
        if not crossings or (len(crossings) == 2 and abs(crossings[0] - crossings[1]) > 4):
            return None
        return sum(crossings) / len(crossings)

    def _extrapolate(self, x: float, near: int, far: int) -> float | None:
        """Return the y at an x of the straight stroke from ``near`` to ``far`` columns beside it; None when it is not straight."""
        low, high = sorted((math.floor(x) + near - self.left, math.floor(x) + far - self.left))
        window = self.heights[max(0, low) : max(0, high + 1)]
        if len(window) < abs(far - near) + 1 or np.isnan(window).any():
            return None
        positions = np.arange(low, high + 1) + self.left + 0.5 - x
        slope, start = np.polyfit(positions, window, 1)
        return float(start) if np.abs(window - slope * positions - start).max() <= 1.0 else None


def find_lines(regions: ColourRegions, words: Sequence[ChartLabel], swatches: Sequence[Box]) -> list[LineMark]:
    """Return the lines of a picture, at most one for each colour."""
    lines: list[LineMark] = []
    for colour in range(len(regions.colours)):
        mask = _mask_without_rims(colour, regions)
        for box in [*swatches, *(word.box for word in words if text_colour(regions, word) == colour)]:
            x0, y0, x1, y1 = (max(0, round(edge)) for edge in box)
            mask[y0 : y1 + 1, x0 : x1 + 1] = 0
        coloured = bool(np.ptp(regions.colours[colour]) > 30)
        if coloured:
            mask = _with_blended_pixels(colour, mask, regions)
        bare = np.where(regions.index == colour, mask, 0).astype(np.uint8)
        if not coloured and int(np.abs(regions.colours[colour] - regions.background).max()) >= MIN_DARKNESS:
            mask, bare = _without_rules(mask), _without_rules(bare)
        dashed = coloured and _is_dashed(bare)
        line = _trace_line(colour, mask if coloured and not dashed else bare, coloured, dashed)
        if line and not any(_is_rim_of(line, other) for other in lines):
            lines.append(line)
    return lines


def _without_rules(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask without the straight rules of frames, axes and grids, which have the grey of many lines."""
    rules = np.zeros_like(mask)
    for shape in ((1, max(9, round(RULE_SHARE * mask.shape[1]))), (max(9, round(RULE_SHARE * mask.shape[0])), 1)):
        rules |= np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
    return np.where(rules > 0, 0, mask).astype(np.uint8)


def _mask_without_rims(colour: int, regions: ColourRegions) -> NDArray[np.uint8]:
    """Return the mask of a colour without the rims of stronger strokes. Their blends with the background look like a paler colour."""
    stronger = [other for other in range(len(regions.colours)) if is_paler(regions, colour, other)]
    strokes = np.isin(regions.raw_index, stronger).astype(np.uint8)
    near = cv2.dilate(strokes, np.ones((3, 3), np.uint8))
    return np.asarray((regions.raw_index == colour) & (near == 0), np.uint8)


def _with_blended_pixels(colour: int, mask: NDArray[np.uint8], regions: ColourRegions) -> NDArray[np.uint8]:
    """Return the mask of a thin stroke with the pixels in which it is blended with the background: steep thin strokes have few others."""
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns) or columns[-1] - columns[0] < MIN_WIDTH * mask.shape[1] or mask.mean() > MAX_STROKE_SHARE:
        return mask
    ink = regions.colours[colour].astype(np.float32) - regions.background
    near = cv2.dilate(mask, np.ones((BLEND_REACH, BLEND_REACH), np.uint8)) > 0
    rows, places = np.nonzero(near & (mask == 0) & np.isin(regions.raw_index, (BACKGROUND, colour)))
    pixels = regions.pixels[rows, places].astype(np.float32) - regions.background
    share = pixels @ ink / max(1.0, float(ink @ ink))
    alike = np.abs(pixels - share[:, None] * ink).max(axis=1, initial=0) < 0.12 * float(np.abs(ink).max()) + 5
    blended = np.zeros_like(mask)
    fits = alike & (share > MIN_BLEND) & (share < 1.2)
    blended[rows[fits], places[fits]] = 1
    return mask | blended


def are_start_values(lines: Sequence[LineMark], axis: Axis) -> bool:
    """Return whether the numbers of an axis are the values of the lines, printed at their left ends."""
    starts = [(line.left, float(line.heights[~np.isnan(line.heights)][0])) for line in lines]
    beside = [
        any(abs(tick.y - y) < 0.8 * tick.height and -4 < x - tick.box[2] < 2.5 * tick.height for x, y in starts)
        for tick in axis.ticks
    ]
    return len(axis.ticks) <= len(lines) and all(beside)


def follows_edge(line: LineMark, area: LineMark) -> bool:
    """Return whether a line follows the upper edge of an area that is higher than a stroke."""
    return (
        area.floors is not None
        and float(np.median(area.floors - area.heights)) > MIN_AREA_HEIGHT
        and _are_close(line, area, 5.0)
    )


def _is_rim_of(line: LineMark, other: LineMark) -> bool:
    """Return whether a line is only the rim of another one, in a shade of its colour."""
    return _are_close(line, other, 2.5)


def _are_close(line: LineMark, other: LineMark, reach: float) -> bool:
    """Return whether lines are within ``reach`` pixels of each other nearly everywhere."""
    left, right = max(line.left, other.left), min(line.right, other.right) + 1
    if right - left < 0.5 * len(line.heights):
        return False
    distances = np.abs(
        line.heights[left - line.left : right - line.left] - other.heights[left - other.left : right - other.left]
    )
    distances = distances[~np.isnan(distances)]
    return len(distances) > 0.5 * (right - left) and float((distances <= reach).mean()) > 0.9


def _trace_line(colour: int, mask: NDArray[np.uint8], coloured: bool, dashed: bool = False) -> LineMark | None:
    """Return the line in a mask: thin, wide, and not the straight rule of an axis or grid; None without one."""
    mask = _main_pieces(mask, dashed)
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns) or columns[-1] - columns[0] < MIN_WIDTH * mask.shape[1]:
        return None
    left, right = int(columns[0]), int(columns[-1])
    part = mask[:, left : right + 1]
    counts = part.sum(axis=0)
    filled_columns = counts > 0
    bridged = filled_columns
    if dashed:
        bridged = cv2.morphologyEx(filled_columns[None].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, MAX_DASH_GAP), np.uint8))
    top, bottom = part.argmax(axis=0), len(part) - 1 - part[::-1].argmax(axis=0)
    spread = (bottom - top)[filled_columns]
    thin = max(7.0, 0.03 * len(part))
    if bridged.mean() < MIN_COVERAGE or np.median(counts[filled_columns]) > thin or (spread > 0.35 * len(part)).mean() > 0.3:
        return None
    if np.median(spread) > max(3 * thin, 0.1 * len(part)):
        return None
    heights = np.where(filled_columns, (part * np.arange(len(part))[:, None]).sum(axis=0) / np.maximum(counts, 1) + 0.5, np.nan)
    straight = (np.abs(heights - np.nanmedian(heights))[filled_columns] <= 1.5).mean()
    if np.nanmax(heights) - np.nanmin(heights) < (2 if coloured else 6) or (not coloured and straight > 0.6):
        return None
    if dashed:
        known = np.flatnonzero(filled_columns)
        return LineMark(colour, left, np.interp(np.arange(len(heights)), known, heights[known]), ())
    return LineMark(colour, left, heights, _find_markers(part, left))


def find_areas(regions: ColourRegions) -> list[LineMark]:
    """Return filled areas under lines, at most one for each colour: wide, solid, and no rectangles."""
    areas = []
    for colour in range(len(regions.colours)):
        mask = (regions.index == colour).astype(np.uint8)
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        if count < 2:
            continue
        widest = max(range(1, count), key=lambda piece: int(stats[piece][4]))
        x, y, w, h, area = (int(value) for value in stats[widest])
        if w < MIN_WIDTH * mask.shape[1] or h < 8 or area > 0.97 * w * h:
            continue
        part = pieces[y : y + h, x : x + w] == widest
        top, bottom = part.argmax(axis=0), h - 1 - part[::-1].argmax(axis=0)
        whole = part.sum(axis=0) >= 0.85 * (bottom - top + 1)
        jumps = np.abs(np.diff(top[RIM:-RIM])) > max(4, 0.12 * h)  # the rim of a filled shape is blended
        if (
            whole.mean() > 0.9
            and np.median(bottom - top) > 4
            and jumps.sum() <= 1
            and len(np.unique(top)) > 5
            and (top <= 2).mean() < 0.6
        ):
            edges = (y + top).astype(float)[RIM:-RIM], (y + bottom + 1).astype(float)[RIM:-RIM]
            areas.append(LineMark(colour, x + RIM, edges[0], (), edges[1]))
    return areas


def _is_dashed(mask: NDArray[np.uint8]) -> bool:
    """Return whether a mask has many short pieces, and few columns have more than one of them."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if not MIN_DASHES <= count - 1 <= 400:
        return False
    columns = mask.any(axis=0)
    spread = len(mask) - 1 - mask[::-1].argmax(axis=0) - mask.argmax(axis=0)
    short = np.median(stats[1:, 2]) < 0.06 * mask.shape[1]
    return bool(short and columns.mean() > 0.4 * MIN_WIDTH and np.median(spread[columns]) < 0.03 * len(mask) + 4)


def _main_pieces(mask: NDArray[np.uint8], dashed: bool = False) -> NDArray[np.uint8]:
    """Return the widest piece of a mask and those that continue it. Gaps of a few pixels are bridged, wider ones between dashes."""
    near = cv2.dilate(mask, np.ones((15, 19) if dashed else (5, 9), np.uint8))
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    if count < 2:
        return mask
    widest = max(range(1, count), key=lambda piece: stats[piece][2])
    low, high = stats[widest][0], stats[widest][0] + stats[widest][2]
    keep = [
        piece
        for piece in range(1, count)
        if piece == widest
        or (
            stats[piece][2] > 0.15 * mask.shape[1]
            and (stats[piece][0] >= high - 4 or stats[piece][0] + stats[piece][2] <= low + 4)
        )
    ]
    return np.where(np.isin(pieces, keep), mask, 0).astype(np.uint8)


def _find_markers(part: NDArray[np.uint8], left: int) -> tuple[float, ...]:
    """Return the x of the dots and rings on a line; none when it has no thicker spots, or none at its ends, where values are, too."""
    filled = fill_rings(part)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 3)
    ridge = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))]
    stroke = max(float(np.percentile(filled.sum(axis=0)[filled.any(axis=0)], 15)), 2 * float(np.median(ridge)) - 1)
    size = int(max(4, round(1.6 * stroke + 1)))
    dots = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    count, _, stats, centres = cv2.connectedComponentsWithStats(dots, connectivity=8)
    xs = sorted(float(centres[n][0]) for n in range(1, count) if 0.6 < stats[n][2] / stats[n][3] < 1.7)
    at_ends = len(xs) >= 2 and xs[0] <= 2 * size and xs[-1] >= part.shape[1] - 1 - 2 * size
    return tuple(left + x + 0.5 for x in xs) if at_ends and len(xs) <= 120 else ()
