"""Whether the file that a result was read from is still there as it was."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import Literal

from pipeline.ledger.ledger import KnownFile

State = Literal["there", "gone", "changed"]


@dataclass(frozen=True, slots=True)
class Original:
    """The file as it lies there now; ``size`` and ``mtime_ns`` mean nothing where it is gone."""

    state: State
    size: int = 0
    mtime_ns: int = 0


def look(file: KnownFile) -> Original:
    """The original of what is published; a file that was copied, moved or touched is known by its contents."""
    path = file.source.path
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return Original("gone")
        same = (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)
        if same:
            contents = file.sha256
        else:
            with path.open("rb") as opened:
                contents = hashlib.file_digest(opened, "sha256").hexdigest()
    except (OSError, ValueError):
        return Original("gone")
    return Original("there" if contents == file.published else "changed", status.st_size, status.st_mtime_ns)
