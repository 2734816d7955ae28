"""Whether a file that is not at its path is really gone, or lies on a share that is not mounted now.

An unmounted share leaves an empty folder, or another folder, at the same path. The file system's number of a folder (its inode) tells
them apart: it is recorded when files are found in the folder. Where these numbers do not last (some network file systems give new ones
at each mount), a folder counts as the same one when another file that is known lies in it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FolderMark:
    """What identifies a folder."""

    inode: str
    is_mount: bool
    """Whether it lies on another file system than the folder around it."""


class InboxFolders:
    """The folders of an inbox. ``marks`` are those that the ledger has, by path.

    ``holds_known_file`` says whether a file that is known lies in a folder or below it now, unchanged.
    """

    def __init__(self, root: Path, marks: Mapping[Path, FolderMark], holds_known_file: Callable[[Path], bool]) -> None:
        self._root, self._marks, self._holds_known_file = root, dict(marks), holds_known_file

    def observe(self, found: Iterable[Path], known: Iterable[Path]) -> dict[Path, FolderMark]:
        """Take the files that a scan has found, and those of them that are known and unchanged. Returns the marks that are new.

        Only a known file proves that a folder with another number than before is the same one.
        """
        proven = self._folders_of(known)
        changed = {}
        for folder in self._folders_of(found):
            if (mark := self._present_mark(folder)) is None or mark == self._marks.get(folder):
                continue
            if folder not in self._marks or folder in proven:
                changed[folder] = self._marks[folder] = mark
        return changed

    def is_gone(self, path: Path) -> bool:
        """Whether a file of the inbox no longer exists. False where that cannot be known."""
        try:
            path.lstat()
            return False
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:  # a broken share, or no permission
            return False
        for folder in path.parents:
            if not folder.is_relative_to(self._root):
                return False
            mark = self._marks.get(folder)
            try:
                status = folder.stat()
            except (FileNotFoundError, NotADirectoryError):
                if mark and mark.is_mount:  # an automounter also removes the folder
                    return False
                continue
            except OSError:
                return False
            if stat.S_ISDIR(status.st_mode):
                return (mark is not None and mark.inode == str(status.st_ino)) or self._holds_known_file(folder)
        return False

    def _folders_of(self, paths: Iterable[Path]) -> set[Path]:
        """The folders of some files, up to the root."""
        folders: set[Path] = set()
        for parent in {path.parent for path in paths}:
            for folder in (parent, *parent.parents):
                if folder in folders or not folder.is_relative_to(self._root):
                    break
                folders.add(folder)
        return folders

    def _present_mark(self, folder: Path) -> FolderMark | None:
        try:
            status = folder.stat()
            is_mount = folder != self._root and folder.parent.stat().st_dev != status.st_dev
        except OSError:
            return None
        return FolderMark(str(status.st_ino), is_mount)
