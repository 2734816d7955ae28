"""Files that are whole or not there: written beside their place, synced, then renamed over it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import OutboxError


@contextmanager
def atomic_path(path: Path, scratch: Path | None = None, *, sync: bool = True) -> Iterator[Path]:
    """A path to write a file at, which takes the place of ``path`` when the block ends, and leaves no trace when it fails.

    ``scratch`` is a folder on the same file system for what is half written; by default the file's own folder. Without ``sync`` it
    may be lost in a power cut.
    Raises OutboxError when the folder cannot be written or the disk is full; the old file is then untouched.
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
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: Path, scratch: Path | None = None, *, sync: bool = True) -> Iterator[BinaryIO]:
    """The same as ``atomic_path``, with the file opened for writing."""
    with atomic_path(path, scratch, sync=sync) as temporary, temporary.open("wb") as file:
        yield file


def write_atomically(path: Path, chunks: Iterable[bytes], scratch: Path | None = None, *, sync: bool = True) -> int:
    """Replace ``path`` by the chunks joined; a reader sees the old file or the new one. Returns its bytes. See ``atomic_file``."""
    with atomic_file(path, scratch, sync=sync) as file:
        return sum(file.write(chunk) for chunk in chunks)
