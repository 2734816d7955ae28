"""Unpacks the documents of archives one at a time, each into a file of its own.

The formats are .zip, .tar, .tar.gz, .tar.xz and .tar.bz2, recognised by their contents, and archives inside them. A member's path on the
disk does not depend on its name, so that no name leads outside. Bytes are counted while they unpack, because headers can be false. Memory
does not grow with the number of members.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import OutboxError
from pipeline.ignored_names import BUILT_IN_NAMES, IgnoredNames
from pipeline.intake.container_members import Member, display_name, folders_and_name, readable_name, refusal_of_name
from pipeline.intake.member_names import MemberNames
from pipeline.intake.tar import BLOCK, is_tar, may_be_tar, tar_members
from pipeline.intake.zip import zip_members
from pipeline.safe_open import file_status, open_file

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
"""Usual suffixes of archives, for callers that choose by name before a file is at hand. ``is_archive`` decides by the contents."""
MAX_DEPTH = 2
"""Levels of archives inside archives that are unpacked."""
MAX_RATIO = 100
"""An archive may unpack to this many times its own size …"""
MIN_FULL_SIZE_MEMBERS = 5
"""… or to this many members of the largest size where that is more, because white pages compress to almost nothing."""
MAX_UNPACKED_FILES = 500
"""Members on the disk at the same time: more than any engine has in flight."""
MAX_UNPACKED_BYTES = 1_000_000_000
"""No further member is unpacked while members with more bytes than this are on the disk."""
_UNSUPPORTED_FORMATS = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip archives",
    b"Rar!\x1a\x07": "RAR archives",
    b"\x28\xb5\x2f\xfd": "Zstandard archives",
}
_ZIP_MARKS = (b"PK\3\4", b"PK\5\6")
_OFFICE_MEMBERS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"mimetype", b"META-INF/")
"""Names of the first member in zip files that are documents or programs."""
_UNPACK_ERRORS = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError,
    ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, MemoryError,
)  # fmt: skip
"""All errors that zipfile and tarfile raise on damaged archives."""


@dataclass(frozen=True, slots=True)
class UnpackedMember:
    """A member that was unpacked to the disk."""

    name: str
    """Below the archive's folder in the outbox. No other member has it, and it is the same every time."""
    original_name: str
    """The name in the archive, as printable text."""
    path: Path
    """Its file on the disk, the same every time."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SkippedMember:
    """A member that was not unpacked, or (with an empty name) a problem of the archive itself."""

    name: str
    reason: str
    document_lost: bool
    """Whether a document is missing because of it."""


MemberFilter = Callable[[Path], bool]
"""Whether the member that would be unpacked to this path is needed."""
MemberStream = Generator[UnpackedMember | SkippedMember, None, None]


def is_archive(path: Path) -> bool:
    """Whether the contents of ``path`` are an archive, also one of an unsupported format."""
    try:
        return _is_archive(path, _head(path))
    except OSError:
        return False


def may_be_archive(path: Path) -> bool:
    """Whether ``is_archive`` may say yes, by the first bytes alone: nothing is decompressed."""
    try:
        head = _head(path)
    except OSError:
        return False
    return head.startswith((*_ZIP_MARKS, *_UNSUPPORTED_FORMATS)) or may_be_tar(head)


def unpack(
    archive: Path,
    into: Path,
    *,
    max_bytes: int,
    is_needed: MemberFilter = lambda _: True,
    ignored: IgnoredNames = BUILT_IN_NAMES,
) -> MemberStream:
    """Unpack the documents of ``archive`` into the folder ``into``, each when the caller takes it.

    ``archive`` is a path without symbolic links. The caller deletes each file when it is done with it. A member above ``max_bytes`` is
    skipped, and so is the rest of an archive that unpacks to too many bytes. Raises OutboxError when the disk is full. Problems of the
    archive are yielded as SkippedMember.
    """
    with _disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
    budget = max(MIN_FULL_SIZE_MEMBERS * max_bytes, MAX_RATIO * _size(archive))
    with MemberNames() as names, MemberNames(exact=True) as exact_names:
        unpacker = _Unpacker(into, max_bytes, is_needed, names, exact_names, budget, ignored)
        try:
            yield from unpacker.members(archive, "", 0)
        except _ArchiveTooLargeError:
            reason = f"unpacks to more than {budget / 1e9:,.1f} GB, as a bomb does; the rest is not read (limits.megabytes raises this)"
            yield SkippedMember("", reason, True)


class _ArchiveTooLargeError(Exception):
    """The archive unpacks to more bytes than its budget."""


@dataclass
class _Unpacker:
    into: Path
    max_bytes: int
    is_needed: MemberFilter
    names: MemberNames
    """Gives the names in the outbox."""
    exact_names: MemberNames
    """Gives the names from which the paths on the disk follow."""
    budget: int
    """Bytes that may still be unpacked from the archive."""
    ignored: IgnoredNames

    def members(self, archive: Path, prefix: str, depth: int) -> MemberStream:
        """The members of an archive inside ``depth`` others. ``prefix`` is the path to it, with which their names begin."""
        count = 0
        try:
            for member in _members(archive):
                if member is None:
                    yield SkippedMember(display_name(prefix), "has no mark at its end: it may be cut off", False)
                    continue
                count += 1
                yield from self._member(member, prefix, depth)
        except _UNPACK_ERRORS as error:
            problem = f"damaged: what follows member {count:,} cannot be found" if count else "cannot be unpacked"
            yield SkippedMember(display_name(prefix), f"{problem}: {_cause(error)}", True)
        else:
            if not count:
                yield SkippedMember(display_name(prefix), "holds no file", False)

    def _member(self, member: Member, prefix: str, depth: int) -> MemberStream:
        name = f"{prefix}/{member.name}" if prefix else member.name
        refusal, document_lost = refusal_of_name(member.name), False
        if not refusal and self.ignored.ignores_path("/".join(folders_and_name(name))):
            refusal = "hidden or unfinished"
        if not refusal:
            refusal, document_lost = member.refusal, member.document_lost
        if not refusal and member.size > self.max_bytes:
            refusal, document_lost = self._too_large, True
        if refusal:
            yield SkippedMember(display_name(name) or "(no name)", refusal, document_lost)
            self._charge(member.bytes_when_skipped)
            return
        unique_name = self.names(name)
        path = self.into / _file_name(self.exact_names(name), readable_name(name))
        needed = self.is_needed(path)
        if not needed and not self._may_be_archive(member):
            self._charge(member.bytes_when_skipped)
            return
        result = self._unpack(member, name, unique_name, path)
        if isinstance(result, UnpackedMember) and _is_archive(path, _head(path)):
            yield from self._nested(path, name, depth)
        elif needed:
            yield result
        else:
            path.unlink(missing_ok=True)

    @staticmethod
    def _may_be_archive(member: Member) -> bool:
        """Whether a member must be unpacked although it is not needed itself, because needed members may be in it."""
        try:
            with member.open() as stream:
                head = stream.read(BLOCK)
        except tarfile.TarError:
            raise
        except _UNPACK_ERRORS:
            return False
        return head.startswith((*_ZIP_MARKS, *_UNSUPPORTED_FORMATS)) or may_be_tar(head)

    def _nested(self, path: Path, name: str, depth: int) -> MemberStream:
        try:
            if depth < MAX_DEPTH:
                yield from self.members(path, name, depth + 1)
            else:
                reason = f"an archive in {depth + 1} others; unpack them and name the folder"
                yield SkippedMember(display_name(name), reason, True)
        finally:
            path.unlink(missing_ok=True)

    def _unpack(self, member: Member, name: str, unique_name: str, path: Path) -> UnpackedMember | SkippedMember:
        try:
            with member.open() as stream:
                size_and_hash = self._copy(stream, path, member.chunk)
        except tarfile.TarError as error:  # the members behind it in a tar file cannot be located either
            raise tarfile.ReadError(f"in {display_name(name)}: {error}") from error
        except _UNPACK_ERRORS as error:
            return SkippedMember(display_name(name), f"cannot be unpacked: {_cause(error)}", True)
        if size_and_hash is None:
            return SkippedMember(display_name(name), self._too_large, True)
        return UnpackedMember(unique_name, readable_name(name), path, *size_and_hash)

    @property
    def _too_large(self) -> str:
        return f"larger than {self.max_bytes // 1_000_000} MB (limits.megabytes)"

    def _copy(self, stream: IO[bytes], path: Path, chunk: int) -> tuple[int, str] | None:
        """Write the stream to ``path``. Returns size and sha256; None, without a file, for more bytes than a member may have."""
        digest, size, complete = hashlib.sha256(), 0, False
        with _disk_errors(path):
            out = path.open("wb")
        try:
            while data := stream.read(chunk):
                size += len(data)
                self._charge(len(data))
                if size > self.max_bytes:
                    return None
                digest.update(data)
                with _disk_errors(path):
                    out.write(data)
            complete = True
        finally:
            with _disk_errors(path):
                out.close()
            if not complete:
                path.unlink(missing_ok=True)
        return size, digest.hexdigest()

    def _charge(self, count: int) -> None:
        self.budget -= count
        if self.budget < 0:
            raise _ArchiveTooLargeError


def _members(archive: Path) -> Iterator[Member | None]:
    """The members of an archive of any format. Raises ``_UNPACK_ERRORS``."""
    head = _head(archive)
    if kind := next((kind for mark, kind in _UNSUPPORTED_FORMATS.items() if head.startswith(mark)), None):
        raise NotImplementedError(f"{kind} cannot be read; unpack it and name the folder")
    if head.startswith(_ZIP_MARKS):
        with open_file(archive) as file:
            yield from zip_members(file)
    else:
        yield from tar_members(archive, head)


def _is_archive(path: Path, head: bytes) -> bool:
    if head.startswith(_ZIP_MARKS):
        first_name = head[30:]
        return not first_name.startswith(_OFFICE_MEMBERS)
    return head.startswith(tuple(_UNSUPPORTED_FORMATS)) or is_tar(path, head)


def _head(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(BLOCK)


def _size(path: Path) -> int:
    try:
        return file_status(path).st_size
    except OSError:  # deleted meanwhile; opening it reports that
        return 0


def _file_name(unique_name: str, name: str) -> str:
    """The name of a member's file on the disk. It keeps the suffix, which helps with PDFs whose header is lost."""
    suffix = PurePosixPath(name).suffix
    safe = suffix.lower() if len(suffix) < 8 and suffix[1:].isascii() and suffix[1:].isalnum() else ""
    return hashlib.sha256(unique_name.encode()).hexdigest()[:24] + safe


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Raises OutboxError where the disk refuses a write."""
    try:
        yield
    except OSError as error:
        raise OutboxError(
            f"{path.parent}: cannot be written: {error.strerror or error}",
            "free disk space, then run again; what was read is kept",
        ) from error


def _cause(error: BaseException) -> str:
    """An error in words."""
    return "needs more memory than an archive may" if isinstance(error, MemoryError) else str(error)


class UnpackedFiles:
    """The unpacked members on the disk. Their number is limited so that readers and engine never wait and no disk fills."""

    def __init__(self, files: int = MAX_UNPACKED_FILES, size: int = MAX_UNPACKED_BYTES) -> None:
        self._max_files, self._max_bytes = files, size
        self._sizes: dict[Path, int] = {}

    @property
    def full(self) -> bool:
        """Whether the next member has to wait."""
        return len(self._sizes) >= self._max_files or sum(self._sizes.values()) >= self._max_bytes

    def add(self, member: UnpackedMember) -> None:
        """Count a member that was unpacked."""
        self._sizes[member.path] = member.size

    def remove(self, path: Path) -> None:
        """Delete a member's file. Other files are left as they are."""
        if self._sizes.pop(path, None) is not None:
            path.unlink(missing_ok=True)
