"""What people said and asked, once more, in a file that only grows: the one thing that nobody can read again from the documents.

A line of JSON a word, on the disk before the ledger is told. A ledger that is damaged, deleted or behind after a power cut gets back from
here what the outbox does not hold: corrections that were not published yet or whose template is gone, and conversations.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import LedgerError

FILE_NAME = "said.jsonl"


def note(folder: Path, word: Mapping[str, Any]) -> None:
    """Add a word, and wait until it is on the disk. Raises LedgerError."""
    line = b"\n" + json.dumps(word, ensure_ascii=False).encode(errors="replace")  # a line that was broken off ends here
    try:
        place = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(place, line)
            os.fsync(place)
        finally:
            os.close(place)
    except OSError as error:
        raise LedgerError(
            f"{folder / FILE_NAME}: {error.strerror or error}", "free disk space, or check that you may write"
        ) from error


def noted(folder: Path) -> Iterator[dict[str, Any]]:
    """All words, the first one first; lines that are damaged are passed over."""
    try:
        file = (folder / FILE_NAME).open("rb")
    except OSError:
        return
    with file:
        for line in file:
            try:
                word = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(word, dict):
                yield word
