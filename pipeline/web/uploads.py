"""Uploaded files: each gets a safe name in the inbox, is complete or absent, overwrites no other file, and is stored once.

They are written below ``inbox/.uploads``, which scans skip, and moved into the inbox when their last byte is on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pipeline.intake.scan import is_candidate
from pipeline.safe_open import open_file, open_folder, open_named_file

FOLDER = ".uploads"
MAX_NAME_BYTES = 200
"""Of a file's name; file systems permit 255, so a number can be added."""
MAX_FOLDERS = 15
"""Folders of one path."""
LEFTOVER_SECONDS = 86_400
"""Age at which an unfinished upload is removed."""
_FORBIDDEN = frozenset('<>:"|?*')


def safe_name(name: str) -> str:
    """The last part of a path as a file name that the scanner accepts; ``document`` when no character of it is permitted."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = last.encode(errors="replace").decode()
    clean = "".join("_" if not letter.isprintable() or letter in _FORBIDDEN else letter for letter in plain)
    clean = clean.strip().lstrip(".").rstrip(". ~")
    stem, dot, ending = clean.rpartition(".")
    if dot and stem and len(ending.encode()) <= 20:
        room = MAX_NAME_BYTES - len(ending.encode()) - 1
        clean = f"{stem.encode()[:room].decode(errors='ignore')}.{ending}"
    else:
        clean = clean.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    clean = clean or "document"
    return clean if is_candidate(clean) else f"{clean}.file"


def safe_folder(path: str) -> str:
    """A path of folders below the inbox, each with a safe name; at most ``MAX_FOLDERS`` of them, the innermost ones."""
    parts = [part for part in path.replace("\\", "/").split("/") if part.strip(". ")]
    return "/".join(safe_name(part) for part in parts[-MAX_FOLDERS:])


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Path of a file below the inbox. ``already``: a file of this name and these contents was there before."""

    file: str
    already: bool = False


@dataclass
class Upload:
    """A file that is being received: ``write`` its bytes, then ``store`` it. Otherwise nothing is left when the block ends."""

    inbox: Path
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _path: Path = field(init=False)
    _file: BinaryIO = field(init=False)

    def __enter__(self) -> Upload:
        folder = self.inbox.resolve() / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{uuid.uuid4().hex}.part"
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.size += len(chunk)
        self._digest.update(chunk)
        self._file.write(chunk)

    @property
    def sha256(self) -> str:
        """Hash of the bytes so far."""
        return self._digest.hexdigest()

    def store(self, name: str, folder: str = "") -> StoredFile:
        """Move the complete file into ``folder`` below the inbox. ``name`` gets a number when another file has it.

        Raises OSError, also when the folder is outside of the inbox.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        return _store(self._path, self.inbox, folder, name)


def _store(source: Path, inbox: Path, folder: str, name: str) -> StoredFile:
    target = inbox / folder
    target = Path(os.path.realpath(target))
    if not target.is_relative_to(inbox.resolve()):
        raise OSError(f"{folder} is outside of the inbox")
    target.mkdir(parents=True, exist_ok=True)
    descriptor = open_folder(target)  # stays on this folder when the path gets a link to another one
    try:
        for candidate in _numbered_names(name):
            file = f"{folder}/{candidate}" if folder else candidate
            try:
                _move_new(source, candidate, descriptor)
            except FileExistsError:
                if _has_same_contents(source, target / candidate):
                    return StoredFile(file, already=True)
                continue
            return StoredFile(file)
    finally:
        os.close(descriptor)
    raise OSError("every numbered name is in use")


def _has_same_contents(one: Path, other: Path) -> bool:
    try:
        with open_file(one) as stored, open_named_file(other) as present:
            sizes = [os.fstat(file.fileno()).st_size for file in (stored, present)]
            return sizes[0] == sizes[1] and _digest(stored) == _digest(present)
    except OSError:
        return False


def _digest(file: BufferedReader) -> bytes:
    return hashlib.file_digest(file, "sha256").digest()


def _numbered_names(name: str) -> Iterator[str]:
    """``a.pdf``, ``a (2).pdf``, …"""
    yield name
    stem, dot, ending = name.rpartition(".")
    for number in range(2, 100_000):
        yield f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"


def _move_new(source: Path, name: str, folder: int) -> None:
    """Give the file a name in the folder with this descriptor. Raises FileExistsError when another file has it."""
    try:
        os.link(source, name, dst_dir_fd=folder)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: an empty file reserves the name first
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder))
        os.replace(source, name, dst_dir_fd=folder)


def clean_up(inbox: Path) -> None:
    """Remove unfinished uploads of a server that was killed."""
    for path in (inbox / FOLDER).glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
