"""The heading of a table of any kind: which of its cells names which column of a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.form.cells import grid_column, part_of
from pipeline.templates.template import Column

LEAST_LIKENESS = 0.62
"""Likeness of a heading and a label from which the heading names the column."""
SURE = 0.9
"""Likeness from which one heading alone is that of a table."""
CLOSE = 1.2
"""Letter heights between the lines of one heading."""
MOST_LINES = 4
"""Lines of one heading."""
MOST_LETTERS = 60
"""Folded characters of one heading."""


@dataclass(frozen=True, slots=True)
class Heading:
    """One cell of a heading: its text, its width on the page, and the column that it names."""

    text: str
    left: float
    right: float
    column: str | None = None
    grid: str = ""
    """The column of the file's own table that it stands in."""


@dataclass(frozen=True, slots=True)
class Header:
    """The heading of a table: its cells from left to right, and its first and last row of the page."""

    cells: tuple[Heading, ...]
    first: int
    last: int
    strength: float
    """Sum of the likenesses of the columns named, a share of all columns."""

    @property
    def named(self) -> int:
        """How many columns it names."""
        return sum(cell.column is not None for cell in self.cells)


def find_headers(layout: Layout, columns: Mapping[str, Column]) -> list[Header]:
    """The headings on a page that name columns of a table, top to bottom; of overlapping ones the strongest."""
    labels = {name: list(dict.fromkeys(filter(None, _keys(name, column)))) for name, column in columns.items()}
    memory: dict[tuple[str, str], float] = {}
    found = []
    for first in range(len(layout.rows)):
        if not _may_begin(layout.rows[first]):
            continue
        for last in range(first, min(first + MOST_LINES, len(layout.rows))):
            if last > first and not _follows(layout, last):
                break
            header = _header(_cells(layout, first, last, labels), first, last, labels, memory)
            if header and (header.named >= 2 or _is_enough(header, columns)):
                found.append(header)
    kept: list[Header] = []
    for header in sorted(found, key=lambda header: (-header.strength, header.last - header.first)):
        if not any(header.first <= other.last and other.first <= header.last for other in kept):
            kept.append(header)
    return sorted(kept, key=lambda header: header.first)


def _is_enough(header: Header, columns: Mapping[str, Column]) -> bool:
    """Whether the only column that a heading names tells the table: it is the only one, or one of numbers behind a text."""
    if header.named != 1:
        return False
    at = next(at for at, cell in enumerate(header.cells) if cell.column)
    is_number = columns[str(header.cells[at].column)].type in ("number", "money", "integer", "percentage")
    return len(columns) == 1 or (at > 0 and is_number and header.strength * len(columns) >= SURE)


def _keys(name: str, column: Column) -> list[str]:
    return [label_key(label) for texts in column.labels.values() for label in texts] + [label_key(name.rpartition(".")[2])]


def _may_begin(row: Sequence[Run]) -> bool:
    return len(row) >= 1 and sum(run.letters for run in row) >= 3


def _follows(layout: Layout, row: int) -> bool:
    """Whether a row is a further line of a heading: close below, and without amounts."""
    above = max(run.box[3] for run in layout.rows[row - 1])
    below = min(run.box[1] for run in layout.rows[row])
    digits = sum(char.isdigit() for run in layout.rows[row] for char in run.text)
    letters = sum(run.letters for run in layout.rows[row])
    return below - above < CLOSE * layout.height and digits <= letters


def _cells(layout: Layout, first: int, last: int, labels: Mapping[str, list[str]]) -> list[Heading]:
    """The cells of some rows as one heading, those above each other joined."""
    cells: list[list[Run]] = []
    known = {label for own in labels.values() for label in own}
    for row in range(first, last + 1):
        for run in (part for whole in layout.rows[row] for part in _pieces(layout, whole, known)):
            over = next((cell for cell in cells if _over(cell, run)), None)
            if over is not None:
                over.append(run)
            else:
                cells.append([run])
    made = [
        Heading(
            " ".join(run.text for run in cell),
            min(run.box[0] for run in cell),
            max(run.box[2] for run in cell),
            grid=grid_column(layout.page.words[cell[0].words[0]].place),
        )
        for cell in cells
    ]
    return sorted(made, key=lambda cell: cell.left)


def _pieces(layout: Layout, run: Run, known: set[str]) -> list[Run]:
    """A run as one heading, or as several where two of them stand close to each other: "Qty Price"."""
    if len(run.words) < 2 or len(run.words) > MOST_LETTERS // 4 or run.folded in known:
        return [run]
    parts: list[list[int]] = []
    first = found = 0
    while first < len(run.words):
        lasts = range(len(run.words), first, -1)
        last = next((at for at in lasts if label_key(layout.text(run.words[first:at])) in known), None)
        if last is not None:
            parts.append(list(run.words[first:last]))
            found += 1
        elif parts and found != len(parts):
            parts[-1].append(run.words[first])
        else:
            parts.append([run.words[first]])
        first = last or first + 1
    return [part_of(layout, run, part) for part in parts] if found >= 2 or (found == 1 and len(parts) == 2) else [run]


def _over(cell: Sequence[Run], run: Run) -> bool:
    left, right = min(other.box[0] for other in cell), max(other.box[2] for other in cell)
    return cell[-1].row < run.row and min(right, run.box[2]) - max(left, run.box[0]) > 0.3 * min(
        right - left, run.box[2] - run.box[0]
    )


def _header(
    cells: Sequence[Heading], first: int, last: int, labels: Mapping[str, list[str]], memory: dict[tuple[str, str], float]
) -> Header | None:
    """The cells with the columns that they name, each column once, the likest pairs first."""
    keys = [label_key(cell.text) for cell in cells]
    pairs = []
    for at, key in enumerate(keys):
        if not 0 < len(key) <= MOST_LETTERS:
            continue
        for name, own in labels.items():
            likeness = max(
                (_likeness(key, label, memory) * (1 - 0.01 * min(rank, 15)) for rank, label in enumerate(own)), default=0.0
            )
            if likeness >= LEAST_LIKENESS:
                pairs.append((likeness, at, name))
    columns: dict[int, str] = {}
    total = 0.0
    for likeness, at, name in sorted(pairs, key=lambda pair: (-pair[0], pair[1])):
        if at not in columns and name not in columns.values():
            columns[at] = name
            total += likeness
    if not columns:
        return None
    named = tuple(replace(cell, column=columns.get(at)) for at, cell in enumerate(cells))
    return Header(named, first, last, total / len(labels))


def _likeness(key: str, label: str, memory: dict[tuple[str, str], float]) -> float:
    """How alike a heading and a label are, 0 to 1: the same, one within the other, or letter by letter."""
    if (key, label) not in memory:
        if key == label:
            value = 1.0
        elif len(label) >= 3 and len(key) >= 3 and (label in key or key in label):
            share = min(len(key), len(label)) / max(len(key), len(label))
            begins = key.startswith(label) or label.startswith(key)
            value = (0.55 if begins else 0.45) + 0.45 * share
        elif len(key) >= 4 and len(label) >= 4:
            ratio = fuzz.ratio(key, label) / 100
            value = ratio if ratio >= 0.8 else 0.0
        else:
            value = 0.0
        memory[key, label] = value
    return memory[key, label]
