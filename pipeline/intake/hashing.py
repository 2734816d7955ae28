"""The content hash of a file that may change while it is read."""

from __future__ import annotations

import hashlib

from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file


def content_hash(file: InboxFile) -> str | None:
    """sha256 in hex; None when the file changed or vanished meanwhile and must settle again. Raises OSError."""
    with file.source.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    present = restat_file(file)
    unchanged = present is not None and (present.size, present.mtime_ns) == (file.size, file.mtime_ns)
    return digest if unchanged else None
