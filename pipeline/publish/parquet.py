"""Parquet: a file a table, dates as dates and amounts as exact decimals, for analysts.

The types of a file stand in it once, and how many digits an amount has is known only at the end. So rows go to a file of text first,
and when all are known, from there to their place.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file
from pipeline.publish.cells import Cell, Kind, TypedRow, as_plain

_ROWS = 20_000
_CHARACTERS = 20_000_000
"""Most of a table that is held in memory, whichever comes first; it is also a row group."""
_DIGITS = 38
"""Digits of Arrow's ``decimal128``; a column with a longer amount stays text."""
_DECIMALS = 2
"""Decimals that every such column has at least, so that the types of one export are mostly those of the next."""


def write_parquet(
    folder: Path,
    sheets: Mapping[str, Mapping[str, Kind]],
    documents: Iterable[Mapping[str, Sequence[TypedRow]]],
    scratch: Path,
) -> list[Path]:
    """Write sheets (columns and their kinds by name) in one pass over the rows of all documents (by sheet).

    A column of dates or amounts in which something else stands is text. ``scratch`` is a folder on the same file system for what is
    not finished; the caller empties it. Returns the files. Raises OutboxError.
    """
    try:
        with ExitStack() as stack:
            spools = {name: _Spool(scratch / f"{name}.text", kinds, stack) for name, kinds in sheets.items()}
            for rows in documents:
                for name, spool in spools.items():
                    for row in rows.get(name, ()):
                        spool.add(row)
            for spool in spools.values():
                spool.flush()
        return [spool.publish(folder / f"{name}.parquet", scratch) for name, spool in spools.items()]
    except (OSError, pa.ArrowException) as error:
        raise OutboxError(
            f"{folder}: cannot be written: {error}", "free disk space or check permissions, then run again"
        ) from error


class _Spool:
    """A table on its way: its rows as text in a file, and what was learnt of its columns."""

    def __init__(self, path: Path, kinds: Mapping[str, Kind], stack: ExitStack) -> None:
        self._path, self._kinds = path, kinds
        self._columns = {column: _Column(kind) for column, kind in kinds.items()}
        self._text = pa.schema([(column, pa.string()) for column in kinds])
        self._writer = stack.enter_context(pq.ParquetWriter(path, self._text))
        self._waiting: list[dict[str, str | None]] = []
        self._characters = 0

    def add(self, row: TypedRow) -> None:
        """Append a row."""
        texts = {name: column.take(row.get(name)) for name, column in self._columns.items()}
        self._waiting.append(texts)
        self._characters += sum(len(text) for text in texts.values() if text)
        if len(self._waiting) >= _ROWS or self._characters >= _CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, self._text))
        self._waiting, self._characters = [], 0

    def publish(self, path: Path, scratch: Path) -> Path:
        """Write the table with its types to where it belongs; the spool must be closed."""
        schema = pa.schema([(name, column.type()) for name, column in self._columns.items()])
        spool = pq.ParquetFile(self._path)
        with atomic_file(path, scratch) as file, pq.ParquetWriter(file, schema) as writer:
            for group in range(spool.num_row_groups):
                writer.write_table(spool.read_row_group(group).cast(schema))
        self._path.unlink()
        return path


class _Column:
    """What type suits all that was seen in a column."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._fits = True
        self._whole, self._decimals = 1, _DECIMALS

    def take(self, cell: Cell) -> str | None:
        """The cell as text."""
        if cell is None:
            return None
        if self._kind in ("money", "number"):
            if isinstance(cell, Decimal):
                decimals = -int(cell.as_tuple().exponent)
                self._decimals = max(self._decimals, decimals)
                self._whole = max(self._whole, len(cell.as_tuple().digits) - decimals)
            self._fits = self._fits and isinstance(cell, Decimal) and self._whole + self._decimals <= _DIGITS
        elif self._kind == "date":
            self._fits = self._fits and isinstance(cell, datetime.date)
        return as_plain(cell)

    def type(self) -> Any:
        """The column's type in Arrow."""
        if self._kind == "integer":
            return pa.int64()
        if self._kind == "date" and self._fits:
            return pa.date32()
        if self._kind in ("money", "number") and self._fits:
            return pa.decimal128(_DIGITS, self._decimals)
        return pa.string()
