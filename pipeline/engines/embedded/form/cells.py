"""Cells of a page: where a file says which cell a word is in, and where a heading runs into the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.values.boxes import bounding_box

_SHEET_CELL = re.compile(r"((?:.*!)?)([A-Z]{1,3})\d{1,7}")
_TABLE_CELL = re.compile(r"(.*), row \d+, (column \d+)")
_INDEX = re.compile(r"\[\d+\]")


def grid_column(place: str) -> str:
    """The column of a cell of a sheet, a table or a list of data, by the place of its words; empty for words that stand in none."""
    if cell := _SHEET_CELL.fullmatch(place):
        return f"{cell[1]}{cell[2]}"
    if cell := _TABLE_CELL.fullmatch(place):
        return f"{cell[1]} {cell[2]}"
    return _INDEX.sub("", place) if place.startswith("/") and "[" in place else ""


def split_cells(layout: Layout) -> Layout:
    """The layout with a run of its own for every cell of the file; the same for a page that is no file's."""
    if layout.page.source != "file":
        return layout
    rows: list[tuple[Run, ...]] = []
    runs: list[Run] = []
    for row in layout.rows:
        parts = [part for run in row for part in _parts(layout, run)]
        made = tuple(replace(part, number=len(runs) + at) for at, part in enumerate(parts))
        rows.append(made)
        runs.extend(made)
    return Layout(layout.page, tuple(rows), tuple(runs), layout.height)


def _parts(layout: Layout, run: Run) -> Iterator[Run]:
    words = layout.page.words
    groups = [list(group) for _, group in groupby(run.words, key=lambda word: words[word].place)]
    if len(groups) == 1:
        yield run
        return
    for group in groups:
        yield part_of(layout, run, group)


def part_of(layout: Layout, run: Run, group: list[int]) -> Run:
    """A run of some neighbouring words of a run."""
    words = layout.page.words
    starts, at = [], 0
    for word in group:
        starts.append(at)
        at += len(words[word].text) + 1
    return Run(
        number=run.number,
        row=run.row,
        words=tuple(group),
        text=" ".join(words[word].text for word in group),
        starts=tuple(starts),
        box=bounding_box(words[word].box for word in group),
        size=run.size,
        bold=run.bold,
    )
