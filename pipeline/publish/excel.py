"""An Excel workbook: a worksheet for every sheet, dates and amounts as such, identifiers as text, no formulas.

XlsxWriter keeps one row of each worksheet in memory and the others in temporary files (``constant_memory``). That mode needs whole rows
in order, and every amount a number format of its own; ``DataFrame.to_excel`` writes column by column with one format, so the rows of the
frames are written here.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.utility import xl_range

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file
from pipeline.publish.cells import Cell, ColumnKind, as_plain_text
from pipeline.publish.csv_cells import may_be_formula
from pipeline.publish.frames import Sheets

MAX_ROWS = 1_048_576
"""Rows of a worksheet, with its header; further rows go to a further worksheet."""
_MAX_NAME = 31
_MAX_TEXT = 32_767
"""UTF-16 units of a cell. XlsxWriter cuts longer text without an error."""
_CUT = " … [cut: Excel's cells hold no more]"
_FORBIDDEN_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NOT_XML = re.compile("[\x01-\x08\x0b-\x1f\ufffe\uffff]")
_MAX_DIGITS = 15
"""Digits that Excel's numbers (doubles) hold exactly; a longer amount stays text."""
_MAX_DECIMALS = 30
"""Decimals that a number format can show."""
_FIRST_DAY = datetime.date(1900, 3, 1)
"""Excel counts a 29 February 1900: earlier days have another number in LibreOffice, or none."""
_SHORT_TEXT = 255
"""Text up to this length has the format for text: Excel then keeps it when its cell is edited. Some versions show longer text as #."""
_MIN_WIDTH, _MAX_WIDTH = 8, 60


def write_workbook(
    path: Path, sheets: Sheets, batches: Iterable[Mapping[str, pd.DataFrame]], scratch: Path, max_rows: int = MAX_ROWS
) -> None:
    """Write sheets in one pass over batches of frames.

    ``scratch`` is a folder on the same file system for unfinished files; only a killed process leaves any in it. Raises OutboxError.
    """
    with atomic_file(path, scratch) as file:
        try:
            _write(file, sheets, batches, scratch, max_rows)
        except XlsxWriterException as error:
            raise OutboxError(f"{path}: cannot be written: {error}", "export as csv or sqlite, or free disk space") from error


def _write(file: BinaryIO, sheets: Sheets, batches: Iterable[Mapping[str, pd.DataFrame]], scratch: Path, max_rows: int) -> None:
    workbook = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(scratch)})
    formats, names = _Formats(workbook), _WorksheetNames()
    tables = {name: _Table(workbook, formats, names, name, kinds, max_rows) for name, kinds in sheets.items()}
    for frames in batches:
        for name, table in tables.items():
            for row in frames[name].itertuples(index=False, name=None):
                table.add(row)
    for table in tables.values():
        table.finish()
    workbook.close()


class _WorksheetNames:
    """Names of worksheets as Excel accepts them: short, without some characters, unique when case is ignored."""

    def __init__(self) -> None:
        self._used = {"history"}  # reserved by Excel

    def __call__(self, sheet: str) -> str:
        """The name of the sheet without its middle when it is too long, with a number when another worksheet has it."""
        plain = _FORBIDDEN_IN_NAMES.sub("_", sheet).strip("'") or "_"
        name, number = _shortened(plain, _MAX_NAME), 1
        while name.casefold() in self._used:
            number += 1
            end = f" ({number})"
            name = _shortened(plain, _MAX_NAME - len(end)) + end
        self._used.add(name.casefold())
        return name


def _shortened(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"


class _Formats:
    """Cell formats. Each is made once."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._by_code: dict[str, Any] = {}
        self.header = workbook.add_format({"bold": True, "bottom": 1})
        self.text = self.number("@")

    def number(self, code: str) -> Any:
        """The format with this number code."""
        if code not in self._by_code:
            self._by_code[code] = self._workbook.add_format({"num_format": code})
        return self._by_code[code]

    def decimal(self, decimals: int, *, grouped: bool) -> Any:
        """The format that shows exactly so many decimals."""
        return self.number(("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else ""))


class _Table:
    """One sheet, on as many worksheets as its rows need."""

    def __init__(
        self,
        workbook: Any,
        formats: _Formats,
        names: _WorksheetNames,
        name: str,
        kinds: Mapping[str, ColumnKind],
        max_rows: int,
    ) -> None:
        self._workbook, self._formats, self._names, self._name = workbook, formats, names, name
        self._kinds = kinds
        self._max_rows = max_rows
        self._begin()

    def _begin(self) -> None:
        self._worksheet = self._workbook.add_worksheet(self._names(self._name))
        self._next = 1
        self._widths = [len(column) + 4 for column in self._kinds]  # room for the filter's button
        for at, column in enumerate(self._kinds):
            self._worksheet.write_string(0, at, column, self._formats.header)

    def add(self, row: Sequence[Cell]) -> None:
        """Append a row of cells, one for each column."""
        if self._next == self._max_rows:
            self.finish()
            self._begin()
        for at, (cell, kind) in enumerate(zip(row, self._kinds.values(), strict=True)):
            self._widths[at] = max(self._widths[at], self._write_cell(at, cell, kind))
        self._next += 1

    def _write_cell(self, at: int, cell: Cell, kind: ColumnKind) -> int:
        """Write a cell and return the width that it needs, in characters."""
        worksheet, formats = self._worksheet, self._formats
        if cell is None:
            return 0
        if isinstance(cell, datetime.date) and cell >= _FIRST_DAY:
            worksheet.write_datetime(self._next, at, cell, formats.number("yyyy-mm-dd"))
            return 11
        if isinstance(cell, datetime.time):
            worksheet.write_datetime(self._next, at, cell, formats.number("hh:mm:ss" if cell.second else "hh:mm"))
            return 9
        if isinstance(cell, int):
            worksheet.write_number(self._next, at, cell)
            return len(str(cell))
        if isinstance(cell, Decimal) and _is_exact(cell):
            decimals = _decimals(cell)
            worksheet.write_number(self._next, at, cell, formats.decimal(decimals, grouped=kind == "money"))
            return len(str(cell)) + len(cell.as_tuple().digits) // 3
        text = _as_xml_text(as_plain_text(cell))
        is_fixed = kind != "text" or len(text) <= _SHORT_TEXT or may_be_formula(text)
        worksheet.write_string(self._next, at, text, formats.text if is_fixed else None)
        return max(map(len, text[:1000].split("\n")))

    def finish(self) -> None:
        """Set filter and widths, and switch off the warnings about numbers that are text. Call it after the last row."""
        last = len(self._kinds) - 1
        self._worksheet.freeze_panes(1, 0)
        self._worksheet.autofilter(0, 0, self._next - 1, last)
        self._worksheet.ignore_errors({"number_stored_as_text": xl_range(0, 0, self._next - 1, last)})
        for at, (width, kind) in enumerate(zip(self._widths, self._kinds.values(), strict=True)):
            column_format = self._formats.text if kind == "identifier" else None
            self._worksheet.set_column(at, at, min(max(width + 1, _MIN_WIDTH), _MAX_WIDTH), column_format)


def _decimals(cell: Decimal) -> int:
    return -int(cell.as_tuple().exponent)


def _is_exact(cell: Decimal) -> bool:
    return len(cell.as_tuple().digits) <= _MAX_DIGITS and _decimals(cell) <= _MAX_DECIMALS


def _as_xml_text(text: str) -> str:
    """The text without characters that XML forbids, cut to the length of a cell."""
    text = _NOT_XML.sub("", text)
    if len(text.encode("utf-16-le")) > 2 * _MAX_TEXT:
        start = text.encode("utf-16-le")[: 2 * (_MAX_TEXT - len(_CUT))].decode("utf-16-le", errors="ignore")
        text = start + _CUT
    # XlsxWriter takes such text for its own rich text and copies it into the file as XML.
    return f"{text} " if text.startswith("<r>") and text.endswith("</r>") else text
