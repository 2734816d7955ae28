"""Puts the words of a table into the cells of its grid, with cells that take several rows or columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from pipeline.engines.embedded.transcript.markdown_tables import continues_row, join_cells
from pipeline.engines.embedded.transcript.paragraphs import run_text
from pipeline.engines.embedded.transcript.word_runs import WordRun, make_run, make_runs
from pipeline.records import Region, Word

CELL_GAP = 0.8
"""White space, in line heights, that separates two cells where the grid has a line in it."""
CROSSING = 0.3
"""Share of a word's height on either side of a line between rows, from which its cell takes both rows."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with its text, and how many rows and columns it takes."""

    row: int
    column: int
    text: str
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a table, row by row. Places without a cell are empty."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    order: tuple[int, ...]
    """The words in the order of the cells."""

    @property
    def has_spans(self) -> bool:
        """Whether a cell takes several rows or columns."""
        return any(cell.rows > 1 or cell.columns > 1 for cell in self.cells)

    def grid(self) -> list[list[str]]:
        """The texts by row and column; a cell that takes several places stands in the first of them."""
        grid = [[""] * self.columns for _ in range(self.rows)]
        for cell in self.cells:
            grid[cell.row][cell.column] = cell.text
        return grid


def read_table(region: Region, words: Sequence[Word]) -> Table | None:
    """Return the table of a region with lines between rows and columns; None where these make no table."""
    if not region.rows or not region.columns:
        return None
    pieces = [piece for run in make_runs(words, region.words) for piece in _pieces(run, region.columns, words)]
    if not pieces:
        return None
    placed: dict[tuple[int, int], list[tuple[WordRun, int, int]]] = {}
    for piece in pieces:
        top, bottom = _span(piece.box[1], piece.box[3], region.rows, CROSSING * piece.height)
        left, right = _span(piece.box[0], piece.box[2], region.columns, 0.35 * piece.height)
        placed.setdefault((top, left), []).append((piece, bottom, right))
    used_rows = sorted({row for row, _ in placed})
    used_columns = sorted({column for _, column in placed})
    if len(used_rows) < 2 or len(used_columns) < 2:
        return None
    cells, order = [], []
    for (row, column), members in sorted(placed.items()):
        members.sort(key=lambda member: (round(member[0].middle / max(1.0, member[0].height)), member[0].box[0]))
        last_row, last_column = max(bottom for _, bottom, _ in members), max(right for _, _, right in members)
        cells.append(
            Cell(
                used_rows.index(row),
                used_columns.index(column),
                " ".join(run_text(piece, words) for piece, _, _ in members),
                max(1, sum(row <= each <= last_row for each in used_rows)),
                max(1, sum(column <= each <= last_column for each in used_columns)),
            )
        )
        order += [index for piece, _, _ in members for index in piece.words]
    return _with_continued_rows(Table(len(used_rows), len(used_columns), tuple(_apart(cells)), tuple(order)))


def _with_continued_rows(table: Table) -> Table:
    """The table with rows joined to the row above whose cells continue its texts."""
    grid = table.grid()
    target = list(range(table.rows))
    for row in range(1, table.rows):
        spans = any(cell.rows > 1 for cell in table.cells if cell.row in (row - 1, row))
        if not spans and continues_row(grid[target[row - 1]], grid[row]):
            target[row] = target[row - 1]
            grid[target[row]] = [join_cells(a, b) for a, b in zip(grid[target[row]], grid[row], strict=True)]
    kept = sorted(set(target))
    if len(kept) == table.rows or len(kept) < 2:
        return table
    cells = []
    for cell in table.cells:
        if target[cell.row] == cell.row:
            cells.append(replace(cell, row=kept.index(cell.row), text=grid[cell.row][cell.column]))
        elif not any(other.row == target[cell.row] and other.column == cell.column for other in table.cells):
            cells.append(replace(cell, row=kept.index(target[cell.row])))
    return Table(len(kept), table.columns, tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))), table.order)


def _apart(cells: Sequence[Cell]) -> Iterator[Cell]:
    """The cells, none of which reaches into the place of another."""
    places = {(cell.row, cell.column) for cell in cells}
    taken: set[tuple[int, int]] = set()
    for cell in cells:
        columns = 1
        while columns < cell.columns and (cell.row, cell.column + columns) not in places | taken:
            columns += 1
        rows = 1
        while rows < cell.rows and not any(
            (cell.row + rows, cell.column + n) in places or (cell.row + rows, cell.column + n) in taken for n in range(columns)
        ):
            rows += 1
        taken |= {(cell.row + m, cell.column + n) for m in range(rows) for n in range(columns)}
        yield Cell(cell.row, cell.column, cell.text, rows, columns)


def _pieces(run: WordRun, columns: Sequence[float], words: Sequence[Word]) -> Iterator[WordRun]:
    """The run cut where a line between columns lies in a gap that is wider than the others."""
    boxes = [words[index].box for index in run.words]
    gaps = [after[0] - before[2] for before, after in pairwise(boxes)]
    usual = median(gaps) if len(gaps) > 2 else 0.0
    start = 0
    for number, gap in enumerate(gaps):
        has_line = any(boxes[number][2] - 1 <= x <= boxes[number + 1][0] + 1 for x in columns)
        if has_line and gap > max(1.5 * usual, CELL_GAP * run.height * (0.5 if usual else 1.0)):
            yield make_run(run.words[start : number + 1], words, run.picture)
            start = number + 1
    yield make_run(run.words[start:], words, run.picture)


def _span(low: float, high: float, lines: Sequence[float], give: float) -> tuple[int, int]:
    """The numbers of the first and the last place between the lines that a stretch takes; it may reach over a line by ``give``."""
    middle = (low + high) / 2
    first = min(bisect_right(lines, low + give), bisect_right(lines, middle))
    last = max(bisect_right(lines, high - give), bisect_right(lines, middle))
    return first, last
