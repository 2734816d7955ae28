"""What is at the place of a file of the outbox, and how what somebody else put or changed there is kept beside the new file."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.runtime.file_system import rename_without_replacing

MAX_NAME_BYTES = 255
"""Bytes of a file name that every file system takes."""


def open_itself(path: Path) -> tuple[int, bool]:
    """A descriptor of the file itself, never of what a link names, and whether it may be written. It never waits. Raises OSError."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, os.O_RDWR | flags), True
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY):
            raise
    return os.open(path, os.O_RDONLY | flags), False


def kind_of(path: Path) -> str:
    """What a thing that is no readable file is, for people."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return "is a link to another file"
        if stat.S_ISDIR(mode):
            return "is a folder"
        if not stat.S_ISREG(mode):
            return "is no file"
    return "cannot be read any more"


def keep_beside(path: Path, change: str) -> tuple[Path, str]:
    """Give what is at ``path`` a name of its own, with the day of its change. Returns its new path and a line about it for people.

    ``change`` says what somebody else did. Raises OSError; then it is where it was.
    """
    status = path.lstat()
    day = "before"
    with suppress(OverflowError, ValueError, OSError):
        day = time.strftime("%Y-%m-%d", time.localtime(min(status.st_mtime, time.time())))
    for target in (name for name in _numbered(path, day) if not os.path.lexists(name)):
        with suppress(FileExistsError):
            rename_without_replacing(path, target)
            break
    return target, f"{path.name} {change}: it is kept as `{target.name}`, and {path.name} is written anew"


def _numbered(path: Path, day: str) -> Iterator[Path]:
    """Names beside ``path`` with a day and, from the second one on, a number. A long name loses letters at its end."""
    number = 1
    while True:
        end = f" (changed {day}{f', {number}' if number > 1 else ''}){path.suffix}"
        stem = os.fsencode(path.stem)[: MAX_NAME_BYTES - len(os.fsencode(end))]
        yield path.with_name(
            stem.decode(errors="ignore" if len(stem) < len(os.fsencode(path.stem)) else "surrogateescape") + end
        )
        number += 1
