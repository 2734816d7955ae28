"""What lies in the inbox, and what was named on the command line: files as Sources, in a stable order.

Hidden files, our own outbox, and names that programs give to unfinished downloads are passed over. Symbolic links are followed only
to files that lie inside the inbox; pipes, sockets and devices are never opened.
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

UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", ".!ut", "~")
"""Endings that browsers, sync programs and editors give to files they are still writing."""
REASON_ENDING = ".reason.txt"
"""Of files that say why another one was set aside; moved back together with it, they are no documents."""
IGNORED_NAMES = frozenset({"thumbs.db", "desktop.ini"})
MAX_NAME = 240
"""Bytes of a file name in the outbox, so that ``.json`` and a temporary suffix still fit into 255."""


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file that was seen, with the size and time that tell whether it changed."""

    source: Source
    size: int
    mtime_ns: int
    sha256: str | None = field(default=None, compare=False)
    """Of its contents, where whoever found it has reckoned it already."""


Namer = Callable[[Path, str], str]
"""(absolute path, wanted name) to the name in the outbox, free of collisions."""


SkipCallback = Callable[[str, str], None]
"""Told of what is passed over though it looks like a document's place: name, why."""


FileStates = Mapping[str, tuple[int, int]]
"""Absolute paths that need not be looked at while size and time (nanoseconds) are these."""


@dataclass(frozen=True)
class Inbox:
    """Where to look: the inbox, and the folders that may lie inside of it but are ours (outbox, archive)."""

    folder: Path
    ours: tuple[Path, ...]
    part: tuple[int, int] | None = None
    """(3, 16) is the third of sixteen parts; None is all of it."""

    @property
    def root(self) -> Path:
        """The inbox without links."""
        return self.folder.resolve()

    def holds(self, path: Path) -> bool:
        """Whether ``path`` lies in the inbox and in none of our folders."""
        return path.is_relative_to(self.root) and not any(path.is_relative_to(folder.resolve()) for folder in self.ours)

    def takes(self, relative: str) -> bool:
        """Whether a file of this path below the inbox belongs to our part of it."""
        if self.part is None:
            return True
        number, of = self.part
        digest = hashlib.sha256(relative.encode(errors="surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % of == number - 1


def scan_inbox(inbox: Inbox, name: Namer, left: SkipCallback, unchanged: FileStates | None = None) -> Iterator[InboxFile]:
    """All files below the inbox, sorted by path, but for those that are ``unchanged``."""
    root = inbox.root
    for path in _walk(root, inbox, left, unchanged or {}):
        if inbox.takes(relative_path(path, root)) and (found := stat_file(path, root, name)):
            yield found


def scan_arguments(arguments: Iterable[Path], inbox: Inbox, name: Namer, left: SkipCallback) -> Iterator[InboxFile]:
    """Files and folders named on the command line, read where they lie; those in the inbox keep their place in it.

    Raises SettingsError for a path that is not there.
    """
    for argument in arguments:
        path = argument.resolve()
        if not path.exists():
            raise SettingsError(f"{argument}: no such file or folder", "check the path; nothing was read of it")
        root = inbox.root if inbox.holds(path) else path.parent
        for below in _walk(path, inbox, left, {}) if path.is_dir() else [path]:
            if inbox.takes(relative_path(below, root)) and (found := stat_file(below, root, name)):
                yield found


def stat_file(path: Path, root: Path, name: Namer) -> InboxFile | None:
    """``path`` as an InboxFile, or None when it is gone, no regular file, or a link that leads out of ``root``."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            if not path.resolve().is_relative_to(root):
                return None
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None
    except (OSError, RuntimeError):  # gone meanwhile, or a loop of links
        return None
    relative = relative_path(path, root)
    told = relative.encode(errors="surrogateescape").decode(errors="replace")
    return InboxFile(Source(path, name(path, outbox_name(relative)), told), status.st_size, status.st_mtime_ns)


def relative_path(path: Path, root: Path) -> str:
    """The path below ``root``; ``relative_to`` takes as long as all else that is done about a file here."""
    return os.fspath(path)[len(os.fspath(root)) :].lstrip("/")


def is_candidate(name: str) -> bool:
    """Whether a file or folder of this name is looked at, by its name alone."""
    lowered = name.lower()
    return not (lowered.startswith(".") or lowered.endswith((*UNFINISHED, REASON_ENDING)) or lowered in IGNORED_NAMES)


def outbox_name(relative: str) -> str:
    """A path below the outbox that every file system takes: control characters replaced, long names shortened with a hash."""
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


def _walk(folder: Path, inbox: Inbox, left: SkipCallback, unchanged: FileStates) -> Iterator[Path]:
    """Files below ``folder``, sorted; nothing of our own folders, of those that cannot be read only their names."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        left(str(folder), f"cannot be looked into: {error.strerror or error}")
        return
    ours = {str(own.resolve()) for own in inbox.ours}
    for entry in entries:
        if not is_candidate(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.path not in ours:
                yield from _walk(Path(entry.path), inbox, left, unchanged)
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
