"""Widths of the columns of a table: those of the file where it has some, else by what stands in them, as web browsers choose them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pipeline.pages.layout.blocks import Paragraph, Table
from pipeline.pages.layout.lines import natural_widths

PADDING = 7.0
"""Points between the edge of a cell and its text."""
MIN_COLUMN = 12.0
MAX_DEPTH = 12
"""Tables inside tables that are laid out as such; the cells of deeper ones follow each other."""
MEASURED_ROWS = 5_000
MAX_TABLE_WIDTH = 2_000.0
"""Points that a table may be wide so that no word of it is broken; its page is as wide."""
MAX_COLUMNS = 500
"""Columns of a table that have a width of their own; what stands behind goes into the last one."""


def column_widths(table: Table, room: float, depth: int = 0) -> list[float]:
    """Widths in points; their sum is at most ``room`` where the longest words allow it. No word is broken in a table of usual width."""
    least, wished = _measured(table, depth)
    if len(table.widths) >= len(least) and sum(table.widths) > 0:
        given = list(table.widths[: len(least)])
        scale = min(1.0, room / sum(given))
        wished = [max(width * scale, low) for width, low in zip(given, least, strict=True)]
        least = [min(low, want) for low, want in zip(least, wished, strict=True)]
    return _shared(least, wished, room)


def _shared(least: list[float], wished: list[float], room: float) -> list[float]:
    """What the columns wish for where there is room; else the room is shared, none getting less than its longest word."""
    total, needed = sum(wished), sum(least)
    if total <= room:
        return wished
    if needed >= room:
        return [max(MIN_COLUMN, low * min(1.0, MAX_TABLE_WIDTH / needed)) for low in least]
    share = (room - needed) / (total - needed)
    return [low + (want - low) * share for low, want in zip(least, wished, strict=True)]


def _measured(table: Table, depth: int) -> tuple[list[float], list[float]]:
    """For each column the width of its longest word and of its longest line, with padding."""
    count = min(MAX_COLUMNS, max((sum(cell.columns for cell in row.cells) for row in table.rows), default=1) or 1)
    least, wished = [MIN_COLUMN] * count, [MIN_COLUMN] * count
    spans: list[tuple[int, int, float, float]] = []
    for row in islice(table.rows, MEASURED_ROWS):
        column = 0
        for cell in row.cells:
            first, column = min(column, count - 1), column + cell.columns
            low, want = natural_block_widths(cell.blocks, depth + 1)
            if cell.columns == 1:
                least[first] = max(least[first], low + 2 * PADDING)
                wished[first] = max(wished[first], want + 2 * PADDING)
            else:
                spans.append((first, min(column, count), low + 2 * PADDING, want + 2 * PADDING))
    for first, end, low, want in spans:  # a cell over several columns widens the last of them
        last = end - 1
        least[last] += max(0.0, low - sum(least[first:end]))
        wished[last] += max(0.0, min(want, 200.0) - sum(wished[first:end]))
    return least, [max(low, want) for low, want in zip(least, wished, strict=True)]


def natural_block_widths(blocks: Iterable[Paragraph | Table], depth: int) -> tuple[float, float]:
    """Width of the longest word and of the longest line of some blocks."""
    low = want = 0.0
    for block in blocks:
        if isinstance(block, Paragraph):
            word, line = natural_widths(block)
        elif depth < MAX_DEPTH:
            lows, wants = _measured(block, depth)
            word, line = sum(lows), sum(wants)
        else:
            words = [natural_widths(paragraph)[0] for paragraph in deep_paragraphs(block)]
            word = line = max(words, default=0.0)
        low, want = max(low, word), max(want, line)
    return low, want


def deep_paragraphs(table: Table) -> Iterator[Paragraph]:
    """The paragraphs of all cells, also of tables in them, without recursion."""
    waiting: list[Paragraph | Table] = [table]
    while waiting:
        block = waiting.pop()
        if isinstance(block, Paragraph):
            yield block
        else:
            waiting += [
                inner for row in reversed(block.rows) for cell in reversed(row.cells) for inner in reversed(cell.blocks)
            ]
