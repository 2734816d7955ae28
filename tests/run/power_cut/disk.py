"""A model of a disk that remembers which changes were synced. After a cut it keeps these, and by chance some others.

What a journaling file system may leave behind:

* the bytes of a file as of its last sync, and by chance some of the later writes: all, the first ones with the last one torn, or any of
  them, with zeros in the gaps;
* the names in a folder as of its last sync, and by chance some of the later changes, in any order between names. A rename is one change.
  No change of a name is kept without the earlier changes of that name and the creation of the folder that holds it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.run.power_cut.system_calls import Call, descriptor, text_bytes

SHARED_MEMORY = "-shm"
"""End of the names of SQLite's files of shared memory. They are written without calls, and made anew after a crash."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its bytes, and its modification time in nanoseconds where that is known."""

    data: bytes
    mtime_ns: int | None = field(default=None, compare=False)


Tree = Mapping[Path, StoredFile | None]
"""Absolute paths with their files; None for a folder."""


@dataclass(eq=False)
class Node:
    """A file or a folder of the model."""

    kind: Literal["file", "folder"]
    data: bytearray = field(default_factory=bytearray)
    """Bytes of a file as programs see them."""
    saved: bytes = b""
    """Bytes of a file as of its last sync."""
    unsaved: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since then: offset and bytes, or a new size and None."""
    mtime_ns: int | None = None
    """Of a file that has not changed since the beginning."""
    entries: dict[str, Node] = field(default_factory=dict)
    """Names in a folder as programs see them."""
    first_entries: dict[str, Node] = field(default_factory=dict)
    """Names in a folder at the beginning."""

    def write(self, offset: int, piece: bytes | None) -> None:
        """Write bytes, or set the size to ``offset``."""
        self.unsaved.append((offset, piece))
        self.mtime_ns = None
        _write(self.data, offset, piece)

    def sync(self) -> None:
        """Keep all bytes."""
        self.saved = bytes(self.data)
        self.unsaved.clear()


@dataclass(eq=False)
class Change:
    """A change of names: each edit sets a name in a folder to a node, or removes it."""

    edits: tuple[tuple[Node, str, Node | None], ...]
    saved: bool = False


@dataclass(eq=False)
class _OpenFile:
    node: Node
    position: int = 0
    appends: bool = False


class Disk:
    """Some folders of a machine (``roots``), which hold ``tree`` at the beginning and change by the calls of a recording.

    ``late`` are files that another program brings while the recorded one works. They are on the disk once they are opened.
    """

    def __init__(self, roots: Iterable[Path], tree: Tree, late: Tree | None = None) -> None:
        self._roots = {root: Node("folder") for root in roots}
        self.late = dict(late or {})
        self._files: dict[tuple[int, int], _OpenFile] = {}
        self._groups: dict[int, int] = {}
        self._changes: list[Change] = []
        for path, file in sorted(tree.items()):
            if path not in self._roots:
                self._add(path, file)

    def _add(self, path: Path, file: StoredFile | None) -> Node:
        """Add a file or folder that is synced."""
        place = self._place(path)
        assert place, f"{path} is in none of the folders"
        node = Node("file", bytearray(file.data), file.data, mtime_ns=file.mtime_ns) if file else Node("folder")
        place[0].entries[place[1]] = place[0].first_entries[place[1]] = node
        return node

    # ---- calls ------------------------------------------------------------------------------------------

    def apply(self, call: Call) -> None:
        """Carry out a call. Calls on other folders are ignored."""
        arguments = call.arguments
        match call.name:
            case "clone" | "clone3" | "fork" | "vfork":
                self._start_process(call)
            case "open":
                self._open(call, _path(arguments[0]), arguments[1])
            case "openat":
                self._open(call, _path_at(*arguments[:2]), arguments[2])
            case "creat":
                self._open(call, _path(arguments[0]), "O_CREAT|O_TRUNC")
            case "dup" | "dup2" | "dup3" | "fcntl":
                if call.name != "fcntl" or "F_DUPFD" in arguments[1]:
                    self._duplicate(call)
            case "lseek":
                if file := self._file(call, arguments[0]):
                    file.position = call.result
            case "write" | "writev":
                self._write(call, arguments[0], text_bytes(arguments[1])[: call.result])
            case "pwrite64" | "pwritev" | "pwritev2":
                self._write(call, arguments[0], text_bytes(arguments[1])[: call.result], int(arguments[3]))
            case "sendfile":
                self._copy(call, arguments[1], arguments[2], arguments[0], "NULL")
            case "copy_file_range":
                self._copy(call, *arguments[:4])
            case "ftruncate":
                if file := self._file(call, arguments[0]):
                    file.node.write(int(arguments[1]), None)
            case "truncate":
                if node := self._node(_path(arguments[0])):
                    node.write(int(arguments[1]), None)
            case "fallocate":
                file, end = self._file(call, arguments[0]), int(arguments[2]) + int(arguments[3])
                if file and arguments[1] == "0" and end > len(file.node.data):
                    file.node.write(end, None)
            case "fsync" | "fdatasync":
                if file := self._file(call, arguments[0]):
                    self._sync(file.node)
            case "sync" | "syncfs":
                self._sync_all()
            case _:
                self._change_names(call)

    def _change_names(self, call: Call) -> None:
        arguments = call.arguments
        match call.name:
            case "rename":
                self._rename(_path(arguments[0]), _path(arguments[1]))
            case "renameat" | "renameat2":
                self._rename(_path_at(*arguments[:2]), _path_at(*arguments[2:4]))
            case "link":
                self._link(_path(arguments[0]), _path(arguments[1]))
            case "linkat":
                self._link(_path_at(*arguments[:2]), _path_at(*arguments[2:4]))
            case "mkdir":
                self._change(_path(arguments[0]), Node("folder"))
            case "mkdirat":
                self._change(_path_at(*arguments[:2]), Node("folder"))
            case "unlink" | "rmdir":
                self._change(_path(arguments[0]), None)
            case "unlinkat":
                self._change(_path_at(*arguments[:2]), None)
            case _:
                pass

    def _start_process(self, call: Call) -> None:
        """A thread shares the open files of its process; a child gets copies of them."""
        parent = self._group(call.process)
        flags = " ".join(call.arguments)
        if "CLONE_THREAD" in flags or "CLONE_FILES" in flags:
            self._groups[call.result] = parent
        else:
            self._files |= {(call.result, number): file for (group, number), file in self._files.items() if group == parent}

    def _group(self, process: int) -> int:
        return self._groups.get(process, process)

    def _open(self, call: Call, path: Path, flags: str) -> None:
        key = self._group(call.process), call.result
        self._files.pop(key, None)
        if path in self.late:
            self._add(path, self.late.pop(path))
        if self._place(path) is None:
            return
        node = self._node(path)
        if node is None:
            node = Node("file")
            self._change(path, node)
        elif "O_TRUNC" in flags:
            node.write(0, None)
        self._files[key] = _OpenFile(node, appends="O_APPEND" in flags)

    def _duplicate(self, call: Call) -> None:
        if file := self._file(call, call.arguments[0]):
            self._files[self._group(call.process), call.result] = file

    def _file(self, call: Call, argument: str) -> _OpenFile | None:
        """The open file of the model. Its number may belong to a pipe or to a file elsewhere by now."""
        number, path = descriptor(argument)
        known = number is not None and path is not None and any(path.is_relative_to(root) for root in self._roots)
        return self._files.get((self._group(call.process), number)) if known and number is not None else None

    def _write(self, call: Call, argument: str, piece: bytes, offset: int | None = None) -> None:
        if file := self._file(call, argument):
            at = len(file.node.data) if file.appends else file.position if offset is None else offset
            file.node.write(at, piece)
            if offset is None:
                file.position = at + len(piece)

    def _copy(self, call: Call, source: str, source_offset: str, target: str, target_offset: str) -> None:
        """Copy between two files; an offset that is NULL is the position of the file."""
        if (file := self._file(call, source)) is None:
            return
        given = _offset(source_offset)
        begin = file.position if given is None else given
        if given is None:
            file.position += call.result
        self._write(call, target, bytes(file.node.data[begin : begin + call.result]), _offset(target_offset))

    def _sync(self, node: Node) -> None:
        if node.kind == "file":
            node.sync()
            return
        of_folder = [change for change in self._changes if any(folder is node for folder, *_ in change.edits)]
        for change in self._with_needed(of_folder):
            change.saved = True

    def _sync_all(self) -> None:
        for root in self._roots.values():
            for node in _nodes(root):
                node.sync()
        for change in self._changes:
            change.saved = True

    # ---- names ------------------------------------------------------------------------------------------

    def _place(self, path: Path) -> tuple[Node, str] | None:
        """The folder and the name of a path; an empty name for a root. None outside of the roots, and where no such folder is."""
        for root, node in self._roots.items():
            if path == root:
                return node, ""
            if path.is_relative_to(root):
                *folders, name = path.relative_to(root).parts
                folder: Node | None = node
                for part in folders:
                    folder = folder.entries.get(part) if folder else None
                return (folder, name) if folder else None
        return None

    def _node(self, path: Path) -> Node | None:
        place = self._place(path)
        return place and (place[0].entries.get(place[1]) if place[1] else place[0])

    def _change(self, path: Path, node: Node | None) -> None:
        if place := self._place(path):
            self._edit((*place, node))

    def _link(self, old: Path, new: Path) -> None:
        if node := self._node(old):
            self._change(new, node)

    def _rename(self, old: Path, new: Path) -> None:
        source, target, node = self._place(old), self._place(new), self._node(old)
        if source and target and node and self._node(new) is not node:
            self._edit((*source, None), (*target, node))

    def _edit(self, *edits: tuple[Node, str, Node | None]) -> None:
        self._changes.append(Change(edits))
        for folder, name, node in edits:
            _set(folder.entries, name, node)

    # ---- the cut ----------------------------------------------------------------------------------------

    def tree(self) -> Tree:
        """What programs see now."""
        return self._left({id(change) for change in self._changes}, None)

    def cut(self, chance: random.Random) -> Tree:
        """What may be left after a power cut now."""
        unsaved = [change for change in self._changes if not change.saved]
        match chance.choice(("none", "first", "any", "any")):
            case "none":
                kept = []
            case "first":
                kept = unsaved[: chance.randint(0, len(unsaved))]
            case _:
                share = chance.random()
                kept = [change for change in unsaved if chance.random() < share]
        saved = [change for change in self._changes if change.saved]
        return self._left({id(change) for change in [*saved, *self._with_needed(kept)]}, chance)

    def _with_needed(self, changes: Iterable[Change]) -> list[Change]:
        """These changes and the earlier ones without which they cannot be on the disk."""
        needed = {id(change) for change in changes}
        names: set[tuple[int, str]] = set()
        folders: set[int] = set()
        found = []
        for change in reversed(self._changes):
            touches = any((id(folder), name) in names for folder, name, _ in change.edits)
            makes_folder = any(id(node) in folders for *_, node in change.edits)
            if id(change) in needed or touches or makes_folder:
                found.append(change)
                names |= {(id(folder), name) for folder, name, _ in change.edits}
                folders |= {id(folder) for folder, *_ in change.edits}
        return found

    def _left(self, kept: set[int], chance: random.Random | None) -> Tree:
        entries: dict[int, dict[str, Node]] = {}
        for change in self._changes:
            if id(change) in kept:
                for folder, name, node in change.edits:
                    _set(entries.setdefault(id(folder), dict(folder.first_entries)), name, node)
        tree: dict[Path, StoredFile | None] = {}

        def add(path: Path, node: Node) -> None:
            if node.kind == "file":
                data = bytes(node.data) if chance is None else _left_bytes(node, chance)
                tree[path] = StoredFile(data, node.mtime_ns)
                return
            tree[path] = None
            for name, below in sorted(entries.get(id(node), node.first_entries).items()):
                if not name.endswith(SHARED_MEMORY):
                    add(path / name, below)

        for root, node in self._roots.items():
            add(root, node)
        return tree


def read_tree(roots: Iterable[Path]) -> dict[Path, StoredFile | None]:
    """Folders as they are, without SQLite's shared memory."""
    tree: dict[Path, StoredFile | None] = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))]:
            if path.is_dir():
                tree[path] = None
            elif not path.name.endswith(SHARED_MEMORY):
                tree[path] = StoredFile(path.read_bytes(), path.stat().st_mtime_ns)
    return tree


def write_tree(roots: Iterable[Path], tree: Tree) -> None:
    """Replace the contents of folders by those of a tree."""
    for root in roots:
        shutil.rmtree(root)
        root.mkdir()
    for path, file in sorted(tree.items()):
        if file is None:
            path.mkdir(exist_ok=True)
            continue
        path.write_bytes(file.data)
        if file.mtime_ns is not None:
            os.utime(path, ns=(file.mtime_ns, file.mtime_ns))


def _left_bytes(node: Node, chance: random.Random) -> bytes:
    """What is left of a file."""
    data, writes = bytearray(node.saved), node.unsaved
    match chance.choice(("none", "all", "first", "any")):
        case "none":
            writes = []
        case "first":
            writes = writes[: chance.randint(0, len(writes))]
            if writes and (torn := writes[-1][1]):
                writes = [*writes[:-1], (writes[-1][0], torn[: chance.randint(0, len(torn))])]
        case "any":
            writes = [write for write in writes if chance.random() < 0.5]
        case _:
            pass
    for offset, piece in writes:
        _write(data, offset, piece)
    return bytes(data)


def _write(data: bytearray, offset: int, piece: bytes | None) -> None:
    """Write bytes, or set the size to ``offset``. A gap is filled with zeros."""
    if piece is None:
        del data[offset:]
    data.extend(bytes(max(0, offset - len(data))))
    if piece is not None:
        data[offset : offset + len(piece)] = piece


def _set(entries: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        entries.pop(name, None)
    else:
        entries[name] = node


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for below in node.entries.values():
        yield from _nodes(below)


def _offset(argument: str) -> int | None:
    """An offset that is given by its address, such as ``[12] => [40]``; None for NULL."""
    number = re.search(r"\d+", argument)
    return int(number[0]) if number else None


def _path(argument: str) -> Path:
    return Path(os.fsdecode(text_bytes(argument)))


def _path_at(folder: str, name: str) -> Path:
    return (descriptor(folder)[1] or Path("/")) / os.fsdecode(text_bytes(name))
