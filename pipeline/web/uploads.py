"""Files that come in over the web: under a name that leads nowhere else, whole or not at all, in nobody's place, and once.

They are written below ``inbox/.uploads``, which no scan looks into, and renamed into the inbox when their last byte is on the disk. An
archive goes into the inbox as a folder of what is in it.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import os
import shutil
import time
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pipeline.intake.containers import SkippedMember, is_archive, unpack
from pipeline.intake.scan import is_candidate

FOLDER = ".uploads"
LONGEST = 200
"""Bytes of a file's name; room is left for a number."""
LEFTOVER_SECONDS = 86_400
_BAD = frozenset('<>:"|?*')


def safe_name(said: str) -> str:
    """A file name that is a name and nothing else, and that the scanner takes; ``document`` where nothing is left of it."""
    last = unicodedata.normalize("NFC", said).replace("\\", "/").rsplit("/", 1)[-1]
    plain = last.encode(errors="replace").decode()
    clean = "".join("_" if not letter.isprintable() or letter in _BAD else letter for letter in plain)
    clean = clean.strip().lstrip(".").rstrip(". ~")
    stem, dot, ending = clean.rpartition(".")
    if dot and stem and len(ending.encode()) <= 20:
        room = LONGEST - len(ending.encode()) - 1
        clean = f"{stem.encode()[:room].decode(errors='ignore')}.{ending}"
    else:
        clean = clean.encode()[:LONGEST].decode(errors="ignore")
    clean = clean or "document"
    return clean if is_candidate(clean) else f"{clean}.file"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a file lies now. ``already``: it, or one of the same name and contents, lay there before."""

    file: str
    already: bool = False


@dataclass
class Incoming:
    """A file under way: give it its bytes, then ``place`` it; leaving the block without that leaves no trace."""

    inbox: Path
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _path: Path = field(init=False)
    _file: BinaryIO = field(init=False)

    def __enter__(self) -> Incoming:
        folder = self.inbox / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{uuid.uuid4().hex}.part"
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """The next bytes."""
        self.size += len(chunk)
        self._digest.update(chunk)
        self._file.write(chunk)

    @property
    def sha256(self) -> str:
        """Of what has come."""
        return self._digest.hexdigest()

    @property
    def is_archive(self) -> bool:
        """Whether it is a zip or a tape, when all of it has come."""
        self._file.flush()
        return is_archive(self._path)

    def place(self, name: str, folder: str = "") -> Placed:
        """Put the whole file into the inbox. ``name`` gets a number where another file has it.

        ``folder`` is one below the inbox. Raises OSError, also when the folder leads out of the inbox.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        return _place(self._path, self.inbox, folder, name)

    def place_members(self, name: str, folder: str, max_bytes: int) -> tuple[list[Placed], list[str]]:
        """Put what is in the archive into the inbox, into a folder of its name; and what was passed over, with the reason.

        Raises OSError as ``place`` does, OutboxError when the disk is full.
        """
        placed: list[Placed] = []
        passed: list[str] = []
        own = self._path.with_suffix(".unpacked")
        names = (f"{folder}/{free}" if folder else free for free in _numbered(name))
        below = next(path for path in names if (self.inbox / path).is_dir() or not os.path.lexists(self.inbox / path))
        try:
            for item in unpack(self._path, own, max_bytes=max_bytes):
                if isinstance(item, SkippedMember):
                    passed += [f"{item.name or name}: {item.reason}"] if item.document_lost else []
                    continue
                *folders, last = item.name.split("/")
                placed.append(_place(item.path, self.inbox, "/".join([below, *map(safe_name, folders)]), safe_name(last)))
                item.path.unlink(missing_ok=True)
        finally:
            shutil.rmtree(own, ignore_errors=True)
        return placed, passed


def _place(whole: Path, inbox: Path, folder: str, name: str) -> Placed:
    place = inbox / folder
    if not place.resolve().is_relative_to(inbox.resolve()):
        raise OSError(f"{folder} leads out of the inbox")
    place.mkdir(parents=True, exist_ok=True)
    for candidate in _numbered(name):
        file = f"{folder}/{candidate}" if folder else candidate
        try:
            _claim(whole, place / candidate)
        except FileExistsError:
            if _same(whole, place / candidate):
                return Placed(file, already=True)
            continue
        return Placed(file)
    raise OSError("no name is left")


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    try:
        return other.is_file() and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _numbered(name: str) -> Iterator[str]:
    """``a.pdf``, ``a (2).pdf``, …"""
    yield name
    stem, dot, ending = name.rpartition(".")
    for number in range(2, 100_000):
        yield f"{stem} ({number}).{ending}" if dot else f"{name} ({number})"


def _claim(whole: Path, place: Path) -> None:
    """Give the file a second name that nobody has. Raises FileExistsError."""
    try:
        os.link(whole, place)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: take the name, then the place
        with place.open("xb"):
            pass
        whole.replace(place)


def clean_up(inbox: Path) -> None:
    """Remove what uploads left that were broken off with the server."""
    for path in (inbox / FOLDER).glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
