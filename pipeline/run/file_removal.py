"""Moves or deletes one file of this machine, if it is still the file that was read.

The file first gets a hidden name in its own folder (the claim), so that a file which takes its place in the meantime is not touched. Its
contents are compared with what was read, and no program may have it open for writing. Otherwise it gets its name back. A claim that a
crash has left is finished, or given back, by the next start.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from pipeline.ledger.removal_records import Removal
from pipeline.runtime.file_lease import FileLease
from pipeline.runtime.file_system import rename_without_replacing
from pipeline.safe_open import open_file, open_named_file

CLAIM_ENDING = ".claimed"
"""Ending of the hidden name that a file has while it is moved or deleted."""
COPY_ENDING = ".part"
CHANGED = "it has changed since it was read, and is read again"
IN_USE = "another program has it open for writing; it stays until that has closed it"
GONE = "it is no longer there"
_COPY_BYTES = 1 << 20
_NAME_BYTES = 200
"""Bytes of a file's name in a name that is made of it. File systems allow 255."""
_ENDING_BYTES = 20

_CLAIMED = re.compile(r"\.(.+)\.[0-9a-f]{8}" + re.escape(CLAIM_ENDING), re.DOTALL)
_CLAIM_NAME_BYTES = 255 - len("..12345678") - len(CLAIM_ENDING)
"""Bytes of a file's name in the name of its claim. A lost claim gives the file this name."""


class TargetFolders(Protocol):
    """The folders to which files are moved. Both methods raise OSError."""

    def make(self, removal: Removal) -> None:
        """Make the folder of the removal's target, and those that lead to it."""
        ...

    def sync_target(self, target: Path) -> None:
        """Bring the name of a copied file to the disk, with the names of new folders that lead to it."""
        ...


class KeptFileError(Exception):
    """The file stays where it is, under its name. ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ClaimLeftError(OSError):
    """A file could not be given its name back. It has the name of its claim until the next start."""


def claim_path(path: Path) -> Path:
    """A new hidden name in the folder of ``path``."""
    name = path.name
    if len(os.fsencode(name)) > _CLAIM_NAME_BYTES:
        ending = shortened(path.suffix, _ENDING_BYTES)
        name = shortened(path.stem, _CLAIM_NAME_BYTES - len(os.fsencode(ending))) + ending
    return path.with_name(f".{name}.{secrets.token_hex(4)}{CLAIM_ENDING}")


def claimed_path(claim: Path) -> Path | None:
    """The path that a file had before it got the name of a claim; None for a name that is none. A very long name is shortened."""
    match = _CLAIMED.fullmatch(claim.name)
    return claim.with_name(match[1]) if match and match[1] not in (".", "..") else None


def remove(removal: Removal, folders: TargetFolders) -> None:
    """Move or delete the file of a removal.

    Raises KeptFileError when it is no longer the file that was read or is in use, OSError when it cannot be moved or deleted; in both cases
    it has its name. Raises ClaimLeftError when it has not.
    """
    path, claim = removal.path, _claim(removal)
    with _opened(path) as file, FileLease(file.fileno()) as lease:
        _check(file, removal, lease, with_contents=not _is_copied(removal))
        named = path.lstat()
        expected = named if stat.S_ISLNK(named.st_mode) else os.fstat(file.fileno())
        path.rename(claim)
        try:
            claimed = claim.lstat()
            if (claimed.st_dev, claimed.st_ino) != (expected.st_dev, expected.st_ino):
                raise KeptFileError(CHANGED)
            _remove_claimed(removal, file, lease, folders)
        except BaseException:
            give_back(claim, path)
            raise


def finish(removal: Removal, folders: TargetFolders) -> None:
    """Move or delete a file that a crash has left with the name of its claim. Raises as ``remove``."""
    try:
        with _opened(_claim(removal)) as file, FileLease(file.fileno()) as lease:
            _check(file, removal, lease, with_contents=True)
            if removal.target and has_contents(removal.target, removal):  # it was copied before the crash
                folders.sync_target(removal.target)
                _claim(removal).unlink()
            else:
                _remove_claimed(removal, file, lease, folders)
    except BaseException:
        give_back(_claim(removal), removal.path)
        raise


def give_back(claim: Path, path: Path) -> Path:
    """Give a claimed file its name back, or one with a number where another file has that name. Returns its path.

    Raises ClaimLeftError.
    """
    target, number = path, 1
    while True:
        try:
            rename_without_replacing(claim, target)
            return target
        except FileExistsError:
            number += 1
            target = numbered(path, number)
        except OSError as error:
            raise ClaimLeftError(error.errno, f"{error.strerror}; it has the name {claim.name}") from error


def has_contents(path: Path, removal: Removal) -> bool:
    """Whether the file at ``path`` has the contents that were read. Raises OSError when it cannot be read."""
    try:
        with _opened(path) as file:
            return os.fstat(file.fileno()).st_size == removal.size and _sha256(file) == removal.sha256
    except KeptFileError:
        return False


def numbered(path: Path, number: int) -> Path:
    """The path with a number in its name: ``name-2.ext``."""
    ending = shortened(path.suffix, _ENDING_BYTES)
    return path.with_name(f"{shortened(path.stem, _NAME_BYTES)}-{number}{ending}")


def shortened(name: str, limit: int = _NAME_BYTES) -> str:
    """The first letters of a name that is longer than ``limit`` bytes; any other name as it is."""
    content = os.fsencode(name)
    return name if len(content) <= limit else content[:limit].decode(errors="ignore")


def _claim(removal: Removal) -> Path:
    assert removal.claim is not None  # noqa: S101 - every file of this machine has one
    return removal.claim


def _opened(path: Path) -> BufferedReader:
    """A regular file, or one that a link leads to, opened for reading. Raises KeptFileError, OSError."""
    try:
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            raise KeptFileError(CHANGED)
        return open_named_file(path) if stat.S_ISLNK(status.st_mode) else open_file(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise KeptFileError(GONE) from error


def _check(file: BufferedReader, removal: Removal, lease: FileLease, *, with_contents: bool) -> None:
    """Raises KeptFileError unless the open file is the one that was read and no program writes to it."""
    if lease.has_writer:
        raise KeptFileError(IN_USE)
    before = os.fstat(file.fileno())
    is_same = (before.st_size, before.st_mtime_ns) == (removal.size, removal.mtime_ns)
    if not is_same or (with_contents and _sha256(file) != removal.sha256) or _state(file) != _state_of(before):
        raise KeptFileError(CHANGED)


def _is_copied(removal: Removal) -> bool:
    """Whether the target lies on another file system: its contents are then compared while they are copied."""
    folder = removal.target.parent if removal.target else removal.path
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return removal.target is not None and folder.stat().st_dev != removal.path.stat().st_dev


def _remove_claimed(removal: Removal, file: BufferedReader, lease: FileLease, folders: TargetFolders) -> None:
    claim, target = _claim(removal), removal.target
    if target is None:
        _check(file, removal, lease, with_contents=False)
        if lease.writer_waits:
            raise KeptFileError(IN_USE)
        claim.unlink()
        return
    folders.make(removal)
    if not claim.is_symlink():
        try:
            rename_without_replacing(claim, target)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
    before = _state(file)
    _copy(file, removal, target)
    try:
        folders.sync_target(target)
        if lease.writer_waits or _state(file) != before:
            raise KeptFileError(IN_USE)
        claim.unlink()
    except BaseException:
        if claim.exists():
            target.unlink()
        raise


def _copy(file: BufferedReader, removal: Removal, target: Path) -> None:
    """Copy an open file and its times. The target is there when it is whole and on the disk. Raises KeptFileError, OSError."""
    unfinished = copy_path(removal, target)
    digest = hashlib.sha256()
    file.seek(0)
    try:
        with unfinished.open("wb") as copy:
            while block := file.read(_COPY_BYTES):
                digest.update(block)
                copy.write(block)
            copy.flush()
            if digest.hexdigest() != removal.sha256:
                raise KeptFileError(CHANGED)
            shutil.copystat(_claim(removal), unfinished)
            os.fsync(copy.fileno())
        rename_without_replacing(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def copy_path(removal: Removal, target: Path) -> Path:
    """The hidden name of a copy until it is whole. A crash may leave it."""
    return target.with_name(f"{_claim(removal).name.removesuffix(CLAIM_ENDING)}{COPY_ENDING}")


def _sha256(file: BufferedReader) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _state(file: BufferedReader) -> tuple[int, int, int]:
    """Size, time of the last change of the contents, and time of the last change of anything, in nanoseconds."""
    return _state_of(os.fstat(file.fileno()))


def _state_of(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
