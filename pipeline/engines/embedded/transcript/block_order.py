"""Puts the blocks of a page in reading order with a recursive XY-cut.

Columns are separated by a strip of white that no block enters. A block that lies across it (a title, a wide figure) divides the page
into bands. Rows of a form stay rows: beside each other must stand texts, not labels and their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.page_blocks import TEXT_KINDS, Block
from pipeline.engines.embedded.transcript.word_runs import WordRun
from pipeline.records import Box

SHRINK = 0.2
"""How far a block may reach over a cut, in heights of its lines."""
MIN_GUTTER = 2.0
"""Points of white between two columns."""
LEVEL = 0.3
"""Most distance between the tops of a label and its value, in line heights."""
MAX_LEVEL = 0.5
"""Share of level lines from which two groups are labels and values."""
MIN_LETTERS = 14
"""Fewest letters of a line of prose in a column."""


def in_reading_order(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks in the order in which a person reads them."""
    if len(blocks) < 2:
        return list(blocks)
    parts = _columns(blocks) or _bands(blocks)
    if len(parts) < 2:
        return sorted(blocks, key=lambda block: (block.box[1], block.box[0]))
    return [block for part in parts for block in in_reading_order(part)]


def _columns(blocks: Sequence[Block]) -> list[list[Block]]:
    """The columns, from left to right; empty where there are none."""
    parts = _cut(blocks, 0)
    columns = [parts[0]]
    for part in parts[1:]:
        if _are_columns(columns[-1], part):
            columns.append(part)
        else:
            columns[-1] = columns[-1] + part
    return columns if len(columns) > 1 else []


def _bands(blocks: Sequence[Block]) -> list[list[Block]]:
    """The bands, from top to bottom. White that runs through columns by chance does not divide them.

    From each row on, the longest stretch of rows is taken that a strip of white separates from top to bottom.
    """
    rows = _cut(blocks, 1)
    if len(rows) < 2:
        return _cut(blocks, 0)
    bands: list[list[Block]] = []
    while rows:
        stretch, count = rows[0], 1
        for row in rows[1:]:
            if len(_cut([*stretch, *row], 0)) < 2:
                break
            stretch, count = [*stretch, *row], count + 1
        if count == 1 or not _columns(stretch):
            stretch, count = rows[0], 1
        bands.append(stretch)
        rows = rows[count:]
    return bands


def _cut(blocks: Sequence[Block], axis: int) -> list[list[Block]]:
    """The blocks cut at strips of white, along x (0) or y (1)."""
    order = sorted(blocks, key=lambda block: _edges(block, axis)[0])
    parts = [[order[0]]]
    end = _edges(order[0], axis)[1]
    for block in order[1:]:
        start, stop = _edges(block, axis)
        if start >= end + (MIN_GUTTER if axis == 0 else 0.0):
            parts.append([])
        parts[-1].append(block)
        end = max(end, stop)
    return parts


def _edges(block: Block, axis: int) -> tuple[float, float]:
    low, high = block.box[axis], block.box[axis + 2]
    give = SHRINK * _line_height(block)
    return (low + give, high - give) if axis and high - low > 3 * give else (low, high)


def _line_height(block: Block) -> float:
    return median(run.height for run in block.runs) if block.runs else 0.0


def _are_columns(left: Sequence[Block], right: Sequence[Block]) -> bool:
    """Whether two groups beside each other are read one after the other, not row by row."""
    top, bottom = max(_extent(left)[0], _extent(right)[0]), min(_extent(left)[1], _extent(right)[1])
    if bottom <= top:
        return False  # one stands above the other
    beside = [[block for block in side if _within(block.box, top, bottom)] for side in (left, right)]
    sides = [[block for block in side if block.kind in TEXT_KINDS] for side in beside]
    if not all(sides):
        return all(beside)
    if (by_number := _numbers_agree(left, right)) is not None:
        return by_number
    paragraphs = [[run for block in side if len(block.runs) > 2 for run in block.runs] for side in sides]
    if all(paragraphs) and all(_is_prose(side) for side in paragraphs):
        return True
    lines = [[run for block in side for run in block.runs] for side in sides]
    fewer, more = sorted(lines, key=len)
    return len(fewer) > 1 and _share_of_level(fewer, more) < MAX_LEVEL


def _numbers_agree(left: Sequence[Block], right: Sequence[Block]) -> bool | None:
    """Whether blocks with numbers ("2. …") are in the order of columns (True) or of rows (False); None where numbers do not say."""
    sides = [[(block.box[1], block.number) for block in side if block.number is not None] for side in (left, right)]
    if not all(sides):
        return None
    columns = [number for side in sides for _, number in sorted(side)]
    rows = [number for _, _, number in sorted((y, place, number) for place, side in enumerate(sides) for y, number in side)]
    ascending = [all(a < b for a, b in pairwise(numbers)) for numbers in (columns, rows)]
    return ascending[0] if ascending[0] != ascending[1] else None


def _is_prose(lines: Sequence[WordRun]) -> bool:
    """Whether most letters stand in lines of a text, not in the parts of formulas or labels."""
    return 2 * sum(run.letters for run in lines if run.letters >= MIN_LETTERS) >= sum(run.letters for run in lines)


def _share_of_level(fewer: Sequence[WordRun], more: Sequence[WordRun]) -> float:
    """The share of lines that are level with one of the others, as labels are with their values."""
    tops = [run.box[1] for run in more]
    return sum(any(abs(run.box[1] - y) < LEVEL * run.height for y in tops) for run in fewer) / max(1, len(fewer))


def _within(box: Box, top: float, bottom: float) -> bool:
    return box[3] > top and box[1] < bottom


def _extent(blocks: Sequence[Block]) -> tuple[float, float]:
    return min(block.box[1] for block in blocks), max(block.box[3] for block in blocks)
