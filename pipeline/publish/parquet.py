"""Parquet: a file for every sheet, with dates as dates and amounts as exact decimals, for analysts.

A Parquet file declares its types once, and the digits that an amount column needs are known only after its last row. So the frames go to
a temporary file of text first, and from there, row group by row group, to the final file with an explicit schema.
(``DataFrame.to_parquet`` writes one row group, for which all rows would have to be in memory.)
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import atomic_file
from pipeline.publish.cells import Cell, ColumnKind, as_plain_text
from pipeline.publish.frames import Sheets, map_cells

_MAX_DIGITS = 38
"""Digits of Arrow's ``decimal128``; a column with a longer amount stays text."""
_MIN_DECIMALS = 2
"""Decimals of every amount column at least, so that two exports mostly have the same types."""


def write_parquet(folder: Path, sheets: Sheets, batches: Iterable[Mapping[str, pd.DataFrame]], scratch: Path) -> list[Path]:
    """Write sheets in one pass over batches of frames; each batch becomes a row group. Returns the paths of the files.

    A column of dates or amounts with any other value in it is text. ``scratch`` is a folder on the same file system for unfinished files;
    the caller empties it. Raises OutboxError.
    """
    try:
        with ExitStack() as stack:
            spools = {name: _Spool(scratch / f"{name}.text", kinds, stack) for name, kinds in sheets.items()}
            for frames in batches:
                for name, spool in spools.items():
                    spool.add(frames[name])
        return [spool.publish(folder / f"{name}.parquet", scratch) for name, spool in spools.items()]
    except (OSError, pa.ArrowException) as error:
        raise OutboxError(
            f"{folder}: cannot be written: {error}", "free disk space or check permissions, then run again"
        ) from error


class _Spool:
    """The rows of a sheet as text in a temporary file, and the types that fit its columns."""

    def __init__(self, path: Path, kinds: Mapping[str, ColumnKind], stack: ExitStack) -> None:
        self._path = path
        self._types = {column: _ColumnType(kind) for column, kind in kinds.items()}
        self._text = pa.schema([(column, pa.string()) for column in kinds])
        self._writer = stack.enter_context(pq.ParquetWriter(path, self._text))

    def add(self, frame: pd.DataFrame) -> None:
        """Append the rows of a frame."""
        for column, column_type in self._types.items():
            column_type.add(frame[column])
        text = map_cells(frame, lambda cell: None if cell is None else as_plain_text(cell))
        if len(text):
            self._writer.write_table(pa.Table.from_pandas(text, self._text, preserve_index=False).replace_schema_metadata(None))

    def publish(self, path: Path, scratch: Path) -> Path:
        """Write the sheet with its types to its final path. The spool's own file must be closed."""
        schema = pa.schema([(column, column_type.arrow()) for column, column_type in self._types.items()])
        spool = pq.ParquetFile(self._path)
        with atomic_file(path, scratch) as file, pq.ParquetWriter(file, schema) as writer:
            for group in range(spool.num_row_groups):
                writer.write_table(spool.read_row_group(group).cast(schema))
        self._path.unlink()
        return path


class _ColumnType:
    """The Arrow type that holds every cell of a column exactly."""

    def __init__(self, kind: ColumnKind) -> None:
        self._kind = kind
        self._fits = True
        self._whole_digits, self._decimals = 1, _MIN_DECIMALS

    def add(self, cells: Iterable[Cell]) -> None:
        """Widen the type by more cells."""
        for cell in cells:
            if cell is None:
                continue
            if self._kind in ("money", "number"):
                self._fits = self._fits and isinstance(cell, Decimal)
                if isinstance(cell, Decimal):
                    decimals = -int(cell.as_tuple().exponent)
                    self._decimals = max(self._decimals, decimals)
                    self._whole_digits = max(self._whole_digits, len(cell.as_tuple().digits) - decimals)
            elif self._kind == "date":
                self._fits = self._fits and isinstance(cell, datetime.date)

    def arrow(self) -> Any:
        """The type in Arrow."""
        if self._kind == "integer":
            return pa.int64()
        if self._kind == "date" and self._fits:
            return pa.date32()
        if self._kind in ("money", "number") and self._fits and self._whole_digits + self._decimals <= _MAX_DIGITS:
            return pa.decimal128(_MAX_DIGITS, self._decimals)
        return pa.string()
