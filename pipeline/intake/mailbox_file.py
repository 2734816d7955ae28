"""Messages of a mailbox in one file (mbox, RFC 4155), one after the other. Memory does not grow with their number."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial
from typing import IO, BinaryIO, cast

from pipeline.intake.container_members import Member

_FROM = re.compile(rb"From \S+ .*\d\d:\d\d")
"""The line before a message: sender and time."""
MAX_LINE = 1 << 20
"""Bytes of a line that are looked at together."""


def mailbox_members(file: BinaryIO) -> Iterator[Member]:
    """Each message as a mail, named by its number."""
    number, start, at, after_blank = 0, -1, 0, True
    file.seek(0)
    while line := file.readline(MAX_LINE):
        if after_blank and line.startswith(b"From ") and (at == 0 or _FROM.match(line)):
            if start >= 0:
                yield _message(file, number, start, at)
                file.seek(at + len(line))
            number, start = number + 1, at + len(line)
        after_blank = not line.strip()
        at += len(line)
    if start >= 0:
        yield _message(file, number, start, at)


def _message(file: BinaryIO, number: int, start: int, end: int) -> Member:
    return Member(f"{number:05}.eml", end - start, partial(_opened, file, start, end))


def _opened(file: BinaryIO, start: int, end: int) -> IO[bytes]:
    return cast(IO[bytes], _Slice(file, start, end))


class _Slice(io.RawIOBase):
    """The bytes of a file between two places."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._at, self._end = file, start, end

    def readable(self) -> bool:
        """See RawIOBase."""
        return True

    def read(self, size: int = -1) -> bytes:
        """See RawIOBase."""
        room = self._end - self._at
        self._file.seek(self._at)
        data = self._file.read(room if size < 0 else min(size, room))
        self._at += len(data)
        return data
