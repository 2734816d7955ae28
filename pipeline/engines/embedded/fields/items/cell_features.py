"""Which cell of a table of goods a number of the page may be: what the network of ``cell_network`` sees of each number.

It sees the number's form and place, the headings above it, the labels beside it, the numbers that it is aligned with, and the products
and sums that it takes part in. It sees no words, so it serves every language whose headings are known, and tables without headings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.items.cell_arithmetic import products, sums
from pipeline.engines.embedded.fields.items.cell_numbers import cell_numbers
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.table_headings import HeaderCell, HeaderRow

Numbers = NDArray[np.float32]
Flags = NDArray[np.bool_]
ROLES = ("quantity", "price", "amount")
_ALIGNED = 0.4  # letter heights between edges that are aligned
_ALIGNED_OCR = 0.7
_UNKNOWN, _OTHER = -1, len(ROLES)
"""The role of a cell of a header that names no column, and of one that names a column without a role."""


@dataclass(frozen=True)
class TablePage:
    """A page as the search for rows of goods sees it."""

    layout: Layout
    candidates: Candidates
    headers: Sequence[HeaderRow]
    roles: Mapping[str, int]
    """The number in ROLES of the columns that have a role."""
    totals: Sequence[Label]
    """Labels of amounts that are no rows of goods."""
    labels: Sequence[Label]

    @property
    def numbers(self) -> list[Candidate]:
        """The numbers that may be cells, in reading order."""
        return cell_numbers(self.layout, self.candidates)


NAMES = (
    "left", "right", "down", "log value", "whole", "one decimal", "two decimals", "more decimals", "one", "small", "negative", "zero",
    "quality", "currency", "percent", "repaired", "alone in run", "times before", "times after", "bold", "size",
    "numbers in row", "first", "last", "last but one", "from left", "letters left", "letters right", "letters row", "letters next",
    "total label", "total label whole", "other label", "date in row", "gap above", "gap below",
    "header", "header named", "header distance", "totals since header", "under quantity", "under price", "under amount",
    "under other", "under unknown", "overlap", "amount named", "price named", "quantity named",
    "aligned", "aligned same form", "aligned above", "aligned below", "aligned right", "aligned left",
    "product", "factor left", "factor right", "equal left", "equal right", "product near", "factor near", "row has product",
    "column product", "column factor left", "column factor right", "column letters", "column total label", "column first", "column last",
    "column under unknown", "sum of above", "in sum", "in labelled sum", "column in sum", "value below labelled", "before first total",
)  # fmt: skip


@dataclass(frozen=True)
class CellFeatures:
    """What is known of the numbers of a page before the first look at them together."""

    own: Numbers
    """One row for each number; the columns are NAMES."""
    rows: NDArray[np.intp]
    """The line of the page that each number stands in."""
    column: Flags
    """Which numbers are aligned and of the same form."""

    def with_context(self, likely: Numbers) -> Numbers:
        """Features for the second look: the own ones, and what the first look (``likely``, a row of probabilities for each number) says
        of the number, its column, its line and the lines around."""
        count, roles = likely.shape
        if not count:
            return np.zeros((0, self.own.shape[1] + 5 * roles), np.float32)
        weights = self.column.astype(np.float32)
        column = weights @ likely / (weights.sum(axis=1, keepdims=True) + 1e-6)
        same = (self.rows[:, None] == self.rows[None, :]) & ~np.eye(count, dtype=bool)
        line = np.where(same[:, :, None], likely[None, :, :], 0).max(axis=1)
        order, inverse = np.unique(self.rows, return_inverse=True)
        best = np.zeros((len(order) + 2, roles), np.float32)
        np.maximum.at(best, inverse + 1, likely)
        return np.concatenate([self.own, likely, column, line, best[inverse], best[inverse + 2]], axis=1).astype(np.float32)


def features(page: TablePage, numbers: Sequence[Candidate]) -> CellFeatures:
    """The features of the numbers of a page."""
    if not numbers:
        return CellFeatures(np.zeros((0, len(NAMES)), np.float32), np.zeros(0, np.intp), np.zeros((0, 0), bool))
    table = _Table(page, numbers)
    columns = table.columns()
    own = np.stack([np.asarray(columns[name], np.float32) for name in NAMES], axis=1)
    return CellFeatures(own, table.rows, table.same_form)


class _Table:
    """The numbers of a page as arrays."""

    def __init__(self, page: TablePage, numbers: Sequence[Candidate]) -> None:
        self.page, self.numbers = page, numbers
        self.boxes = np.array([c.box for c in numbers], np.float64)
        self.rows = np.array([c.run.row for c in numbers])
        self.values = np.array([float(c.value) for c in numbers])
        self.decimals = np.array([_decimals(c.printed, len(c.value.partition(".")[2])) for c in numbers])
        self.height = page.layout.height

    def columns(self) -> Mapping[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        found |= self._forms()
        found |= self._rows()
        found |= self._headers()
        found |= self._alignment(found)
        found |= self._sums_and_totals()
        return found

    def _forms(self) -> dict[str, NDArray[np.float64]]:
        layout, boxes, values = self.page.layout, self.boxes, self.values
        texts = [_around(c) for c in self.numbers]
        return {
            "left": boxes[:, 0] / layout.page.width,
            "right": boxes[:, 2] / layout.page.width,
            "down": boxes[:, 1] / layout.page.height,
            "log value": np.log10(np.abs(values) + 0.01),
            "whole": self.decimals == 0,
            "one decimal": self.decimals == 1,
            "two decimals": self.decimals == 2,
            "more decimals": self.decimals > 2,
            "one": values == 1,
            "small": (values == np.round(values)) & (values > 0) & (values <= 50),
            "negative": values < 0,
            "zero": values == 0,
            "quality": np.array([c.quality for c in self.numbers]),
            "currency": np.array([c.currency is not None for c in self.numbers]),
            "percent": np.array([c.kind == "percent" for c in self.numbers]),
            "repaired": np.array([c.repaired for c in self.numbers]),
            "alone in run": np.array([not (before or after) for before, after in texts]),
            "times before": np.array([before[-1:] in _TIMES for before, _ in texts]),
            "times after": np.array([after[:1] in _TIMES for _, after in texts]),
            "bold": np.array([c.run.bold for c in self.numbers]),
            "size": np.array([min(3.0, c.run.size / self.height) for c in self.numbers]),
        }

    def _rows(self) -> dict[str, NDArray[np.float64]]:
        layout, rows = self.page.layout, self.rows
        count = len(rows)
        same = rows[:, None] == rows[None, :]
        in_row = same.sum(axis=1)
        from_left = np.tril(same, -1).sum(axis=1)
        from_right = in_row - 1 - from_left
        left, right, following = np.zeros(count), np.zeros(count), np.zeros(count)
        letters = [0, *accumulate(run.letters for run in layout.runs)]
        """Letters of all runs before each run."""
        for i, c in enumerate(self.numbers):
            own, number = layout.rows[c.run.row], c.run.number
            start, end = c.run.text[: c.start], c.run.text[c.end :]
            left[i] = letters[number] - letters[own[0].number] + sum(map(str.isalpha, start))
            right[i] = letters[own[-1].number + 1] - letters[number + 1] + sum(map(str.isalpha, end))
            following[i] = sum(map(str.isalpha, end[:12]))
        whole: dict[int, float] = {}
        some: dict[int, float] = {}
        for label in self.page.totals:
            some[label.row] = 1.0
            whole[label.row] = max(whole.get(label.row, 0.0), label.cover)
        others = {label.row for label in self.page.labels if label.cover >= 0.5} - some.keys()
        dates = {c.run.row for c in self.page.candidates.dates}
        above, below = _row_gaps(layout)
        return {
            "numbers in row": np.minimum(in_row, 10) / 5,
            "first": from_left == 0,
            "last": from_right == 0,
            "last but one": from_right == 1,
            "from left": np.minimum(from_left, 8) / 4,
            "letters left": np.log1p(left),
            "letters right": np.log1p(right),
            "letters row": np.log1p(left + right),
            "letters next": np.log1p(following),
            "total label": np.array([some.get(row, 0.0) for row in rows]),
            "total label whole": np.array([whole.get(row, 0.0) for row in rows]),
            "other label": np.array([row in others for row in rows]),
            "date in row": np.array([row in dates for row in rows]),
            "gap above": np.clip(above[rows] / self.height, 0, 6),
            "gap below": np.clip(below[rows] / self.height, 0, 6),
        }

    def _headers(self) -> dict[str, NDArray[np.float64]]:
        count = len(self.numbers)
        names = ("header", "header named", "header distance", "totals since header", "under quantity", "under price", "under amount",
                 "under other", "under unknown", "overlap", "amount named", "price named", "quantity named")  # fmt: skip
        found = {name: np.zeros(count) for name in names}
        ends = sorted(label.row for label in self.page.totals if label.cover >= 0.5)
        for header in self.page.headers:
            cell_roles = [self.page.roles.get(cell.column, _OTHER) if cell.column else _UNKNOWN for cell in header.cells]
            strength = sum(role != _UNKNOWN for role in cell_roles)
            below = self.rows > header.last
            better = below & (strength >= found["header named"] * 6)
            if not better.any():
                continue
            at, overlap = _cells_above(header.cells, self.boxes)
            roles = np.array(cell_roles)[at]
            for name in names:
                found[name][better] = 0
            found["header"][better] = 1
            found["header named"][better] = strength / 6
            found["header distance"][better] = np.log1p(self.rows[better] - header.last)
            since = np.searchsorted(ends, self.rows[better], "right") - np.searchsorted(ends, header.last, "right")
            found["totals since header"][better] = np.minimum(4, since)
            for role, name in enumerate(("under quantity", "under price", "under amount", "under other")):
                found[name][better] = roles[better] == role
            found["under unknown"][better] = roles[better] < 0
            found["overlap"][better] = overlap[better]
            for role, name in enumerate(("quantity named", "price named", "amount named")):
                found[name][better] = role in cell_roles
        return found

    def _sums_and_totals(self) -> dict[str, NDArray[np.float64]]:
        ends = [label.row for label in self.page.totals if label.cover >= 0.5]
        labelled = {label.row for label in self.page.totals}
        amounts = np.array([c.kind == "money" for c in self.numbers])
        found = sums(self.rows, self.values, self.right_aligned & amounts, labelled)
        mean = self.aligned.astype(np.float64)
        column = mean @ found["in sum"] / (mean.sum(axis=1) + 1e-9)
        return found | {"column in sum": column, "before first total": self.rows < min(ends, default=1 << 30)}

    def _alignment(self, known: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        boxes = self.boxes
        limit = self.height * (_ALIGNED_OCR if self.page.layout.page.source == "ocr" else _ALIGNED)
        right = np.abs(boxes[:, None, 2] - boxes[None, :, 2]) < limit
        left = np.abs(boxes[:, None, 0] - boxes[None, :, 0]) < limit
        centre = np.abs((boxes[:, 0] + boxes[:, 2])[:, None] - (boxes[:, 0] + boxes[:, 2])[None, :]) < limit
        other_row = self.rows[:, None] != self.rows[None, :]
        self.aligned = (right | left | centre) & other_row
        self.right_aligned = right
        form = self.decimals[:, None] == self.decimals[None, :]
        same = self.same_form = self.aligned & form
        distance = self.rows[None, :] - self.rows[:, None]
        found_products = products(self.rows, self.values)
        result: dict[str, NDArray[np.float64]] = {
            "aligned": np.log1p(self.aligned.sum(axis=1)),
            "aligned same form": np.log1p(same.sum(axis=1)),
            "aligned above": (self.aligned & (distance < 0) & (distance >= -3)).any(axis=1),
            "aligned below": (self.aligned & (distance > 0) & (distance <= 3)).any(axis=1),
            "aligned right": np.log1p((right & other_row).sum(axis=1)),
            "aligned left": np.log1p((left & other_row).sum(axis=1)),
        }
        result |= found_products
        weights = same.astype(np.float64)
        total = weights.sum(axis=1) + 1e-9
        for name, source in (
            ("column product", found_products["product"]),
            ("column factor left", found_products["factor left"]),
            ("column factor right", found_products["factor right"]),
            ("column letters", known["letters row"]),
            ("column total label", known["total label"]),
            ("column first", known["first"]),
            ("column last", known["last"]),
            ("column under unknown", known["under unknown"]),
        ):
            result[name] = weights @ np.asarray(source, np.float64) / total
        return result


_TIMES = frozenset("xX×*@хХ✕")


def _decimals(printed: str, plain: int) -> int:
    """How many decimals are printed: the plain value drops zeros at the end."""
    digits = [c for c in printed if c.isdigit() or c in ".,"]
    while digits and digits[-1] in ".,":
        digits.pop()
    text = "".join(digits)
    at = max(text.rfind("."), text.rfind(","))
    behind = len(text) - at - 1 if at >= 0 else 0
    return max(plain, 0 if behind == 3 and plain == 0 else behind)


def _around(c: Candidate) -> tuple[str, str]:
    return c.run.text[: c.start].strip(), c.run.text[c.end :].strip()


def _row_gaps(layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The white space above and below each row."""
    tops = np.array([min(run.box[1] for run in row) for row in layout.rows])
    bottoms = np.array([max(run.box[3] for run in row) for row in layout.rows])
    gaps = tops[1:] - bottoms[:-1]
    return np.concatenate([[99.0], gaps]), np.concatenate([gaps, [99.0]])


def _cells_above(cells: Sequence[HeaderCell], boxes: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each box the header cell that it stands under, by shared width, else by the nearest edge; and how much it shares."""
    left = np.array([cell.left for cell in cells])
    right = np.array([cell.right for cell in cells])
    shared = np.minimum(right, boxes[:, None, 2]) - np.maximum(left, boxes[:, None, 0])
    width = np.maximum(1.0, np.minimum(right - left, (boxes[:, 2] - boxes[:, 0])[:, None]))
    edges = np.minimum(np.minimum(np.abs(right - boxes[:, None, 2]), np.abs(left - boxes[:, None, 0])), -shared)
    distance = np.where(shared > 0, -shared / width, edges)
    at = distance.argmin(axis=1)
    best = -distance[np.arange(len(boxes)), at]
    return at, np.clip(best, -3, 1)
