"""Archives (.zip, .tar, .tar.gz, .tar.xz) as folders: members are unpacked one at a time, never outside their place.

Members that are links, devices, encrypted, or named to climb out of the folder are passed over and named in ``refused``; a damaged
member is named in ``damaged`` and the others go on. Sizes are counted while unpacking, because headers lie.
"""

from __future__ import annotations

import errno
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import OutboxError, SettingsError
from pipeline.intake.scan import is_candidate, outbox_name

CHUNK = 1 << 20

Member = tuple[str, str, Callable[[], IO[bytes]] | None]
"""Name, why it is refused or "", and how to open it."""


@dataclass
class Unpacking:
    """What happened to an archive."""

    files: list[Path] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Members that are no documents or not safe to unpack, and why."""
    damaged: list[tuple[str, str]] = field(default_factory=list)
    """Members that should have been there, and what is wrong."""


def is_archive(path: Path) -> bool:
    """Whether ``path`` is an archive by its content, as far as that can be read."""
    try:
        return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))
    except Exception:  # something compressed that breaks off before it says what it is
        return False


def unpack(archive: Path, into: Path, *, max_bytes: int) -> Unpacking:
    """Unpack the regular files of ``archive`` below ``into``; a member above ``max_bytes`` is refused.

    Raises SettingsError when nothing of the archive can be read, OutboxError when the disk is full.
    """
    done = Unpacking()
    try:
        members = _zip_members(archive) if zipfile.is_zipfile(archive) else _tar_members(archive)
        for name, refusal, opener in members:
            if refusal or opener is None:
                done.refused.append((name, refusal))
            else:
                _unpack_member(done, name, opener, into, max_bytes)
    except OutboxError:
        raise
    except Exception as error:  # zipfile and tarfile raise whatever a broken archive leads them to
        if not done.files:
            raise SettingsError(f"{archive}: cannot be unpacked: {error}", "test the archive; it may be cut off") from error
        done.damaged.append((archive.name, f"damaged after {len(done.files)} files: {error}"))
    return done


def _unpack_member(done: Unpacking, name: str, opener: Callable[[], IO[bytes]], into: Path, max_bytes: int) -> None:
    try:
        with opener() as stream:
            target = _copy(stream, into / outbox_name(name), max_bytes)
    except tarfile.TarError:  # what follows in a tape cannot be found either
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise OutboxError(f"{into}: the disk is full", "free disk space, then run again; what was read is kept") from error
        done.damaged.append((name, f"cannot be unpacked: {error}"))
        return
    if target is None:
        done.refused.append((name, f"larger than {max_bytes // 1_000_000} MB (limits.megabytes)"))
    else:
        done.files.append(target)


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as pack:
        for info in pack.infolist():
            if info.filename.endswith("/"):
                continue
            refusal = _bad_name(info.filename) or ("encrypted" if info.flag_bits & 1 else "")
            refusal = refusal or ("a link" if stat.S_ISLNK(info.external_attr >> 16) else "")
            yield info.filename, refusal, partial(pack.open, info)


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, "r:*", errors="surrogateescape") as tape:
        last = -1
        for member in tape:
            if member.offset <= last:  # tarfile follows a negative size for ever (CVE-2025-8194)
                raise tarfile.ReadError("a member leads back to one before it")
            last = member.offset
            if not member.isdir():
                refusal = _bad_name(member.name) or ("" if member.isreg() else "a link or device")
                yield member.name, refusal, partial(_extract, tape, member)


def _extract(tape: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = tape.extractfile(member)
    if stream is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    return stream


def _bad_name(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        return "its name leads out of the archive"
    if not path.parts:
        return "it has no name"
    return "" if all(map(is_candidate, path.parts)) else "hidden or unfinished"


def _copy(stream: IO[bytes], target: Path, max_bytes: int) -> Path | None:
    """Write the stream to ``target`` (numbered where that is taken); None when it holds more than ``max_bytes``."""
    target.parent.mkdir(parents=True, exist_ok=True)
    free, number = target, 1
    while free.exists():
        number += 1
        free = target.with_name(f"{target.stem}~{number}{target.suffix}")
    with free.open("wb") as out:
        while chunk := stream.read(CHUNK):
            if out.tell() + len(chunk) > max_bytes:
                break
            out.write(chunk)
        else:
            return free
    free.unlink()
    return None
