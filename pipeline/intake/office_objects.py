"""Files that somebody has inserted into an office document as objects: a PDF, a workbook, a packed attachment.

Sources: ECMA-376-1, 15.2.10 and 15.2.11 (embedded objects and packages), MS-OLEDS 2.3.6 (OLE1 native data of the packager).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import olefile

from pipeline.intake.container_members import Member, base_name

OBJECT_NAME = re.compile(r"(?:word|ppt|xl)/embeddings/[^/]+", re.IGNORECASE)
"""Where Office Open XML keeps inserted files."""
_CHART_LINKS = re.compile(r"(?:word|ppt|xl)/(?:charts|chartEx|diagrams)/_rels/[^/]+\.rels", re.IGNORECASE)
_TARGET = re.compile(rb"embeddings/([^\"'/]+)[\"']", re.IGNORECASE)
MAX_LINKS_BYTES = 1_000_000
MAX_LABEL = 1_000
"""Letters of a name in a packed object that are looked at."""
_NATIVE, _CONTENTS, _PACKAGE = "\x01Ole10Native", ("CONTENTS", "Contents"), "Package"
_OLD_OFFICE = {"WordDocument": ".doc", "Workbook": ".xls", "Book": ".xls", "PowerPoint Document": ".ppt"}
_NO_DOCUMENTS = (b"MSGraph", b"Equation", b"Forms.")
"""Programs whose objects are part of the page: charts, formulas, buttons."""
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class InsertedFile(NamedTuple):
    """A file inside of a document, with the name that it had, or that of its part."""

    name: str
    content: bytes


def chart_workbooks(members: Iterable[Member]) -> set[str]:
    """Names of the inserted workbooks that hold the numbers of charts: they are no documents."""
    found: set[str] = set()
    for member in members:
        if not _CHART_LINKS.fullmatch(member.name) or member.refusal:
            continue
        try:
            with member.open() as stream:
                links = stream.read(MAX_LINKS_BYTES)
        except _READ_ERRORS:
            continue
        found |= {name.decode("utf-8", "replace") for name in _TARGET.findall(links)}
    return found


def inserted_file(name: str, content: bytes) -> InsertedFile | None:
    """The file in the part ``name``; None for objects that are no documents, such as charts and formulas."""
    if not content.startswith(olefile.MAGIC):
        return None if name.lower().endswith(".bin") else InsertedFile(name, content)
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            return next(_files(ole, name, content), None)
    except MemoryError:
        raise
    except Exception:  # olefile raises many types on damaged files; as a file of its own it gets a reason
        return InsertedFile(name, content)


def _files(ole: olefile.OleFileIO, name: str, content: bytes) -> Iterator[InsertedFile]:
    stem = PurePosixPath(name).stem
    if ole.exists(_NATIVE):
        yield from _packed(ole.openstream(_NATIVE).read(), stem)
        return
    if any(mark in _stream(ole, "\x01CompObj") for mark in _NO_DOCUMENTS):
        return
    for stream in (*_CONTENTS, _PACKAGE):
        if inner := _stream(ole, stream):
            if ending := _ending(inner):
                yield InsertedFile(stem + ending, inner)
            return
    for stream, ending in _OLD_OFFICE.items():
        if ole.exists(stream):
            yield InsertedFile(stem + ending, content)


def _stream(ole: olefile.OleFileIO, name: str) -> bytes:
    return bytes(ole.openstream(name).read()) if ole.exists(name) else b""


def _ending(content: bytes) -> str:
    if b"%PDF-" in content[:1024]:
        return ".pdf"
    return ".zip" if content.startswith(b"PK\3\4") else ""


def _packed(native: bytes, stem: str) -> Iterator[InsertedFile]:
    """The file that the packager of Windows has put into an object: size, a word, label, path, two words, a longer path, the file."""
    at = 6
    label, at = _text(native, at)
    _, at = _text(native, at)
    length = struct.unpack_from("<I", native, at + 4)[0]
    at += 8 + length
    size = struct.unpack_from("<I", native, at)[0]
    file = native[at + 4 : at + 4 + size]
    if len(file) < size:
        raise ValueError("cut off")
    yield InsertedFile(base_name(label) or stem, file)


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text that ends in a zero byte, in the code page of the computer that wrote it, and where the next field begins."""
    end = data.index(b"\0", at, at + MAX_LABEL)
    return data[at:end].decode("cp1252", "replace"), end + 1
