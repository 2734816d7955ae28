"""Files that are complete or absent: each is written under a temporary name, synced, then renamed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import OutboxError
from pipeline.runtime.file_system import sync_folder


@contextmanager
def atomic_path(path: Path, scratch: Path | None = None, *, sync: bool = True, sync_name: bool = True) -> Iterator[Path]:
    """A temporary path to write to. It replaces ``path`` when the block ends, and is removed when the block fails.

    ``scratch`` is a folder on the same file system for the temporary file; by default it is the folder of ``path``. Without ``sync``
    a power cut may lose the file; without ``sync_name`` it may bring the old file back, until the caller has synced the folder.
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
        if sync and sync_name:
            sync_folder(path.parent)
    except OSError as error:
        raise OutboxError(
            f"{path}: cannot be written: {error}", "free disk space or check permissions; nothing is lost, run again"
        ) from error
    finally:
        with suppress(OSError):  # the next run empties the folder of temporary files
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_file(
    path: Path, scratch: Path | None = None, *, sync: bool = True, sync_name: bool = True, withheld: int = 0
) -> Iterator[BinaryIO]:
    """``atomic_path`` with the file opened for writing. ``withheld`` are rights that it must not have (see ``permissions``)."""

    def open_with_rights(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 & ~withheld)

    with (
        atomic_path(path, scratch, sync=sync, sync_name=sync_name) as temporary,
        open(temporary, "wb", opener=open_with_rights) as file,
    ):
        yield file


def write_atomically(
    path: Path,
    chunks: Iterable[bytes],
    scratch: Path | None = None,
    *,
    sync: bool = True,
    sync_name: bool = True,
    withheld: int = 0,
) -> int:
    """Replace ``path`` by the joined chunks and return their bytes. A reader sees the old file or the new one. See ``atomic_file``."""
    with atomic_file(path, scratch, sync=sync, sync_name=sync_name, withheld=withheld) as file:
        return sum(file.write(chunk) for chunk in chunks)
