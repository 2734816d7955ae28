"""Files of the outbox that the program writes again: recognised as its own, and kept beside the new one where somebody changed them.

People open ``invoice.csv`` in a spreadsheet, change it and save it. Such a file is not appended to and not replaced: it gets the name
``invoice (changed 2026-11-29).csv``, and a new one is written from the ledger. The same holds for a file that somebody has put there, for
a link and for a folder. A file that is gone is written anew.

The ledger has a mark of every file: size, checksum, and the time and place that its file system gives it. While those stay the same, no
byte is read. Where they differ (a copy, another mount), the checksum of the whole file decides. Before the program writes, the mark that
the file will have, with the bytes that are appended, is in the ledger and on the disk. So a file that a crash or a power cut left half
written is recognised as well.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutboxError
from pipeline.permissions import withhold
from pipeline.publish.foreign_files import keep_beside, kind_of, open_itself
from pipeline.records import FileMark
from pipeline.runtime.file_system import sync_folder

_CHUNK = 1 << 20
MAX_TAIL_BYTES = 4 << 20
"""More bytes than this are not stored in the ledger before they are appended. Their number alone tells what a crash left of them."""
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Errors of the machine. All others belong to the one file: another program holds it, or its owner does not allow it."""


class MarkLedger(Protocol):
    """The part of the ledger that knows the files."""

    def file_mark(self, key: str) -> FileMark | None:
        """The mark of a file; None for a file that the program has not written."""
        ...

    def record_file_mark(self, key: str, mark: FileMark) -> None:
        """Store the mark of a file that is written."""
        ...

    def begin_writes(self, marks: Mapping[str, FileMark]) -> None:
        """Store the marks of files before they are written, on the disk when this returns."""
        ...


class FileInUseError(Exception):
    """One file cannot be written now, because of its owner or of another program. The text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is at the place of a file."""

    change: str = ""
    """What somebody else did to it, in words for people; empty for the program's own file, and where there is none."""
    exists: bool = True
    writable: bool = True


OwnTest = Callable[[Path], bool]
"""Whether a file without a mark is the program's own, by its contents."""


class OwnFiles:
    """The files that the program writes again in one folder. ``notify`` gets a line for each file that somebody else has changed.

    The files gather many documents. So they have none of the rights that a single one of them withholds (``withheld``).
    """

    def __init__(
        self, ledger: MarkLedger, folder: Path, notify: Callable[[str], None], withheld: Callable[[], int] = lambda: 0
    ) -> None:
        self._ledger, self._folder, self._withheld = ledger, folder, withheld
        self.notify = notify

    def inspect(self, path: Path, is_own: OwnTest = lambda _: False) -> Found:
        """What is at ``path``. ``is_own`` decides about a file of which the ledger has no mark."""
        try:
            file, writable = open_itself(path)
        except FileNotFoundError:
            return Found(exists=False)
        except OSError:
            return Found(kind_of(path))
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                return Found(kind_of(path))
            mark = self._ledger.file_mark(self._key(path))
            if mark is None:
                return Found("" if is_own(path) else "is not written by this program", writable=writable)
            return Found(_change(file, status, mark), writable=writable)
        finally:
            os.close(file)

    def append(self, additions: Mapping[Path, bytes]) -> dict[Path, FileMark]:
        """Append to the program's own files, behind the last recorded byte of each, and sync them. Returns their new marks.

        A file without a mark in the reply must be written anew: it is gone, was changed, or cannot be written. Raises OSError for a
        fault of the disk.
        """
        with ExitStack() as stack:
            opened = {path: own for path in additions if (own := self._open_own(path, stack))}
            begun: dict[Path, FileMark] = {}
            for path, (_, mark) in opened.items():
                data = additions[path]
                size, crc = mark.size + len(data), zlib.crc32(data, mark.crc)
                tail = data if len(data) <= MAX_TAIL_BYTES else None
                begun[path] = FileMark(mark.size, mark.crc, mark.stamp, size, crc, tail)
            if not begun:
                return {}
            self._ledger.begin_writes({self._key(path): mark for path, mark in begun.items()})
            withheld, marks = self._withheld(), {}
            for path, mark in begun.items():
                try:
                    marks[path] = _write_tail(opened[path][0], mark, additions[path], withheld)
                except OSError as error:
                    if error.errno in DISK_ERRORS:
                        raise
            return marks

    def _open_own(self, path: Path, stack: ExitStack) -> tuple[int, FileMark] | None:
        """An unchanged file, open for writing until ``stack`` closes it, with its mark; None for all others."""
        mark = self._ledger.file_mark(self._key(path))
        if mark is None:
            return None
        try:
            file, writable = open_itself(path)
        except OSError:
            return None
        stack.callback(os.close, file)
        status = os.fstat(file)
        is_own = writable and stat.S_ISREG(status.st_mode) and not _change(file, status, mark)
        return (file, mark) if is_own else None

    def has_mark(self, path: Path) -> bool:
        """Whether the ledger knows how the program wrote the file."""
        return self._ledger.file_mark(self._key(path)) is not None

    def adopt(self, path: Path) -> FileMark:
        """Record the present file as the program's own. Raises OSError."""
        with path.open("rb") as stream:
            mark = FileMark(*_checksum(stream.fileno()), _stamp(os.fstat(stream.fileno())))
        self._ledger.record_file_mark(self._key(path), mark)
        return mark

    def record(self, path: Path, mark: FileMark) -> None:
        """Record the mark that ``append`` returned."""
        self._ledger.record_file_mark(self._key(path), mark)

    def put(self, new: Path, path: Path, is_own: OwnTest = lambda _: False) -> FileMark:
        """Move a complete file to ``path`` and record its mark. What somebody else put or changed there is kept beside it.

        Raises FileInUseError, and OutboxError when the disk is full.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            withhold(new, self._withheld())
            with new.open("rb") as stream:
                os.fsync(stream.fileno())
                size, crc = _checksum(stream.fileno())
            found = self.inspect(path, lambda old: is_own(old) or _is_equal(old, size, crc))
            if found.change:
                self.notify(keep_beside(path, found.change)[1])
            elif found.exists and not self._ledger.file_mark(self._key(path)):
                self.adopt(path)
            before = self._ledger.file_mark(self._key(path)) or FileMark(0, 0, "")
            self._ledger.begin_writes({self._key(path): FileMark(before.size, before.crc, before.stamp, size, crc, b"")})
            new.replace(path)
            sync_folder(path.parent)
            mark = FileMark(size, crc, _stamp(path.lstat()))
        except OSError as error:
            if error.errno in DISK_ERRORS:
                raise OutboxError(f"{path}: cannot be written: {error}", "free disk space, then run again") from error
            raise FileInUseError(f"{path.name} cannot be written: {error.strerror or error}") from error
        self._ledger.record_file_mark(self._key(path), mark)
        return mark

    def _key(self, path: Path) -> str:
        return path.name if path.parent == self._folder else str(path.absolute())


def _change(file: int, status: os.stat_result, mark: FileMark) -> str:
    """What somebody else did to an open file; empty when it is as the mark says, or as a crash of the program left it."""
    if mark.next_size is None and (status.st_size, _stamp(status)) == (mark.size, mark.stamp):
        return ""
    if mark.next_size == status.st_size and mark.next_crc == _checksum(file)[1]:
        return ""
    if status.st_size < mark.size:
        return "was shortened by another program"
    if _checksum(file, mark.size)[1] != mark.crc:
        return "was changed by another program"
    return "" if _is_unfinished(file, status.st_size, mark) else "was lengthened by another program"


def _is_unfinished(file: int, size: int, mark: FileMark) -> bool:
    """Whether what follows the recorded bytes was left by an interrupted write: some of its bytes, with zeros in the place of others."""
    if size > max(mark.size, mark.next_size or 0):
        return False
    if mark.next_tail is None:
        return True
    left = os.pread(file, size - mark.size, mark.size)
    return len(left) <= len(mark.next_tail) and all(
        there in (0, written) for there, written in zip(left, mark.next_tail, strict=False)
    )


def _write_tail(file: int, mark: FileMark, data: bytes, withheld: int) -> FileMark:
    """Write ``data`` behind the recorded bytes of an open file, cut off what else is there, and sync it. Raises OSError."""
    if withheld:
        withhold(file, withheld)
    os.ftruncate(file, mark.size)
    at, rest = mark.size, memoryview(data)
    while rest:
        written = os.pwrite(file, rest, at)
        at, rest = at + written, rest[written:]
    os.fsync(file)
    return FileMark(at, zlib.crc32(data, mark.crc), _stamp(os.fstat(file)))


def _stamp(status: os.stat_result) -> str:
    """Where a file is and when it was changed last, as its file system says."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _checksum(file: int, size: int | None = None) -> tuple[int, int]:
    """Length and CRC-32 of an open file, or of its first ``size`` bytes. The file's position stays."""
    at = crc = 0
    while size is None or at < size:
        data = os.pread(file, _CHUNK if size is None else min(_CHUNK, size - at), at)
        if not data:
            break
        at, crc = at + len(data), zlib.crc32(data, crc)
    return at, crc


def _is_equal(path: Path, size: int, crc: int) -> bool:
    """Whether a file has these contents."""
    with path.open("rb") as stream:
        return os.fstat(stream.fileno()).st_size == size and _checksum(stream.fileno()) == (size, crc)
