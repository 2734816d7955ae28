"""JSON Lines: every document in one file, for programs. Its lines are nested objects, so no frame holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.publication import Publication


def write_json_lines(path: Path, publications: Iterable[Publication], scratch: Path | None = None) -> int:
    """One document a line, the same object as its JSON file. Returns the size in bytes. Raises OutboxError."""
    return write_atomically(path, (_line(item) for item in publications), scratch)


def _line(publication: Publication) -> bytes:
    return (json.dumps(publication.as_json(), ensure_ascii=False) + "\n").encode(errors="replace")
