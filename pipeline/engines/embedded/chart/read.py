"""One chart read as a whole: find out which marks it has, then let their reader give the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.engines.embedded.chart.axes import Axis, find_axes
from pipeline.engines.embedded.chart.bars import Bars, categories, find_bars, measure, print_values, series_names
from pipeline.engines.embedded.chart.labels import Label, join, letter_height, read_labels
from pipeline.engines.embedded.chart.legend import Names, find_legend
from pipeline.engines.embedded.chart.paint import Painting, Rect, paint, rectangles
from pipeline.engines.embedded.chart.summary import Row
from pipeline.engines.embedded.chart.titles import axis_titles, find_title, notes
from pipeline.records import Box, Page, PageImage


@dataclass(slots=True)
class Reading:
    """What was read of a chart."""

    kind: str = "other"
    title: Label | None = None
    x_title: Label | None = None
    y_title: Label | None = None
    rows: list[Row] = field(default_factory=list)


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
        """The phrases that share no word with those taken."""
        used = {index for label in taken for index in label.words}
        return [label for label in self.phrases if not used & set(label.words)]


def read(page: Page, image: PageImage) -> Reading:
    """Read the chart on a page."""
    phrases, words = read_labels(page, image.scale)
    painting = paint(image, words)
    names, swatches = find_legend(painting, phrases)
    below = notes(phrases, image.height)
    taken = {index for label in (*below, *names.values()) for index in label.words}
    free = [label for label in phrases if not taken & set(label.words)]
    scene = Scene(painting, free, [word for word in words if not taken & set(word.words)], names, swatches, (None, None))
    scene.axes = find_axes(scene.words)
    rects = [rect for rect in rectangles(painting) if rect.box not in swatches and not _frames(rect, image)]
    bars = find_bars([rect for rect in rects if not _in_text(rect, below)])
    reading = Reading()
    if bars:
        _read_bars(scene, bars, reading)
    else:
        reading.title = _title(scene, image.height)
    return reading


def _frames(rect: Rect, image: PageImage) -> bool:
    """Lines and frames as wide as the picture."""
    x0, y0, x1, y1 = rect.box
    return (x1 - x0 > 0.97 * image.width and y1 - y0 < 0.03 * image.height) or (x1 - x0) * (
        y1 - y0
    ) > 0.8 * image.width * image.height


def _in_text(rect: Rect, labels: Sequence[Label]) -> bool:
    return any(label.box[1] - 2 <= rect.box[1] and rect.box[3] <= label.box[3] + 2 for label in labels)


def _title(scene: Scene, top: float) -> Label | None:
    lines = find_title(scene.phrases, scene.painting, top)
    return join(lines) if lines else None


def _read_bars(scene: Scene, bars: Bars, reading: Reading) -> None:
    plot = bars.box()
    reading.title = _title(scene, plot[1])
    free = scene.without([reading.title] if reading.title else [])
    across, along = (scene.axes[1], scene.axes[0]) if bars.vertical else scene.axes
    ticks = {tick.words for tick in (across.ticks if across else ())}
    print_values(bars, [word for word in scene.words if word.number is not None and word.words not in ticks])
    measure(bars, across)
    used = [bar.printed for bar in bars.all if bar.printed]
    labels = scene.without([*([reading.title] if reading.title else []), *used, *(across.ticks if across else ())])
    words = [word for word in scene.words if word.words not in ticks]
    found = categories(bars, labels, words)
    names = series_names(bars, scene.names, labels)
    reading.rows = [
        Row(
            label.text if label else None,
            names.get((bar.colour, place)),
            bar.value,
            (*(label.words if label else ()), *(bar.printed.words if bar.printed else ())),
        )
        for group, label in zip(bars.groups, found, strict=True)
        for row in group
        for place, bar in enumerate(row)
        if bar.value is not None and (label or names)
    ]
    below = max([plot[3], *(label.box[3] for label in found if label and bars.vertical), *_lower(scene.axes[0])])
    rest = [label for label in free if not any(set(label.words) & set(each.words) for each in found if each)]
    titles = axis_titles(rest, plot, scene.axes, below)
    reading.x_title, reading.y_title = titles.x, titles.y
    reading.kind = _bar_kind(bars, along)


def _lower(axis: Axis | None) -> list[float]:
    return [max(tick.box[3] for tick in axis.ticks)] if axis else []


def _bar_kind(bars: Bars, along: Axis | None) -> str:
    way = "" if bars.vertical else "_horizontal"
    if bars.stacked:
        return f"stacked_bar{way}"
    if any(len(group) > 1 for group in bars.groups):
        return f"bar_grouped{way}"
    return "histogram" if bars.vertical and bars.touching and along is not None else f"bar{way}"
