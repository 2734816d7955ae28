"""A drawn page read as the pipeline reads it: its words, by text layer or OCR."""

from __future__ import annotations

import pickle
from pathlib import Path

from pipeline.records import Page
from pipeline.run.reader import handle
from pipeline.run.reading import READING, ReadRequest


def read_page(data: bytes, path: Path) -> Page:
    """The first page of a document, which is written to ``path`` for reading."""
    path.write_bytes(data)
    status = path.stat()
    answer = handle(pickle.dumps(ReadRequest(str(path), status.st_size, status.st_mtime_ns, page=1)))
    return READING.validate_json(answer[0]).page
