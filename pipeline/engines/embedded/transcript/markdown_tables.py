"""Tables told from text, and written as Markdown.

A table is a stretch of rows whose cells stand in common columns: strips of white that (almost) no row's text enters. Rules are not
looked at: words are all that a transcript is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from pipeline.engines.embedded.transcript.paragraphs import run_text
from pipeline.engines.embedded.transcript.word_runs import Row, Run, row_gap
from pipeline.records import Word

MIN_ROWS = 3
"""Fewer rows with several cells are no table."""
APART = 2.5
"""White space, in line heights, that ends a table."""
SPANNED = 0.12
"""Share of the rows that may cross a strip between two columns: headings over several columns."""
PROSE = 40
"""Letters of a usual cell from which the columns are text beside text, not a table."""
JOINERS = "-/,&("
"""A cell that ends so goes on in the line below."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one kind: a table with the left and right edges of its columns, or text (no columns)."""

    rows: list[Row]
    columns: tuple[tuple[float, float], ...] = ()


def parts(rows: Sequence[Row]) -> list[Part]:
    """Rows cut into tables and the text between them."""
    found: list[Part] = []
    text: list[Row] = []
    start = 0
    while start < len(rows):
        end = _stretch(rows, start)
        columns = _columns(rows[start:end])
        if columns:
            while end < len(rows) and _in_a_cell(rows[end - 1], rows[end], columns):
                end += 1
            found += [Part(text)] * bool(text) + [Part(list(rows[start:end]), columns)]
            text = []
        else:
            end = max(end, start + 1)
            text = text + list(rows[start:end])
        start = end
    return found + [Part(text)] * bool(text)


def _stretch(rows: Sequence[Row], start: int) -> int:
    """Where the table that could begin here would end: the last row with several cells before a wide gap or running text."""
    end = start
    for number in range(start, len(rows)):
        row = rows[number]
        if number > start and (row_gap(rows[number - 1], row) > APART or _sheets(row).isdisjoint(_sheets(rows[number - 1]))):
            break
        if len(row) > 1:
            end = number + 1
        elif number - end >= 2 or number == start:
            break
    return end


def _sheets(row: Row) -> set[int]:
    return {run.sheet for run in row}


def _in_a_cell(above: Row, below: Row, columns: Sequence[tuple[float, float]]) -> bool:
    """Whether a lone run is the rest of a cell in the row above: tight below it, and in one column."""
    x0, _, x1, _ = below[0].box
    tight = len(below) == 1 and row_gap(above, below) < 0.5 and not _sheets(above).isdisjoint(_sheets(below))
    return tight and any(left - 1 <= x0 and x1 <= right + 1 for left, right in columns)


def _columns(rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Left and right edges of the columns that these rows share; empty where they are no table."""
    several = [row for row in rows if len(row) > 1]
    if len(several) < MIN_ROWS or median(run.letters for row in several for run in row) > PROSE:
        return ()
    columns = _strips([run for row in several for run in row], int(SPANNED * len(several)))
    filled = [sorted({_column(run, columns) for run in row}) for row in several]
    usual = [sum(number in row for row in filled) for number in range(len(columns))]
    regular = sum(len(row) > 1 for row in filled) >= 0.7 * len(several)
    common = sum(count >= 0.5 * len(several) for count in usual) >= 2
    return columns if regular and common else ()


def _strips(runs: Sequence[Run], tolerance: int) -> tuple[tuple[float, float], ...]:
    """Edges of the strips where more runs than ``tolerance`` stand above each other."""
    events = sorted([(run.box[0], 1) for run in runs] + [(run.box[2], -1) for run in runs])
    strips: list[tuple[float, float]] = []
    depth, left = 0, 0.0
    for x, group in groupby(events, key=lambda event: event[0]):
        before, depth = depth, depth + sum(step for _, step in group)
        if before <= tolerance < depth:
            left = x
        elif depth <= tolerance < before:
            strips.append((left, x))
    return tuple(strips)


def _column(run: Run, columns: Sequence[tuple[float, float]]) -> int:
    """The first column that the run stands in, else the nearest."""
    for number, (left, right) in enumerate(columns):
        if min(right, run.box[2]) - max(left, run.box[0]) > 0:
            return number
    middle = (run.box[0] + run.box[2]) / 2
    return min(range(len(columns)), key=lambda n: abs(middle - (columns[n][0] + columns[n][1]) / 2))


def markdown(table: Part, words: Sequence[Word]) -> str:
    """The table in pipes, its first row as the head; a cell that wraps over lines is one. A lone row or column is text."""
    lines = [_cells(row, table.columns, words) for row in table.rows]
    grid = [lines[0]]
    for (above, below), cells in zip(pairwise(table.rows), lines[1:], strict=True):
        if _wraps(grid[-1], cells) and row_gap(above, below) < 0.8:
            grid[-1] = [_joined(a, b) for a, b in zip(grid[-1], cells, strict=True)]
        else:
            grid.append(cells)
    kept = _without_signs(grid)
    if len(kept) == 1 or len(kept[0]) == 1:
        return "\n".join("  ".join(filter(None, row)) for row in kept)
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in kept]
    return "\n".join([rows[0], "|" + " --- |" * len(kept[0]), *rows[1:]])


def _cells(row: Row, columns: Sequence[tuple[float, float]], words: Sequence[Word]) -> list[str]:
    cells = [""] * len(columns)
    for run in row:
        number = _column(run, columns)
        cells[number] = _joined(cells[number], run_text(run, words))
    return cells


def _joined(first: str, second: str) -> str:
    return f"{first} {second}" if first and second else first or second


def _wraps(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a line of cells goes on with the row above: each cell that both have is the rest of a text."""
    both = [(a, b) for a, b in zip(above, below, strict=True) if a and b]
    if not both or all(below):
        return False
    return all(a[-1] in JOINERS or (b[0].islower() and not any(c.isdigit() for c in a[-2:])) for a, b in both)


def _without_signs(grid: Sequence[Sequence[str]]) -> list[list[str]]:
    """Columns that hold nothing but a sign ("$", "(", "%") joined with the number beside it."""
    columns = [list(column) for column in zip(*grid, strict=True)]
    number = 0
    while number < len(columns) and len(columns) > 1:
        cells = [cell for cell in columns[number] if cell]
        if not cells or any(len(cell) > 2 or any(c.isalnum() for c in cell) for cell in cells):
            number += 1
            continue
        after = cells[0][0] in "%)" or number + 1 == len(columns)
        other = number - 1 if after and number else number + 1
        left, right = min(number, other), max(number, other)
        columns[left : right + 1] = [[_joined(a, b) for a, b in zip(columns[left], columns[right], strict=True)]]
    return [list(row) for row in zip(*columns, strict=True)]
