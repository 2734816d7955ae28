"""The parts of a packed office file (a zip: docx, xlsx, pptx, odt, ods, odp …), with a limit on what they unpack to.

Sizes in headers can be false, so bytes are counted while they unpack. Nothing is written to the disk.
"""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from typing import IO, BinaryIO

from lxml import etree

from pipeline.errors import DocumentError
from pipeline.pages.formats.xml_safety import attribute, children, parse_xml

MAX_PARTS = 100_000
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    NotImplementedError,
)


class Package:
    """A packed file. Raises DocumentError: ``unreadable`` for a damaged one, ``unsupported``, ``too_large``."""

    def __init__(self, file: BinaryIO, max_bytes: int) -> None:
        file.seek(0)
        self._max_bytes = self._left = max_bytes
        try:
            self._zip = zipfile.ZipFile(file)
        except _ERRORS as error:
            raise DocumentError("unreadable", f"a packed file that is damaged or cut off: {error}") from error
        self._infos = {info.filename.replace("\\", "/").lstrip("/"): info for info in self._zip.infolist()[:MAX_PARTS]}
        self.names = list(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def read(self, name: str) -> bytes:
        """The bytes of a part."""
        with self.open(name) as stream:
            try:
                return stream.read()
            except _ERRORS as error:
                raise _damaged_part(name, error) from error

    def open(self, name: str) -> _CountedStream:
        """A part as a stream. Its ``read`` raises DocumentError above the limit."""
        info = self._infos.get(name)
        if info is None:
            raise DocumentError("unreadable", f"the part {name} is missing: the file is damaged")
        if info.flag_bits & 1:
            raise DocumentError(
                "unsupported",
                "an office file that a packing program has encrypted: unpack it with its password and pack it without",
            )
        try:
            return _CountedStream(self._zip.open(info), self, name)
        except _ERRORS as error:
            raise _damaged_part(name, error) from error

    def xml(self, name: str) -> etree._Element:
        """The root of an XML part."""
        return parse_xml(self.read(name), name)

    def optional_xml(self, name: str) -> etree._Element | None:
        """As ``xml``; None where the part is missing."""
        return self.xml(name) if name in self._infos else None

    def charge(self, count: int) -> None:
        """Count unpacked bytes."""
        self._left -= count
        if self._left < 0:
            detail = f"unpacks to more than {self._max_bytes // 1_000_000} MB (limits.unpacked_megabytes)"
            raise DocumentError("too_large", detail)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Of an Office Open XML part: id to (last word of the type, name of the other part). External targets are left out.

        Source: ECMA-376-2, 6.5 (relationships).
        """
        folder, name = posixpath.split(part)
        root = self.optional_xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = {}
        for relation in children(root, "Relationship"):
            if attribute(relation, "TargetMode").lower() == "external":
                continue
            target = attribute(relation, "Target")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found[attribute(relation, "Id")] = (attribute(relation, "Type").rpartition("/")[2], path)
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """Names of the parts of a kind to which a part is related, those that are there."""
        return [name for found, name in self.relations(part).values() if found == kind and name in self]

    def main_part(self) -> str:
        """The part of an Office Open XML file with which reading begins."""
        names = self.related("", "officeDocument")
        if not names:
            raise DocumentError("unreadable", "the file does not say where its contents are: it is damaged")
        return names[0]


class _CountedStream(io.RawIOBase):
    """A part that is charged to its package while it is read."""

    def __init__(self, stream: IO[bytes], package: Package, name: str) -> None:
        self._stream, self._package, self._name = stream, package, name

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            chunks = []
            while chunk := self.read(1 << 20):
                chunks.append(chunk)
            return b"".join(chunks)
        try:
            data = self._stream.read(size)
        except _ERRORS as error:
            raise _damaged_part(self._name, error) from error
        self._package.charge(len(data))
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def _damaged_part(name: str, error: Exception) -> DocumentError:
    return DocumentError("unreadable", f"the file is damaged: its part {name} cannot be unpacked ({error})")
