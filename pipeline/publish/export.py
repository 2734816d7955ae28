"""Everything in one file: JSON Lines for programs, Parquet for analysts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from pipeline.publish.document import Publication
from pipeline.publish.files import write_atomically
from pipeline.publish.rows import Row


def write_json_lines(path: Path, publications: Iterable[Publication]) -> int:
    """One document a line, the same object as its JSON file. Returns the bytes written."""
    return write_atomically(path, (_line(item) for item in publications))


def _line(publication: Publication) -> bytes:
    return (json.dumps(publication.as_json(), ensure_ascii=False) + "\n").encode(errors="replace")


def write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """A sheet as Parquet, every column text as in the CSV. Returns the bytes written."""
    frame = pd.DataFrame(list(rows), columns=list(columns), dtype=str).fillna("")
    return write_atomically(path, _once(frame.to_parquet(index=False)))


def _once(data: bytes) -> Iterator[bytes]:
    yield data
