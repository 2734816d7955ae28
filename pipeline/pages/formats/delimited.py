"""Tables in text: CSV and its relatives, with the delimiter that the lines agree on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from pipeline.pages.formats.xlsx import column_letters
from pipeline.pages.layout.blocks import Block, Sheet, SheetCell, SheetRow

DELIMITERS = ";\t,|"
"""In the order in which they are preferred: decimals hold commas."""
PROBED_LINES = 100
MIN_AGREEING = 0.9
"""Share of the lines that have the same number of cells."""
MAX_COLUMNS = 2_000
MAX_FIELD = 1_000_000
_NUMBER = re.compile(r"[+-]?[\d.,'\s]*\d[\d.,'\s]*[%€$£]?|[€$£]\s?[\d.,]+")
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def delimiter_of(text: str, *, named: bool) -> str:
    """The delimiter; empty for text that is no table. ``named``: whether the file's name says that it is one.

    Without that name at least three lines must agree on two delimiters or more.
    """
    head = "\n".join(text[:200_000].splitlines()[: PROBED_LINES + 1])
    if match := _SEPARATOR_LINE.match(head):
        return match[1]
    best, most = "", 0.0
    for delimiter in DELIMITERS:
        counts = [len(row) for row in _rows(head, delimiter) if row][:PROBED_LINES]
        if not counts:
            continue
        usual = max(set(counts), key=counts.count)
        agreeing = counts.count(usual) / len(counts)
        if usual > 1 and (agreeing >= MIN_AGREEING or named) and agreeing > most:
            best, most = delimiter, agreeing
            if not named and (len(counts) < 3 or usual < 3):
                best, most = "", 0.0
    return best or ("," if named else "")


def delimited_blocks(text: str, delimiter: str) -> Iterator[Block]:
    """One sheet; its cells are named like those of a spreadsheet."""
    yield Sheet(_sheet_rows(text, delimiter), {})


def _sheet_rows(text: str, delimiter: str) -> Iterator[SheetRow]:
    if match := _SEPARATOR_LINE.match(text):
        text = text[match.end() :]
    for number, row in enumerate(_rows(text, delimiter), 1):
        cells = {}
        for column, value in enumerate(row[:MAX_COLUMNS]):
            if value.strip():
                is_number = _NUMBER.fullmatch(value.strip()) is not None
                place = f"{column_letters(column)}{number}"
                cells[column] = SheetCell(value.strip(), place, False, "right" if is_number else "left", is_number)
        if cells:
            yield SheetRow(number, cells)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows; a quotation mark that is never closed is a letter of its line."""
    csv.field_size_limit(MAX_FIELD)
    source = io.StringIO(text, newline="")
    try:
        yield from csv.reader(source, delimiter=delimiter)
    except csv.Error:
        for line in source:
            yield line.rstrip("\r\n").split(delimiter)
