"""Files that are whole or not there: written beside their place, synced, then renamed over it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import OutboxError


def write_atomically(path: Path, chunks: Iterable[bytes], scratch: Path | None = None) -> int:
    """Replace ``path`` by the chunks joined; a reader sees the old file or the new one. Returns its bytes.

    ``scratch`` is a folder on the same file system for what is half written; by default the file's own folder.
    Raises OutboxError when the folder cannot be written or the disk is full; the old file is then untouched.
    """
    temporary = (scratch or path.parent) / f".{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            size = sum(file.write(chunk) for chunk in chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutboxError(
            f"{path}: cannot be written: {error}", "free disk space or check permissions; nothing is lost, run again"
        ) from error
    return size
