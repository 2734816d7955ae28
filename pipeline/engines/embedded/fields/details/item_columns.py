"""Cells of an item table that the learned search for rows does not know: position, code, unit, rate of tax, discount."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.item_tables import ItemTable
from pipeline.engines.embedded.fields.page_rows import Layout, label_key
from pipeline.engines.embedded.fields.table_headings import HeaderCell, Headings, header_rows
from pipeline.records import Json
from pipeline.templates.template import Column
from pipeline.values.leaf_values import parse_leaf
from pipeline.values.number_formats import has_check_digits

UNIT = "BT-130"
"""Term of a column with the unit, which also stands behind the number."""
RATE = "BT-152"
"""Term of a column with the rate of tax: the only percentage of a row that has no other heading."""
_UNIT_WORD = re.compile(r"\s*([^\W\d_][\w²³.]{0,11})")
_CODE = re.compile(r"[\w./-]{2,40}")
_MOST_RATE = 45
_HEADER_ROWS = 8
"""Rows above the first row of a table in which its header stands."""
_cache: dict[int, tuple[Mapping[str, Column], Headings]] = {}


def with_detail_columns(
    layout: Layout, candidates: Candidates, columns: Mapping[str, Column], table: ItemTable
) -> list[dict[str, Json]]:
    """The rows of a table with the cells of the columns that are details, each found under its heading in the lines of its row."""
    amounts = {c.run.row for c in candidates.money if c.quality >= 0.8}
    first = min((min(lines) for lines in table.lines if lines), default=0)
    apart = amounts | {row for row in range(len(layout.rows)) if not first - _HEADER_ROWS <= row <= table.last}
    headers = header_rows(layout, _headings(columns), columns, apart)
    details = {name: column for name, column in columns.items() if column.detail}
    rows: list[dict[str, Json]] = []
    for number, record in enumerate(table.rows):
        row: dict[str, Json] = {name: record.get(name) for name in columns}
        lines = table.lines[number] if number < len(table.lines) else ()
        if lines:
            header = next((h.cells for h in reversed(headers) if h.last < min(lines)), ())
            for name, column in details.items():
                cell = next((c for c in header if c.column == name), None)
                value = _under_heading(layout, candidates, column, cell, header, lines) if cell else None
                row[name] = value if value is not None else _without_heading(layout, candidates, column, row, columns, lines)
        rows.append(row)
    _number(rows, details, table, layout)
    return rows


def _headings(columns: Mapping[str, Column]) -> Headings:
    known = _cache.get(id(columns))
    if known is None or known[0] is not columns:
        if len(_cache) > 32:
            _cache.clear()
        known = _cache[id(columns)] = columns, Headings(columns, {})
    return known[1]


def _under_heading(
    layout: Layout,
    candidates: Candidates,
    column: Column,
    cell: HeaderCell,
    header: Sequence[HeaderCell],
    lines: Sequence[int],
) -> str | None:
    """The value in the words under a heading; None where they have not the form of the column's type."""
    ordered = sorted(header, key=lambda each: each.left)
    at = next(i for i, each in enumerate(ordered) if each is cell)
    begin = (ordered[at - 1].right + cell.left) / 2 if at else cell.left - 4 * layout.height
    end = (ordered[at + 1].left + cell.right) / 2 if at + 1 < len(ordered) else cell.right + 6 * layout.height
    for line in sorted(lines):
        if column.type in ("percentage", "money", "number"):
            kinds = ("percent", "money") if column.type != "money" else ("money",)
            found = [
                c
                for c in candidates.numbers
                if c.run.row == line and c.kind in kinds and begin <= (c.box[0] + c.box[2]) / 2 <= end
            ]
            if found:
                return found[0].value
            continue
        words = [
            i
            for run in layout.rows[line]
            for i in run.words
            if begin <= (layout.page.words[i].box[0] + layout.page.words[i].box[2]) / 2 <= end
        ]
        text = layout.text(words).strip(" .:;|")
        if text and (value := _cell(column, text)):
            return value
    return None


def _cell(column: Column, text: str) -> str | None:
    if column.type == "identifier":
        first = next((word for word in text.split() if any(map(str.isdigit, word))), "")
        if column.format and not has_check_digits(column.format, first):
            return None
        return first if _CODE.fullmatch(first) else None
    return parse_leaf(column.type, text)


def _without_heading(
    layout: Layout,
    candidates: Candidates,
    column: Column,
    row: Mapping[str, Json],
    columns: Mapping[str, Column],
    lines: Sequence[int],
) -> str | None:
    """Cells that need no heading: the unit behind the number, the only rate, a code with check digits."""
    if column.einvoice in (UNIT, RATE):
        numbers = [c for c in candidates.numbers if c.run.row in lines]
    if column.einvoice == UNIT:
        count = next((str(row[name]) for name, spec in columns.items() if spec.type == "number" and row.get(name)), None)
        for candidate in numbers:
            if (
                count
                and candidate.kind == "money"
                and candidate.currency is None
                and Decimal(candidate.value) == Decimal(count)
            ):
                match = _UNIT_WORD.match(candidate.run.text, candidate.end)
                if match and len(candidate.run.text) - match.end(1) < 2 and len(label_key(match[1])) <= 8:
                    return match[1].rstrip(".")
    if column.einvoice == RATE:
        rates = {c.value for c in numbers if c.kind == "percent" and 0 <= Decimal(c.value) <= _MOST_RATE}
        discounts = {str(value) for name, value in row.items() if columns[name].type == "percentage" and value}
        left = rates - discounts
        return left.pop() if len(left) == 1 else None
    if column.type == "identifier" and column.format:
        texts = (word for line in lines for run in layout.rows[line] for word in run.text.split())
        return next((word for word in texts if len(word) >= 8 and has_check_digits(str(column.format), word)), None)
    return None


def _number(rows: Sequence[dict[str, Json]], details: Mapping[str, Column], table: ItemTable, layout: Layout) -> None:
    """Positions that are printed first in their lines, where they count from one row to the next."""
    for name in (name for name, column in details.items() if column.type == "integer"):
        if all(row.get(name) is None for row in rows):
            firsts = [_first_word(layout, table.lines[n]) if n < len(table.lines) else "" for n in range(len(rows))]
            counted = [text.strip(".") for text in firsts]
            if len(counted) > 1 and all(text.isdecimal() for text in counted):
                steps = {int(b) - int(a) for a, b in pairwise(counted)}
                if len(steps) == 1 and steps <= {1, 10}:
                    for row, text in zip(rows, counted, strict=True):
                        row[name] = str(int(text))


def _first_word(layout: Layout, lines: Sequence[int]) -> str:
    line = layout.rows[min(lines)] if lines else ()
    return line[0].text.split()[0] if line and line[0].text.split() else ""
