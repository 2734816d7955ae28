"""Members of archives: what a zip or a tape says about one of them, and which names are refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from pipeline.intake.scan import is_candidate

CHUNK = 1 << 20
TOLD = 200
"""Characters of a member's name that are told to people."""
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """One regular file of an archive, or something that stands where one could."""

    name: str
    """As the archive says, folders separated by ``/``; bytes that are no text are surrogates."""
    size: int
    """Bytes unpacked, as its header says."""
    open: Callable[[], IO[bytes]]
    """Raises, as its stream does, what zipfile and tarfile raise for what is damaged."""
    refusal: str = ""
    """Why it is not unpacked; empty for documents."""
    lost: bool = False
    """Whether what is refused is a document that somebody will miss."""
    chunk: int = CHUNK
    """Bytes to read at a time: some decompressors do not limit what comes out, only what goes in."""
    skipping: int = 0
    """Bytes that are unpacked all the same where the member is passed over."""


def folders_and_name(name: str) -> list[str]:
    """The parts of a member's name."""
    return [part for part in name.split("/") if part not in ("", ".")]


def bad_name(name: str) -> str:
    """Why a member of this name is refused; empty when it is not."""
    parts = folders_and_name(name)
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or ".." in re.split(r"[/\\]", name):
        return "its name leads out of the archive"
    if not parts:
        return "it has no name"
    return "" if all(map(is_candidate, parts)) else "hidden or unfinished"


def readable(name: str) -> str:
    """A member's name as text: bytes that are none and control characters are replaced."""
    text = "/".join(folders_and_name(name)).encode(errors="surrogateescape").decode(errors="replace")
    return "".join(c if c.isprintable() else "_" for c in text)


def told(name: str) -> str:
    """A member's name as it stands in messages, also one that leads elsewhere, and never endless."""
    shown = readable(name[:TOLD]) if not name.startswith("/") else f"/{readable(name[:TOLD])}"
    return shown if len(name) <= TOLD else f"{shown}…"
