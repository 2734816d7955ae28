"""The forms in which CSV files are written: as standards say, or as a spreadsheet opens them by a double click."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.publish.cells import Cell, ColumnKind, as_text
from pipeline.publish.csv_cells import defuse_row

_DECIMAL = re.compile(r"-?\d+\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How lines of a CSV file are written. Dates stay in ISO 8601, which spreadsheets of every language read."""

    delimiter: str = ","
    decimal: str = "."
    """The sign before decimals in columns of amounts and numbers."""
    byte_order_mark: bool = False
    """Whether UTF-8 is announced by its byte order mark; without one, Excel takes a file for the code page of the machine."""

    def header(self, kinds: Mapping[str, ColumnKind]) -> bytes:
        """The beginning of a file with these columns."""
        mark = codecs.BOM_UTF8 if self.byte_order_mark else b""
        return mark + self._encode([defuse_row(list(kinds), self.delimiter)])

    def lines(self, rows: Iterable[Sequence[Cell]], kinds: Mapping[str, ColumnKind]) -> bytes:
        """Lines with a cell for every column of ``kinds``."""
        numeric = [at for at, kind in enumerate(kinds.values()) if kind in ("money", "number")] if self.decimal != "." else []
        return self._encode(
            self._localised(defuse_row([as_text(cell) for cell in row], self.delimiter), numeric) for row in rows
        )

    def _localised(self, cells: list[str], numeric: Sequence[int]) -> list[str]:
        for at in numeric:
            if _DECIMAL.fullmatch(cells[at]):
                cells[at] = cells[at].replace(".", self.decimal)
        return cells

    def _encode(self, lines: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter, lineterminator="\n").writerows(lines)
        return text.getvalue().encode(errors="replace")


STANDARD = CsvDialect()
"""Commas, points, UTF-8."""
DIALECTS: Mapping[str, CsvDialect] = {
    "standard": STANDARD,
    "excel": CsvDialect(byte_order_mark=True),
    "excel-de": CsvDialect(";", ",", byte_order_mark=True),
}
"""By the value of the setting ``csv.dialect``."""
