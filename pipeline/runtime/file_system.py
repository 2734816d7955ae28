"""What the standard library lacks about files: names that are on the disk, and a rename that replaces nothing."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

_AT_FDCWD, _RENAME_NOREPLACE = -100, 1  # linux/fcntl.h, linux/fs.h
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk. Raises OSError; file systems that cannot sync folders are left alone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it. ``Path.mkdir(parents=True)`` fails by recursion a thousand folders below. Raises OSError."""
    missing = []
    while not folder.is_dir() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)


class FolderSync:
    """Brings the names of files to the disk, with the names of the folders that lead to them.

    The folders of the files are synced every time, those above them once: a folder that was synced stays.
    """

    def __init__(self) -> None:
        self._known: set[Path] = set()

    def sync(self, files: Iterable[Path], root: Path) -> None:
        """Sync the folders of ``files`` and those above them, up to the one that holds ``root``. Raises OSError."""
        folders = dict.fromkeys(file.parent for file in files)
        for folder in folders:
            sync_folder(folder)
        for folder in folders:
            self._sync_above(folder, root)

    def _sync_above(self, folder: Path, root: Path) -> None:
        while folder not in self._known and folder != root.parent and folder != folder.parent:
            try:
                sync_folder(folder.parent)
            except PermissionError:  # a folder that may not be listed holds none that the program has made
                return
            self._known.add(folder)
            folder = folder.parent


def rename_without_replacing(path: Path, target: Path) -> None:
    """Rename a file unless there is one at ``target``. Raises FileExistsError, OSError.

    Without help of the file system (Linux has renameat2) there is an instant between the check and the renaming.
    """
    sys.audit("os.rename", os.fspath(path), os.fspath(target), -1, -1)
    if renameat2 := _renameat2():
        source, destination = os.fsencode(path), os.fsencode(target)
        if renameat2(_AT_FDCWD, source, _AT_FDCWD, destination, _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _UNSUPPORTED:
            raise OSError(number, os.strerror(number), os.fspath(path), None, os.fspath(target))
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
    path.rename(target)


@cache
def _renameat2() -> Any:
    """The function of the C library; None where it has none."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function
