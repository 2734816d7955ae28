"""Files that are compressed by themselves (gzip, bzip2, xz): their contents as a stream, and the one file in them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, cast

from pipeline.intake.container_members import Member, base_name
from pipeline.safe_open import open_file

_OPENERS: dict[bytes, Callable[[BinaryIO], object]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"]\0\0": lzma.LZMAFile,
}
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError)
"""What reading a damaged stream raises."""
_SINGLE_FILES = {
    "gz": re.compile(rb"\x1f\x8b\x08"),
    "bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
}
"""First bytes that prove the kind: RFC 1952, bzip2's block and end marks, the .xz file format 2.1.1.1."""
_ENDINGS = re.compile(r"\.(gz|gzip|bz2|bzip2|xz)$", re.IGNORECASE)
_OTHER_ENDINGS = re.compile(r"\.(?:(svg)z|t[gbx]z2?)$", re.IGNORECASE)


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with ``head`` may be compressed."""
    return _opener(head) is not None


def single_file_kind(head: bytes) -> str:
    """``gz``, ``bz2`` or ``xz`` for a file that begins as one; else empty."""
    return next((kind for kind, mark in _SINGLE_FILES.items() if mark.match(head)), "")


@contextmanager
def decompressed(path: Path, head: bytes) -> Iterator[IO[bytes]]:
    """The contents of the file at ``path``, which begins with ``head``; the file itself where it is not compressed."""
    opener = _opener(head)
    with open_file(path) as file:
        if opener:
            with cast(IO[bytes], opener(file)) as stream:
                yield stream
        else:
            yield file


def single_members(path: Path, head: bytes, name: str) -> Iterator[Member]:
    """The one file in the compressed file ``name``, called like it without its ending."""
    with decompressed(path, head) as stream:
        yield Member(_inner_name(base_name(name)), 0, partial(_same, stream))


def _same(stream: IO[bytes]) -> IO[bytes]:
    return stream


def _inner_name(name: str) -> str:
    """``a.csv`` for ``a.csv.gz``, ``a.svg`` for ``a.svgz``, ``a`` for ``a.tgz`` that is no tar file."""
    if other := _OTHER_ENDINGS.search(name):
        return f"{name[: other.start()]}.{other[1]}" if other[1] else name[: other.start()]
    return _ENDINGS.sub("", name) or "content"


def _opener(head: bytes) -> Callable[[BinaryIO], object] | None:
    return next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)
