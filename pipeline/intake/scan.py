"""Lists the files of the inbox and of the command line, in a stable order.

Hidden files, the program's own folders, and unfinished downloads (by their names) are skipped. A symbolic link is followed only to a file
inside the inbox. Pipes, sockets and devices are never opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.records import Source

UNFINISHED_SUFFIXES = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", ".!ut", "~")
"""Suffixes that browsers, sync programs and editors give to files that they are still writing."""
REASON_ENDING = ".reason.txt"
"""Suffix of a text that says why the file beside it was set aside. It is no document, also when both are moved back."""
IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini"})
NO_REGULAR_FILE = "no regular file"
MAX_NAME = 240
"""Bytes of a file name in the outbox. ``.json`` and a temporary suffix still fit into the 255 bytes of file systems."""


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file of the inbox with the size and time that it had when it was listed."""

    source: Source
    size: int
    mtime_ns: int
    sha256: str | None = field(default=None, compare=False)
    """Hash of its contents, where the caller has it already."""


OutboxNamer = Callable[[Path, str], str]
"""Absolute path and preferred name → the file's name in the outbox, which no other file has."""

SkipCallback = Callable[[str, str], None]
"""Called with the name and the reason of each file or folder that may hold documents but cannot be read."""

FileStates = Mapping[str, tuple[int, int]]
"""Size and time (nanoseconds) by absolute path. A file in the same state is not listed again."""


@dataclass(frozen=True)
class Inbox:
    """A folder of documents, without the program's own folders (outbox, archive) that may lie inside it."""

    folder: Path
    own_folders: tuple[Path, ...]
    shard: tuple[int, int] | None = None
    """(3, 16) reads the third of sixteen shards; None reads all files."""

    @property
    def root(self) -> Path:
        """The folder with symbolic links resolved."""
        return self.folder.resolve()

    def contains(self, path: Path) -> bool:
        """Whether ``path`` lies in the inbox and in none of the program's own folders."""
        return path.is_relative_to(self.root) and not any(path.is_relative_to(folder.resolve()) for folder in self.own_folders)

    def is_in_shard(self, relative: str) -> bool:
        """Whether the file with this path below the inbox belongs to ``shard``."""
        if self.shard is None:
            return True
        number, of = self.shard
        digest = hashlib.sha256(relative.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % of == number - 1


def scan_inbox(
    inbox: Inbox, namer: OutboxNamer, on_skip: SkipCallback, unchanged: FileStates | None = None
) -> Iterator[InboxFile]:
    """All files below the inbox, sorted by path, except those whose state is in ``unchanged``."""
    root = inbox.root
    for path in _walk(root, inbox, on_skip, unchanged or {}):
        if inbox.is_in_shard(relative_path(path, root)) and (file := stat_file(path, root, namer)):
            yield file


def scan_arguments(arguments: Iterable[Path], inbox: Inbox, namer: OutboxNamer, on_skip: SkipCallback) -> Iterator[InboxFile]:
    """Files and folders of the command line, read where they are. Paths inside the inbox keep their relative path.

    Raises SettingsError for a path that does not exist.
    """
    for argument in arguments:
        path = argument.resolve()
        if not path.exists():
            raise SettingsError(f"{argument}: no such file or folder", "check the path; nothing was read of it")
        root = inbox.root if inbox.contains(path) else path.parent
        for below in _walk(path, inbox, on_skip, {}) if path.is_dir() else [path]:
            if not inbox.is_in_shard(relative_path(below, root)):
                continue
            if file := stat_file(below, root, namer):
                yield file
            elif below == path:
                on_skip(str(path), NO_REGULAR_FILE)


def stat_file(path: Path, root: Path, namer: OutboxNamer) -> InboxFile | None:
    """The file at ``path``; None when it is gone, is no regular file, or is a link that leads out of ``root``."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            if not path.resolve().is_relative_to(root):
                return None
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
    except (OSError, RuntimeError):  # deleted meanwhile, or a loop of links
        return None
    relative = relative_path(path, root)
    printable = relative.encode(errors="surrogateescape").decode(errors="replace")
    return InboxFile(Source(path, namer(path, outbox_name(relative)), printable), status.st_size, status.st_mtime_ns)


def relative_path(path: Path, root: Path) -> str:
    """The path below ``root``. ``Path.relative_to`` takes as long as everything else that a scan does with a file."""
    return os.fspath(path)[len(os.fspath(root)) :].lstrip("/")


def is_candidate(name: str) -> bool:
    """Whether a file or folder may hold documents, judged by its name only."""
    lowered = name.lower()
    return not (lowered.startswith(".") or lowered.endswith((*UNFINISHED_SUFFIXES, REASON_ENDING)) or lowered in IGNORED_NAMES)


def outbox_name(relative: str) -> str:
    """A path below the outbox that every file system accepts. Control characters become ``_``; long names end in a hash."""
    if relative.isprintable() and len(relative.encode()) <= MAX_NAME:  # nearly all
        return relative
    parts = []
    for part in relative.split("/"):
        clean = "".join(c if c.isprintable() else "_" for c in part.encode(errors="surrogateescape").decode(errors="replace"))
        if len(clean.encode()) > MAX_NAME or clean != part:
            digest = hashlib.sha256(part.encode(errors="surrogateescape")).hexdigest()[:8]
            clean = clean.encode()[: MAX_NAME - 9].decode(errors="ignore") + "~" + digest
        parts.append(clean)
    return "/".join(parts)


def _walk(folder: Path, inbox: Inbox, on_skip: SkipCallback, unchanged: FileStates) -> Iterator[Path]:
    """Files below ``folder``, sorted by path, without the program's own folders. ``on_skip`` gets the folders that cannot be listed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        on_skip(str(folder), f"cannot be listed: {error.strerror or error}")
        return
    own_folders = {str(own.resolve()) for own in inbox.own_folders}
    for entry in entries:
        if not is_candidate(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.path not in own_folders:
                yield from _walk(Path(entry.path), inbox, on_skip, unchanged)
        elif not _is_unchanged(entry, unchanged):
            yield Path(entry.path)


def _is_unchanged(entry: os.DirEntry[str], unchanged: FileStates) -> bool:
    before = unchanged.get(entry.path)
    if before is None:
        return False
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == before
