"""The content hash of a file that may change while it is read."""

from __future__ import annotations

import hashlib
import os

from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.safe_open import open_listed_file


def content_hash(file: InboxFile) -> str | None:
    """sha256 in hex; None when the file changed or vanished meanwhile and must settle again.

    Raises FileChangedError when another file is at its path, OSError when it cannot be read.
    """
    with open_listed_file(file.location, file.state) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        unchanged = file.state.matches(os.fstat(stream.fileno()))
    return digest if unchanged and restat_file(file) == file else None
