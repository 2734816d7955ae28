"""Members of a 7-Zip archive, one after the other.

Such an archive is one stream in which members cannot be found singly. ``py7zr`` unpacks the whole stream in a thread, which hands over one
member at a time as a file and waits until that is taken.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO, BinaryIO

import py7zr
from py7zr.exceptions import CrcError, PasswordRequired, UnsupportedCompressionMethodError
from py7zr.io import Py7zIO, WriterFactory

from pipeline.intake.container_members import LOCKED, Member, refusal_of_name


class SevenZipError(ValueError):
    """The archive is damaged."""


class UnsupportedMethodError(SevenZipError):
    """The archive is packed by a method that py7zr does not know."""


def seven_zip_members(
    file: BufferedReader, scratch: Path, max_bytes: int, passwords: Sequence[str] = ()
) -> Generator[Member, None, None]:
    """All members except folders. The largest have ``max_bytes``; a file at ``scratch`` holds one at a time.

    Raises SevenZipError.
    """
    vars(file.raw)["name"] = "archive"  # py7zr gives members without a name that of the file, which must be text
    try:
        password = (
            next((word for word in passwords if _opens(file, word, scratch, max_bytes)), None) if _is_locked(file) else None
        )
        file.seek(0)
        with py7zr.SevenZipFile(file, password=password) as archive:
            yield from _members(archive, scratch, max_bytes, password)
    except PasswordRequired:
        yield Member("(all)", 0, io.BytesIO, LOCKED, True, "needs_password")
    except (MemoryError, SevenZipError, GeneratorExit):
        raise
    except UnsupportedCompressionMethodError as error:
        raise UnsupportedMethodError(
            "packed by a method that is not supported; unpack it and put the files into the inbox"
        ) from error
    except CrcError as error:
        raise SevenZipError("a checksum does not fit") from error
    except Exception as error:  # py7zr and its decompressors raise many types on damaged archives
        raise SevenZipError(str(error) or type(error).__name__) from error


def _is_locked(file: BufferedReader) -> bool:
    """Whether members or the list of them are encrypted."""
    try:
        with py7zr.SevenZipFile(file) as archive:
            return bool(archive.password_protected)
    except PasswordRequired:
        return True


def _opens(file: BufferedReader, password: str, scratch: Path, max_bytes: int) -> bool:
    """Whether a password opens the archive: its first member with contents unpacks, and fits its checksum.

    Of a longer member, ``max_bytes`` are unpacked: with a wrong password, a decompressor fails long before.
    """
    file.seek(0)
    try:
        with py7zr.SevenZipFile(file, password=password) as archive:
            first = next((info.filename for info in archive.files if not info.is_directory and info.uncompressed), None)
            if first is None:
                return True
            with _Extraction(archive, [first], scratch, max_bytes) as extraction:
                return next(extraction.files(), None) is not None
    except MemoryError:
        raise
    except _TooLongError:
        return True
    except Exception:  # with a wrong password, py7zr unpacks rubbish and raises many types
        return False


def _members(archive: py7zr.SevenZipFile, scratch: Path, max_bytes: int, password: str | None) -> Iterator[Member]:
    is_locked = archive.password_protected and password is None
    targets = []
    for info in archive.files:
        if info.is_directory:
            continue
        refusal = refusal_of_name(info.filename)
        if not refusal and (info.is_symlink or info.is_junction or info.is_socket):
            refusal = "a link or device"
        size = int(info.uncompressed or 0)
        if refusal:
            yield Member(info.filename, size, io.BytesIO, refusal)
        elif is_locked:
            yield Member(info.filename, size, io.BytesIO, LOCKED, True, "needs_password")
        elif size > max_bytes:  # whoever takes it says so
            yield Member(info.filename, size, io.BytesIO)
        else:
            targets.append(info.filename)
    if targets:
        with _Extraction(archive, targets, scratch, max_bytes) as extraction:
            for name, size in extraction.files():
                yield Member(name, size, partial(_opened, scratch), decrypted=password is not None)


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


class _StoppedError(Exception):
    """Nothing more is taken."""


class _TooLongError(SevenZipError):
    """A member is longer than what is unpacked of one."""


class _Extraction(WriterFactory):  # type: ignore[misc]
    """A thread that unpacks the archive, and stops after each member until the next one is wanted."""

    def __init__(self, archive: py7zr.SevenZipFile, targets: list[str], scratch: Path, max_bytes: int) -> None:
        self._archive, self._targets, self._scratch, self.max_bytes = archive, targets, scratch, max_bytes
        self._unpacked: queue.Queue[tuple[str, int] | BaseException | None] = queue.Queue()
        self._taken = threading.Semaphore(0)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="7z", daemon=True)

    def __enter__(self) -> _Extraction:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._taken.release()
        self._thread.join()
        self._scratch.unlink(missing_ok=True)

    def files(self) -> Iterator[tuple[str, int]]:
        """Name and size of each member, whose contents are at ``scratch`` until the next one is wanted."""
        while (item := self._unpacked.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            self._taken.release()

    def _run(self) -> None:
        try:
            self._archive.extract(targets=self._targets, factory=self)
            self._unpacked.put(None)
        except _StoppedError:
            pass
        except BaseException as error:  # raised again where the members are taken
            self._unpacked.put(error)

    def create(self, filename: str) -> Py7zIO:
        """See WriterFactory."""
        return _Member(filename, self)

    def hand_over(self, name: str, size: int) -> None:
        """Say that a member is complete, and wait until it is taken."""
        self._unpacked.put((name, size))
        self._taken.acquire()
        self.check()

    def check(self) -> None:
        """Raises _StoppedError when nothing more is taken."""
        if self._stopping:
            raise _StoppedError

    def open(self) -> BinaryIO:
        """The file of the next member."""
        return self._scratch.open("w+b")


class _Member(Py7zIO):  # type: ignore[misc]
    """The file into which py7zr writes one member."""

    def __init__(self, name: str, extraction: _Extraction) -> None:
        self._name, self._extraction, self._size = name, extraction, 0
        self._file: BinaryIO | None = extraction.open()

    def write(self, s: bytes | bytearray) -> int:
        """See Py7zIO."""
        self._extraction.check()
        assert self._file  # noqa: S101 - it is closed last
        self._size += len(s)
        if self._size > self._extraction.max_bytes:
            raise _TooLongError("a member is longer than its entry says")
        return self._file.write(s)

    def read(self, size: int | None = None) -> bytes:
        """See Py7zIO."""
        del size
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """See Py7zIO: the member is read by its own file."""
        del offset, whence
        return 0

    def flush(self) -> None:
        """See Py7zIO."""

    def size(self) -> int:
        """See Py7zIO."""
        return self._size

    def close(self) -> None:
        """The member is complete."""
        if self._file:
            with suppress(OSError):
                self._file.close()
            self._file = None
            self._extraction.hand_over(self._name, self._size)
