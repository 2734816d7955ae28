"""Records the system calls of a program that change files, with ``strace``, and reads the recording."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    *("open", "openat", "openat2", "creat", "lseek", "dup", "dup2", "dup3", "fcntl"),
    *(
        "write",
        "pwrite64",
        "writev",
        "pwritev",
        "pwritev2",
        "sendfile",
        "copy_file_range",
        "ftruncate",
        "truncate",
        "fallocate",
    ),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
    *("fsync", "fdatasync", "sync", "syncfs", "sync_file_range"),
    *("clone", "clone3", "fork", "vfork"),
)
"""Calls that are recorded. A ``?`` before a name lets strace run on machines that lack the call."""

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?:\(deleted\))?(?: .*)?$", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that has succeeded."""

    process: int
    name: str
    arguments: tuple[str, ...]
    """As strace prints them; strings are hexadecimal, file descriptors have their path."""
    result: int


def start_recorded(command: Sequence[str], recording: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a command whose calls are written to ``recording``."""
    calls = ",".join(f"?{name}" for name in CALLS)
    strace = ["strace", "-f", "-qq", "-xx", "-y", "-s", "1000000000", "--seccomp-bpf", "-e", f"trace={calls}"]
    return subprocess.Popen([*strace, "-e", "signal=none", "-o", str(recording), *command], env=environment)


def read_calls(recording: Path) -> Iterator[Call]:
    """The calls that succeeded, in the order of their ends."""
    begun: dict[int, str] = {}
    with recording.open(encoding="ascii") as file:
        for line in file:
            if not (parts := _LINE.match(line)):
                continue
            process, text = int(parts[1]), parts[2]
            if text.endswith(_UNFINISHED):
                begun[process] = text.removesuffix(_UNFINISHED)
                continue
            if rest := _RESUMED.match(text):
                text = begun.pop(process, "") + rest[1]
            if (call := _CALL.match(text)) and int(call[3]) >= 0:
                yield Call(process, call[1], tuple(_split(call[2])), int(call[3]))


def _split(arguments: str) -> Iterator[str]:
    """Arguments at the outermost level. No string holds a comma or bracket, since all its bytes are hexadecimal."""
    depth, start = 0, 0
    for at, letter in enumerate(arguments):
        if letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and not depth:
            yield arguments[start:at].strip()
            start = at + 1
    yield arguments[start:].strip()


def text_bytes(argument: str) -> bytes:
    """The bytes of a string, or of all strings of a list of buffers."""
    return b"".join(bytes.fromhex(piece.replace("\\x", "")) for piece in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', argument))


def descriptor(argument: str) -> tuple[int | None, Path | None]:
    """Number and path of a file descriptor; no number for AT_FDCWD, no path for what is no file."""
    parts = re.match(r"(-?\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2})+)>)?", argument)
    if not parts:
        return None, None
    path = bytes.fromhex(parts[2].replace("\\x", "")).decode(errors="surrogateescape") if parts[2] else ""
    return None if parts[1] == "AT_FDCWD" else int(parts[1]), Path(path) if path.startswith("/") else None
