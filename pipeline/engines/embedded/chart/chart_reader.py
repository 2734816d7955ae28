"""Reads a chart: finds out which marks it has, then reads its rows with the module for these marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from pipeline.engines.embedded.chart.axes import Axis, axis_signals, find_axes
from pipeline.engines.embedded.chart.axis_doubts import has_offset, has_second_axis, is_inverted, with_factor, without_measured
from pipeline.engines.embedded.chart.bar_values import (
    EDGE_ERROR,
    assign_printed_values,
    bar_signals,
    measure_values,
    replace_misread_values,
)
from pipeline.engines.embedded.chart.bars import Bar, Bars, find_bars, refine_ends
from pipeline.engines.embedded.chart.bins import bin_names
from pipeline.engines.embedded.chart.category_names import (
    bottom_labels,
    find_categories,
    labels_above_bars,
    series_names,
    ungroup_labelled_rows,
)
from pipeline.engines.embedded.chart.chart_labels import ChartLabel, join_labels, letter_height, read_labels, split_labels
from pipeline.engines.embedded.chart.colour_regions import (
    BACKGROUND,
    ColourRegions,
    Rect,
    find_frames,
    find_rectangles,
    segment_colours,
    shrink_to_fit,
    text_colour,
)
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.engines.embedded.chart.dots import Dot, find_dots, read_dots
from pipeline.engines.embedded.chart.drawn_chart import MARK_ERROR, DrawnChart, draw_chart, without_zeros
from pipeline.engines.embedded.chart.legend import SeriesLabels, coloured_labels, find_legend, labels_of_marks
from pipeline.engines.embedded.chart.line_marks import LineMark, are_start_values, find_areas, find_lines, follows_edge
from pipeline.engines.embedded.chart.line_values import LINE_ERROR, LineScales, read_lines
from pipeline.engines.embedded.chart.pies import Pie, find_pie, read_pie
from pipeline.engines.embedded.chart.ticks import snap_to_rules
from pipeline.engines.embedded.chart.titles import axis_titles, find_notes, find_title
from pipeline.engines.embedded.chart.two_ticks import axis_of_two_ticks
from pipeline.records import Box, Page, PageImage, Shape

MAX_WORDS = 1500
"""Most words of a page that are read. A chart has a few hundred."""
MAX_RECTS = 800
"""Most rectangles that are examined, the largest ones."""
MARKER_LETTERS = frozenset("Oo0°•●○×+xX")
"""What OCR reads instead of markers."""
MIN_MARKERS = 4
"""Fewest letters of one shape that are markers. Two axes print two zeros."""
RULE_THICKNESS = 0.12
"""A rectangle thinner than this part of a letter's height is a rule."""


@dataclass(slots=True)
class ChartReading:
    """What was read of a chart."""

    kind: str = "other"
    title: ChartLabel | None = None
    x_title: ChartLabel | None = None
    y_title: ChartLabel | None = None
    rows: list[DataRow] = field(default_factory=list)
    unmatched: int = 0
    """How many numbers are printed among the marks and belong to no row."""
    signals: dict[str, float] = field(default_factory=dict)
    """What the confidence of all rows depends on, by name."""


@dataclass(slots=True)
class ChartParts:
    """The parts of a chart: its colours, its labels outside legend and notes, its axes and its legend."""

    regions: ColourRegions
    phrases: list[ChartLabel]
    words: list[ChartLabel]
    series_labels: SeriesLabels
    swatches: list[Box]
    axes: tuple[Axis | None, Axis | None]
    drawn: DrawnChart | None = None
    """The chart by the paths of its file, which are read instead of pixels; None for a raster image."""
    on_rules: tuple[bool, bool] = (False, False)
    """Whether the axes were calibrated on tick marks or grid lines."""

    def phrases_without(self, used_labels: Sequence[ChartLabel]) -> list[ChartLabel]:
        """Return the phrases without the words of ``used_labels``."""
        used = {index for label in used_labels for index in label.words}
        rest: list[ChartLabel] = []
        for label in self.phrases:
            words = [word for word in self.words if set(word.words) <= set(label.words) - used]
            if not used & set(label.words):
                rest.append(label)
            elif words:
                rest.append(join_labels(words))
        return rest


def analyse_chart(page: Page, image: PageImage, shapes: Sequence[Shape] = ()) -> ChartReading:
    """Return what can be read of the chart on a page. A page without marks has only a title.

    ``shapes`` are what the file draws on the page; without any, the pixels are read.
    """
    drawn = draw_chart(page, image, shapes) if shapes else None
    image = drawn.image if drawn else shrink_to_fit(image)
    phrases, words = read_labels(replace(page, words=page.words[:MAX_WORDS]), image.scale)
    regions = drawn.regions if drawn else segment_colours(image, words)
    markers = set() if drawn else {word.words for word in words if _is_marker(word, regions)} | repeated_markers(words)
    if markers:
        words = [word for word in words if word.words not in markers]
        phrases = [label for label in phrases if label.words not in markers]
        regions = segment_colours(image, words)
    ticks = {tick.words for axis in find_axes(phrases) if axis for tick in axis.ticks}
    series_labels, swatches = find_legend(regions, [label for label in phrases if label.words not in ticks], words)
    note_labels = find_notes(phrases, image.height)
    rects = [
        rect
        for rect in _largest(drawn.rectangles() if drawn else find_rectangles(regions, 1.0))
        if not _is_frame(rect, image) and not _in_text(rect, note_labels)
    ]
    rects = [rect for rect in rects if not any(_overlap(rect.box, swatch) for swatch in swatches)]
    thin = max(3.0, RULE_THICKNESS * letter_height(phrases))
    thin_rects = [rect for rect in rects if _thickness(rect) < thin]
    rects = [rect for rect in rects if _thickness(rect) >= thin]
    phrases = split_labels(phrases, words, [rect.box for rect in rects])
    used_words = {index for label in (*note_labels, *series_labels.values()) for index in label.words}
    free = [label for label in phrases if not used_words & set(label.words)]
    parts = ChartParts(
        regions,
        free,
        [word for word in words if not used_words & set(word.words)],
        series_labels,
        swatches,
        (None, None),
        drawn,
    )
    beside = [label for label in free if not any(_covers(rect, label) for rect in rects)]
    across, up = find_axes([*beside, *_numbers_in_texts(beside, parts.words)])
    found = (
        (drawn.on_rules(across), drawn.on_rules(up)) if drawn else (snap_to_rules(across, regions), snap_to_rules(up, regions))
    )
    found = (
        found[0] or axis_of_two_ticks(beside, regions, horizontal=True),
        found[1] or axis_of_two_ticks(beside, regions, horizontal=False),
    )
    parts.axes = with_factor(found[0], free), with_factor(found[1], free)
    parts.on_rules = found[0] is not across, found[1] is not up
    bars = find_bars(rects, thin_rects)
    height = letter_height(phrases)
    lines = drawn.lines() if drawn else find_lines(regions, parts.words, swatches)
    dots = drawn.dots(height, swatches) if drawn else find_dots(regions, height, swatches)
    reading, hatched = ChartReading(), None
    if pie := drawn.with_exact_shares(find_pie(regions)) if drawn else find_pie(regions):
        _read_pie(parts, pie, reading)
    elif _is_dot_chart(dots, bars, lines, regions) and not (
        (hatched := _outlined_bars(parts)) and _are_hatching(dots, hatched)
    ):
        _read_dots(parts, dots, reading)
    elif lines and not _is_bar_chart(bars, lines, image.height):
        _read_lines_or_areas(parts, lines, reading)
    elif (areas := _areas(parts)) and not _covers_more(bars, areas):
        _read_lines(parts, areas, reading)
        reading.kind = "area"
    elif bars := hatched or bars or _outlined_bars(parts):
        _read_bars(parts, bars, reading)
    else:
        reading.title = _title(parts, (0.0, float(image.height), float(image.width), float(image.height)))
    horizontal = reading.kind.endswith("_horizontal")  # the other axis has categories, in any order
    values = found[0] if horizontal else found[1]
    doubts = {
        "second_axis": not horizontal and has_second_axis(up, beside, image.width),
        "inverted": is_inverted(values),
        "offset": has_offset(values, free),
    }
    reading.signals = {name: float(doubt) for name, doubt in doubts.items()}
    hanging = doubts["inverted"] and "bar" in reading.kind
    if reading.kind not in ("pie", "donut") and (doubts["second_axis"] or doubts["offset"] or hanging):
        reading.rows = without_measured(reading.rows)
    reading.signals |= {"small_print": min(1.0, max(0.0, (12 - letter_height(phrases)) / 5))}
    reading.signals |= {"unmatched": reading.unmatched / max(1, len(reading.rows) + reading.unmatched)}
    if reading.kind not in ("pie", "donut"):
        on_rules = parts.on_rules[0 if horizontal else 1]
        reading.signals |= axis_signals(values, _tick_words(parts.words, values) if values else [], on_rules)
    if drawn:
        reading.rows = [row if row.printed else replace(row, value=without_zeros(row.value)) for row in reading.rows]
    sure = [word.confidence for word in page.words]
    reading.rows = [
        replace(row, signals={**row.signals, "misread": 1 - min([1.0, *(sure[index] for index in row.words)])})
        for row in reading.rows
    ]
    return reading


def _numbers_in_texts(phrases: Sequence[ChartLabel], words: Sequence[ChartLabel]) -> list[ChartLabel]:
    """Return the numbers that are parts of other texts: OCR joins a tick with the title of the axis beside it."""
    texts = {index for label in phrases if label.number is None and len(label.words) > 1 for index in label.words}
    return [word for word in words if word.number is not None and word.words[0] in texts]


def _largest(rects: list[Rect]) -> list[Rect]:
    """Return at most ``MAX_RECTS`` rectangles, in their order."""
    areas = sorted((_area(rect) for rect in rects), reverse=True)
    return [rect for rect in rects if _area(rect) > areas[MAX_RECTS]] if len(rects) > MAX_RECTS else rects


def _area(rect: Rect) -> float:
    return (rect.box[2] - rect.box[0]) * (rect.box[3] - rect.box[1])


def repeated_markers(words: Sequence[ChartLabel]) -> set[tuple[int, ...]]:
    """Return the single letters that are rings and crosses of a plot: several of one shape and size."""
    shaped = [word for word in words if word.text in MARKER_LETTERS and not word.rotated]
    usual = median([word.height for word in shaped]) if shaped else 0.0
    alike = [word for word in shaped if abs(word.height - usual) <= 0.25 * usual + 1]
    return {word.words for word in alike} if len(alike) >= MIN_MARKERS else set()


def _is_marker(word: ChartLabel, regions: ColourRegions) -> bool:
    """Return whether a single letter in a mark's colour is a marker of a line or scatter plot that OCR misread."""
    return len(word.text) == 1 and word.number is None and text_colour(regions, word) != BACKGROUND


def _outlined_bars(parts: ChartParts) -> Bars | None:
    """Return bars that have only outlines: at least three of one thickness and several lengths that begin at one position."""
    frames = parts.drawn.frames() if parts.drawn else find_frames(parts.regions)
    rects = [rect for rect in frames if not any(_overlap(rect.box, swatch) for swatch in parts.swatches)]
    if len(rects) > 200:
        return None
    rects = [
        rect for rect in rects if not any(_covers(rect, word) and _thickness(rect) < 1.5 * word.height for word in parts.words)
    ]
    bars = find_bars(rects)
    if bars is None or len(bars.all) < 3 or bars.stacked or max(bars.starts) - min(bars.starts) > 4:
        return None
    return bars if len({round(bar.length / 4) for bar in bars.all}) > 1 else None


def _thickness(rect: Rect) -> float:
    return min(rect.box[2] - rect.box[0], rect.box[3] - rect.box[1])


def _covers(rect: Rect, label: ChartLabel) -> bool:
    return rect.box[0] <= label.x <= rect.box[2] and rect.box[1] <= label.y <= rect.box[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _is_bar_chart(bars: Bars | None, lines: Sequence[LineMark], height: int) -> bool:
    """Return whether the bars cover more area than strokes do, and are no bands behind lines."""
    if bars is None:
        return False
    area = sum(bar.length * (bar.high - bar.low) for bar in bars.all)
    lengths = [bar.length for bar in bars.all]
    if len(bars.rows) == 1 and bars.all[0].high - bars.all[0].low > 0.2 * height:
        return False
    if len(lengths) < 5 and max(lengths) - min(lengths) <= 4 and not bars.stacked:
        return False
    return area > 8 * max(len(line.heights) for line in lines)


def _covers_more(bars: Bars | None, areas: Sequence[LineMark]) -> bool:
    """Return whether bars in other colours cover more of the picture than the areas."""
    colours = {area.colour for area in areas}
    others = [bar for bar in bars.all if bar.colour not in colours] if bars else []
    covered = sum((bar.end - bar.start) * (bar.high - bar.low) for bar in others)
    return covered > sum(float((area.floors - area.heights).sum()) for area in areas if area.floors is not None)


def _is_dot_chart(dots: Sequence[Dot], bars: Bars | None, lines: Sequence[LineMark], regions: ColourRegions) -> bool:
    """Return whether there are dots, no lines except grey ones that dots are no parts of, and no bars except the dots themselves."""
    if not dots or any(np.ptp(regions.colours[line.colour]) > 30 or _lie_on(dots, line) for line in lines):
        return False
    return bars is None or all(_is_dot(bar, bars.vertical, dots) for bar in bars.all)


def _lie_on(dots: Sequence[Dot], line: LineMark) -> bool:
    """Return whether most dots in the colour of a line are parts of it."""
    own = [dot for dot in dots if dot.colour == line.colour]
    on = sum((y := line.y_at(dot.x)) is not None and abs(y - dot.y) <= 4 for dot in own)
    return on > 0.6 * len(own)


def _is_dot(bar: Bar, vertical: bool, dots: Sequence[Dot]) -> bool:
    """Return whether a bar is only a marker, or the stroke that leads to one."""
    if bar.length <= 12:
        return True
    x0, y0, x1, y1 = (bar.low, -bar.end, bar.high, -bar.start) if vertical else (bar.start, bar.low, bar.end, bar.high)
    square = bar.length < 1.4 * (bar.high - bar.low)
    return square and any(x0 <= dot.x <= x1 and y0 <= dot.y <= y1 for dot in dots)


def _are_hatching(dots: Sequence[Dot], bars: Bars) -> bool:
    """Return whether dots are only the cells and crossings in hatched bars."""
    x0, y0, x1, y1 = bars.box()
    inside = all(x0 - 4 <= dot.x <= x1 + 4 and y0 - 4 <= dot.y <= y1 + 4 for dot in dots)
    return inside and len(dots) > len(bars.all)


def _read_dots(parts: ChartParts, dots: Sequence[Dot], reading: ChartReading) -> None:
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    plot = (min(xs), min(ys), max(xs), max(ys))
    across, up = (axis if axis and _is_beside(axis, plot) else None for axis in parts.axes)
    reading.title = _title(parts, (plot[0], min([plot[1], *(up.span[:1] if up else ())]), plot[2], plot[3]))
    free = parts.phrases_without([reading.title] if reading.title else [])
    left = [label for label in free if label.box[2] < plot[0] and not label.rotated]
    ticks_up = up.ticks if up else ()
    labels = left if up is None else bottom_labels(free, parts.words, plot, ticks_up, xs)
    precision = MARK_ERROR if parts.drawn else 1.0
    reading.rows = read_dots(dots, (across, up), labels, parts.series_labels, precision)
    used = {index for label in labels for index in label.words}
    labels_end = max([plot[3], *_tick_bottoms(across), *(label.box[3] for label in labels if up is not None)])
    titles = axis_titles([label for label in free if not used & set(label.words)], plot, (across, up), labels_end)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = "scatter" if across and up else "dot"


def _read_pie(parts: ChartParts, pie: Pie, reading: ChartReading) -> None:
    reading.kind = "donut" if pie.donut else "pie"
    reading.title = _title(parts, pie.box)
    reading.rows = read_pie(
        pie, parts.regions, parts.series_labels, parts.phrases_without([reading.title] if reading.title else [])
    )


def _marker_positions(lines: Sequence[LineMark]) -> list[float]:
    """Return the x of all markers, and of the ends of the lines."""
    return [x for line in lines for x in (*line.markers, float(line.left), float(line.right))]


def _read_lines_or_areas(parts: ChartParts, lines: Sequence[LineMark], reading: ChartReading) -> None:
    """Read lines; read areas instead when every line is the upper edge of one. Areas may be stacked."""
    areas = _areas(parts)
    outlines = [line for line in lines if any(follows_edge(line, area) for area in areas)]
    _read_lines(parts, areas if len(outlines) == len(lines) > 1 else lines, reading)
    if len(outlines) == len(lines):
        reading.kind = "area"


def _read_lines(parts: ChartParts, lines: Sequence[LineMark], reading: ChartReading) -> None:
    heights = [height for line in lines for height in (np.nanmin(line.heights), np.nanmax(line.heights))]
    plot = (float(min(line.left for line in lines)), min(heights), float(max(line.right for line in lines)), max(heights))
    x_axis, y_axis = parts.axes
    if y_axis and are_start_values(lines, y_axis):
        y_axis = None
    if x_axis and x_axis.position < plot[3] - 10:
        x_axis = None
    top = min([plot[1], *(y_axis.span[:1] if y_axis else ())])
    reading.title = _title(parts, (plot[0], top, plot[2], plot[3]))
    used_labels = [reading.title] if reading.title else []
    free = parts.phrases_without(used_labels)
    ticks_up = y_axis.ticks if y_axis else ()
    labels = list(x_axis.ticks) if x_axis else bottom_labels(free, parts.words, plot, ticks_up, _marker_positions(lines))
    ticks = {word.words for axis in (x_axis, y_axis) if axis for word in _tick_words(parts.words, axis)}
    ticks |= {(index,) for label in labels for index in label.words}
    numbers = [label for label in free if label.number is not None and label.words not in ticks and label.y < plot[3] + 40]
    usual = letter_height(free)
    beside = [label for label in free if plot[1] - 4 * usual < label.y < plot[3] + 5 * usual]
    colours = [line.colour for line in lines]
    legend = labels_of_marks(parts.series_labels, colours, parts.regions)
    series_labels = {**coloured_labels(parts.regions, beside, colours), **legend}
    scales = LineScales(x_axis, y_axis, labels, line_error=MARK_ERROR if parts.drawn else LINE_ERROR)
    reading.rows = read_lines(lines, scales, series_labels, numbers, parts.regions)
    row_words = {index for row in reading.rows for index in row.words}
    among = [label for label in numbers if plot[0] <= label.x <= plot[2] and plot[1] - usual <= label.y <= plot[3] + usual]
    reading.unmatched = sum(not row_words & set(label.words) for label in among)
    labels_end = max([plot[3], *(label.box[3] for label in labels)])
    used = [*labels, *series_labels.values()]
    rest = [label for label in free if not any(set(label.words) & set(each.words) for each in used)]
    titles = axis_titles(rest, plot, (x_axis, y_axis), labels_end)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = "line_multi" if len(lines) > 1 else "line"


def _is_frame(rect: Rect, image: PageImage) -> bool:
    """Return whether a rectangle is a rule as wide as the picture, or a frame around it."""
    x0, y0, x1, y1 = rect.box
    is_wide_rule = x1 - x0 > 0.97 * image.width and y1 - y0 < 0.03 * image.height
    return is_wide_rule or (x1 - x0) * (y1 - y0) > 0.8 * image.width * image.height


def _in_text(rect: Rect, labels: Sequence[ChartLabel]) -> bool:
    return any(label.box[1] - 2 <= rect.box[1] and rect.box[3] <= label.box[3] + 2 for label in labels)


def _title(parts: ChartParts, plot: Box) -> ChartLabel | None:
    lines = find_title(parts.phrases, parts.regions, plot)
    return join_labels(lines) if lines else None


def _areas(parts: ChartParts) -> list[LineMark]:
    return parts.drawn.areas() if parts.drawn else find_areas(parts.regions)


def _read_bars(parts: ChartParts, bars: Bars, reading: ChartReading) -> None:
    if not parts.drawn:
        refine_ends(bars, parts.regions)
    plot = bars.box()
    reading.title = _title(parts, plot)
    free = parts.phrases_without([reading.title] if reading.title else [])
    across, along = (parts.axes[1], parts.axes[0]) if bars.vertical else parts.axes
    along = along if along and _is_beside(along, plot) else None
    ticks = {word.words for axis in (across, along) if axis for word in _tick_words(parts.words, axis)}
    numbers = [label for label in free if label.number is not None and label.words not in ticks]
    labelled = {index for label in (*numbers, *([reading.title] if reading.title else [])) for index in label.words}
    numbers += [
        word for word in parts.words if word.number is not None and word.words[0] not in labelled and word.words not in ticks
    ]
    assign_printed_values(bars, numbers)
    replace_misread_values(bars)
    edge_error = MARK_ERROR if parts.drawn else EDGE_ERROR
    measure_values(bars, across, edge_error, on_rules=parts.on_rules[1 if bars.vertical else 0])
    used = [bar.value_label for bar in bars.all if bar.value_label]
    tick_words = _tick_words(parts.words, across) if across else []
    labels = parts.phrases_without([*([reading.title] if reading.title else []), *used, *tick_words])
    ungroup_labelled_rows(bars, labels)
    category_labels = find_categories(bars, labels, [word for word in parts.words if word not in tick_words])
    bins = bin_names(bars, along) if along and not bars.stacked and len(bars.groups) == len(bars.rows) else None
    legend = labels_of_marks(parts.series_labels, {bar.colour for bar in bars.all}, parts.regions)
    series = series_names(bars, legend, labels)
    few_categories = sum(label is not None for label in category_labels) < 0.8 * len(category_labels)
    labels_above = labels_above_bars(bars, labels) if bars.stacked and few_categories else None
    signals = {id(bar): own for bar, own in zip(bars.all, bar_signals(bars), strict=True)}
    if labels_above:
        reading.rows = [
            _row(label.text, None, label, bar, signals[id(bar)]) for label, bar in zip(labels_above, bars.all, strict=True)
        ]
    else:
        categories: list[str | None] = [*bins] if bins else [label.text if label else None for label in category_labels]
        reading.rows = [
            _row(category, series.get((bar.colour, number)), label, bar, signals[id(bar)])
            for group, category, label in zip(bars.groups, categories, category_labels, strict=True)
            for row in group
            for number, bar in enumerate(row)
        ]
    reading.rows = [row for row in reading.rows if row.value is not None and (row.category or row.series)]
    labels_end = max(
        [plot[3], *(label.box[3] for label in category_labels if label and bars.vertical), *_tick_bottoms(parts.axes[0])]
    )
    category_words = {index for each in category_labels if each for index in each.words}
    rest = [label for label in free if not category_words & set(label.words)]
    titles = axis_titles(rest, plot, parts.axes, labels_end)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = _bar_kind(bars, along is not None and bins is not None)


def _row(category: str | None, series: str | None, label: ChartLabel | None, bar: Bar, signals: dict[str, float]) -> DataRow:
    words = (*(label.words if label else ()), *(bar.value_label.words if bar.value_label else ()))
    return DataRow(category, series, bar.value, words, bar.value_label is not None, bar.error, signals=signals)


def _is_beside(axis: Axis, plot: Box) -> bool:
    """Return whether the ticks of an axis stand beside the plot and not in it."""
    return not (plot[1] < axis.position < plot[3] if axis.horizontal else plot[0] < axis.position < plot[2])


def _tick_words(words: Sequence[ChartLabel], axis: Axis) -> list[ChartLabel]:
    """Return the numbers in the row or column of an axis, including those that do not fit it."""
    ticks = {tick.words for tick in axis.ticks}
    size = max(tick.height for tick in axis.ticks)
    return [
        word
        for word in words
        if word.words in ticks
        or (
            word.number is not None
            and abs((word.y if axis.horizontal else word.x) - axis.position) < (0.4 if axis.horizontal else 0.8) * size
        )
    ]


def _tick_bottoms(axis: Axis | None) -> list[float]:
    return [max(tick.box[3] for tick in axis.ticks)] if axis else []


def _bar_kind(bars: Bars, bins: bool) -> str:
    direction = "" if bars.vertical else "_horizontal"
    if bars.stacked:
        return f"stacked_bar{direction}"
    if any(len(group) > 1 for group in bars.groups):
        return f"bar_grouped{direction}"
    return "histogram" if bars.vertical and bins else f"bar{direction}"
