"""Finds out whether another program has a file open for writing, as a slow scanner has while it feeds the next page.

Linux gives a read lease (fcntl F_SETLEASE) only on a file that no process has open for writing. Whoever opens it for writing later waits
until the lease is given up, and the holder can see that. Leases need the owner of the file or CAP_LEASE. Network file systems answer as if
there were a writer when they merely lack a delegation, so that only file systems of this machine are asked.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

_LOCAL = ("ext", "xfs", "btrfs", "tmpfs", "f2fs", "zfs", "bcachefs", "jfs", "overlay", "reiserfs")
"""First letters of the file system types whose answer is trusted."""


class FileLease:
    """A read lease on an open file, while the block lasts. ``descriptor`` is open for reading."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._is_held = False
        self.has_writer: bool | None = None
        """Whether another program has the file open for writing; None where that cannot be found out."""

    def __enter__(self) -> Self:
        if not hasattr(fcntl, "F_SETLEASE") or not _is_local(os.fstat(self._descriptor).st_dev):
            return self
        try:
            # Who breaks a lease sends a signal to its holder. SIGIO would end the program; SIGURG is ignored.
            fcntl.fcntl(self._descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            self._is_held, self.has_writer = True, False
        except OSError as error:
            if error.errno == errno.EAGAIN:
                self.has_writer = True
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._is_held:
            fcntl.fcntl(self._descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    @property
    def writer_waits(self) -> bool:
        """Whether a program has begun to open the file for writing since the lease was taken. It waits until the block ends."""
        return self._is_held and fcntl.fcntl(self._descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK


def has_writer(path: Path) -> bool | None:
    """Whether another program has the file open for writing; None where that cannot be found out. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with FileLease(descriptor) as lease:
            return lease.has_writer
    finally:
        os.close(descriptor)


@lru_cache(maxsize=64)
def _is_local(device: int) -> bool:
    """Whether a device holds a file system of this machine, by its type in /proc/self/mountinfo (proc_pid_mountinfo(5))."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                mount, _, file_system = line.partition(" - ")
                if mount.split()[2] == number:
                    return file_system.startswith(_LOCAL)
    except (OSError, IndexError):
        pass
    return False
