"""The paths that a PDF page paints, as polygons and lines with exact coordinates and colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from pipeline.records import Box, Colour, Shape
from pipeline.words.painted_page import PaintedPage

MAX_SHAPES = 6_000
"""A page with more paths is a map or a technical drawing, and none of its charts is read by its paths."""
MAX_CORNERS = 60_000
MAX_CURVE_STEPS, POINTS_A_STEP = 32, 1.0
"""A curve is cut into steps of about so many points, and into so many at most."""
MIN_OPACITY = 0.05
JOINED = 0.01
"""Points between the end of a line and the start of the next one, at most, where both are one."""
Corners = list[tuple[float, float]]


def read_shapes(painted: PaintedPage) -> tuple[Shape, ...]:
    """The paths in the order of painting; none for a page with more than ``MAX_SHAPES``, or where one of them cannot be read."""
    if not painted.log.is_whole:
        return ()
    page = painted.page
    matrix = tuple(page.rotation_matrix)
    shapes: list[Shape] = []
    clips: list[tuple[int, Box]] = []
    corners = 0
    for drawing in page.get_cdrawings(extended=True):
        level = int(drawing.get("level") or 0)
        clips = [clip for clip in clips if clip[0] < level]
        if drawing["type"] == "clip":
            x0, y0, x1, y1 = drawing["scissor"]
            clips.append((level, (x0, y0, x1, y1)))
        elif drawing["type"] != "group" and (shape := _shape(drawing, [box for _, box in clips], matrix)):
            shapes.append(shape)
            corners += sum(map(len, shape.parts)) // 2
            if len(shapes) > MAX_SHAPES or corners > MAX_CORNERS:
                return ()
    return tuple(shapes)


def _shape(drawing: dict[str, Any], clips: Sequence[Box], matrix: Sequence[float]) -> Shape | None:
    """The path of one operation; None where nothing of it is seen."""
    kind, items = drawing["type"], drawing.get("items", ())
    fill = _colour(drawing.get("fill"), drawing.get("fill_opacity")) if "f" in kind else None
    stroke = _colour(drawing.get("color"), drawing.get("stroke_opacity")) if "s" in kind else None
    if fill is None and stroke is None:
        return None
    parts = []
    for corners in _parts(items, closed=bool(drawing.get("closePath"))):
        for box in clips:
            corners = _cut_polygon(corners, box) if fill is not None else corners
        lines = _cut_line(corners, clips) if fill is None else [corners]
        parts += [line for line in lines if len(line) >= 2]
    if not parts:
        return None
    a, b, c, d, e, f = matrix
    placed = tuple(
        tuple(round(v, 3) for x, y in part for v in (a * x + c * y + e, b * x + d * y + f)) for part in parts
    )  # a thousandth of a point is less than a thousandth of the smallest mark
    curved = any(item[0] == "c" for item in items)
    return Shape(placed, fill, stroke, round(float(drawing.get("width") or 0.0), 3) if stroke else 0.0, curved)


def _colour(value: Sequence[float] | None, opacity: float | None) -> Colour | None:
    """The colour on white paper; None where it is not seen."""
    strength = 1.0 if opacity is None else float(opacity)
    if value is None or strength < MIN_OPACITY:
        return None
    red, green, blue = (round(255 * (1 - strength * (1 - float(part)))) for part in value)
    return red, green, blue


def _parts(items: Iterable[Sequence[Any]], *, closed: bool) -> Iterator[Corners]:
    """The connected lines and polygons of a path."""
    corners: Corners = []
    for item in items:
        kind = item[0]
        if kind in ("re", "qu"):
            if corners:
                yield corners
                corners = []
            if kind == "re":
                x0, y0, x1, y1 = item[1][:4]
                yield [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
            else:
                upper_left, upper_right, lower_left, lower_right = ((float(x), float(y)) for x, y in item[1])
                yield [upper_left, upper_right, lower_right, lower_left, upper_left]
            continue
        start = item[1]
        if corners and math.dist(corners[-1], start) > JOINED:
            yield corners
            corners = []
        if not corners:
            corners.append((float(start[0]), float(start[1])))
        corners += [(float(item[2][0]), float(item[2][1]))] if kind == "l" else _curve(*item[1:5])
    if corners:
        yield [*corners, corners[0]] if closed and math.dist(corners[0], corners[-1]) > JOINED else corners


def _curve(p: Sequence[float], q: Sequence[float], r: Sequence[float], s: Sequence[float]) -> Corners:
    """A Bézier curve as short lines, without its first point."""
    length = math.dist(p, q) + math.dist(q, r) + math.dist(r, s)
    steps = min(MAX_CURVE_STEPS, max(4, math.ceil(length / POINTS_A_STEP))) if math.isfinite(length) else 1
    found = []
    for step in range(1, steps + 1):
        t = step / steps
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        found.append(
            (
                sum(w * each[0] for w, each in zip(weights, (p, q, r, s), strict=True)),
                sum(w * each[1] for w, each in zip(weights, (p, q, r, s), strict=True)),
            )
        )
    return found


def _cut_polygon(corners: Corners, box: Box) -> Corners:
    """The part of a polygon within a box (Sutherland and Hodgman, 1974)."""
    for axis, limit, sign in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        if all(sign * (corner[axis] - limit) >= 0 for corner in corners):
            continue
        kept: Corners = []
        for before, after in zip(corners[-1:] + corners[:-1], corners, strict=True):
            inside = [sign * (corner[axis] - limit) >= 0 for corner in (before, after)]
            if inside[0] != inside[1]:
                kept.append(_crossing(before, after, axis, limit))
            if inside[1]:
                kept.append(after)
        corners = kept
    return corners


def _crossing(a: tuple[float, float], b: tuple[float, float], axis: int, limit: float) -> tuple[float, float]:
    share = (limit - a[axis]) / (b[axis] - a[axis])
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])


def _cut_line(corners: Corners, clips: Sequence[Box]) -> list[Corners]:
    """The parts of a line within all boxes."""
    x0 = max((box[0] for box in clips), default=-math.inf)
    y0 = max((box[1] for box in clips), default=-math.inf)
    x1 = min((box[2] for box in clips), default=math.inf)
    y1 = min((box[3] for box in clips), default=math.inf)
    if all(x0 <= x <= x1 and y0 <= y <= y1 for x, y in corners):
        return [corners]
    parts: list[Corners] = []
    for a, b in pairwise(corners):
        low, high = 0.0, 1.0
        for axis, least, most in ((0, x0, x1), (1, y0, y1)):
            step = b[axis] - a[axis]
            if abs(step) < 1e-9:
                low, high = (low, high) if least <= a[axis] <= most else (1.0, 0.0)
                continue
            ends = sorted(((least - a[axis]) / step, (most - a[axis]) / step))
            low, high = max(low, ends[0]), min(high, ends[1])
        if low > high:
            continue
        start = (a[0] + low * (b[0] - a[0]), a[1] + low * (b[1] - a[1]))
        end = (a[0] + high * (b[0] - a[0]), a[1] + high * (b[1] - a[1]))
        if parts and math.dist(parts[-1][-1], start) < JOINED:
            parts[-1].append(end)
        else:
            parts.append([start, end])
    return parts
