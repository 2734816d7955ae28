"""The sheets of an export as typed pandas DataFrames. CSV, Excel, Parquet and SQLite all write the frames that are made here.

Every column has the dtype ``object`` and holds ``str``, ``int``, ``Decimal``, ``date``, ``time`` or None: pandas infers no type, so an
amount never becomes a float and an identifier never a number. An export of any size needs the memory of one batch.

Only exports import this module. A run appends its few rows by ``csv_sheets.append_rows``, without the half second that pandas takes to
be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.publish.cells import Cell, ColumnKind
from pipeline.publish.publication import Publication
from pipeline.publish.rows import cell_rows
from pipeline.templates.template import Template

MAX_ROWS = 20_000
MAX_CHARACTERS = 20_000_000
"""A batch ends at either limit."""
Sheets = Mapping[str, Mapping[str, ColumnKind]]
"""Kinds by column, by the name of the sheet."""


@dataclass(frozen=True)
class Batch:
    """Some documents of an export, and the frame of every sheet with their rows. The columns are those of the sheet."""

    publications: Sequence[Publication]
    frames: Mapping[str, pd.DataFrame]


def make_frame(rows: Iterable[Sequence[Any]], columns: Iterable[str]) -> pd.DataFrame:
    """Rows of cells as a frame of ``object`` columns."""
    names = list(columns)
    return _from_columns(names, list(zip(*rows, strict=True)) or [()] * len(names))


def map_cells(frame: pd.DataFrame, convert: Callable[[Any], Any]) -> pd.DataFrame:
    """The frame with every cell converted. Unlike ``DataFrame.map`` it infers no dtype from the new cells."""
    return _from_columns(list(frame.columns), [[convert(cell) for cell in frame[name].tolist()] for name in frame.columns])


def _from_columns(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(list(cells), dtype=object) for name, cells in zip(names, columns, strict=True)})


def frame_batches(
    publications: Iterable[Publication],
    templates: Mapping[str, Template],
    sheets: Sheets,
    max_rows: int = MAX_ROWS,
    max_characters: int = MAX_CHARACTERS,
) -> Iterator[Batch]:
    """The documents in batches of at most ``max_rows`` rows and about ``max_characters`` of text; one batch or more."""
    documents: list[Publication] = []
    rows: dict[str, list[Sequence[Cell]]] = {name: [] for name in sheets}
    size = characters = 0
    for publication in publications:
        documents.append(publication)
        for name, added in cell_rows(publication, templates, sheets).items():
            rows[name] += added
            size += len(added)
            characters += sum(len(cell) for row in added for cell in row if isinstance(cell, str))
        if size >= max_rows or characters >= max_characters:
            yield _batch(documents, rows, sheets)
            documents, rows, size, characters = [], {name: [] for name in sheets}, 0, 0
    yield _batch(documents, rows, sheets)


def _batch(documents: Sequence[Publication], rows: Mapping[str, Sequence[Sequence[Cell]]], sheets: Sheets) -> Batch:
    return Batch(documents, {name: make_frame(rows[name], kinds) for name, kinds in sheets.items()})
