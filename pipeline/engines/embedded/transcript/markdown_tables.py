"""Separates tables from text, and writes them as Markdown.

A table is a sequence of rows whose cells stand in common columns, separated by strips of white space that almost no row enters. Printed
rules are not used: a transcript knows only words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from pipeline.engines.embedded.transcript.paragraphs import run_text
from pipeline.engines.embedded.transcript.word_runs import TextRow, WordRun, row_gap
from pipeline.records import Word

MIN_ROWS = 3
"""Fewest rows with several cells in a table."""
TABLE_GAP = 2.5
"""White space, in line heights, that ends a table."""
SPANNING_SHARE = 0.12
"""Most rows that may cross the strip between two columns, as a share. Headings span several columns."""
MIN_PROSE_LETTERS = 40
"""Letters of a usual cell from which columns are texts beside each other, not a table."""
JOINERS = "-/,&("
"""Last letters of a cell that continues in the line below."""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Rows of a table, with the left and right edges of its columns, or rows of text, without columns."""

    rows: list[TextRow]
    columns: tuple[tuple[float, float], ...] = ()


def split_tables(rows: Sequence[TextRow]) -> list[TextBlock]:
    """Return the rows as tables and the text between them."""
    blocks: list[TextBlock] = []
    text: list[TextRow] = []
    start = 0
    while start < len(rows):
        end = _table_end(rows, start)
        columns = _find_columns(rows[start:end])
        if columns:
            while end < len(rows) and _continues_cell(rows[end - 1], rows[end], columns):
                end += 1
            blocks += [TextBlock(text)] * bool(text) + [TextBlock(list(rows[start:end]), columns)]
            text = []
        else:
            end = max(end, start + 1)
            text = text + list(rows[start:end])
        start = end
    return blocks + [TextBlock(text)] * bool(text)


def _table_end(rows: Sequence[TextRow], start: int) -> int:
    """Return the end of a table that could begin at ``start``: after the last row with several cells before a wide gap or running text."""
    end = start
    for number in range(start, len(rows)):
        row = rows[number]
        if number > start and (
            row_gap(rows[number - 1], row) > TABLE_GAP or _pictures(row).isdisjoint(_pictures(rows[number - 1]))
        ):
            break
        if len(row) > 1:
            end = number + 1
        elif number - end >= 2 or number == start:
            break
    return end


def _pictures(row: TextRow) -> set[int]:
    return {run.picture for run in row}


def _continues_cell(above: TextRow, below: TextRow, columns: Sequence[tuple[float, float]]) -> bool:
    """Return whether a single run continues a cell in the row above: it stands close below, and in one column."""
    x0, _, x1, _ = below[0].box
    tight = len(below) == 1 and row_gap(above, below) < 0.5 and not _pictures(above).isdisjoint(_pictures(below))
    return tight and any(left - 1 <= x0 and x1 <= right + 1 for left, right in columns)


def _find_columns(rows: Sequence[TextRow]) -> tuple[tuple[float, float], ...]:
    """Return the left and right edges of the columns that these rows share; empty when they are no table."""
    multi_cell_rows = [row for row in rows if len(row) > 1]
    if len(multi_cell_rows) < MIN_ROWS or median(run.letters for row in multi_cell_rows for run in row) > MIN_PROSE_LETTERS:
        return ()
    columns = _column_strips([run for row in multi_cell_rows for run in row], int(SPANNING_SHARE * len(multi_cell_rows)))
    filled = [sorted({_column(run, columns) for run in row}) for row in multi_cell_rows]
    usual = [sum(number in row for row in filled) for number in range(len(columns))]
    regular = sum(len(row) > 1 for row in filled) >= 0.7 * len(multi_cell_rows)
    common = sum(count >= 0.5 * len(multi_cell_rows) for count in usual) >= 2
    return columns if regular and common else ()


def _column_strips(runs: Sequence[WordRun], tolerance: int) -> tuple[tuple[float, float], ...]:
    """Return the edges of the strips in which more runs than ``tolerance`` stand above each other."""
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


def _column(run: WordRun, columns: Sequence[tuple[float, float]]) -> int:
    """Return the number of the first column that the run stands in, else of the nearest."""
    for number, (left, right) in enumerate(columns):
        if min(right, run.box[2]) - max(left, run.box[0]) > 0:
            return number
    middle = (run.box[0] + run.box[2]) / 2
    return min(range(len(columns)), key=lambda n: abs(middle - (columns[n][0] + columns[n][1]) / 2))


def table_markdown(table: TextBlock, words: Sequence[Word]) -> str:
    """Return the table as Markdown, with its first row as the head. Lines of one cell are joined. A single row or column is text."""
    lines = [_cells(row, table.columns, words) for row in table.rows]
    grid = [lines[0]]
    for (above, below), cells in zip(pairwise(table.rows), lines[1:], strict=True):
        if continues_row(grid[-1], cells) and row_gap(above, below) < 0.8:
            grid[-1] = [join_cells(a, b) for a, b in zip(grid[-1], cells, strict=True)]
        else:
            grid.append(cells)
    return grid_markdown(grid)


def grid_markdown(grid: Sequence[Sequence[str]]) -> str:
    """Return cells by row and column as Markdown, with the first row as the head. A single row or column is text."""
    merged = _merge_sign_columns(grid)
    if len(merged) == 1 or len(merged[0]) == 1:
        return "\n".join("  ".join(filter(None, row)) for row in merged)
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in merged]
    return "\n".join([rows[0], "|" + " --- |" * len(merged[0]), *rows[1:]])


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of a table that ``grid_markdown`` wrote, by row and column; none where it wrote plain text."""
    lines = text.split("\n")
    if len(lines) < 2 or not lines[0].startswith("| "):
        return []
    rows = [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for number, line in enumerate(lines) if number != 1]
    return [[cell.replace("\\|", "|") for cell in row] for row in rows]


def _cells(row: TextRow, columns: Sequence[tuple[float, float]], words: Sequence[Word]) -> list[str]:
    cells = [""] * len(columns)
    for run in row:
        number = _column(run, columns)
        cells[number] = join_cells(cells[number], run_text(run, words))
    return cells


def join_cells(first: str, second: str) -> str:
    """Return two texts of one cell as one."""
    return f"{first} {second}" if first and second else first or second


def continues_row(above: Sequence[str], below: Sequence[str]) -> bool:
    """Return whether a line of cells continues the row above: each cell that both have continues a text."""
    both = [(a, b) for a, b in zip(above, below, strict=True) if a and b]
    if not both or all(below):
        return False
    return all(a[-1] in JOINERS or (b[0].islower() and not any(c.isdigit() for c in a[-2:])) for a, b in both)


def _merge_sign_columns(grid: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the grid with columns that hold only a sign ("$", "(", "%") joined with the number beside them."""
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
        columns[left : right + 1] = [[join_cells(a, b) for a, b in zip(columns[left], columns[right], strict=True)]]
    return [list(row) for row in zip(*columns, strict=True)]
