"""What comes out of a container: parts as files, parts that are declined, and containers inside of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.records import Reason

MAX_UNPACKED_FILES = 500
"""Members on the disk at the same time: more than any engine has in flight."""
MAX_UNPACKED_BYTES = 1_000_000_000
"""No further member is unpacked while members with more bytes than this are on the disk."""


@dataclass(frozen=True, slots=True)
class UnpackedMember:
    """A member that was unpacked to the disk."""

    name: str
    """Below the container's folder in the outbox. No other member has it, and it is the same every time."""
    original_name: str
    """The name in the container, as printable text."""
    path: Path
    """Its file on the disk, the same every time."""
    size: int
    sha256: str
    parent: str = ""
    """``name`` of the container inside this one that holds it; empty for one that is directly in this one."""
    decrypted: bool = False
    """Whether a password has opened it in its container."""


@dataclass(frozen=True, slots=True)
class SkippedMember:
    """A member that was not unpacked, or (``of_container``) a problem of a container itself."""

    name: str
    """For messages; empty for a problem of the outermost container."""
    reason: str
    document_lost: bool
    """Whether a document is missing because of it."""
    code: Reason = "unreadable"
    """The typed reason, where a document is lost."""
    parent: str = ""
    """As ``UnpackedMember.parent``."""
    of_container: bool = False


@dataclass(frozen=True, slots=True)
class OpenedContainer:
    """A container inside this one, or (with an empty name) this one itself. Its parts follow, and then its ClosedContainer."""

    name: str
    """As ``UnpackedMember.name``; for a host that is the name of the document itself."""
    original_name: str
    kind: str
    path: Path | None = None
    """Where its file was on the disk; None for this container itself."""
    size: int = 0
    sha256: str = ""
    parent: str = ""
    mail: Mapping[str, str] = field(default_factory=dict)
    """Of a mail: ``from``, ``to``, ``date`` (ISO 8601), ``subject``, ``message_id``, as far as it has them."""
    is_host: bool = False
    """Whether it is a document of its own, which came before as UnpackedMember."""
    decrypted: bool = False
    """As ``UnpackedMember.decrypted``."""


@dataclass(frozen=True, slots=True)
class ClosedContainer:
    """No more parts follow of the container with this name."""

    name: str


Item = UnpackedMember | SkippedMember | OpenedContainer | ClosedContainer
ItemStream = Generator[Item, None, None]


class UnpackedFiles:
    """The unpacked members on the disk. Their number is limited so that readers and engine never wait and no disk fills."""

    def __init__(self, files: int = MAX_UNPACKED_FILES, size: int = MAX_UNPACKED_BYTES) -> None:
        self._max_files, self._max_bytes = files, size
        self._sizes: dict[Path, int] = {}

    @property
    def full(self) -> bool:
        """Whether the next member has to wait."""
        return len(self._sizes) >= self._max_files or sum(self._sizes.values()) >= self._max_bytes

    def add(self, member: UnpackedMember) -> None:
        """Count a member that was unpacked."""
        self._sizes[member.path] = member.size

    def remove(self, path: Path) -> None:
        """Delete a member's file. Other files are left as they are."""
        if self._sizes.pop(path, None) is not None:
            path.unlink(missing_ok=True)
