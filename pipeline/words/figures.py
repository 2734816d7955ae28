"""Finds the figures of a page: raster images, drawings, and the picture regions of scans, each with its labels and its caption.

A drawing is a chart where its numbers count up evenly along a line and it has marks, or where it has sectors. Tables, rules and
underlines are no figures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from statistics import median

import cv2
import numpy as np

from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of
from pipeline.records import Box, Figure, FigureKind, Page, Shape, Word
from pipeline.values.boxes import bounding_box
from pipeline.values.numbers import parse_number

MIN_SIDE, MIN_SHARE = 50.0, 0.012
"""Points of a figure's shorter side, and share of the page, at least."""
WHOLE = 0.85
"""Share of the page from which an image or a frame is the page itself."""
GRID = 2.0
"""Points of a cell in which shapes are joined."""
JOIN = 9.0
"""Points between two shapes of one figure, at most."""
CAPTION_DISTANCE = 40.0
"""Points between a figure and its caption, at most."""
MAX_CAPTION_LINES = 6
MAX_OTHER_WORDS = 30
"""Words beside a chart, at most, where it is all that the page shows."""
MIN_BODY_WORDS = 80
"""Words outside the pictures of a scan from which it is a page of text."""
MIN_SCAN_WORDS = 200
"""Words of a picture from which it may be a page of text with figures. One chart with its title, notes and numbers has fewer."""
ALIGNED = 3.0
"""Points by which numbers of one scale are out of line, at most."""
MAX_LABEL_LINES = 2
"""Lines of a label at a figure, at most. More are a paragraph."""


@from_words
def _captions(languages: Languages) -> re.Pattern[str]:
    """How a caption begins: a word for it and a number."""
    words = [word for language in languages.by_code.values() for word in language.charts.captions]
    return re.compile(rf"\W?(?:{plain_any_of(words)})\.?\s?[A-Z]?\d[\d.\-–]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of text below each other: what a label, a caption or a paragraph is."""

    lines: tuple[tuple[int, ...], ...]
    box: Box
    text: str

    @property
    def words(self) -> tuple[int, ...]:
        return tuple(index for line in self.lines for index in line)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A part of the page that may be a figure."""

    box: Box
    kind: FigureKind | None
    """None for a raster image, whose pixels decide."""
    shapes: tuple[Shape, ...] = ()


ImageKind = Callable[[Page, Box], FigureKind]
"""What a raster image on a page is."""


def find_figures(
    page: Page, image_boxes: Sequence[Box], shapes: Sequence[Shape], image_kind: ImageKind
) -> tuple[Figure, ...] | None:
    """The figures of an upright page from top to bottom; None for a scan that is no page of text, of which nothing can be said.

    ``page`` is read with its words; a page with regions is a scan. ``image_boxes`` and ``shapes`` are those of its file, in points.
    """
    if page.regions:
        candidates = [_Candidate(region.box, None) for region in page.regions if region.kind == "picture"]
        outside = [word for word in page.words if not any(_holds(each.box, word.box) for each in candidates)]
        if len(outside) < MIN_BODY_WORDS or any(is_whole(each.box, page) for each in candidates):
            return None
    else:
        drawn = [candidate for box in _clusters(shapes, page) if (candidate := _drawing(box, shapes, page, image_boxes))]
        raster = [_Candidate(_within(box, page), None) for box in image_boxes]
        candidates = _apart([*drawn, *raster])
    candidates = [candidate for candidate in candidates if _is_large(candidate.box, page)]
    layout = _Layout(page)
    captions = layout.captions([candidate.box for candidate in candidates])
    taken = {index for block in captions.values() for index in block.words}
    figures = []
    for number, candidate in enumerate(candidates):
        box = layout.with_labels(candidate.box, taken, [each.box for each in candidates if each is not candidate])
        kind = candidate.kind or image_kind(page, box)
        caption = captions[number].words if number in captions else ()
        figures.append(Figure(kind, box, caption, candidate.shapes))
    return _as_page(sorted(figures, key=lambda figure: (figure.box[1], figure.box[0])), page, shapes)


def _as_page(figures: Sequence[Figure], page: Page, shapes: Sequence[Shape]) -> tuple[Figure, ...]:
    """The figures; one of the whole page where it shows one chart and hardly anything else."""
    charts = [figure for figure in figures if figure.kind == "chart"]
    if len(charts) == 1:
        chart = charts[0]
        inside = {index for index, word in enumerate(page.words) if _holds(chart.box, word.box)} | set(chart.caption)
        others = [figure for figure in figures if figure is not chart and _area(figure.box) > 0.3 * _area(chart.box)]
        if len(page.words) - len(inside) <= MAX_OTHER_WORDS and not others and not chart.caption:
            whole = (0.0, 0.0, page.width, page.height)
            return (replace(chart, box=whole, shapes=tuple(shapes) if chart.shapes else (), is_page=True),)
    return tuple(figures)


# ---- drawings ------------------------------------------------------------------------------------------


def _clusters(shapes: Sequence[Shape], page: Page) -> list[Box]:
    """The boxes around shapes that stand close to each other, without frames and grounds of the page."""
    if not 0 < page.width * page.height < 4e7:
        return []
    grid = np.zeros((int(page.height / GRID) + 2, int(page.width / GRID) + 2), np.uint8)
    for shape in shapes:
        x0, y0, x1, y1 = _within(_box(shape), page)
        if x1 < x0 or y1 < y0 or _is_ground(shape, (x0, y0, x1, y1), page):
            continue
        grid[int(y0 / GRID) : int(y1 / GRID) + 1, int(x0 / GRID) : int(x1 / GRID) + 1] = 1
    side = int(JOIN / GRID) | 1
    joined = cv2.dilate(grid, np.ones((side, side), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    edge = side // 2 * GRID
    boxes = [
        (x * GRID + edge, y * GRID + edge, (x + w) * GRID - edge, (y + h) * GRID - edge)
        for x, y, w, h, _ in stats[1:count].tolist()
    ]
    return [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE / 2]


def _is_ground(shape: Shape, box: Box, page: Page) -> bool:
    """Whether a shape is the paper, a frame around the page, a column's ground, or white."""
    large = _area(box) > 0.5 * page.width * page.height
    white = shape.stroke is None and shape.fill is not None and min(shape.fill) > 250
    return (large and all(len(part) <= 12 for part in shape.parts)) or white


def _drawing(box: Box, shapes: Sequence[Shape], page: Page, image_boxes: Sequence[Box]) -> _Candidate | None:
    """The shapes in a box as a figure; None for a table, a rule or an ornament."""
    wide = (box[0] - JOIN, box[1] - JOIN, box[2] + JOIN, box[3] + JOIN)
    own = tuple(shape for shape in shapes if _holds(wide, _box(shape)))
    if any(_common(_within(image, page), box) > 0.3 * _area(box) for image in image_boxes):
        return None  # a frame around a raster image
    marks = _Marks(own, page)
    around = (box[0] - 60, box[1] - 20, box[2] + 60, box[3] + 40)
    words = [word for word in page.words if _holds(around, word.box)]
    if marks.has_sectors or (marks.are_plotted and (_counts_evenly(words) or marks.are_bars)):
        return _Candidate(box, "chart", own)
    return _Candidate(box, "drawing", own) if marks.are_drawn else None


class _Marks:
    """What the shapes of a drawing show: bars, lines, spots, sectors, or the cells and rules of a table."""

    def __init__(self, shapes: Sequence[Shape], page: Page) -> None:
        self._shapes, self._page = shapes, page

    @cached_property
    def has_sectors(self) -> bool:
        """Whether curved polygons in at least two colours fill most of a square, and each is larger than a marker."""
        sectors = [shape for shape in self._shapes if shape.fill and shape.curved and min(_sides(shape)) > 6]
        boxes = [_box(shape) for shape in sectors]
        colours = {shape.fill for shape in sectors}
        if len(colours) < 2:
            return False
        x0, y0, x1, y1 = bounding_box(boxes)
        area = sum(_polygon(shape) for shape in sectors)
        square = 0.75 < (x1 - x0) / max(1.0, y1 - y0) < 1.33 and min(x1 - x0, y1 - y0) >= 40
        return square and 0.25 * (x1 - x0) * (y1 - y0) < area < 0.95 * (x1 - x0) * (y1 - y0)

    @cached_property
    def _rectangles(self) -> list[Box]:
        """Coloured rectangles; grounds of tables are mostly grey."""
        filled = [shape for shape in self._shapes if shape.fill and max(shape.fill) - min(shape.fill) > 12]
        return [_box(shape) for shape in filled if _is_rectangle(shape)]

    @cached_property
    def are_bars(self) -> bool:
        """Whether at least three rectangles of one thickness and several lengths begin on one line, and hold few words."""
        boxes = [box for box in self._rectangles if sum(_holds(box, word.box) for word in self._page.words) <= 2]
        for start, low, high, end in ((3, 0, 2, 1), (0, 1, 3, 2)):
            for base in {round(box[start]) for box in boxes}:
                on = [box for box in boxes if abs(box[start] - base) <= 1]
                if len(on) < 3:
                    continue
                thick = median(box[high] - box[low] for box in on)
                alike = [box for box in on if abs(box[high] - box[low] - thick) <= max(1.0, 0.1 * thick)]
                if len(alike) >= 3 and len({round(box[end]) for box in alike}) >= 3:
                    return True
        return False

    @cached_property
    def are_plotted(self) -> bool:
        """Whether there are bars, lines with corners, areas or spots."""
        lines = [shape for shape in self._shapes if shape.stroke and not shape.fill and _is_bent(shape)]
        areas = [shape for shape in self._shapes if shape.fill and not _is_rectangle(shape) and min(_sides(shape)) > 12]
        spots = [shape for shape in self._shapes if max(_sides(shape)) < 12 and 0.6 < _ratio(shape) < 1.6]
        return self.are_bars or bool(lines) or bool(areas) or len(spots) >= 5 or self._are_steps

    @cached_property
    def _are_steps(self) -> bool:
        """Whether rectangles have many lengths and hold no words: stacked bars, waterfalls, histograms."""
        free = [box for box in self._rectangles if not any(_holds(box, word.box) for word in self._page.words)]
        return len(free) >= 3 and len({(round(box[2] - box[0]), round(box[3] - box[1])) for box in free}) >= 3

    @cached_property
    def are_drawn(self) -> bool:
        """Whether there are curves or slanted lines of some size: tables, rules and underlines have none."""
        free = [shape for shape in self._shapes if (shape.curved or _is_bent(shape)) and max(_sides(shape)) > 12]
        return len(free) >= 3


def _counts_evenly(words: Sequence[Word]) -> bool:
    """Whether at least three numbers below or beside each other count up in even steps at even distances, or by powers of ten."""
    numbers: list[tuple[Word, float]] = []
    for word in words:
        number = parse_number(word.text.strip("%$€£¥kKM ").replace("−", "-"))
        if number is not None:
            numbers.append((word, float(number)))
    for side in range(4):  # aligned right, left, in the middle, or in a row
        groups: list[list[tuple[Word, float]]] = []
        for each in sorted(numbers, key=lambda each: _edge(each[0].box, side)):
            if groups and _edge(each[0].box, side) - _edge(groups[-1][0][0].box, side) <= ALIGNED:
                groups[-1].append(each)
            else:
                groups.append([each])
        if any(_is_scale(group, 0 if side == 3 else 1) for group in groups):
            return True
    return False


def _edge(box: Box, side: int) -> float:
    return (box[2], box[0], (box[0] + box[2]) / 2, box[3])[side]


def _is_scale(group: Sequence[tuple[Word, float]], across: int) -> bool:
    """Whether most numbers of a row or column lie on a line of value by place, and differ."""
    points = sorted(((word.box[across] + word.box[across + 2]) / 2, value) for word, value in group)
    if len(points) < 3 or len({value for _, value in points}) < 3:
        return False
    places, values = (np.array(column, np.float64) for column in zip(*points, strict=True))
    for each in (values, np.log10(values)) if (values > 0).all() else (values,):
        slope, start = np.polyfit(places, each, 1)
        off = np.abs(slope * places + start - each)
        if slope and float(off.max()) <= 0.03 * float(np.ptp(each)) and float(np.ptp(places)) > 30:
            return True
    return False


def _box(shape: Shape) -> Box:
    xs, ys = [x for part in shape.parts for x in part[::2]], [y for part in shape.parts for y in part[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def _sides(shape: Shape) -> tuple[float, float]:
    x0, y0, x1, y1 = _box(shape)
    return x1 - x0, y1 - y0


def _ratio(shape: Shape) -> float:
    wide, high = _sides(shape)
    return wide / high if high > 0.5 else 9.0


def _polygon(shape: Shape) -> float:
    """Area of its polygons."""
    total = 0.0
    for part in shape.parts:
        x, y = np.array(part[::2]), np.array(part[1::2])
        total += abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
    return total


def _is_rectangle(shape: Shape) -> bool:
    wide, high = _sides(shape)
    return (
        not shape.curved
        and wide * high > 1
        and all(len(part) <= 12 for part in shape.parts)
        and _polygon(shape) > 0.95 * wide * high
    )


def _is_bent(shape: Shape) -> bool:
    """Whether a line has a slanted piece."""
    for part in shape.parts:
        points = np.array(part).reshape(-1, 2)
        if len(points) > 1 and bool((np.abs(np.diff(points, axis=0)).min(axis=1) > 0.3).any()):
            return True
    return False


# ---- places --------------------------------------------------------------------------------------------


def _within(box: Box, page: Page) -> Box:
    return max(0.0, box[0]), max(0.0, box[1]), min(page.width, box[2]), min(page.height, box[3])


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _common(a: Box, b: Box) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def _holds(box: Box, other: Box) -> bool:
    """Whether the centre of a box is in another one."""
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def is_whole(box: Box, page: Page) -> bool:
    """Whether a box is nearly the whole page."""
    return _area(_within(box, page)) > WHOLE * page.width * page.height


def _is_large(box: Box, page: Page) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE and _area(box) >= MIN_SHARE * page.width * page.height


def _apart(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """The candidates without those that lie in a larger one; images that touch are one."""
    kept: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda each: -_area(each.box)):
        if not any(_common(candidate.box, other.box) > 0.5 * _area(candidate.box) for other in kept):
            kept.append(candidate)
    return kept


class _Layout:
    """The text of a page around its figures."""

    def __init__(self, page: Page) -> None:
        self._page = page
        heights = [word.box[3] - word.box[1] for word in page.words]
        self._letter = median(heights) if heights else 10.0
        self._blocks = list(self._found_blocks())

    def _found_blocks(self) -> Iterable[_Block]:
        """Phrases of a line, joined with those just below that overlap and have the same size."""
        words = self._page.words
        phrases: list[tuple[tuple[int, ...], Box]] = []
        for _, line in groupby(range(len(words)), key=lambda index: words[index].line):
            part: list[int] = []
            for index in line:
                if part and not -2 <= words[index].box[0] - words[part[-1]].box[2] <= 1.5 * self._letter:
                    phrases.append((tuple(part), bounding_box(words[at].box for at in part)))
                    part = []
                part.append(index)
            if part:
                phrases.append((tuple(part), bounding_box(words[at].box for at in part)))
        groups: list[list[tuple[tuple[int, ...], Box]]] = []
        for phrase in sorted(phrases, key=lambda each: (each[1][1], each[1][0])):
            box = phrase[1]
            above = next((group for group in reversed(groups[-40:]) if _follows(group[-1][1], box)), None)
            if above is None or self._begins_caption(phrase[0]):
                groups.append([phrase])
            else:
                above.append(phrase)
        for group in groups:
            lines = tuple(line for line, _ in group)
            text = " ".join(words[index].text for line in lines for index in line)
            yield _Block(lines, bounding_box(box for _, box in group), text)

    def _begins_caption(self, line: Sequence[int]) -> bool:
        return bool(_captions().match(" ".join(self._page.words[index].text for index in line[:4])))

    def captions(self, boxes: Sequence[Box]) -> dict[int, _Block]:
        """The caption of each figure by its number: the nearest one above or below it."""
        blocks = [
            block for block in self._blocks if self._begins_caption(block.lines[0]) and len(block.lines) <= MAX_CAPTION_LINES
        ]
        pairs = []
        for number, box in enumerate(boxes):
            for block in blocks:
                overlap = min(box[2], block.box[2]) - max(box[0], block.box[0])
                below, above = block.box[1] - box[3], box[1] - block.box[3]
                distance = below if below > -self._letter else above
                if overlap > 0 and -self._letter < distance <= CAPTION_DISTANCE + (20 if below > 0 else 0):
                    pairs.append((distance, number, block))
        found: dict[int, _Block] = {}
        for _, number, block in sorted(pairs, key=lambda pair: pair[0]):
            if number not in found and block not in found.values():
                found[number] = block
        return found

    def with_labels(self, box: Box, taken: set[int], others: Sequence[Box]) -> Box:
        """The box of a figure with the labels beside it. Paragraphs, captions and other figures stay outside."""
        width = box[2] - box[0]
        labels = [
            block
            for block in self._blocks
            if len(block.lines) <= MAX_LABEL_LINES
            and not taken & set(block.words)
            and block.box[2] - block.box[0] <= 1.02 * width
            and not any(_common(other, block.box) for other in others)
        ]
        reach = 1.6 * self._letter
        for _ in range(4):
            grown = box
            for block in labels:
                x0, y0, x1, y1 = block.box
                across, down = max(grown[0] - x1, x0 - grown[2], 0.0), max(grown[1] - y1, y0 - grown[3], 0.0)
                inside = x0 >= box[0] - 0.2 * width and x1 <= box[2] + 0.35 * width
                if (across <= reach and down <= 0) or (down <= reach and across <= 0 and inside):
                    union = bounding_box((grown, block.box))
                    if not any(_common(union, other) > _common(grown, other) for other in others):
                        grown = union
            if grown == box:
                break
            box = grown
        return box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2


def _follows(last: Box, box: Box) -> bool:
    """Whether a line is the next one below another."""
    high, gap = last[3] - last[1], box[1] - last[3]
    overlap = min(last[2], box[2]) - max(last[0], box[0])
    alike = 0.75 < (box[3] - box[1]) / max(0.1, high) < 1.34
    return alike and -0.4 * high < gap < 0.6 * high and overlap > 0.5 * min(last[2] - last[0], box[2] - box[0])
