"""Results, one JSON file a document. One that somebody else has changed is kept beside the new one, as `a.pdf (changed DATE).json`.

A result is known by its checksum (see ``result_checksum``), so neither a crash nor a lost ledger makes one of ours look changed. Results
of older versions have none: one is the program's own when it has the form of a result and is not newer than its publication.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pipeline.errors import OutboxError
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.foreign_files import keep_beside, kind_of, open_itself
from pipeline.result_checksum import is_intact, is_older_result

MAX_PARSED_BYTES = 256_000_000
"""A file without a checksum and with more bytes than this counts as changed, unread."""
CLOCK_SECONDS = 600.0
"""The clock of a file server may be ahead by so much."""
PublishedAt = Callable[[], str | None]
"""When the present result was published, as a UTC timestamp; None where that is not known."""


def write_result(
    path: Path,
    content: bytes,
    scratch: Path,
    notify: Callable[[str], None],
    *,
    sync_name: bool,
    withheld: int = 0,
    published_at: PublishedAt = lambda: None,
) -> list[Path]:
    """Write a result. Returns its path, and that of the changed one that is kept; ``notify`` gets a line about the latter.

    A crash in between leaves the changed one under its new name, and the document is published again. Raises OutboxError.
    """
    kept = keep_changed_result(path, notify, published_at)
    write_atomically(path, [content], scratch, sync_name=sync_name, withheld=withheld)
    return [path, *kept]


def keep_changed_result(path: Path, notify: Callable[[str], None], published_at: PublishedAt = lambda: None) -> list[Path]:
    """Keep the file at ``path`` under another name where somebody else has changed it. Returns its new path, or nothing.

    A folder stays. Raises OutboxError.
    """
    try:
        if not (change := _change(path, published_at)):
            return []
        kept, line = keep_beside(path, change)
    except OSError as error:
        raise OutboxError(
            f"{path}: was changed, and cannot be kept under another name: {error}",
            "check permissions; nothing is lost, run again",
        ) from error
    notify(line)
    return [kept]


def _change(path: Path, published_at: PublishedAt) -> str:
    """What somebody else did to a result, for people; empty for one of ours, for a folder, and where nothing is. Raises OSError."""
    try:
        file, _ = open_itself(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
            return ""
        kind = kind_of(path)
        return "" if kind == "is a folder" else kind
    try:
        status = os.fstat(file)
        if stat.S_ISDIR(status.st_mode):
            return ""
        if not stat.S_ISREG(status.st_mode):
            return kind_of(path)
        intact = is_intact(file)
        if intact is None:
            intact = _is_of_older_version(file, status, published_at)
        return "" if intact else "was changed by another program"
    finally:
        os.close(file)


def _is_of_older_version(file: int, status: os.stat_result, published_at: PublishedAt) -> bool:
    if status.st_size > MAX_PARSED_BYTES:
        return False
    try:
        with os.fdopen(os.dup(file), "rb") as stream:
            if not is_older_result(json.load(stream)):
                return False
    except (ValueError, RecursionError):
        return False
    at = published_at()
    return at is None or status.st_mtime <= datetime.fromisoformat(at).timestamp() + CLOCK_SECONDS
