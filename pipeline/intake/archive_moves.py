"""What happens to a file of the inbox after its result is safely on disk: kept, moved to a dated archive, or deleted.

One that failed is set aside instead, with the reason in a file beside it that people can read.
"""

from __future__ import annotations

import errno
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.intake.scan import REASON_ENDING

After = Literal["keep", "move", "delete"]


def shelve(path: Path, relative: str, after: After, archive: Path) -> Path | None:
    """Put ``path`` away. Returns where it lies now; None when it was deleted. Raises OSError."""
    if after == "keep":
        return path
    if after == "delete":
        path.unlink(missing_ok=True)
        return None
    return _moved(path, _free(archive / datetime.now(UTC).strftime("%Y-%m-%d") / relative))


def set_aside(path: Path, relative: str, folder: Path, reason: str) -> Path:
    """Move ``path`` below ``folder``, with ``reason`` in a file beside it, which is there first. Returns where it lies now.

    Raises OSError.
    """
    target = _free(folder / relative)
    target.parent.mkdir(parents=True, exist_ok=True)
    reason_file(target).write_text(reason, encoding="utf-8", errors="replace")
    return _moved(path, target)


def reason_file(path: Path) -> Path:
    """Where the reason lies why ``path`` was set aside."""
    return path.with_name(path.name[:200] + REASON_ENDING)


def _moved(path: Path, target: Path) -> Path:
    """Rename; to another file system, copy beside the target and rename there, so that a crash leaves no half file under its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        unfinished = target.with_name(f".{target.name[:200]}.part")
        shutil.copy2(path, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(target)
        path.unlink()
    return target


def _free(target: Path) -> Path:
    """``target``, or the first ``name-2.ext``, ``name-3.ext`` … that is not taken."""
    candidate, number = target, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return candidate
