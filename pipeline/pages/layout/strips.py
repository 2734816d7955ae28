"""Strips: what is laid out and not yet on a page. A strip is one line, one row of a table, or one row of a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipeline.pages.layout.blocks import Paragraph, Table
from pipeline.pages.layout.columns import MAX_DEPTH, MIN_COLUMN, PADDING, column_widths, deep_paragraphs
from pipeline.pages.layout.lines import LINE_STEP, PlacedWord, break_lines

Rule = tuple[float, float, float, float]
"""A thin line from one point to another."""
ROW_PADDING = 2.0


@dataclass(slots=True)
class Strip:
    """Words and rules with their places from the strip's top left corner, in points."""

    height: float
    words: list[PlacedWord] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    space: float = 0.0
    """Points above it, which fall away at the top of a page."""
    heading: bool = False
    """Whether it is repeated on each further page of its table."""

    def add(self, other: Strip, dx: float, dy: float) -> None:
        """Put another strip into this one."""
        self.words += [word.moved(dx, dy) for word in other.words]
        self.rules += [(x0 + dx, y0 + dy, x1 + dx, y1 + dy) for x0, y0, x1, y1 in other.rules]


def strips(blocks: Iterable[Paragraph | Table], width: float, depth: int = 0) -> Iterator[Strip]:
    """Paragraphs and tables as strips of at most this width."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield from _paragraph_strips(block, width)
        elif depth < MAX_DEPTH:
            yield from _table_strips(block, width, depth)
        else:
            for paragraph in deep_paragraphs(block):
                yield from _paragraph_strips(paragraph, width)


def _paragraph_strips(paragraph: Paragraph, width: float) -> Iterator[Strip]:
    for number, words in enumerate(break_lines(paragraph, width)):
        yield Strip(paragraph.size * LINE_STEP, words, space=0.0 if number else paragraph.space)


def _table_strips(table: Table, width: float, depth: int) -> Iterator[Strip]:
    widths = column_widths(table, width, depth)
    edges = [0.0]
    for each in widths:
        edges.append(edges[-1] + each)
    for number, row in enumerate(table.rows):
        strip = Strip(0.0, space=0.0 if number else 4.0, heading=row.heading and depth == 0)
        column = 0
        padding = ROW_PADDING if number or depth == 0 else 0.0  # a table in a cell begins on the line of the cells beside it
        for cell in row.cells:
            first, column = min(column, len(widths) - 1), column + cell.columns
            left, right = edges[first], edges[min(max(column, first + 1), len(widths))]
            inside = max(MIN_COLUMN, right - left - 2 * PADDING)
            top = padding
            for inner in strips(cell.blocks, inside, depth + 1):
                top += inner.space if top > padding else 0.0
                strip.add(inner, left + PADDING, top)
                top += inner.height
            strip.height = max(strip.height, top + ROW_PADDING)
        if table.ruled:
            strip.rules += [(0.0, y, edges[-1], y) for y in ((strip.height,) if number else (0.0, strip.height))]
        yield strip
