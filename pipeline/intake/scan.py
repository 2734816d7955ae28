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
from pipeline.safe_open import FileState, file_numbers, file_status, link_target

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
    numbers: tuple[int, int] | None = None
    """Device and inode; None where they are not known, or may change while the file does not."""
    target: Path | None = None
    """The file to which ``source.path`` leads, where that is a symbolic link."""

    @property
    def inode(self) -> str | None:
        """The inode as the ledger has it; None where it is not known, or may change while the file does not."""
        return str(self.numbers[1]) if self.numbers else None

    @property
    def location(self) -> Path:
        """Path of the file itself, without symbolic links."""
        return self.target or self.source.path

    @property
    def state(self) -> FileState:
        """What an opened file must match."""
        return FileState(self.size, self.mtime_ns, self.numbers)


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
    """The file at ``path``; None when it is gone, is no regular file, is a link that leads out of ``root``, or lies behind a link."""
    found = _status(path, root)
    if found is None:
        return None
    status, target = found
    relative = relative_path(path, root)
    printable = relative.encode(errors="surrogateescape").decode(errors="replace")
    source = Source(path, namer(path, outbox_name(relative)), printable)
    return InboxFile(source, status.st_size, status.st_mtime_ns, numbers=file_numbers(status), target=target)


def file_of_source(source: Source, inbox: Path) -> InboxFile | None:
    """A known file as it is now; None as for ``stat_file``."""
    found = _status(source.path, _link_root(source.path, inbox))
    if found is None:
        return None
    status, target = found
    return InboxFile(source, status.st_size, status.st_mtime_ns, numbers=file_numbers(status), target=target)


def file_location(path: Path, inbox: Path) -> Path:
    """The file itself: ``path``, or the target where it is a link to a file in the same inbox, or elsewhere below its own folder."""
    return (link_target(path, _link_root(path, inbox)) or path) if path.is_symlink() else path


def _link_root(path: Path, inbox: Path) -> Path:
    """The folder out of which a link at ``path`` must not lead."""
    root = inbox.resolve()
    return root if path.is_relative_to(root) else path.parent


def _status(path: Path, root: Path) -> tuple[os.stat_result, Path | None] | None:
    """The status of a regular file, and the file itself where ``path`` is a link; None as for ``stat_file``."""
    target = None
    try:
        status = file_status(path)
        if stat.S_ISLNK(status.st_mode):
            target = link_target(path, root)
            if target is None:
                return None
            status = file_status(target)
    except OSError:  # deleted meanwhile
        return None
    return (status, target) if stat.S_ISREG(status.st_mode) else None


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
