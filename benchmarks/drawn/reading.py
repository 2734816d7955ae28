"""A drawn page read as the pipeline reads it: its words, by text layer or OCR."""

from __future__ import annotations

from pathlib import Path

from pipeline.records import Page
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request


def read_page(data: bytes, path: Path) -> Page:
    """The first page of a document, which is written to ``path`` for reading."""
    path.write_bytes(data)
    status = path.stat()
    request = ReadRequest(str(path), status.st_size, status.st_mtime_ns, page=1)
    return decode_content(handle(encode_request(request)), request.page)[0].page
