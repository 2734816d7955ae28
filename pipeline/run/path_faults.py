"""Tells faults of one path of the outbox from faults of the outbox: the former end one document, the latter the run."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path

OBSTACLES = frozenset(
    {
        *(
            errno.EISDIR,
            errno.ENOTDIR,
            errno.EEXIST,
            errno.ENOTEMPTY,
            errno.ELOOP,
            errno.ENAMETOOLONG,
            errno.EXDEV,
            errno.ENOENT,
        ),
        *(errno.EBUSY, errno.ETXTBSY, errno.EMLINK, errno.EFBIG),
    }
)
"""Numbers of system errors that come from one path of the outbox, or from one result that is too large for the file system."""
PERMISSIONS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""The same where the path is in a subfolder, and where the outbox takes other files: somebody has protected this one."""
REFUSED_NAMES = frozenset({errno.EINVAL, errno.EILSEQ})
"""The same where the error names the path: file systems of other systems refuse names with ``:``, ``?`` or a dot at the end."""


def is_fault_of_path(error: OSError, path: Path, outbox: Path) -> bool:
    """Whether the fault is of the path of one result, and not of the outbox."""
    number = error.errno
    return (
        number in OBSTACLES
        or (number in PERMISSIONS and (path.parent != outbox or _takes_files(outbox)))
        or (number in REFUSED_NAMES and bool(error.filename))
    )


def _takes_files(folder: Path) -> bool:
    """Whether a new file can be put into a folder, and replaced."""
    probe = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        probe.unlink()
    except OSError:
        return False
    return True
