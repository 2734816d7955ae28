"""Archives as folders: members are unpacked one at a time, as somebody asks for them, each into a file of its own.

.zip, .tar, .tar.gz, .tar.xz and .tar.bz2, told by their contents, and archives inside of them. Where a member lies has nothing to do
with what it calls itself, so no name can lead anywhere. Sizes are counted while unpacking, because headers lie. Nothing here grows
with the number of members.
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
from pipeline.intake.member_names import MemberNames
from pipeline.intake.members import Member, readable, told
from pipeline.intake.tar import BLOCK, is_tape, perhaps_tape, tape_members
from pipeline.intake.zip import zip_members

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
"""What archives are called, for who must choose by the name which files to look into; what they are is told by their contents."""
NESTED = 2
"""How deep archives inside of archives are unpacked."""
RATIO = 100
"""An archive may unpack to so many times its own size …"""
LARGEST_MEMBERS = 5
"""… or to so many members of the largest size, where that is more: a few white pages shrink to nothing."""
MOST_FILES = 500
"""Members that lie unpacked at the same time: more than any engine has under way."""
MOST_BYTES = 1_000_000_000
"""Bytes above which no further member is unpacked while others lie there."""
_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip archives",
    b"Rar!\x1a\x07": "RAR archives",
    b"\x28\xb5\x2f\xfd": "Zstandard archives",
}
_ZIP_MARKS = (b"PK\3\4", b"PK\5\6")
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"mimetype", b"META-INF/")
"""How the first member is called in zip files that are documents or programs."""
_DAMAGES = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError,
    ArithmeticError, LookupError, TypeError, AttributeError, AssertionError, MemoryError,
)  # fmt: skip
"""Whatever zipfile and tarfile raise when a broken archive leads them astray."""


@dataclass(frozen=True, slots=True)
class UnpackedMember:
    """A member that lies unpacked."""

    name: str
    """Below the archive's folder in the outbox; each member's own, and the same every time."""
    told: str
    """What the archive calls it."""
    path: Path
    """Where it lies, the same every time."""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SkippedMember:
    """A member that was not unpacked, or (with an empty name) something about the archive itself."""

    name: str
    why: str
    lost: bool
    """Whether a document should have been there."""


MemberFilter = Callable[[Path], bool]
"""Whether somebody wants the member that would lie there."""
MemberStream = Generator[UnpackedMember | SkippedMember, None, None]


def is_archive(path: Path) -> bool:
    """Whether ``path`` is an archive by its contents, also of a kind that cannot be unpacked here."""
    try:
        return path.is_file() and _is_archive(path, _head(path))
    except OSError:
        return False


def unpack(archive: Path, into: Path, *, max_bytes: int, wanted: MemberFilter = lambda _: True) -> MemberStream:
    """Unpack the documents of ``archive`` into the folder ``into``, each when it is asked for.

    Whoever takes one removes it when it is done with. A member above ``max_bytes`` is passed over, and so is the rest of an
    archive that unpacks to too much. Raises OutboxError when the disk is full; what is wrong with the archive is told as SkippedMember.
    """
    with _disk(into):
        into.mkdir(parents=True, exist_ok=True)
    budget = max(LARGEST_MEMBERS * max_bytes, RATIO * _size(archive))
    with MemberNames() as names:
        unpacker = _Unpacker(into, max_bytes, wanted, names, budget)
        try:
            yield from unpacker.members(archive, "", 0)
        except _TooMuchError:
            why = f"unpacks to more than {budget / 1e9:,.1f} GB, as a bomb does; the rest is not read (limits.megabytes raises this)"
            yield SkippedMember("", why, True)


class _TooMuchError(Exception):
    """The archive unpacks to more than it may."""


@dataclass
class _Unpacker:
    into: Path
    max_bytes: int
    wanted: MemberFilter
    names: MemberNames
    left: int
    """Bytes that may still come out of the archive."""

    def members(self, archive: Path, prefix: str, depth: int) -> MemberStream:
        """The members of an archive; ``prefix`` is what their names begin with, ``depth`` how many archives it lies in."""
        found = 0
        try:
            for member in _members(archive):
                if member is None:
                    yield SkippedMember(told(prefix), "has no mark at its end: it may be cut off", False)
                    continue
                found += 1
                yield from self._member(member, prefix, depth)
        except _DAMAGES as error:
            what = f"damaged: what follows member {found:,} cannot be found" if found else "cannot be unpacked"
            yield SkippedMember(told(prefix), f"{what}: {error}", True)
        else:
            if not found:
                yield SkippedMember(told(prefix), "holds no file", False)

    def _member(self, member: Member, prefix: str, depth: int) -> MemberStream:
        name = f"{prefix}/{member.name}" if prefix else member.name
        refusal, lost = member.refusal, member.lost
        if not refusal and member.size > self.max_bytes:
            refusal, lost = self._too_large, True
        if refusal:
            yield SkippedMember(told(name) or "(no name)", refusal, lost)
            self._charge(member.skipping)
            return
        own = self.names(name)
        path = self.into / _file_name(own, readable(name))
        wanted = self.wanted(path)
        if not wanted and not self._perhaps_archive(member):
            self._charge(member.skipping)
            return
        done = self._unpack(member, name, own, path)
        if isinstance(done, UnpackedMember) and _is_archive(path, _head(path)):
            yield from self._nested(path, name, depth)
        elif wanted:
            yield done
        else:
            path.unlink(missing_ok=True)

    @staticmethod
    def _perhaps_archive(member: Member) -> bool:
        """Whether a member nobody asked for has to be unpacked, because those that somebody asked for may lie in it."""
        try:
            with member.open() as stream:
                head = stream.read(BLOCK)
        except tarfile.TarError:
            raise
        except _DAMAGES:
            return False
        return head.startswith((*_ZIP_MARKS, *_OTHERS)) or perhaps_tape(head)

    def _nested(self, path: Path, name: str, depth: int) -> MemberStream:
        try:
            if depth < NESTED:
                yield from self.members(path, name, depth + 1)
            else:
                yield SkippedMember(told(name), f"an archive in {depth + 1} others; unpack them and name the folder", True)
        finally:
            path.unlink(missing_ok=True)

    def _unpack(self, member: Member, name: str, own: str, path: Path) -> UnpackedMember | SkippedMember:
        try:
            with member.open() as stream:
                copied = self._copy(stream, path, member.chunk)
        except tarfile.TarError as error:  # what follows on a tape cannot be found either
            raise tarfile.ReadError(f"in {told(name)}: {error}") from error
        except _DAMAGES as error:
            return SkippedMember(told(name), f"cannot be unpacked: {error}", True)
        return (
            UnpackedMember(own, readable(name), path, *copied) if copied else SkippedMember(told(name), self._too_large, True)
        )

    @property
    def _too_large(self) -> str:
        return f"larger than {self.max_bytes // 1_000_000} MB (limits.megabytes)"

    def _copy(self, stream: IO[bytes], path: Path, chunk: int) -> tuple[int, str] | None:
        """Write the stream to ``path``: its size and sha256; None, and no file, when it holds more than a member may."""
        digest, size, whole = hashlib.sha256(), 0, False
        with _disk(path):
            out = path.open("wb")
        try:
            while data := stream.read(chunk):
                size += len(data)
                self._charge(len(data))
                if size > self.max_bytes:
                    return None
                digest.update(data)
                with _disk(path):
                    out.write(data)
            whole = True
        finally:
            with _disk(path):
                out.close()
            if not whole:
                path.unlink(missing_ok=True)
        return size, digest.hexdigest()

    def _charge(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise _TooMuchError


def _members(archive: Path) -> Iterator[Member | None]:
    """Members of an archive, by what it is. Raises ``_DAMAGES``."""
    head = _head(archive)
    if kind := next((kind for mark, kind in _OTHERS.items() if head.startswith(mark)), None):
        raise NotImplementedError(f"{kind} cannot be read; unpack it and name the folder")
    if head.startswith(_ZIP_MARKS):
        with archive.open("rb") as file:
            yield from zip_members(file)
    else:
        yield from tape_members(archive, head)


def _is_archive(path: Path, head: bytes) -> bool:
    if head.startswith(_ZIP_MARKS):
        first = head[30:]  # the name of the first member
        return not first.startswith(_OFFICE)
    return head.startswith(tuple(_OTHERS)) or is_tape(path, head)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BLOCK)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile, which opening it will tell
        return 0


def _file_name(own: str, name: str) -> str:
    """Where a member lies, by its own name; the ending that the archive says stays, because it helps with PDFs whose header is lost."""
    suffix = PurePosixPath(name).suffix
    kept = suffix.lower() if len(suffix) < 8 and suffix[1:].isascii() and suffix[1:].isalnum() else ""
    return hashlib.sha256(own.encode()).hexdigest()[:24] + kept


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Raises OutboxError where the disk does not take what is written."""
    try:
        yield
    except OSError as error:
        raise OutboxError(
            f"{path.parent}: cannot be written: {error.strerror or error}",
            "free disk space, then run again; what was read is kept",
        ) from error


class UnpackedFiles:
    """Members that lie unpacked: so many that readers and engine never wait, so few that no disk fills."""

    def __init__(self, files: int = MOST_FILES, size: int = MOST_BYTES) -> None:
        self._most_files, self._most_bytes = files, size
        self._sizes: dict[Path, int] = {}

    @property
    def full(self) -> bool:
        """Whether the next one has to wait."""
        return len(self._sizes) >= self._most_files or sum(self._sizes.values()) >= self._most_bytes

    def add(self, item: UnpackedMember) -> None:
        """One more."""
        self._sizes[item.path] = item.size

    def remove(self, path: Path) -> None:
        """Nobody needs this file any longer; nothing happens to one that is not ours."""
        if self._sizes.pop(path, None) is not None:
            path.unlink(missing_ok=True)
