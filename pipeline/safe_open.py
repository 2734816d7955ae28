"""Opens documents in a way that reads the listed file or nothing.

Other programs write to an inbox. Between the listing of a file and its opening they can put something else in its place: a pipe, on which
an ordinary ``open`` waits for ever, or a link to a file outside that its owner keeps private. Here no part of a path is followed when it is
a symbolic link, no opening waits, and what was opened is compared with what was listed.

Paths of listed files have no links: the folder that is scanned is resolved first. A link to a file inside the inbox is resolved when it is
listed, and its target is opened.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import FileChangedError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PASSED_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""For folders on the way that may be passed but not listed. ``O_PATH`` is the second choice: it does not mount an automount folder."""
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_REPLACED = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EMLINK, errno.ESTALE, errno.EISDIR, errno.ENXIO, errno.ENODEV}
)
"""Errors of an opening which say that the path is no longer the listed file."""
SHOWN_CHARACTERS = 120
"""Characters at both ends of a long path in a message."""
_RENUMBERED = (
    "nfs", "cifs", "smb", "9p", "fuse", "vboxsf", "vmhgfs", "prl_fs", "davfs", "virtiofs", "vfat", "msdos", "exfat", "autofs",
)  # fmt: skip
"""First letters of file systems that may give a file another device or inode number while it stays the same file."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells whether a file is still the one that was listed."""

    size: int
    mtime_ns: int
    numbers: tuple[int, int] | None = None
    """Device and inode; None where they are not known, or may change while the file does not."""

    def matches(self, status: os.stat_result) -> bool:
        """Whether a file with this status is the same regular file, unchanged."""
        return (
            stat.S_ISREG(status.st_mode)
            and (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)
            and self.numbers in (None, (status.st_dev, status.st_ino))
        )


def file_numbers(status: os.stat_result) -> tuple[int, int] | None:
    """Device and inode of a file; None on file systems where they may change while the file does not."""
    return None if _is_renumbered(status.st_dev) else (status.st_dev, status.st_ino)


def open_listed_file(path: Path, expected: FileState) -> BufferedReader:
    """The file that was listed, open for reading. Its descriptor stays on this file when the path gets another one.

    Raises FileChangedError when another file is there now, or none, or a link on the way to it; OSError when it cannot be read.
    """
    try:
        file = open_file(path)
    except OSError as error:
        if error.errno in _REPLACED:
            raise FileChangedError from error
        raise
    if not expected.matches(os.fstat(file.fileno())):
        file.close()
        raise FileChangedError
    return file


def open_file(path: Path) -> BufferedReader:
    """A regular file, open for reading. ``path`` has no symbolic link, neither the file nor a folder on the way.

    Raises OSError, also for links, folders, pipes, sockets and devices. It never waits for another program.
    """
    parent = open_folder(path.parent)
    try:
        if not stat.S_ISREG(
            os.stat(path.name, dir_fd=parent, follow_symlinks=False).st_mode
        ):  # opening a device may do something
            raise OSError(errno.ENXIO, "is no regular file", os.fspath(path))
        descriptor = os.open(path.name, _FILE, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # replaced between the two calls above
        os.close(descriptor)
        raise OSError(errno.ENXIO, "is no regular file", os.fspath(path))
    return os.fdopen(descriptor, "rb")


def open_named_file(path: Path) -> BufferedReader:
    """A regular file that the user named, open for reading: links in ``path`` are resolved first. Raises OSError."""
    return open_file(Path(os.path.realpath(path)))


def file_status(path: Path) -> os.stat_result:
    """The status of a path without symbolic links. Raises OSError, also where a folder on the way is a link."""
    parent = open_folder(path.parent)
    try:
        return os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    finally:
        os.close(parent)


def open_folder(path: Path) -> int:
    """The descriptor of a folder, through which the files in it are found. Raises OSError where any part of the path is a link."""
    if not path.is_absolute():
        path = Path.cwd() / path
    descriptor = _passed_folder(path.anchor, None)
    for part in path.parts[1:]:
        above = descriptor
        try:
            descriptor = _passed_folder(part, above)
        finally:
            os.close(above)
    return descriptor


def open_subfolder(name: str, parent: int) -> int:
    """The descriptor of a folder that can be listed, in the folder with the descriptor ``parent``. Raises OSError, also for a link."""
    return os.open(name, _FOLDER, dir_fd=parent)


def _passed_folder(name: str, parent: int | None) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except PermissionError:
        return os.open(name, _PASSED_FOLDER, dir_fd=parent)


def link_target(path: Path, root: Path) -> Path | None:
    """The file to which a symbolic link leads, with all links resolved; None when it leads out of ``root``, or nowhere."""
    try:
        target = Path(os.path.realpath(path, strict=True))
    except OSError:
        return None
    return target if target.is_relative_to(root) else None


def contents(file: BinaryIO) -> bytes:
    """All bytes of a file. Its position does not change, because a library may be reading it."""
    descriptor, size = file.fileno(), os.fstat(file.fileno()).st_size
    chunks, at = [], 0
    while at < size and (chunk := os.pread(descriptor, size - at, at)):
        chunks.append(chunk)
        at += len(chunk)
    return b"".join(chunks)


def path_problem(path: Path) -> str:
    """Why no operation on a path can succeed: it is too long, a loop of links, or holds a zero byte. Empty for all other paths."""
    try:
        path.stat()
    except ValueError as error:
        return str(error)
    except OSError as error:
        return os.strerror(error.errno) if error.errno in (errno.ENAMETOOLONG, errno.ELOOP) else ""
    return ""


def shortened(path: str) -> str:
    """A path for messages: its beginning and its end where it is very long."""
    return path if len(path) <= 2 * SHOWN_CHARACTERS else f"{path[:SHOWN_CHARACTERS]}…{path[-SHOWN_CHARACTERS:]}"


def descriptor_path(file: BinaryIO) -> str:
    """A path under which a library that opens files by name opens this very file."""
    return f"/dev/fd/{file.fileno()}"


@lru_cache(maxsize=256)
def _is_renumbered(device: int) -> bool:
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = [line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ", 3)[2] == number]
    return any(kind.startswith(_RENUMBERED) for kind in kinds)
