"""Lines and areas by the paths of a PDF: their corners are the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, ColourRegions
from pipeline.engines.embedded.chart.drawn_part import DrawnPart, Points
from pipeline.engines.embedded.chart.line_marks import MIN_AREA_HEIGHT, MIN_WIDTH, LineMark

MAX_CORNERS = 120
"""A line with more corners is read at the labels below it."""
CORNER_REACH = 3.0
"""Pixels between a position and the corner of a line that is its value, at most."""
MAX_STROKE = 0.03
"""Width of a line's stroke, as a share of the picture's height, at most."""


@dataclass(frozen=True, slots=True)
class DrawnLine(LineMark):
    """A line or the upper edge of an area with the exact corners of its path, from left to right."""

    corners: tuple[tuple[float, float], ...] = ()
    bottom: tuple[tuple[float, float], ...] = ()
    """Of an area, the corners of its lower edge."""

    def y_at(self, x: float, reach: int = 4) -> float | None:
        """Return the y of the corner at an x, else of the line there; None beyond its ends and in its gaps."""
        xs = np.array([corner[0] for corner in self.corners])
        nearest = int(np.abs(xs - x).argmin())
        steps = np.diff(xs)
        usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1e9
        if abs(xs[nearest] - x) <= min(max(CORNER_REACH, reach), 0.35 * usual):
            return self.corners[nearest][1]
        at = round(x - 0.5) - self.left
        if not 0 <= at < len(self.heights) or np.isnan(self.heights[at]):
            return None
        return float(np.interp(x, xs, [corner[1] for corner in self.corners]))

    def floor_at(self, x: float) -> float | None:
        """Return the y of an area's lower edge at an x; None for a line."""
        return float(np.interp(x, *np.array(self.bottom).T)) if self.bottom else None


def line_marks(parts: Sequence[DrawnPart], size: tuple[int, int], regions: ColourRegions) -> list[LineMark]:
    """Return the lines, one for each colour: wide, from left to right, and no straight rule in grey."""
    width, height = size
    by_colour: dict[int, list[DrawnPart]] = {}
    for part in parts:
        if part.stroke in (None, BACKGROUND) or part.fill not in (None, BACKGROUND) or part.width > MAX_STROKE * height + 4:
            continue
        if not part.is_rectangle and _runs_right(part.points):
            by_colour.setdefault(part.stroke or 0, []).append(part)
    lines: list[LineMark] = []
    for colour, pieces in by_colour.items():
        coloured = bool(np.ptp(regions.colours[colour]) > 30)
        chains = [_chain(group) for group in _groups(pieces)]
        fitting = [chain for chain in chains if _is_line(chain, width, coloured=coloured)]
        if fitting:
            best = max(fitting, key=lambda chain: (len(chain), np.ptp(chain[:, 0])))
            lines.append(_line(colour, best, curved=any(piece.curved for piece in pieces)))
    return lines


def _runs_right(points: Points) -> bool:
    """Whether a line goes from left to right or from right to left all the way, and is not upright."""
    steps = np.diff(points[:, 0])
    return bool((steps >= -0.05).all() or (steps <= 0.05).all()) and abs(float(steps.sum())) > 1


def _groups(pieces: Sequence[DrawnPart]) -> list[list[Points]]:
    """The pieces of one colour in groups that follow each other from left to right: a line with gaps is one, two lines are two."""
    groups: list[list[Points]] = []
    ordered = [piece.points if piece.points[0, 0] <= piece.points[-1, 0] else piece.points[::-1] for piece in pieces]
    for points in sorted(ordered, key=lambda each: float(each[0, 0])):
        fitting = [group for group in groups if group[-1][-1, 0] <= points[0, 0] + 1]
        joined = [group for group in fitting if np.abs(group[-1][-1] - points[0]).max() < 1]
        best = max(joined or fitting, key=lambda group: float(group[-1][-1, 0]), default=None)
        if best is None:
            groups.append([points])
        else:
            best.append(points)
    return groups


def _chain(group: Sequence[Points]) -> Points:
    """The corners of the pieces one after the other, with a row of NaN in each gap; corners in one place are one."""
    rows: list[Points] = []
    for points in group:
        if rows and np.abs(rows[-1][-1] - points[0]).max() < 1:
            points = points[1:]
        elif rows:
            rows.append(np.full((1, 2), np.nan))
        if len(points):
            rows.append(points)
    return np.concatenate(rows)


def _is_line(chain: Points, width: int, *, coloured: bool) -> bool:
    xs, ys = chain[:, 0], chain[:, 1]
    wide = np.nanmax(xs) - np.nanmin(xs) >= MIN_WIDTH * width
    high = float(np.nanmax(ys) - np.nanmin(ys))
    level = np.abs(np.diff(ys)) < 0.5
    straight = len(chain) < 3 or bool(level[~np.isnan(np.diff(ys))].mean() > 0.6)
    return bool(wide) and high >= (2 if coloured else 6) and (coloured or not straight)


def _line(colour: int, chain: Points, *, curved: bool) -> LineMark:
    known = chain[~np.isnan(chain[:, 0])]
    left, right = int(np.floor(known[0, 0])), int(np.ceil(known[-1, 0]))
    columns = np.arange(left, max(right, left + 1)) + 0.5
    heights = np.interp(columns, known[:, 0], known[:, 1])
    for at in np.flatnonzero(np.isnan(chain[:, 0])).tolist():
        heights[(columns > chain[at - 1, 0] + 1) & (columns < chain[at + 1, 0] - 1)] = np.nan
    markers = tuple(float(x) for x in known[:, 0]) if not curved and 2 <= len(known) <= MAX_CORNERS else ()
    return DrawnLine(colour, left, heights, markers, None, tuple(map(tuple, known.tolist())))


def area_marks(parts: Sequence[DrawnPart], size: tuple[int, int]) -> list[LineMark]:
    """Return the filled areas, the widest of each colour: each column has one stretch of it."""
    areas: dict[int, LineMark] = {}
    for part in parts:
        if part.fill in (None, BACKGROUND) or part.is_rectangle or len(part.points) < 5:
            continue
        area = _area(part.fill or 0, part, size)
        if area and (area.colour not in areas or len(area.heights) > len(areas[area.colour].heights)):
            areas[area.colour] = area
    return list(areas.values())


def _area(colour: int, part: DrawnPart, size: tuple[int, int]) -> LineMark | None:
    points = part.points
    left, right = float(points[:, 0].min()), float(points[:, 0].max())
    if right - left < MIN_WIDTH * size[0] or float(np.ptp(points[:, 1])) < MIN_AREA_HEIGHT / 2:
        return None
    edges = _edges(points)
    if edges is None:
        return None
    upper, lower = edges
    columns = np.arange(int(np.floor(left)), int(np.ceil(right))) + 0.5
    heights = np.interp(columns, upper[:, 0], upper[:, 1])
    floors = np.interp(columns, lower[:, 0], lower[:, 1])
    solid = float((floors - heights).sum()) / max(1.0, (right - left) * float(np.ptp(points[:, 1])))
    if (floors - heights < -1).any() or solid > 0.97 or float(np.median(floors - heights)) < 4:
        return None
    markers = tuple(float(x) for x in upper[:, 0]) if not part.curved and 2 <= len(upper) <= MAX_CORNERS else ()
    corners, bottom = (tuple(map(tuple, edge.tolist())) for edge in (upper, lower))
    return DrawnLine(colour, int(np.floor(left)), heights, markers, floors, corners, bottom)


def _edges(points: Points) -> tuple[Points, Points] | None:
    """The upper and the lower edge of a polygon from left to right; None where it turns back."""
    ring = points[:-1] if np.abs(points[0] - points[-1]).max() < 0.05 else points
    ring = np.roll(ring, -int(ring[:, 0].argmin()), axis=0)
    far = int(ring[:, 0].argmax())
    there, back = ring[: far + 1], np.concatenate([ring[far:], ring[:1]])[::-1]
    if (np.diff(there[:, 0]) < -0.1).any() or (np.diff(back[:, 0]) < -0.1).any():
        return None
    edges = [_without_sides(edge) for edge in (there, back)]
    middle = (float(ring[:, 0].min()) + float(ring[:, 0].max())) / 2
    edges.sort(key=lambda edge: float(np.interp(middle, edge[:, 0], edge[:, 1])))
    return edges[0], edges[1]


def _without_sides(edge: Points) -> Points:
    """An edge without the upright sides at its ends."""
    while len(edge) > 2 and edge[1, 0] - edge[0, 0] < 0.1:
        edge = edge[1:]
    while len(edge) > 2 and edge[-1, 0] - edge[-2, 0] < 0.1:
        edge = edge[:-1]
    return edge
