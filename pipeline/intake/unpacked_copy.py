"""Copies one part of a container to a file of its own, within what the whole container may unpack to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import OutboxError
from pipeline.safe_open import file_status, open_file


class TooManyBytesError(Exception):
    """A container unpacks to more bytes, or to more parts, than it may."""


@dataclass
class Allowance:
    """What a container, with all that is inside of it, may still unpack to."""

    bytes: int
    parts: int
    whole: Path | None = None
    """The file of the outermost container."""
    _sha256: str = ""

    def take(self, count: int) -> None:
        """Count bytes that were unpacked. Raises TooManyBytesError."""
        self.bytes -= count
        if self.bytes < 0:
            raise TooManyBytesError

    def take_part(self) -> None:
        """Count one part. Raises TooManyBytesError."""
        self.parts -= 1
        if self.parts < 0:
            raise TooManyBytesError

    def is_whole(self, size: int, sha256: str) -> bool:
        """Whether a part of this size and hash is the outermost container itself."""
        if self.whole is None or file_status(self.whole).st_size != size:
            return False
        if not self._sha256:
            with open_file(self.whole) as file:
                self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return self._sha256 == sha256


def copy_part(stream: IO[bytes], path: Path, chunk: int, max_bytes: int, allowance: Allowance) -> tuple[int, str] | None:
    """Write a stream to ``path``, ``chunk`` bytes at a time. Returns size and sha256; None, without a file, above ``max_bytes``.

    Raises TooManyBytesError, OutboxError where the disk is full, and what the stream raises; then no file is left either.
    """
    digest, size, complete = hashlib.sha256(), 0, False
    with disk_errors(path):
        out = path.open("wb")
    try:
        while data := stream.read(chunk):
            size += len(data)
            allowance.take(len(data))
            if size > max_bytes:
                return None
            digest.update(data)
            with disk_errors(path):
                out.write(data)
        complete = True
    finally:
        with disk_errors(path):
            out.close()
        if not complete:
            path.unlink(missing_ok=True)
    return size, digest.hexdigest()


def part_file_name(unique_name: str, name: str) -> str:
    """The name of a part's file on the disk. It keeps the suffix, which helps with PDFs whose header is lost."""
    suffix = PurePosixPath(name).suffix
    safe = suffix.lower() if len(suffix) < 8 and suffix[1:].isascii() and suffix[1:].isalnum() else ""
    return hashlib.sha256(unique_name.encode()).hexdigest()[:24] + safe


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raises OutboxError where the disk refuses a write."""
    try:
        yield
    except OSError as error:
        raise OutboxError(
            f"{path.parent}: cannot be written: {error.strerror or error}",
            "free disk space, then run again; what was read is kept",
        ) from error
