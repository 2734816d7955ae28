"""Lists the files of the inbox and of the command line, in a stable order.

Hidden files, the program's own folders, and unfinished downloads (by their names) are skipped. A symbolic link is followed only to a file
inside the inbox. Pipes, sockets and devices are never opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.ignored_names import BUILT_IN_NAMES, IgnoredNames
from pipeline.intake.folder_walk import SkipCallback, walk_files
from pipeline.records import Source
from pipeline.safe_open import FileState, file_numbers, file_status, link_target, open_folder

REASON_ENDING = ".reason.txt"
"""Suffix of a text that says why the file beside it was set aside. It is no document, also when both are moved back."""
MAX_RELATIVE_BYTES, MAX_FOLDERS = 800, 100
"""Bytes and folders of a result's path below the outbox. Object stores take keys of 1,024 bytes."""
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

FileStates = Mapping[str, tuple[int, int]]
"""Size and time (nanoseconds) by absolute path. A file in the same state is not listed again."""


@dataclass(frozen=True)
class Inbox:
    """A folder of documents, without the program's own folders (outbox, archive, templates) that may lie inside it."""

    folder: Path
    own_folders: tuple[Path, ...]
    shard: tuple[int, int] | None = None
    """(3, 16) reads the third of sixteen shards; None reads all files."""
    ignored: IgnoredNames = BUILT_IN_NAMES

    @property
    def root(self) -> Path:
        """The folder with symbolic links resolved."""
        return self.folder.resolve()

    def contains(self, path: Path) -> bool:
        """Whether ``path`` lies in the inbox and in none of the program's own folders."""
        return path.is_relative_to(self.root) and not any(path.is_relative_to(folder) for folder in self.own_folders_inside())

    def own_folders_inside(self) -> list[Path]:
        """The program's own folders below the root, with links resolved."""
        root = self.root
        folders = (Path(os.path.realpath(folder)) for folder in self.own_folders)
        return [folder for folder in folders if folder != root and folder.is_relative_to(root)]

    def own_numbers(self) -> set[tuple[int, int]]:
        """Device and inode of the program's own folders: a file system may know them by other spellings of their paths."""
        numbers = set()
        for folder in self.own_folders:
            with suppress(OSError):
                status = folder.stat()
                numbers.add((status.st_dev, status.st_ino))
        return numbers

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
    yield from _scan_folder(inbox.root, inbox.root, inbox, namer, on_skip, unchanged or {})


def scan_arguments(arguments: Iterable[Path], inbox: Inbox, namer: OutboxNamer, on_skip: SkipCallback) -> Iterator[InboxFile]:
    """Files and folders of the command line, read where they are. Paths inside the inbox keep their relative path.

    Raises SettingsError for a path that does not exist or that the operating system refuses.
    """
    for argument in arguments:
        path, is_folder = _resolved(argument)
        root = inbox.root if inbox.contains(path) else path.parent
        if is_folder:
            yield from _scan_folder(path, root, inbox, namer, on_skip, {})
        elif inbox.is_in_shard(relative_path(path, root)):
            for _, file in stat_files([path], root, namer):
                if file:
                    yield file
                else:
                    on_skip(str(path), NO_REGULAR_FILE)


def inbox_entries(inbox: Inbox, on_skip: SkipCallback, folder: Path | None = None) -> Iterator[tuple[str, os.stat_result]]:
    """Path and status of all that may be a document below the inbox, or below ``folder``, without the program's own folders."""
    own_paths = set(map(str, inbox.own_folders_inside()))
    own_numbers = inbox.own_numbers()

    root = inbox.root
    top = folder or root
    base = root if top.is_relative_to(root) else top

    def is_ignored(path: str, is_folder: bool) -> bool:
        return inbox.ignored.ignores(relative_path(path, base), is_folder=is_folder)

    def is_own(path: str, status: os.stat_result) -> bool:
        return path in own_paths or (status.st_dev, status.st_ino) in own_numbers

    return walk_files(top, is_ignored, is_own, on_skip)


def stat_files(paths: Iterable[Path], root: Path, namer: OutboxNamer) -> Iterator[tuple[Path, InboxFile | None]]:
    """The files at some paths below ``root``, folder by folder.

    None for a path where no regular file is, for a link that leads out of ``root``, and for a path behind a link.
    """
    by_folder: dict[str, list[Path]] = {}
    for path in paths:
        by_folder.setdefault(os.fspath(path).rpartition("/")[0] or "/", []).append(path)
    for folder, members in by_folder.items():
        try:
            descriptor = open_folder(Path(folder))
        except OSError:  # deleted meanwhile
            yield from ((path, None) for path in members)
            continue
        try:
            for path in members:
                try:
                    status = os.stat(path.name, dir_fd=descriptor, follow_symlinks=False)
                except OSError:
                    yield path, None
                else:
                    yield path, _inbox_file(path, status, root, namer)
        finally:
            os.close(descriptor)


def _scan_folder(
    folder: Path, root: Path, inbox: Inbox, namer: OutboxNamer, on_skip: SkipCallback, unchanged: FileStates
) -> Iterator[InboxFile]:
    for path, status in inbox_entries(inbox, on_skip, folder):
        if (status.st_size, status.st_mtime_ns) == unchanged.get(path):
            continue
        if inbox.is_in_shard(relative_path(path, root)) and (file := _inbox_file(Path(path), status, root, namer)):
            yield file


def _resolved(argument: Path) -> tuple[Path, bool]:
    """A path of the command line without links, and whether it is a folder. Raises SettingsError."""
    try:
        path = Path(os.path.realpath(argument, strict=True))
        return path, stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        what = "no such file or folder" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise SettingsError(f"{argument}: {what}", "check the path; nothing was read of it") from error


def _inbox_file(path: Path, status: os.stat_result, root: Path, namer: OutboxNamer) -> InboxFile | None:
    found = _regular_file(path, status, root)
    if found is None:
        return None
    status, target = found
    relative = relative_path(path, root)
    printable = relative.encode(errors="surrogateescape").decode(errors="replace")
    source = Source(path, namer(path, outbox_name(relative)), printable)
    return InboxFile(source, status.st_size, status.st_mtime_ns, numbers=file_numbers(status), target=target)


def file_of_source(source: Source, inbox: Path) -> InboxFile | None:
    """A known file as it is now; None as for ``stat_files``."""
    try:
        found = _regular_file(source.path, file_status(source.path), _link_root(source.path, inbox))
    except OSError:
        return None
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


def _regular_file(path: Path, status: os.stat_result, root: Path) -> tuple[os.stat_result, Path | None] | None:
    """The status of a regular file, and the file itself where ``path`` is a link; None for all else.

    ``status`` is that of the path, without following a link.
    """
    target = None
    if stat.S_ISLNK(status.st_mode):
        target = link_target(path, root)
        if target is None:
            return None
        try:
            status = file_status(target)
        except OSError:  # deleted meanwhile
            return None
    return (status, target) if stat.S_ISREG(status.st_mode) else None


def relative_path(path: Path | str, root: Path) -> str:
    """The path below ``root``. ``Path.relative_to`` takes as long as everything else that a scan does with a file."""
    return os.fspath(path)[len(os.fspath(root)) :].lstrip("/")


def is_candidate(name: str) -> bool:
    """Whether a file may be a document, judged by its name only."""
    return not BUILT_IN_NAMES.ignores(name)


def outbox_name(relative: str) -> str:
    """A path below the outbox that every file system accepts. Control characters become ``_``; long names end in a hash.

    A path of very many folders, or with very long names, becomes one name.
    """
    if relative.isprintable() and len(relative.encode()) <= MAX_NAME and relative.count("/") <= MAX_FOLDERS:  # nearly all
        return relative
    raw = relative.encode(errors="surrogateescape")
    if len(raw) > MAX_RELATIVE_BYTES or relative.count("/") > MAX_FOLDERS:
        end = "".join(c if c.isprintable() and c != "/" else "_" for c in raw.decode(errors="replace")).encode()
        digest = hashlib.sha256(raw).hexdigest()[:16]
        return end[-(MAX_NAME - 17) :].decode(errors="ignore") + "~" + digest
    parts = []
    for part in relative.split("/"):
        clean = "".join(c if c.isprintable() else "_" for c in part.encode(errors="surrogateescape").decode(errors="replace"))
        if len(clean.encode()) > MAX_NAME or clean != part:
            digest = hashlib.sha256(part.encode(errors="surrogateescape")).hexdigest()[:8]
            clean = clean.encode()[: MAX_NAME - 9].decode(errors="ignore") + "~" + digest
        parts.append(clean)
    return "/".join(parts)
