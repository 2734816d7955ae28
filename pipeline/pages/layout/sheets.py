"""Lays out a spreadsheet: columns as wide as their contents, text that runs on over empty cells, wide sheets cut into groups of columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from pipeline.pages.layout.blocks import Paragraph, Run, Sheet, SheetCell, SheetRow
from pipeline.pages.layout.fonts import text_width
from pipeline.pages.layout.lines import LINE_STEP, break_lines, natural_widths
from pipeline.pages.layout.strips import Strip

SIZE, PADDING = 9.0, 10.0
MEASURED_ROWS, MEASURED_CELLS = 1_000, 20_000
"""Rows at the top of a sheet by which the widths of columns and the headings are chosen."""
MIN_WIDTH, MAX_WIDTH = 14.0, 240.0
DEFAULT_WIDTH = 50.0
MAX_PAGE_WIDTH = 1190.0 - 2 * 50
"""Columns side by side on one page: as wide as A3 across, without margins."""
MIN_ROWS_BELOW, HEADING_ROWS = 5, 30
_STEP = SIZE * LINE_STEP
_GAP = 1.5


def _first(rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
    """The rows at the top of a sheet that are measured."""
    cells = 0
    for row in islice(rows, MEASURED_ROWS):
        yield row
        cells += len(row.cells)
        if cells > MEASURED_CELLS:
            return


@dataclass(frozen=True, slots=True)
class SheetStrip:
    """One row: a strip of the same height for each group of columns."""

    groups: list[Strip]


class SheetLayout:
    """The rows of a sheet as strips, with the widths of their pages."""

    def __init__(self, sheet: Sheet) -> None:
        rows = iter(sheet.rows)
        self._sample = list(_first(rows))
        self._rows = chain(self._sample, rows)
        self._widths = _column_widths(self._sample, sheet.widths)
        self._groups = _column_groups(self._widths)
        self._headings = set(sheet.heading_rows) or _heading_row(self._sample)

    @property
    def page_widths(self) -> list[float]:
        """Points that each group of columns takes."""
        return [sum(self._widths[column] for column in group) for group in self._groups] or [0.0]

    def strips(self) -> Iterator[SheetStrip]:
        """Each row; empty rows between others are a gap."""
        before = 0
        for row in self._rows:
            missing, before = min(2, max(0, row.number - before - 1)) if before else 0, row.number
            yield self._row(row, missing * _STEP / 2)

    def _row(self, row: SheetRow, space: float) -> SheetStrip:
        cells = self._known(row.cells)
        groups = [self._group(cells, group) for group in self._groups] or [Strip(_STEP)]
        height = max(strip.height for strip in groups)
        for strip in groups:
            strip.height, strip.space, strip.heading = height, space, row.number in self._headings
        return SheetStrip(groups)

    def _known(self, cells: Mapping[int, SheetCell]) -> Mapping[int, SheetCell]:
        """The cells by column; those in columns that the top of the sheet does not have get a width now."""
        for column in cells:
            if column not in self._widths:
                self._widths[column] = DEFAULT_WIDTH
                if not self._groups:
                    self._groups.append([])
                self._groups[-1].append(column)
        return cells

    def _group(self, cells: Mapping[int, SheetCell], group: Sequence[int]) -> Strip:
        strip = Strip(_STEP + _GAP)
        left = 0.0
        for number, column in enumerate(group):
            width = self._widths[column]
            if (cell := cells.get(column)) is not None:
                room = width
                if cell.align == "left" and not cell.is_number:
                    room += sum(self._widths[free] for free in _free_columns(group, number, cells))
                paragraph = Paragraph((Run(cell.text, cell.bold),), cell.place, SIZE, cell.align)
                if (longest := natural_widths(paragraph)[0] + PADDING) > room:  # further down than the widths were measured
                    more = min(longest, MAX_WIDTH) - room
                    self._widths[column] = width = width + max(0.0, more)
                    room += max(0.0, more)
                for line, words in enumerate(break_lines(paragraph, max(MIN_WIDTH, room - PADDING))):
                    strip.words += [word.moved(left, line * _STEP) for word in words]
                    strip.height = max(strip.height, (line + 1) * _STEP + _GAP)
            left += width
        return strip


def _free_columns(group: Sequence[int], number: int, cells: Mapping[int, SheetCell]) -> Iterator[int]:
    """The empty columns to the right of one, up to the next cell."""
    for column in group[number + 1 :]:
        if column in cells:
            return
        yield column


def _column_widths(rows: Sequence[SheetRow], given: Mapping[int, float]) -> dict[int, float]:
    """Widths of all columns between the first and the last that are used."""
    used = {column for row in rows for column in row.cells}
    if not used:
        return {}
    widths = {column: min(given.get(column, MIN_WIDTH), MAX_WIDTH) for column in sorted(used)}
    order = list(widths)
    positions = {column: position for position, column in enumerate(order)}
    for row in rows:
        taken = sorted(positions[column] for column in row.cells)
        for position, following in zip(taken, [*taken[1:], len(order)], strict=True):
            column = order[position]
            cell = row.cells[column]
            longest = (
                max((text_width(line, SIZE, bold=cell.bold) for line in cell.text[:2000].split("\n")), default=0.0) + PADDING
            )
            if cell.align == "left" and not cell.is_number:
                free = sum(widths[each] for each in order[position + 1 : following])
                if following == len(order):  # behind the last cell of a row is paper
                    longest = min(longest, max(widths[column] + free, DEFAULT_WIDTH * 3))
                longest -= free
            widths[column] = min(MAX_WIDTH, max(widths[column], longest, MIN_WIDTH))
    return widths


def _column_groups(widths: Mapping[int, float]) -> list[list[int]]:
    """The columns in groups that fit on a page."""
    groups: list[list[int]] = []
    taken = 0.0
    for column, width in widths.items():
        if not groups or taken + width > MAX_PAGE_WIDTH:
            groups.append([])
            taken = 0.0
        groups[-1].append(column)
        taken += width
    return groups


def _heading_row(rows: Sequence[SheetRow]) -> set[int]:
    """The number of the row with the headings: the first that has nearly all columns, and texts alone; empty without one."""
    most = max((len(row.cells) for row in rows), default=0)
    for index, row in enumerate(rows[:HEADING_ROWS]):
        if len(row.cells) >= max(2, 0.7 * most) and not any(cell.is_number for cell in row.cells.values()):
            return {row.number} if len(rows) - index > MIN_ROWS_BELOW else set()
    return set()
