"""From documents with truth to examples: the numbers of a page, their features, and which cell of a row of goods each of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.field_reader import table_pages
from pipeline.engines.embedded.fields.items.cell_features import features
from pipeline.engines.embedded.fields.row_arithmetic import AMOUNT, PRICE, QUANTITY
from pipeline.records import Box
from training.fit_stacked import StackedExample
from training.scorer.examples import TrueDocument, template_of

_COLUMNS = {"amount": AMOUNT, "unit_price": PRICE, "quantity": QUANTITY}
_LINES = (0, 1, -1, 2)
"""Lines, counted from that of the amount, on which the other cells of a row may stand."""
_LEAST_FOUND = 0.6
"""Share of the rows that are found on the pages, below which a document teaches nothing."""
_CENT = 0.006


def cell_examples(document: TrueDocument, weight: float = 1.0) -> Iterator[StackedExample]:
    """One example for each page with numbers; none where the rows are not known."""
    template = template_of(document.kind)
    found, total = 0, len(document.rows)
    examples = []
    left = [dict(row) for row in document.rows]
    for page in document.pages:
        for table in table_pages(page, template):
            numbers = table.numbers
            if document.row_boxes:
                cells, hits = by_boxes(numbers, document.row_boxes, page.number), total
            else:
                cells, hits = by_values(numbers, left)
            found += hits
            if numbers:
                examples.append(StackedExample(document.name, document.layout, features(table, numbers), cells, weight))
    if total and found >= _LEAST_FOUND * total:
        yield from examples


def by_boxes(
    numbers: Sequence[Candidate], rows: Sequence[Mapping[str, Sequence[tuple[int, Box]]]], page: int
) -> NDArray[np.int64]:
    """The cell of each number: that in whose box it stands."""
    cells = np.zeros(len(numbers), np.int64)
    for row in rows:
        for column, role in _COLUMNS.items():
            for number, box in row.get(column, ()):
                x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                inside = (at for at, c in enumerate(numbers) if number == page and _holds(c.box, x, y))
                if (at := next(inside, None)) is not None:
                    cells[at] = role
    return cells


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] - 2 <= x <= box[2] + 2 and box[1] - 2 <= y <= box[3] + 2


def by_values(numbers: Sequence[Candidate], rows: list[dict[str, Any]]) -> tuple[NDArray[np.int64], int]:
    """The cell of each number, and how many rows were found: for each row of the truth the line that has most of its values.

    Rows that were found leave ``rows``.
    """
    cells = np.zeros(len(numbers), np.int64)
    lines: dict[int, list[int]] = {}
    for at, number in enumerate(numbers):
        lines.setdefault(number.run.row, []).append(at)
    used: set[int] = set()
    hits = 0
    for row in list(rows):
        wanted = {role: float(row[column]) for column, role in _COLUMNS.items() if row.get(column) is not None}
        options = [_cells_at(numbers, lines, line, wanted, used) for line in sorted(lines)]
        best = max(options, key=lambda found: _merit(found, numbers), default={})
        if AMOUNT in best or len(best) >= 2:
            hits += 1
            rows.remove(row)
            for role, at in best.items():
                cells[at] = role
                used.add(at)
    return cells, hits


def _merit(found: Mapping[int, int], numbers: Sequence[Candidate]) -> tuple[float, int]:
    if not found:
        return 0.0, 0
    lines = [numbers[at].run.row for at in found.values()]
    return len(found) + 0.5 * (AMOUNT in found) + 0.1 * max(map(lines.count, lines)), -min(lines)


def _cells_at(
    numbers: Sequence[Candidate], lines: Mapping[int, list[int]], line: int, wanted: Mapping[int, float], used: set[int]
) -> dict[int, int]:
    """Role to number for the values of a row whose amount stands in a line."""
    found: dict[int, int] = {}
    for role, value in wanted.items():
        for step in _LINES if role != AMOUNT else (0,):
            hit = next(
                (
                    at
                    for at in reversed(lines.get(line + step, ()))
                    if at not in used and at not in found.values() and abs(abs(float(numbers[at].value)) - abs(value)) < _CENT
                ),
                None,
            )
            if hit is not None:
                found[role] = hit
                break
    return found
