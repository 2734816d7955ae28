"""Members of a tar file (.tar, .tar.gz, .tar.xz, .tar.bz2), one after the other.

A tar file has no directory: behind a damaged place no member can be located. ``tarfile`` ends there without an error, keeps every member in
memory, and reads headers of any size. This module raises an error, holds one member, and limits the headers.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, cast

from pipeline.intake.compression import READ_ERRORS, decompressed, is_compressed
from pipeline.intake.container_members import Member, refusal_of_name

BLOCK = tarfile.BLOCKSIZE
MAX_HEADER_BYTES = 1 << 20
"""Bytes that the headers of one member may take; real ones take a few thousand."""


def is_tar(path: Path, head: bytes) -> bool:
    """Whether the file at ``path``, which begins with ``head``, is a tar file with at least one member."""
    if is_compressed(head):
        try:
            with decompressed(path, head) as file:
                head = file.read(BLOCK)
        except MemoryError:  # the dictionary is too large: unpacking says so
            return True
        except READ_ERRORS:
            return False
    return _is_header(head[:BLOCK])


def may_be_tar(head: bytes) -> bool:
    """Whether a file that begins with ``head`` may be a tar file. ``is_tar`` must decompress it to decide."""
    return is_compressed(head) or _is_header(head[:BLOCK])


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def tar_members(path: Path, head: bytes) -> Iterator[Member | None]:
    """All members except folders, then None when the end mark is missing. Raises tarfile.TarError at a damaged place."""
    with decompressed(path, head) as file:
        limited = _LimitedStream(file)
        archive = tarfile.TarFile(
            fileobj=cast(IO[bytes], limited), mode="r", tarinfo=_StrictHeader, encoding="utf-8", errors="surrogateescape"
        )
        last = -1
        while (info := archive.next()) is not None:
            limited.allowed = None
            if info.size < 0 or info.offset <= last:  # a header that points backwards would never end
                raise tarfile.ReadError("a header is damaged")
            last = info.offset
            if not info.isdir():
                yield _member(archive, info, bytes_when_skipped=info.size if is_compressed(head) else 0)
            archive.members.clear()  # type: ignore[attr-defined]
            limited.allowed = MAX_HEADER_BYTES
        if limited.at_end:
            yield None


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, bytes_when_skipped: int) -> Member:
    refusal = refusal_of_name(info.name) or ("" if info.isreg() else "a link or device")
    return Member(info.name, info.size, partial(_extract, archive, info), refusal, bytes_when_skipped=bytes_when_skipped)


def _extract(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(info)
    if stream is None:
        raise tarfile.ReadError("it has no content")
    return stream


class _StrictHeader(tarfile.TarInfo):
    """A member's header. A damaged one is an error everywhere, not only at the beginning of the file."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _StrictHeader:
        """See TarInfo."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):  # neither the end of the file nor the end mark of the archive
                raise tarfile.ReadError(f"a header is damaged: {error}") from error
            raise


class _LimitedStream(io.RawIOBase):
    """The decompressed bytes of a tar file. Every error in reading them is a ReadError, and headers have a maximum size."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.allowed: int | None = MAX_HEADER_BYTES
        """Bytes that may still be read; None: no limit."""
        self.at_end = False
        """Whether the last read reached the end of the file."""

    def read(self, size: int = -1) -> bytes:
        """See RawIOBase."""
        if self.allowed is not None:
            self.allowed -= size
            if size < 0 or self.allowed < 0:
                raise tarfile.ReadError("the headers of a member are too large")
        try:
            data = self._file.read(size)
        except READ_ERRORS as error:
            raise tarfile.ReadError(str(error)) from error
        self.at_end = not data and size != 0
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See RawIOBase."""
        try:
            return self._file.seek(offset, whence)
        except READ_ERRORS as error:
            raise tarfile.ReadError(str(error)) from error

    def tell(self) -> int:
        """See RawIOBase."""
        return self._file.tell()
