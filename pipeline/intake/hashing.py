"""Content hash of a file that may change while it is read."""

from __future__ import annotations

import hashlib

from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file


def content_hash(found: InboxFile) -> str | None:
    """sha256 of the file in hex; None when it changed or vanished meanwhile, and must settle again. Raises OSError."""
    with found.source.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    again = restat_file(found)
    unchanged = again is not None and (again.size, again.mtime_ns) == (found.size, found.mtime_ns)
    return digest if unchanged else None
