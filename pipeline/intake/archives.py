"""Archives (.zip, .tar, .tar.gz, .tar.xz) as folders: members are unpacked one at a time, never outside their place.

Members that are links, devices, encrypted, or named to climb out of the folder are passed over and named in ``refused``; the sizes
are counted while unpacking, because headers lie.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import SettingsError
from pipeline.intake.scan import is_candidate, outbox_name

CHUNK = 1 << 20


@dataclass
class Unpacking:
    """What happened to an archive; ``refused`` are (member, why)."""

    files: list[Path] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def is_archive(path: Path) -> bool:
    """Whether ``path`` is an archive by its content."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(archive: Path, into: Path, *, max_bytes: int) -> Unpacking:
    """Unpack the regular files of ``archive`` below ``into``; a member above ``max_bytes`` is refused.

    Raises SettingsError when the archive itself is damaged.
    """
    done = Unpacking()
    try:
        for name, refusal, stream in _members(archive):
            target = into / outbox_name(name)
            if refusal or stream is None:
                done.refused.append((name, refusal))
            elif not _copy(stream, target, max_bytes):
                done.refused.append((name, f"larger than {max_bytes // 1_000_000} MB (limits.megabytes)"))
            else:
                done.files.append(target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
        if not done.files:
            raise SettingsError(f"{archive}: cannot be unpacked: {error}", "test the archive; it may be cut off") from error
        done.refused.append((archive.name, f"damaged after {len(done.files)} files: {error}"))
    return done


def _members(archive: Path) -> Iterator[tuple[str, str, IO[bytes] | None]]:
    """(name, why it is refused or "", stream) of everything in the archive that is no folder."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as pack:
            for info in pack.infolist():
                if info.is_dir():
                    continue
                refusal = _bad_name(info.filename) or ("encrypted" if info.flag_bits & 1 else "")
                refusal = refusal or ("a link" if (info.external_attr >> 16) & 0o170000 == 0o120000 else "")
                if refusal:
                    yield info.filename, refusal, None
                    continue
                with pack.open(info) as stream:
                    yield info.filename, "", stream
        return
    with tarfile.open(archive, "r:*", errors="surrogateescape") as tape:
        for member in tape:
            if member.isdir():
                continue
            refusal = _bad_name(member.name) or ("" if member.isreg() else "a link or device")
            yield member.name, refusal, None if refusal else tape.extractfile(member)


def _bad_name(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        return "its name leads out of the archive"
    return "" if all(map(is_candidate, path.parts)) else "hidden or unfinished"


def _copy(stream: IO[bytes], target: Path, max_bytes: int) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_name(f"{target.stem}~{target.stat().st_size}{target.suffix}")
    with target.open("wb") as out:
        while chunk := stream.read(CHUNK):
            if out.tell() + len(chunk) > max_bytes:
                out.close()
                target.unlink()
                return False
            out.write(chunk)
    return True


def remove(folder: Path) -> None:
    """Remove an unpacked archive."""
    shutil.rmtree(folder, ignore_errors=True)
