"""The marks of a chart by the paths that a PDF draws: rectangles, lines, areas, spots and sectors with exact coordinates and colours.

The paths are also painted without blended pixels, so that legends, pies and all that follows work as on a raster image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.chart.axes import Axis
from pipeline.engines.embedded.chart.chart_labels import ChartLabel
from pipeline.engines.embedded.chart.colour_regions import BACKGROUND, COLOUR_TOLERANCE, ColourRegions, Rect
from pipeline.engines.embedded.chart.dots import MAX_DOTS, MIN_DOTS, Dot
from pipeline.engines.embedded.chart.drawn_lines import area_marks, line_marks
from pipeline.engines.embedded.chart.drawn_part import LEVEL, DrawnPart
from pipeline.engines.embedded.chart.line_marks import LineMark
from pipeline.engines.embedded.chart.pies import Pie
from pipeline.engines.embedded.chart.ticks import MIN_GRID_SHARE, TICK_REACH, fit_axis, rule_window
from pipeline.records import Box, Colour, Page, PageImage, Shape

LETTER_PIXELS = 16.0
"""Height of a usual word in the painted image."""
MIN_SIDE, MAX_SIDE = 600, 1600
"""Longer side of the painted image, in pixels."""
SAME_COLOUR = 6
"""Largest difference in a channel between two shades of one colour."""
MAX_COLOURS = 40
"""A chart with more colours has gradients, and is read by its pixels."""
SPOT_SIDES = 0.65, 1.55
"""Least and largest ratio between the sides of a spot."""
SUBPIXEL = 4
"""Bits of the fraction of a pixel that OpenCV paints with."""
MARK_ERROR = 0.02
"""Largest error of a drawn position, in pixels."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin level or upright line: where it is across its direction, and from where to where it goes."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart as its file draws it. All positions are pixels of ``image``."""

    image: PageImage
    regions: ColourRegions
    parts: tuple[DrawnPart, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image."""
        return self.image.width, self.image.height

    def rectangles(self) -> list[Rect]:
        """All filled rectangles in the colour of a mark; thick level strokes are rectangles, too."""
        rects: dict[tuple[int, ...], Rect] = {}
        for part in self.parts:
            if part.fill not in (None, BACKGROUND) and part.is_rectangle:
                rect = Rect(part.box, part.fill or 0)
            elif part.fill is None and part.stroke not in (None, BACKGROUND) and (box := _thick_stroke(part)):
                rect = Rect(box, part.stroke or 0)
            else:
                continue
            rects[(rect.colour, *(round(4 * side) for side in rect.box))] = rect
        return [rect for rect in rects.values() if min(rect.box[2] - rect.box[0], rect.box[3] - rect.box[1]) > 0.01]

    def frames(self) -> list[Rect]:
        """Rectangles that have only an outline."""
        return [
            Rect(part.box, part.stroke or 0)
            for part in self.parts
            if part.fill in (None, BACKGROUND) and part.stroke not in (None, BACKGROUND) and part.is_rectangle
        ]

    def lines(self) -> list[LineMark]:
        """The lines of the chart, one for each colour."""
        return line_marks(self.parts, self.size, self.regions)

    def areas(self) -> list[LineMark]:
        """The filled areas, one for each colour."""
        return area_marks(self.parts, self.size)

    def dots(self, height: float, swatches: Sequence[Box]) -> list[Dot]:
        """Spots of one size that are no markers of a line, as ``find_dots`` gives them."""
        corners = {
            (part.stroke, round(x), round(y))
            for part in self.parts
            if len(part.points) > 2 and part.box[2] - part.box[0] > 3 * height and part.fill is None
            for x, y in part.points.tolist()
        }
        spots: dict[tuple[int, int], tuple[Dot, float]] = {}
        for part in self.parts:
            x0, y0, x1, y1 = part.box
            wide, high, x, y = x1 - x0, y1 - y0, (x0 + x1) / 2, (y0 + y1) / 2
            colour = part.stroke if part.fill in (None, BACKGROUND) else part.fill
            if colour in (None, BACKGROUND) or not _is_spot(part, wide, high, height):
                continue
            if any(a <= x <= c and b <= y <= d for a, b, c, d in swatches):
                continue
            near = ((colour, round(x) + i, round(y) + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
            if not any(each in corners for each in near):
                spots[round(x * 2), round(y * 2)] = Dot(x, y, colour or 0), max(wide, high)
        if len(spots) < MIN_DOTS:
            return []
        usual = median(size for _, size in spots.values())
        dots = [dot for dot, size in spots.values() if abs(size - usual) <= max(1.5, 0.3 * usual)]
        return dots if MIN_DOTS <= len(dots) <= MAX_DOTS else []

    def with_exact_shares(self, pie: Pie | None) -> Pie | None:
        """A pie with the shares of its sectors by the areas of their polygons; as it is where these are others than the painted ones."""
        if pie is None:
            return None
        x0, y0, x1, y1 = pie.box
        areas: dict[int, float] = {}
        for part in self.parts:
            a, b, c, d = part.box
            inside = x0 - 0.3 * pie.radius <= a and c <= x1 + 0.3 * pie.radius and y0 - 0.3 * pie.radius <= b
            if part.fill in (None, BACKGROUND) or not inside or d > y1 + 0.3 * pie.radius or part.is_rectangle:
                continue
            if part.area > 0.004 * pie.radius**2:
                areas[part.fill or 0] = areas.get(part.fill or 0, 0.0) + part.area
        total = sum(areas.values())
        shares = {colour: area / total for colour, area in areas.items()}
        alike = shares.keys() >= pie.shares.keys() and all(abs(shares[n] - share) < 0.02 for n, share in pie.shares.items())
        return replace(pie, shares=shares, decimals=2) if alike else pie

    def on_rules(self, axis: Axis | None) -> Axis | None:
        """The axis calibrated on the tick marks or grid lines beside its numbers; as it is where there are none at even steps."""
        if axis is None:
            return None
        rules = list(self._rules(upright=axis.horizontal))
        side = self.size[1] if axis.horizontal else self.size[0]
        grid: dict[ChartLabel, float] = {}
        marks: dict[ChartLabel, float] = {}
        for tick in axis.ticks:
            start, end = rule_window(tick, axis)
            middle, low, high = (tick.x, tick.box[1], tick.box[3]) if axis.horizontal else (tick.y, tick.box[0], tick.box[2])
            near = sorted((rule for rule in rules if start <= rule.at <= end), key=lambda rule: abs(rule.at - middle))
            long = [rule for rule in near if rule.end - rule.start >= MIN_GRID_SHARE * side]
            short = [rule for rule in near if _gap(rule, low, high) <= TICK_REACH]
            if long:
                grid[tick] = long[0].at
            if short:
                marks[tick] = short[0].at
        return fit_axis(axis, marks) or fit_axis(axis, grid) or fit_axis(axis, {**grid, **marks}) or axis

    def _rules(self, *, upright: bool) -> Iterator[Rule]:
        along, across = (1, 0) if upright else (0, 1)
        for part in self.parts:
            if part.fill is not None and part.is_rectangle:
                low, high = part.points.min(axis=0), part.points.max(axis=0)
                if high[across] - low[across] <= 2.5 and high[along] - low[along] > 2:
                    yield Rule(float(low[across] + high[across]) / 2, float(low[along]), float(high[along]))
            elif part.stroke is not None and part.width <= 4 and len(part.points) <= 60:
                for a, b in pairwise(part.points):
                    if abs(a[across] - b[across]) <= LEVEL < abs(a[along] - b[along]):
                        yield Rule(float(a[across] + b[across]) / 2, *sorted((float(a[along]), float(b[along]))))


def draw_chart(page: Page, image: PageImage, shapes: Sequence[Shape]) -> DrawnChart | None:
    """The chart that the shapes of a page draw; None where they are too few, or too many colours, to be read as marks."""
    kept = [shape for shape in shapes if not _is_letter(shape, page)]
    painted = {colour for shape in kept for colour in (shape.fill, shape.stroke) if colour}
    if len(kept) < 3 or not painted or len(painted) > 4 * MAX_COLOURS:
        return None
    scale = _scale(page)
    width, height = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    background = _background(kept, page)
    palette = _palette(kept, background)
    if not palette or len(palette) > MAX_COLOURS:
        return None
    parts = tuple(_drawn_parts(kept, palette, background, scale))
    index = np.full((height, width), BACKGROUND, np.int16)
    for shape in kept:
        _paint(index, shape, palette, background, scale)
    colours = np.array(palette, np.int16)
    pixels = np.array([*palette, background], np.uint8)[np.where(index == BACKGROUND, len(palette), index)]
    paper = np.array(background, np.int16)
    painted_image = PageImage(width, height, b"", scale)
    return DrawnChart(
        painted_image, ColourRegions(_with_words(pixels, page, image, scale), paper, colours, index, index), parts
    )


def without_zeros(value: Decimal | None) -> Decimal | None:
    """A measured value without zeros at its end: exact marks show 12.5 as 12.500."""
    return None if value is None else Decimal(f"{value.normalize():f}")


def _scale(page: Page) -> float:
    """Pixels per point of the painted image."""
    side = max(page.width, page.height, 1.0)
    heights = [min(word.box[3] - word.box[1], word.box[2] - word.box[0]) for word in page.words if len(word.text) > 1]
    wanted = LETTER_PIXELS / max(1.0, median(heights)) if heights else 2.0
    return float(min(max(wanted, MIN_SIDE / side), MAX_SIDE / side))


def _is_letter(shape: Shape, page: Page) -> bool:
    """Whether a shape is a letter of a word that is drawn, or its underline."""
    xs, ys = [x for part in shape.parts for x in part[::2]], [y for part in shape.parts for y in part[1::2]]
    x0, y0, x1, y1 = min(xs), min(ys), max(xs), max(ys)
    if not shape.curved and sum(map(len, shape.parts)) < 12:
        return False
    return any(
        a - 0.5 <= x0 and x1 <= c + 0.5 and b - 0.5 <= y0 and y1 <= d + 0.5 and y1 - y0 > 0.2 * (d - b)
        for a, b, c, d in (word.box for word in page.words)
    )


def _background(shapes: Sequence[Shape], page: Page) -> Colour:
    """The colour of the largest filled rectangle that covers at least a quarter of the chart, the last of equal ones; white without one."""
    best, colour = 0.25 * page.width * page.height, (255, 255, 255)
    for shape in shapes:
        if shape.fill is None or shape.curved or any(len(part) > 12 for part in shape.parts):
            continue
        xs, ys = shape.parts[0][::2], shape.parts[0][1::2]
        x0, x1 = max(0.0, min(xs)), min(page.width, max(xs))
        y0, y1 = max(0.0, min(ys)), min(page.height, max(ys))
        covered = max(0.0, x1 - x0) * max(0.0, y1 - y0)
        if covered >= best or (covered > 0.4 * page.width * page.height and max(shape.fill) - min(shape.fill) <= 30):
            best, colour = covered, shape.fill
    return colour


def _distance(a: Colour, b: Colour) -> int:
    return max(abs(p - q) for p, q in zip(a, b, strict=True))


def _palette(shapes: Sequence[Shape], background: Colour) -> list[Colour]:
    """The colours of marks, each once; none that is close to the background's, or is the page's below a panel."""
    palette: list[Colour] = []
    for shape in shapes:
        for colour in (shape.fill, shape.stroke):
            if colour is None or _number(colour, palette, background) is not None:
                continue
            palette.append(colour)
    return palette


def _number(colour: Colour, palette: Sequence[Colour], background: Colour) -> int | None:
    """The number of a colour; None where the palette lacks it."""
    if _distance(colour, background) <= COLOUR_TOLERANCE or colour == (255, 255, 255):
        return BACKGROUND
    return next((n for n, known in enumerate(palette) if _distance(colour, known) <= SAME_COLOUR), None)


def _drawn_parts(shapes: Sequence[Shape], palette: Sequence[Colour], background: Colour, scale: float) -> Iterator[DrawnPart]:
    for shape in shapes:
        fill = None if shape.fill is None else _number(shape.fill, palette, background)
        stroke = None if shape.stroke is None else _number(shape.stroke, palette, background)
        for part in shape.parts:
            points = np.array(part, np.float64).reshape(-1, 2) * scale
            yield DrawnPart(points, fill, stroke, shape.width * scale, shape.curved)


def _paint(index: NDArray[np.int16], shape: Shape, palette: Sequence[Colour], background: Colour, scale: float) -> None:
    lines = [
        np.clip(np.round((np.array(part).reshape(-1, 2) * scale - 0.5) * 2**SUBPIXEL), -(2**26), 2**26).astype(np.int32)
        for part in shape.parts
    ]
    if shape.fill is not None:
        cv2.fillPoly(index, lines, _number(shape.fill, palette, background) or 0, cv2.LINE_8, SUBPIXEL)
    if shape.stroke is not None:
        number, thick = _number(shape.stroke, palette, background) or 0, min(100, max(1, round(shape.width * scale)))
        cv2.polylines(index, lines, isClosed=False, color=number, thickness=thick, lineType=cv2.LINE_8, shift=SUBPIXEL)


def _with_words(pixels: NDArray[np.uint8], page: Page, image: PageImage, scale: float) -> NDArray[np.uint8]:
    """The painted pixels with the words of the page as its image shows them."""
    shown = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    shown = np.asarray(cv2.resize(shown, (pixels.shape[1], pixels.shape[0]), interpolation=cv2.INTER_LINEAR), np.uint8)
    for word in page.words:
        x0, y0, x1, y1 = (max(0, round(side * scale)) for side in word.box)
        pixels[y0 : y1 + 1, x0 : x1 + 1] = shown[y0 : y1 + 1, x0 : x1 + 1]
    return pixels


def _thick_stroke(part: DrawnPart) -> Box | None:
    """The rectangle that a level or upright thick stroke covers; None for other strokes."""
    if len(part.points) != 2 or part.width < 5:
        return None
    (x0, y0), (x1, y1) = part.points.tolist()
    half = part.width / 2
    if abs(x0 - x1) <= LEVEL < abs(y0 - y1):
        return x0 - half, min(y0, y1), x0 + half, max(y0, y1)
    if abs(y0 - y1) <= LEVEL < abs(x0 - x1):
        return min(x0, x1), y0 - half, max(x0, x1), y0 + half
    return None


def _is_spot(part: DrawnPart, wide: float, high: float, height: float) -> bool:
    """Whether a part is a marker: about as wide as high, and a disc up to two letters high or another form up to one."""
    if min(wide, high) < 1 or not SPOT_SIDES[0] < wide / high < SPOT_SIDES[1]:
        return False
    closed = part.fill is not None or bool(np.abs(part.points[0] - part.points[-1]).max() < 0.5)
    return closed and max(wide, high) <= (2.0 if part.curved else 1.3) * height


def _gap(rule: Rule, low: float, high: float) -> float:
    """Pixels between a rule and a number beside it; a large number for a rule that goes past it."""
    if rule.end <= low + 1:
        return low - rule.end
    return rule.start - high if rule.start >= high - 1 else 1e9
