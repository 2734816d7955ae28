"""An Excel workbook: a sheet a table, dates and amounts as such, identifiers as text, nothing that runs.

XlsxWriter keeps one row of each sheet in memory and the others in files (``constant_memory``), so that size does not matter.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.utility import xl_range

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file
from pipeline.publish.cells import Cell, Kind, TypedRow, as_plain
from pipeline.publish.rows import may_run

MOST_ROWS = 1_048_576
"""Rows of a sheet, with its header; the rows after them go to a further sheet."""
_LONGEST_NAME = 31
_LONGEST_TEXT = 32_767
"""UTF-16 units of a cell; XlsxWriter cuts without a word."""
_CUT = " … [cut: Excel's cells hold no more]"
_FORBIDDEN_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NO_XML = re.compile("[\x01-\x08\x0b-\x1f\ufffe\uffff]")
_DIGITS = 15
"""Digits that Excel's numbers (doubles) hold exactly; a longer amount stays text."""
_DECIMALS = 30
"""Decimals that a number format can show."""
_FIRST_DAY = datetime.date(1900, 3, 1)
"""Days before it have another number in Excel, which believes in 29 February 1900, than in LibreOffice, or none."""
_SHORT = 255
"""Text up to here is formatted as text, so that nothing else is made of it when its cell is edited; some versions show longer ones as #."""
_WIDEST = 60
_NARROWEST = 8


def write_workbook(
    path: Path,
    sheets: Mapping[str, Mapping[str, Kind]],
    documents: Iterable[Mapping[str, Sequence[TypedRow]]],
    scratch: Path,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write sheets (columns and their kinds by name) in one pass over the rows of all documents (by sheet).

    ``scratch`` is a folder on the same file system for what is not finished; nothing is left in it but what a kill leaves.
    Raises OutboxError.
    """
    with atomic_file(path, scratch) as file:
        try:
            _write(file, sheets, documents, scratch, most_rows)
        except XlsxWriterException as error:
            raise OutboxError(f"{path}: cannot be written: {error}", "export as csv or sqlite, or free disk space") from error


def _write(
    file: BinaryIO,
    sheets: Mapping[str, Mapping[str, Kind]],
    documents: Iterable[Mapping[str, Sequence[TypedRow]]],
    scratch: Path,
    most_rows: int,
) -> None:
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(scratch)})
    formats = _Formats(book)
    names = _Names()
    tables = {name: _Table(book, formats, names, name, kinds, most_rows) for name, kinds in sheets.items()}
    for rows in documents:
        for name, table in tables.items():
            for row in rows.get(name, ()):
                table.add(row)
    for table in tables.values():
        table.finish()
    book.close()


class _Names:
    """Names of sheets as Excel wants them: short, without some characters, unique whatever their case."""

    def __init__(self) -> None:
        self._taken = {"history"}  # Excel keeps it for itself

    def __call__(self, wanted: str) -> str:
        """``wanted``, with its middle left out where it is too long, numbered where it is taken."""
        plain = _FORBIDDEN_IN_NAMES.sub("_", wanted).strip("'") or "_"
        name, number = _shortened(plain, _LONGEST_NAME), 1
        while name.casefold() in self._taken:
            number += 1
            end = f" ({number})"
            name = _shortened(plain, _LONGEST_NAME - len(end)) + end
        self._taken.add(name.casefold())
        return name


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"


class _Formats:
    """Formats of cells, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        self.header = book.add_format({"bold": True, "bottom": 1})
        self.text = self.number("@")

    def number(self, code: str) -> Any:
        """The format with this number code."""
        if code not in self._made:
            self._made[code] = self._book.add_format({"num_format": code})
        return self._made[code]

    def decimal(self, decimals: int, *, grouped: bool) -> Any:
        """The format that shows exactly so many decimals."""
        return self.number(("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else ""))


class _Table:
    """One table, over as many sheets as its rows need."""

    def __init__(
        self, book: Any, formats: _Formats, names: _Names, name: str, kinds: Mapping[str, Kind], most_rows: int
    ) -> None:
        self._book, self._formats, self._names, self._name = book, formats, names, name
        self._kinds = kinds
        self._most_rows = most_rows
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet(self._names(self._name))
        self._next = 1
        self._widths = [len(column) + 4 for column in self._kinds]  # the filter's button takes its place
        for at, column in enumerate(self._kinds):
            self._sheet.write_string(0, at, column, self._formats.header)

    def add(self, row: TypedRow) -> None:
        """Append a row."""
        if self._next == self._most_rows:
            self.finish()
            self._begin()
        for at, (column, kind) in enumerate(self._kinds.items()):
            shown = self._put(at, row.get(column), kind)
            self._widths[at] = max(self._widths[at], shown)
        self._next += 1

    def _put(self, at: int, cell: Cell, kind: Kind) -> int:
        """Write a cell; returns how many characters wide it is shown."""
        sheet, formats = self._sheet, self._formats
        if cell is None:
            return 0
        if isinstance(cell, datetime.date) and cell >= _FIRST_DAY:
            sheet.write_datetime(self._next, at, cell, formats.number("yyyy-mm-dd"))
            return 11
        if isinstance(cell, datetime.time):
            sheet.write_datetime(self._next, at, cell, formats.number("hh:mm:ss" if cell.second else "hh:mm"))
            return 9
        if isinstance(cell, int):
            sheet.write_number(self._next, at, cell)
            return len(str(cell))
        if isinstance(cell, Decimal) and _is_exact(cell):
            decimals = _decimals(cell)
            sheet.write_number(self._next, at, cell, formats.decimal(decimals, grouped=kind == "money"))
            return len(str(cell)) + len(cell.as_tuple().digits) // 3
        text = _as_xml_holds(as_plain(cell))
        stays = kind != "text" or len(text) <= _SHORT or may_run(text)
        sheet.write_string(self._next, at, text, formats.text if stays else None)
        return max(map(len, text[:1000].split("\n")))

    def finish(self) -> None:
        """What a sheet gets when all its rows are known: filter, widths, and no warnings about numbers that are text."""
        last = len(self._kinds) - 1
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, self._next - 1, last)
        self._sheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, self._next - 1, last)})
        for at, (width, kind) in enumerate(zip(self._widths, self._kinds.values(), strict=True)):
            whole = self._formats.text if kind == "identifier" else None
            self._sheet.set_column(at, at, min(max(width + 1, _NARROWEST), _WIDEST), whole)


def _decimals(cell: Decimal) -> int:
    return -int(cell.as_tuple().exponent)


def _is_exact(cell: Decimal) -> bool:
    return len(cell.as_tuple().digits) <= _DIGITS and _decimals(cell) <= _DECIMALS


def _as_xml_holds(text: str) -> str:
    """The text without what XML cannot hold, no longer than a cell may be."""
    text = _NO_XML.sub("", text)
    if len(text.encode("utf-16-le")) > 2 * _LONGEST_TEXT:
        kept = text.encode("utf-16-le")[: 2 * (_LONGEST_TEXT - len(_CUT))].decode("utf-16-le", errors="ignore")
        text = kept + _CUT
    # XlsxWriter copies what looks like rich text of its own into the file as it is, with all the XML in it.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text
