"""A second copy of people's corrections and orders, in a file that only grows. The documents cannot give them back.

Each entry is one line of JSON, on the disk before the ledger has it. When the ledger is damaged, deleted or behind after a power cut, this
file gives back what the outbox lacks: corrections that were not published yet or whose template is gone, and conversations.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import OutboxError

JOURNAL_FILE = "said.jsonl"


def append_entry(folder: Path, entry: Mapping[str, Any]) -> None:
    """Append an entry and sync it to the disk. Raises OutboxError; what was written of the entry is then passed over."""
    line = b"\n" + json.dumps(entry, ensure_ascii=False).encode(errors="replace")  # ends a line that a crash cut off
    try:
        descriptor = os.open(folder / JOURNAL_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OutboxError(
            f"{folder / JOURNAL_FILE}: {error.strerror or error}", "free disk space, or check that you may write"
        ) from error


def read_entries(folder: Path) -> Iterator[dict[str, Any]]:
    """All entries, oldest first. Damaged lines are skipped."""
    try:
        file = (folder / JOURNAL_FILE).open("rb")
    except OSError:
        return
    with file:
        for line in file:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                yield entry
