"""One chart read as a whole: find out which marks it has, then let their reader give the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.engines.embedded.chart.axes import Axis, find_axes
from pipeline.engines.embedded.chart.bar_values import doubt, measure, print_values
from pipeline.engines.embedded.chart.bars import Bar, Bars, find_bars, refine
from pipeline.engines.embedded.chart.bins import binned
from pipeline.engines.embedded.chart.category_names import bottom_labels, categories, own_labels, series_names, ungroup
from pipeline.engines.embedded.chart.chart_labels import Label, join, letter_height, read_labels, split_at
from pipeline.engines.embedded.chart.colour_regions import PAPER, Painting, Rect, fitted, frames, paint, rectangles, text_colour
from pipeline.engines.embedded.chart.dots import Dot, find_dots, read_dots
from pipeline.engines.embedded.chart.legend import Names, coloured_labels, find_legend
from pipeline.engines.embedded.chart.line_marks import Ground, Line, begins, find_areas, find_lines, on_edge, read_lines
from pipeline.engines.embedded.chart.pies import Pie, find_pie, read_pie
from pipeline.engines.embedded.chart.summary import Row
from pipeline.engines.embedded.chart.ticks import snapped
from pipeline.engines.embedded.chart.titles import axis_titles, find_title, notes
from pipeline.records import Box, Page, PageImage

WORDS = 1500
"""So many words of a page are looked at; a chart has a few hundred."""
MARKS = 800
"""So many rectangles, the largest ones."""
THIN = 0.12
"""A rectangle thinner than this part of a letter's height is a rule."""


@dataclass(slots=True)
class Reading:
    """What was read of a chart."""

    kind: str = "other"
    title: Label | None = None
    x_title: Label | None = None
    y_title: Label | None = None
    rows: list[Row] = field(default_factory=list)
    missed: int = 0
    """How many numbers are printed among the marks and belong to none that was read."""


@dataclass(slots=True)
class Scene:
    """A chart taken apart: its colours, its labels that are free to mean something, its axes and legend."""

    painting: Painting
    phrases: list[Label]
    words: list[Label]
    names: Names
    swatches: list[Box]
    axes: tuple[Axis | None, Axis | None]

    def without(self, taken: Sequence[Label]) -> list[Label]:
        """The phrases, less the words that are taken."""
        used = {index for label in taken for index in label.words}
        rest: list[Label] = []
        for label in self.phrases:
            words = [word for word in self.words if set(word.words) <= set(label.words) - used]
            if not used & set(label.words):
                rest.append(label)
            elif words:
                rest.append(join(words))
        return rest


def read(page: Page, image: PageImage) -> Reading:
    """Read the chart on a page."""
    image = fitted(image)
    phrases, words = read_labels(replace(page, words=page.words[:WORDS]), image.scale)
    painting = paint(image, words)
    if markers := {word.words for word in words if _is_marker(word, painting)}:
        words = [word for word in words if word.words not in markers]
        phrases = [label for label in phrases if label.words not in markers]
        painting = paint(image, words)
    names, swatches = find_legend(painting, phrases)
    below = notes(phrases, image.height)
    rects = [rect for rect in _largest(rectangles(painting, 1.0)) if not _frames(rect, image) and not _in_text(rect, below)]
    rects = [rect for rect in rects if not any(_overlap(rect.box, swatch) for swatch in swatches)]
    thin = max(3.0, THIN * letter_height(phrases))
    slivers = [rect for rect in rects if _side(rect) < thin]
    rects = [rect for rect in rects if _side(rect) >= thin]
    phrases = split_at(phrases, words, [rect.box for rect in rects])
    taken = {index for label in (*below, *names.values()) for index in label.words}
    free = [label for label in phrases if not taken & set(label.words)]
    scene = Scene(painting, free, [word for word in words if not taken & set(word.words)], names, swatches, (None, None))
    across, up = find_axes([label for label in free if not any(_covers(rect, label) for rect in rects)])
    scene.axes = snapped(across, painting), snapped(up, painting)
    bars = find_bars(rects, slivers)
    lines = find_lines(painting, scene.words, swatches)
    dots = find_dots(painting, letter_height(phrases), swatches)
    reading, hatched = Reading(), None
    if pie := find_pie(painting):
        _read_pie(scene, pie, reading)
    elif _mainly_dots(dots, bars, lines, painting) and not ((hatched := _framed(scene)) and _in_bars(dots, hatched)):
        _read_dots(scene, dots, reading)
    elif lines and not _mainly_bars(bars, lines, image.height):
        _read_filled(scene, lines, reading)
    elif (areas := find_areas(painting)) and not _larger(bars, areas):
        _read_lines(scene, areas, reading)
        reading.kind = "area"
    elif bars := hatched or bars or _framed(scene):
        _read_bars(scene, bars, reading)
    else:
        reading.title = _title(scene, (0.0, float(image.height), float(image.width), float(image.height)))
    return reading


def _largest(rects: list[Rect]) -> list[Rect]:
    """At most ``MARKS`` rectangles, in their order."""
    areas = sorted((_area(rect) for rect in rects), reverse=True)
    return [rect for rect in rects if _area(rect) > areas[MARKS]] if len(rects) > MARKS else rects


def _area(rect: Rect) -> float:
    return (rect.box[2] - rect.box[0]) * (rect.box[3] - rect.box[1])


def _is_marker(word: Label, painting: Painting) -> bool:
    """A marker of a line or scatter plot that OCR takes for a letter: alone, and in a mark's colour."""
    return len(word.text) == 1 and word.number is None and text_colour(painting, word) != PAPER


def _framed(scene: Scene) -> Bars | None:
    """Bars by their outlines only: at least three of one thickness that begin at one place and have several lengths."""
    rects = [rect for rect in frames(scene.painting) if not any(_overlap(rect.box, swatch) for swatch in scene.swatches)]
    if len(rects) > 200:
        return None
    rects = [rect for rect in rects if not any(_covers(rect, word) and _side(rect) < 1.5 * word.height for word in scene.words)]
    bars = find_bars(rects)
    if bars is None or len(bars.all) < 3 or bars.stacked or max(bars.starts) - min(bars.starts) > 4:
        return None
    return bars if len({round(bar.length / 4) for bar in bars.all}) > 1 else None


def _side(rect: Rect) -> float:
    return min(rect.box[2] - rect.box[0], rect.box[3] - rect.box[1])


def _covers(rect: Rect, label: Label) -> bool:
    return rect.box[0] <= label.x <= rect.box[2] and rect.box[1] <= label.y <= rect.box[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _mainly_bars(bars: Bars | None, lines: Sequence[Line], height: int) -> bool:
    """Whether the bars cover more than the area that the lines could be strokes of, and are no bands behind them."""
    if bars is None:
        return False
    area = sum(bar.length * (bar.high - bar.low) for bar in bars.all)
    lengths = [bar.length for bar in bars.all]
    if len(bars.rows) == 1 and bars.all[0].high - bars.all[0].low > 0.2 * height:
        return False
    if len(lengths) < 5 and max(lengths) - min(lengths) <= 4 and not bars.stacked:
        return False
    return area > 8 * max(len(line.heights) for line in lines)


def _larger(bars: Bars | None, areas: Sequence[Line]) -> bool:
    """Whether bars in other colours cover more of the picture than areas."""
    colours = {area.colour for area in areas}
    others = [bar for bar in bars.all if bar.colour not in colours] if bars else []
    covered = sum((bar.end - bar.start) * (bar.high - bar.low) for bar in others)
    return covered > sum(float((area.floors - area.heights).sum()) for area in areas if area.floors is not None)


def _mainly_dots(dots: Sequence[Dot], bars: Bars | None, lines: Sequence[Line], painting: Painting) -> bool:
    """Whether there are dots, no coloured lines, and no bars but the dots themselves."""
    coloured = [line for line in lines if np.ptp(painting.colours[line.colour]) > 30]
    return bool(dots) and not coloured and (bars is None or all(_is_dot(bar, bars.vertical, dots) for bar in bars.all))


def _is_dot(bar: Bar, vertical: bool, dots: Sequence[Dot]) -> bool:
    """Whether a bar is but a marker, or the stroke that leads to one."""
    if bar.length <= 12:
        return True
    x0, y0, x1, y1 = (bar.low, -bar.end, bar.high, -bar.start) if vertical else (bar.start, bar.low, bar.end, bar.high)
    square = bar.length < 1.4 * (bar.high - bar.low)
    return square and any(x0 <= dot.x <= x1 and y0 <= dot.y <= y1 for dot in dots)


def _in_bars(dots: Sequence[Dot], bars: Bars) -> bool:
    """Whether dots are the cells of hatched bars, or where their lines meet."""
    x0, y0, x1, y1 = bars.box()
    inside = all(x0 - 4 <= dot.x <= x1 + 4 and y0 - 4 <= dot.y <= y1 + 4 for dot in dots)
    return inside and len(dots) > len(bars.all)


def _read_dots(scene: Scene, dots: Sequence[Dot], reading: Reading) -> None:
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    plot = (min(xs), min(ys), max(xs), max(ys))
    across, up = (axis if axis and _outside(axis, plot) else None for axis in scene.axes)
    reading.title = _title(scene, (plot[0], min([plot[1], *(up.span[:1] if up else ())]), plot[2], plot[3]))
    free = scene.without([reading.title] if reading.title else [])
    left = [label for label in free if label.box[2] < plot[0] and not label.turned]
    ticks_up = up.ticks if up else ()
    labels = left if up is None else bottom_labels(free, scene.words, plot, ticks_up, xs)
    reading.rows = read_dots(dots, (across, up), labels, scene.names)
    used = {index for label in labels for index in label.words}
    below = max([plot[3], *_lower(across), *(label.box[3] for label in labels if up is not None)])
    titles = axis_titles([label for label in free if not used & set(label.words)], plot, (across, up), below)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = "scatter" if across and up else "dot"


def _read_pie(scene: Scene, pie: Pie, reading: Reading) -> None:
    reading.kind = "donut" if pie.donut else "pie"
    reading.title = _title(scene, pie.box)
    reading.rows = read_pie(pie, scene.painting, scene.names, scene.without([reading.title] if reading.title else []))


def _points(lines: Sequence[Line]) -> list[float]:
    """The x of all markers, and of the ends of lines."""
    return [x for line in lines for x in (*line.markers, float(line.left), float(line.right))]


def _read_filled(scene: Scene, lines: Sequence[Line], reading: Reading) -> None:
    """Lines, or areas where every line is the upper edge of one: several areas may stand on each other."""
    areas = find_areas(scene.painting)
    edged = [line for line in lines if any(on_edge(line, area) for area in areas)]
    _read_lines(scene, areas if len(edged) == len(lines) > 1 else lines, reading)
    if len(edged) == len(lines):
        reading.kind = "area"


def _read_lines(scene: Scene, lines: Sequence[Line], reading: Reading) -> None:
    heights = [height for line in lines for height in (np.nanmin(line.heights), np.nanmax(line.heights))]
    plot = (float(min(line.left for line in lines)), min(heights), float(max(line.right for line in lines)), max(heights))
    x_axis, y_axis = scene.axes
    if y_axis and begins(lines, y_axis):
        y_axis = None
    if x_axis and x_axis.place < plot[3] - 10:
        x_axis = None
    top = min([plot[1], *(y_axis.span[:1] if y_axis else ())])
    reading.title = _title(scene, (plot[0], top, plot[2], plot[3]))
    taken = [reading.title] if reading.title else []
    free = scene.without(taken)
    ticks_up = y_axis.ticks if y_axis else ()
    labels = list(x_axis.ticks) if x_axis else bottom_labels(free, scene.words, plot, ticks_up, _points(lines))
    ticks = {word.words for axis in (x_axis, y_axis) if axis for word in _tick_words(scene.words, axis)}
    ticks |= {(index,) for label in labels for index in label.words}
    numbers = [label for label in free if label.number is not None and label.words not in ticks and label.y < plot[3] + 40]
    usual = letter_height(free)
    beside = [label for label in free if plot[1] - 4 * usual < label.y < plot[3] + 5 * usual]
    names = {**coloured_labels(scene.painting, beside, [line.colour for line in lines]), **scene.names}
    reading.rows = read_lines(lines, Ground(x_axis, y_axis, labels), names, numbers, scene.painting)
    taken_words = {index for row in reading.rows for index in row.words}
    among = [label for label in numbers if plot[0] <= label.x <= plot[2] and plot[1] - usual <= label.y <= plot[3] + usual]
    reading.missed = sum(not taken_words & set(label.words) for label in among)
    below = max([plot[3], *(label.box[3] for label in labels)])
    used = [*labels, *names.values()]
    rest = [label for label in free if not any(set(label.words) & set(each.words) for each in used)]
    titles = axis_titles(rest, plot, (x_axis, y_axis), below)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = "line_multi" if len(lines) > 1 else "line"


def _frames(rect: Rect, image: PageImage) -> bool:
    """Lines and frames as wide as the picture."""
    x0, y0, x1, y1 = rect.box
    return (x1 - x0 > 0.97 * image.width and y1 - y0 < 0.03 * image.height) or (x1 - x0) * (
        y1 - y0
    ) > 0.8 * image.width * image.height


def _in_text(rect: Rect, labels: Sequence[Label]) -> bool:
    return any(label.box[1] - 2 <= rect.box[1] and rect.box[3] <= label.box[3] + 2 for label in labels)


def _title(scene: Scene, plot: Box) -> Label | None:
    lines = find_title(scene.phrases, scene.painting, plot)
    return join(lines) if lines else None


def _read_bars(scene: Scene, bars: Bars, reading: Reading) -> None:
    refine(bars, scene.painting)
    plot = bars.box()
    reading.title = _title(scene, plot)
    free = scene.without([reading.title] if reading.title else [])
    across, along = (scene.axes[1], scene.axes[0]) if bars.vertical else scene.axes
    along = along if along and _outside(along, plot) else None
    ticks = {word.words for axis in (across, along) if axis for word in _tick_words(scene.words, axis)}
    numbers = [label for label in free if label.number is not None and label.words not in ticks]
    known = {index for label in (*numbers, *([reading.title] if reading.title else [])) for index in label.words}
    numbers += [
        word for word in scene.words if word.number is not None and word.words[0] not in known and word.words not in ticks
    ]
    print_values(bars, numbers)
    doubt(bars)
    measure(bars, across)
    used = [bar.printed for bar in bars.all if bar.printed]
    marked = _tick_words(scene.words, across) if across else []
    labels = scene.without([*([reading.title] if reading.title else []), *used, *marked])
    ungroup(bars, labels)
    found = categories(bars, labels, [word for word in scene.words if word not in marked])
    bins = binned(bars, along) if along and not bars.stacked and len(bars.groups) == len(bars.rows) else None
    names = series_names(bars, scene.names, labels)
    own = own_labels(bars, labels) if bars.stacked and sum(label is not None for label in found) < 0.8 * len(found) else None
    if own:
        reading.rows = [_row(label.text, None, label, bar) for label, bar in zip(own, bars.all, strict=True)]
    else:
        reading.rows = [
            _row(bins[number] if bins else label.text if label else None, names.get((bar.colour, place)), label, bar)
            for number, (group, label) in enumerate(zip(bars.groups, found, strict=True))
            for row in group
            for place, bar in enumerate(row)
        ]
    reading.rows = [row for row in reading.rows if row.value is not None and (row.category or row.series)]
    below = max([plot[3], *(label.box[3] for label in found if label and bars.vertical), *_lower(scene.axes[0])])
    found_words = {index for each in found if each for index in each.words}
    rest = [label for label in free if not found_words & set(label.words)]
    titles = axis_titles(rest, plot, scene.axes, below)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = _bar_kind(bars, along is not None and bins is not None)


def _row(category: str | None, series: str | None, label: Label | None, bar: Bar) -> Row:
    words = (*(label.words if label else ()), *(bar.printed.words if bar.printed else ()))
    return Row(category, series, bar.value, words, bar.printed is not None, bar.error)


def _outside(axis: Axis, plot: Box) -> bool:
    """Whether the ticks of an axis stand beside the plot and not in it."""
    return not (plot[1] < axis.place < plot[3] if axis.horizontal else plot[0] < axis.place < plot[2])


def _tick_words(words: Sequence[Label], axis: Axis) -> list[Label]:
    """The numbers in the row (or column) of an axis, also those that do not fit it."""
    ticks = {tick.words for tick in axis.ticks}
    size = max(tick.height for tick in axis.ticks)
    return [
        word
        for word in words
        if word.words in ticks
        or (
            word.number is not None
            and abs((word.y if axis.horizontal else word.x) - axis.place) < (0.4 if axis.horizontal else 0.8) * size
        )
    ]


def _lower(axis: Axis | None) -> list[float]:
    return [max(tick.box[3] for tick in axis.ticks)] if axis else []


def _bar_kind(bars: Bars, bins: bool) -> str:
    way = "" if bars.vertical else "_horizontal"
    if bars.stacked:
        return f"stacked_bar{way}"
    if any(len(group) > 1 for group in bars.groups):
        return f"bar_grouped{way}"
    return "histogram" if bars.vertical and bins else f"bar{way}"
