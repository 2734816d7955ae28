"""Files that are complete or absent: each is written under a temporary name, synced, then renamed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import OutboxError


@contextmanager
def atomic_path(path: Path, scratch: Path | None = None, *, sync: bool = True) -> Iterator[Path]:
    """A temporary path to write to. It replaces ``path`` when the block ends, and is removed when the block fails.

    ``scratch`` is a folder on the same file system for the temporary file; by default it is the folder of ``path``. Without ``sync``
    a power cut may lose the file.
    Raises OutboxError when the folder cannot be written or the disk is full; the old file is then unchanged.
    """
    temporary = (scratch or path.parent) / f".{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if sync:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutboxError(
            f"{path}: cannot be written: {error}", "free disk space or check permissions; nothing is lost, run again"
        ) from error
    finally:
        with suppress(OSError):  # the next run empties the folder of temporary files
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: Path, scratch: Path | None = None, *, sync: bool = True) -> Iterator[BinaryIO]:
    """``atomic_path`` with the file opened for writing."""
    with atomic_path(path, scratch, sync=sync) as temporary, temporary.open("wb") as file:
        yield file


def write_atomically(path: Path, chunks: Iterable[bytes], scratch: Path | None = None, *, sync: bool = True) -> int:
    """Replace ``path`` by the joined chunks and return their bytes. A reader sees the old file or the new one. See ``atomic_path``."""
    with atomic_file(path, scratch, sync=sync) as file:
        return sum(file.write(chunk) for chunk in chunks)
