"""What may be labels with their values on one page, and tables below a heading, without any template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.engines.embedded.fields.page_rows import Layout, Run

Place = Literal["behind", "right", "below"]
"""Where a value stands beside its label."""
MOST_LABEL_WORDS = 6
MOST_VALUE = 160
"""Characters of a value, at most."""
MOST_HEADING_WORDS = 5
MOST_COLUMNS = 20
FAR = 3.0
"""Letter heights between two rows, from which a table has ended."""
_PAIR = re.compile(r"\s*([^:：]{2,60}?)\s*[:：]\s*(?!//)(.*)", re.DOTALL)
_NEXT = re.compile(r"\s?[:：](?=\s|$)")
_LABEL_END = re.compile(r"[\s:：.]+$")


@dataclass(frozen=True, slots=True)
class LabelPair:
    """A text that may be a label, and a text beside it that may be its value."""

    label: str
    value: str
    place: Place
    marked: bool
    """Whether a colon says that it is a label."""


@dataclass(frozen=True, slots=True)
class HeadedTable:
    """Rows below a heading; a row has a text for each heading, empty where it has none."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def find_tables(layout: Layout) -> tuple[list[HeadedTable], set[int]]:
    """The tables of a page, and the numbers of the rows that belong to them."""
    tables, used = [], set[int]()
    row = 0
    while row < len(layout.rows):
        found = _table_at(layout, row) if _is_heading(layout.rows[row]) else None
        if found is None:
            row += 1
            continue
        table, last = found
        tables.append(table)
        used.update(range(row, last + 1))
        row = last + 1
    return tables, used


def _is_heading(row: Sequence[Run]) -> bool:
    return 2 <= len(row) <= MOST_COLUMNS and all(
        run.letters >= 1 and not run.has_digit and len(run.words) <= MOST_HEADING_WORDS and not run.text.rstrip().endswith(":")
        for run in row
    )


def _table_at(layout: Layout, first: int) -> tuple[HeadedTable, int] | None:
    """The table below a heading and its last row; None without two rows that have a number and most of the columns."""
    heading = layout.rows[first]
    rows: list[tuple[str, ...]] = []
    last, bottom = first, max(run.box[3] for run in heading)
    for number in range(first + 1, len(layout.rows)):
        row = layout.rows[number]
        if min(run.box[1] for run in row) - bottom > FAR * layout.height:
            break
        cells = _cells(heading, row)
        if cells is None or not any(run.has_digit for run in row) or sum(map(bool, cells)) < max(2, (len(heading) + 1) // 2):
            break
        rows.append(cells)
        last, bottom = number, max(run.box[3] for run in row)
    return (HeadedTable(tuple(run.text for run in heading), tuple(rows)), last) if len(rows) >= 2 else None


def _cells(heading: Sequence[Run], row: Sequence[Run]) -> tuple[str, ...] | None:
    """The texts of a row by heading; None where a text stands below none of them, or two below one."""
    cells = [""] * len(heading)
    for run in row:
        shares = [min(run.box[2], head.box[2]) - max(run.box[0], head.box[0]) for head in heading]
        at = max(range(len(heading)), key=shares.__getitem__)
        if shares[at] <= 0 or cells[at]:
            return None
        cells[at] = run.text
    return tuple(cells)


def find_pairs(layout: Layout, tables: set[int]) -> Iterator[LabelPair]:
    """Labels with what stands behind, right of and below them, outside of the rows of ``tables``."""
    for run in layout.runs:
        if run.row in tables:
            continue
        behind = [LabelPair(label, value[:MOST_VALUE], "behind", marked=True) for label, value in _in_line(run.text)]
        if behind:
            yield from behind
            continue
        marked = run.text.rstrip().endswith((":", "："))
        if not _is_label(run.text):
            continue
        for place, other in _neighbours(layout, run, tables):
            if not other.text.rstrip().endswith((":", "：")):
                yield LabelPair(_plain(run.text), other.text[:MOST_VALUE], place, marked)


def _in_line(text: str) -> Iterator[tuple[str, str]]:
    """The labels with a colon in one line, each with what stands between it and the next: "Sheet: 12 Picked on: 3 May"."""
    match = _PAIR.fullmatch(text)
    while match and _is_label(match[1]) and match[2].strip():
        value, following = match[2].strip(), None
        for colon in _NEXT.finditer(value):
            start = _label_start(value[: colon.start()])
            if start is not None:
                following = _PAIR.fullmatch(value[start:])
                value = value[:start].strip(" |,;·")
                break
        if value:
            yield _plain(match[1]), value
        match = following


def _label_start(before: str) -> int | None:
    """Where the label begins that ends a text: at its last word with a capital letter behind a value. None where nothing is before it."""
    starts = [word.start() for word in re.finditer(r"\S+", before)]
    words = before.split()
    for at in range(len(words) - 1, 0, -1):
        if any(map(str.isdigit, words[at])):
            return None
        if words[at][0].isupper() and not (words[at - 1][0].isupper() and words[at - 1].endswith(".")):
            return starts[at]
    return None


def _neighbours(layout: Layout, run: Run, tables: set[int]) -> Iterator[tuple[Place, Run]]:
    right = next((other for other in layout.rows[run.row] if other.box[0] >= run.box[2] - 1 and other is not run), None)
    if right is not None:
        yield "right", right
    below = next(iter(layout.chain(run, 1, 1)), None)
    if below is not None and below.row not in tables:
        yield "below", below


def _is_label(text: str) -> bool:
    plain = _plain(text)
    letters = sum(map(str.isalpha, plain))
    return letters >= 2 and len(plain.split()) <= MOST_LABEL_WORDS and len(plain) <= 60 and not any(map(str.isdigit, plain))


def _plain(text: str) -> str:
    return _LABEL_END.sub("", " ".join(text.split()))
