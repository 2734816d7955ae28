"""What happens to a file of the inbox after its result is safely on disk: kept, moved to a dated archive, or deleted."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

After = Literal["keep", "move", "delete"]


def shelve(path: Path, relative: str, after: After, archive: Path) -> Path | None:
    """Put ``path`` away. Returns where it lies now; None when it was deleted. Raises OSError."""
    if after == "keep":
        return path
    if after == "delete":
        path.unlink(missing_ok=True)
        return None
    target = _free(archive / datetime.now(UTC).strftime("%Y-%m-%d") / relative)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    return target


def _free(target: Path) -> Path:
    """``target``, or the first ``name-2.ext``, ``name-3.ext`` … that is not taken."""
    candidate, number = target, 1
    while candidate.exists() or candidate.is_symlink():
        number += 1
        candidate = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return candidate
