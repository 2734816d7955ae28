"""Tables with a header: labels name the columns, place puts words into columns, numbers show where a row begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.row_arithmetic import complete_row
from pipeline.engines.embedded.fields.table_headings import NUMERIC, HeaderCell, HeaderRow
from pipeline.records import Json
from pipeline.templates.template import Column
from pipeline.values.carried_sums import is_carried_sum

_LINES = 2.2  # letter heights between the lines of one row
_MOST_LINES_WITHOUT_NUMBERS = 6  # printed lines without a number after which a table has ended
_Cells = Mapping[str, tuple[str, tuple[int, ...]]]
"""Column name to value and words."""


@dataclass
class ItemTable:
    """Rows read from a page, the words they came from and the rows of the page that they take up."""

    rows: list[dict[str, Json]] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    first: int = 0
    last: int = -1
    score: float = 0.0
    lines: list[tuple[int, ...]] = field(default_factory=list)
    """For each row the rows of the page that have its numbers."""
    likely: list[dict[str, float]] = field(default_factory=list)
    """For each row the probabilities of its cells, as far as they are known."""


def read_table(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], headers: Sequence[HeaderRow], totals: Sequence[Label]
) -> ItemTable:
    """The rows of a table with these columns on the page; empty when none of its ``headers`` names its columns.

    Labels of ``totals`` end a table.
    """
    best = ItemTable()
    for header in headers:
        named = {cell.column for cell in header.cells if cell.column}
        if len(named) < 2 or not any(columns[name].type in NUMERIC for name in named):
            continue
        table = _read_below(layout, candidates, columns, header.cells, totals)
        table.score = len(named) / len(columns)
        if len(table.rows) * table.score > len(best.rows) * best.score:
            best = table
    return best


def _read_below(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], cells: Sequence[HeaderCell], totals: Sequence[Label]
) -> ItemTable:
    header = max(cell.row for cell in cells)
    table = ItemTable(first=header, last=header)
    stops = {label.row for label in totals if label.cover >= 0.5 and label.row > header}
    gap, apart = 0, False
    open_row: dict[str, Json] | None = None
    for row in range(header + 1, len(layout.rows)):
        values = cell_values(layout, candidates, columns, cells, row)
        numeric = [name for name in values if columns[name].type in NUMERIC]
        if len(numeric) <= 1 and is_carried_sum(" ".join(run.text for run in layout.rows[row])):
            continue
        if row in stops and (table.rows or numeric) and (len(numeric) < 2 or len(numeric) == len(values)):
            break
        apart = apart or (open_row is not None and not stands_close_below(layout, row))
        starts = _is_row(columns, values, cells) and not (apart and _has_fewer_numbers(columns, table.rows, numeric))
        if apart and not starts:
            gap = max(gap, 3)
        if starts:
            open_row = dict.fromkeys(columns) | {name: value for name, (value, _) in values.items()}
            complete_row(open_row, columns, [c for c in candidates.money if c.run.row == row])
            table.rows.append(open_row)
            table.lines.append((row,))
            gap, apart = 0, False
        else:
            gap += 1
            if gap > _MOST_LINES_WITHOUT_NUMBERS:
                break
            if open_row is not None and gap <= 3:
                _extend_row(columns, open_row, values)
        if open_row is not None and (starts or gap <= 3):
            table.words += [word for _, words in values.values() for word in words]
            table.last = row if starts else max(table.last, row)
    return table


def stands_close_below(layout: Layout, row: int) -> bool:
    """Whether a row stands close below the one before."""
    above = max(run.box[3] for run in layout.rows[row - 1])
    return min(run.box[1] for run in layout.rows[row]) - above < _LINES * layout.height


def _has_fewer_numbers(columns: Mapping[str, Column], rows: list[dict[str, Json]], numeric: list[str]) -> bool:
    """Whether a line has fewer numbers than every row before it. Such a line at a distance from the table is a footer."""
    return len(numeric) < min(sum(columns[name].type in NUMERIC and row[name] is not None for name in row) for row in rows)


def _is_row(columns: Mapping[str, Column], values: _Cells, cells: Sequence[HeaderCell]) -> bool:
    money = [name for name in values if columns[name].type == "money"]
    last_money = [cell.column for cell in cells if cell.column and columns[cell.column].type == "money"][-1:]
    if not money:
        return not last_money and any(columns[name].type == "number" for name in values) and len(values) >= 2
    return bool(set(last_money) & set(money)) or sum(columns[name].type in NUMERIC for name in values) >= 2


def _extend_row(columns: Mapping[str, Column], open_row: dict[str, Json], values: _Cells) -> None:
    for name, (value, _) in values.items():
        if columns[name].type == "text" and open_row.get(name):
            open_row[name] = f"{open_row[name]} {value}"
        elif open_row.get(name) is None:
            open_row[name] = value


def cell_values(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], cells: Sequence[HeaderCell], row: int
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Column name to value and words of one printed row."""
    values: dict[str, tuple[str, tuple[int, ...]]] = {}
    numbers = [c for c in candidates.numbers_by_row.get(row, ()) if c.kind == "money"]
    above = [_cell_above(cells, c.box) for c in numbers]
    used: set[int] = set()
    for name, cell in ((h.column, h) for h in cells if h.column and columns[h.column].type in NUMERIC):
        best = _nearest(cell, [c for c, over in zip(numbers, above, strict=True) if over is cell])
        if best is not None and name is not None:
            values[name] = (best.value, best.words)
            used |= set(best.words)
    for cell in cells:
        if cell.column and columns[cell.column].type not in NUMERIC:
            words = [i for run in layout.rows[row] for i in _under(layout, run, cells, cell) if i not in used]
            if columns[cell.column].type == "date":
                dates = [date for date in candidates.dates if date.run.row == row and set(words).intersection(date.words)]
                if dates:
                    values[cell.column] = (dates[0].value, dates[0].words)
            elif any(c.isalnum() for i in words for c in layout.page.words[i].text):
                values[cell.column] = (layout.text(words), tuple(words))
    _text_before(layout, columns, cells, row, values)
    return values


def _text_before(
    layout: Layout,
    columns: Mapping[str, Column],
    cells: Sequence[HeaderCell],
    row: int,
    values: dict[str, tuple[str, tuple[int, ...]]],
) -> None:
    """Adds the words of a text column whose heading is centred over a wide column: all words before the first number."""
    missing = [
        h.column for h in cells if h.column and columns[h.column].type not in (*NUMERIC, "date") and h.column not in values
    ]
    numbers = [i for name, (_, words) in values.items() if columns[name].type in NUMERIC for i in words]
    if missing and len(numbers) >= 2:
        first = min(layout.page.words[i].box[0] for i in numbers)
        words = [i for run in layout.rows[row] for i in run.words if layout.page.words[i].box[2] <= first]
        if any(c.isalpha() for i in words for c in layout.page.words[i].text):
            values[missing[0]] = (layout.text(words), tuple(words))


def _under(layout: Layout, run: Run, cells: Sequence[HeaderCell], cell: HeaderCell) -> list[int]:
    """The words of a run that stand in a text column: from a little left of its heading to the next heading."""
    end = min((other.left for other in cells if other.left > cell.left), default=1e9)
    begin = max((other.right for other in cells if other.right < cell.left), default=cell.left - 4 * layout.height)
    if run.box[2] < cell.left - layout.height:
        return []
    boxes = [(i, layout.page.words[i].box) for i in run.words]
    return [i for i, box in boxes if begin < (box[0] + box[2]) / 2 < end]


def _nearest(cell: HeaderCell, below: list[Candidate]) -> Candidate | None:
    return max(below, key=lambda c: (c.quality, -abs(c.box[2] - cell.right)), default=None)


def _cell_above(cells: Sequence[HeaderCell], box: tuple[float, float, float, float]) -> HeaderCell:
    """The header cell that a value stands under: by shared width, else by the nearest edge."""
    left, _, right, _ = box
    best, least = cells[0], inf
    for cell in cells:
        shared = min(cell.right, right) - max(cell.left, left)
        if shared > 0:
            distance = -shared / max(1.0, min(cell.right - cell.left, right - left))
        else:
            distance = min(abs(cell.right - right), abs(cell.left - left), -shared)
        if distance < least:
            best, least = cell, distance
    return best
