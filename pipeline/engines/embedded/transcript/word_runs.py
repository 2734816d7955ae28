"""Joins the words of a printed line to runs, and runs beside each other to rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.records import Box, Word
from pipeline.values.boxes import bounding_box

RUN_GAP = 1.1
"""A gap wider than this many line heights ends a run of words."""
MARKER_GAP = 4.0
"""The same for the gap between the marker of a list, at the beginning of a line, and its item."""
_MARKER = re.compile(r"[•·▪■●○◦‣–—*-]|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]")


@dataclass(frozen=True, slots=True)
class WordRun:
    """Neighbouring words of one printed line without a wide gap between them."""

    box: Box
    words: tuple[int, ...]
    letters: int
    picture: int = 0
    """Number of the picture that the words were read from; 0 for the page itself."""

    @property
    def height(self) -> float:
        """Height in points."""
        return self.box[3] - self.box[1]

    @property
    def width(self) -> float:
        """Width in points."""
        return self.box[2] - self.box[0]

    @property
    def middle(self) -> float:
        """Vertical centre in points."""
        return (self.box[1] + self.box[3]) / 2


TextRow = list[WordRun]
"""Runs beside each other, left to right."""


def make_runs(words: Sequence[Word], indices: Iterable[int]) -> list[WordRun]:
    """Return the words as runs. A run ends at the end of its printed line or at a wide gap. Blank words are left out."""
    runs: list[WordRun] = []
    current: list[int] = []
    for index in indices:
        word = words[index]
        if not word.text.strip():
            continue
        starts_line = not runs or words[runs[-1].words[-1]].line != word.line
        marker = starts_line and len(current) == 1 and _MARKER.fullmatch(words[current[0]].text)
        if current and not _continues_run(words[current[-1]], word, MARKER_GAP if marker else RUN_GAP):
            runs.append(make_run(current, words))
            current = []
        current.append(index)
    return [*runs, make_run(current, words)] if current else runs


def make_run(indices: Sequence[int], words: Sequence[Word], picture: int = 0) -> WordRun:
    """Return one run of these words."""
    letters = sum(len(words[index].text) for index in indices)
    return WordRun(bounding_box(words[index].box for index in indices), tuple(indices), letters, picture)


def make_rows(runs: Iterable[WordRun]) -> list[TextRow]:
    """Return the runs as rows, from top to bottom."""
    rows: list[TextRow] = []
    for run in sorted(runs, key=lambda run: run.middle):
        last = rows[-1] if rows else None
        if last and run.middle - last[0].middle < 0.5 * min(run.height, last[0].height):
            last.append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.box[0]) for row in rows]


def row_height(row: TextRow) -> float:
    """Return the height of the row's tallest run, in points."""
    return max(run.height for run in row)


def row_space(above: TextRow, below: TextRow) -> float:
    """Return the white space between two rows, in points. It is negative where they overlap."""
    return min(run.box[1] for run in below) - max(run.box[3] for run in above)


def row_gap(above: TextRow, below: TextRow) -> float:
    """Return the white space between two rows, in heights of the smaller row."""
    return row_space(above, below) / max(min(row_height(above), row_height(below)), 1.0)


def _continues_run(last: Word, word: Word, widest: float) -> bool:
    heights = last.box[3] - last.box[1], word.box[3] - word.box[1]
    gap = word.box[0] - last.box[2]
    near = -max(heights) < gap < widest * min(heights)
    return last.line == word.line and near and abs(word.box[1] - last.box[1]) < max(heights)
