"""Members of a tape (.tar, .tar.gz, .tar.xz, .tar.bz2), one after the other as they come.

A tape has no directory: where it is damaged, what follows cannot be found, and that ends the tape with an error. ``tarfile`` would
end it in silence, keep every member in memory, and read headers of any size; here it does not.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, cast

from pipeline.intake.members import Member, bad_name

BLOCK = tarfile.BLOCKSIZE
LONGEST_HEADERS = 1 << 20
"""Bytes that the headers of one member may take; real ones take a few thousand."""
_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"]\0\0": lzma.LZMAFile,
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError)


def is_tape(path: Path, head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a tape with something on it."""
    if _opener(head):
        try:
            with _unpressed(path, head) as file:
                head = file.read(BLOCK)
        except _BROKEN:
            return False
    return _is_header(head[:BLOCK])


def perhaps_tape(head: bytes) -> bool:
    """Whether a file that begins so may be a tape; more of it must be seen to tell for sure."""
    return bool(_opener(head)) or _is_header(head[:BLOCK])


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def tape_members(path: Path, head: bytes) -> Iterator[Member | None]:
    """All members but folders; a None at the end when the mark of its end is missing. Raises tarfile.TarError where it is damaged."""
    with _unpressed(path, head) as file:
        meter = _Meter(file)
        tape = tarfile.TarFile(
            fileobj=cast(IO[bytes], meter), mode="r", tarinfo=_Header, encoding="utf-8", errors="surrogateescape"
        )
        last = -1
        while (info := tape.next()) is not None:
            meter.allowed = None
            if info.size < 0 or info.offset <= last:  # a header that points backwards would be read for ever
                raise tarfile.ReadError("a header is damaged")
            last = info.offset
            if not info.isdir():
                yield _member(tape, info, skipping=info.size if _opener(head) else 0)
            tape.members.clear()  # type: ignore[attr-defined]
            meter.allowed = LONGEST_HEADERS
        if meter.at_end:
            yield None


def _opener(head: bytes) -> Callable[[Path], object] | None:
    return next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)


def _unpressed(path: Path, head: bytes) -> IO[bytes]:
    opener = _opener(head)
    return cast(IO[bytes], opener(path)) if opener else path.open("rb")


def _member(tape: tarfile.TarFile, info: tarfile.TarInfo, skipping: int) -> Member:
    refusal = bad_name(info.name) or ("" if info.isreg() else "a link or device")
    return Member(info.name, info.size, partial(_extract, tape, info), refusal, skipping=skipping)


def _extract(tape: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tape.extractfile(info)
    if stream is None:
        raise tarfile.ReadError("it has no content")
    return stream


class _Header(tarfile.TarInfo):
    """A header that is damaged is an error, wherever it stands."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        """See TarInfo."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):  # neither the end of the file nor the mark of the tape's end
                raise tarfile.ReadError(f"a header is damaged: {error}") from error
            raise


class _Meter(io.RawIOBase):
    """The unpacked bytes of a tape; whatever goes wrong in reading them is a ReadError, and headers cannot be endless."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.allowed: int | None = LONGEST_HEADERS
        """Bytes that may still be read; None is without limit."""
        self.at_end = False
        """Whether the last read found nothing more."""

    def read(self, size: int = -1) -> bytes:
        """See RawIOBase."""
        if self.allowed is not None:
            self.allowed -= size
            if size < 0 or self.allowed < 0:
                raise tarfile.ReadError("the headers of a member are too large")
        try:
            data = self._file.read(size)
        except _BROKEN as error:
            raise tarfile.ReadError(str(error)) from error
        self.at_end = not data and size != 0
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See RawIOBase."""
        try:
            return self._file.seek(offset, whence)
        except _BROKEN as error:
            raise tarfile.ReadError(str(error)) from error

    def tell(self) -> int:
        """See RawIOBase."""
        return self._file.tell()
