"""Members of containers: what an archive or a mail says about one of them, and which names are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from pipeline.records import Reason

CHUNK = 1 << 20
DISPLAY_NAME_LENGTH = 200
"""Characters of a member's name in messages."""
UNPACK_IT = "unpack it and put the files into the inbox"
LOCKED = "encrypted; unlock its archive with the password: `pipeline unlock`, or in the web page"
"""Why a member is refused whose password is not known."""
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of an archive that is not a folder, or a part of a mail."""

    name: str
    """The name in the archive, folders separated by ``/``. Bytes that are not text are surrogates."""
    size: int
    """Unpacked bytes, as its header says."""
    open: Callable[[], IO[bytes]]
    """Opens its contents. This, and reading the stream, raises what zipfile and tarfile raise for damaged members."""
    refusal: str = ""
    """Why it is not unpacked; empty for documents."""
    document_lost: bool = False
    """Whether the refused member is a document that its owner will miss."""
    code: Reason = "unreadable"
    """The typed reason, where a document is lost."""
    chunk: int = CHUNK
    """Bytes to read at a time. Some decompressors limit their input only, not their output."""
    bytes_when_skipped: int = 0
    """Bytes that are unpacked although the member is skipped."""
    decrypted: bool = False
    """Whether a password opens it."""


class DeclinedError(ValueError):
    """A container or a member that is whole and is not read; ``code`` is the typed reason."""

    def __init__(self, code: Reason, why: str) -> None:
        super().__init__(why)
        self.code: Reason = code


def base_name(name: str) -> str:
    """The last part of a name that a mail or a signed file gives a part, as programs for mail take it: never a path, never hidden."""
    last = re.split(r"[/\\]", name.replace("\0", ""))[-1].strip().lstrip(".")
    return "" if _DRIVE.fullmatch(last) else _DRIVE.sub("", last, count=1)


def folders_and_name(name: str) -> list[str]:
    """The parts of a member's name: its folders and the file name."""
    return [part for part in name.split("/") if part not in ("", ".")]


def refusal_of_name(name: str) -> str:
    """Why a member of this name is refused; empty for an accepted name."""
    parts = folders_and_name(name)
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        return "its name leads out of the archive"
    if not parts:
        return "it has no name"
    return ""


def readable_name(name: str) -> str:
    """A member's name as printable text. Bytes that are not text, and control characters, are replaced."""
    text = "/".join(folders_and_name(name)).encode(errors="surrogateescape").decode(errors="replace")
    return "".join(c if c.isprintable() else "_" for c in text)


def display_name(name: str) -> str:
    """A member's name for messages: printable, at most DISPLAY_NAME_LENGTH characters, and with a leading slash where it has one."""
    start = name[:DISPLAY_NAME_LENGTH]
    text = f"/{readable_name(start)}" if name.startswith("/") else readable_name(start)
    return text if len(name) <= DISPLAY_NAME_LENGTH else f"{text}…"
