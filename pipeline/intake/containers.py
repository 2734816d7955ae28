"""Takes containers apart: archives, mails, mailboxes, signed files, and documents with attachments, to any depth within limits.

The parts come one at a time, each as a file of its own; a container inside is opened at once, and its parts follow it. A part's path on the
disk does not depend on its name, so that no name leads outside. Bytes are counted while they unpack, because headers can be false. Memory
does not grow with the number of parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.ignored_names import BUILT_IN_NAMES, IgnoredNames
from pipeline.intake.container_items import (
    MAX_UNPACKED_BYTES,
    MAX_UNPACKED_FILES,
    ClosedContainer,
    ItemStream,
    SkippedMember,
    UnpackedFiles,
    UnpackedMember,
)
from pipeline.intake.container_kinds import may_be_wrapper, wrapper_kind
from pipeline.intake.container_readers import UNPACK_ERRORS
from pipeline.intake.container_walk import MAX_DEPTH, ContainerWalk, MemberFilter, Resumption
from pipeline.intake.member_names import MemberNames
from pipeline.intake.unpacked_copy import Allowance, TooManyBytesError, disk_errors
from pipeline.safe_open import file_status

__all__ = [
    "MAX_DEPTH",
    "MAX_UNPACKED_BYTES",
    "MAX_UNPACKED_FILES",
    "SkippedMember",
    "UnpackedFiles",
    "UnpackedMember",
    "is_archive",
    "unpack",
]
MAX_RATIO = 100
"""A container may unpack to this many times its own size …"""
MIN_FULL_SIZE_MEMBERS = 5
"""… or to this many members of the largest size where that is more, because white pages compress to almost nothing."""
MAX_PARTS = 200_000
"""Parts of a container with all that is inside of it. Empty files cost no bytes."""


def is_archive(path: Path) -> bool:
    """Whether the contents of ``path`` are a container without pages of its own, also one of an unsupported format."""
    try:
        return bool(wrapper_kind(path))
    except (*UNPACK_ERRORS, RecursionError):
        return False


def may_be_archive(path: Path) -> bool:
    """Whether ``is_archive`` may say yes, by the first bytes alone: nothing is decompressed."""
    return may_be_wrapper(path)


def unpack(
    archive: Path,
    into: Path,
    *,
    max_bytes: int,
    name: str = "",
    host: str = "",
    is_needed: MemberFilter = lambda _: True,
    ignored: IgnoredNames = BUILT_IN_NAMES,
    passwords: Iterable[str] = (),
    own_passwords: Mapping[str, Sequence[str]] | None = None,
    resumption: Resumption | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> ItemStream:
    """Take ``archive`` apart into the folder ``into``, each part when the caller takes it.

    ``archive`` is a path without symbolic links, ``name`` the file's name for people; ``host`` is the kind of a document that is opened for
    the documents inside. ``own_passwords`` are those of single containers (see ContainerWalk). The caller deletes each file when it is
    done with it. A part above ``max_bytes`` is skipped, and so is the rest of a container that unpacks to too many bytes. ``on_step`` gets
    a number before each step that may kill the process. Raises OutboxError when the disk is full. Problems of the container are yielded as
    SkippedMember.
    """
    with disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
    budget = max(MIN_FULL_SIZE_MEMBERS * max_bytes, MAX_RATIO * _size(archive))
    with MemberNames() as names, MemberNames(exact=True) as exact_names:
        allowance = Allowance(budget, MAX_PARTS, archive)
        walk = ContainerWalk(
            *(into, max_bytes, is_needed, names, exact_names, allowance, ignored, tuple(passwords), own_passwords or {}),
            *(resumption or Resumption(), on_step),
        )
        try:
            yield from walk.whole(archive, name or archive.name, host)
        except TooManyBytesError:
            limit = f"{budget / 1e9:,.1f} GB" if allowance.bytes < 0 else f"{MAX_PARTS:,} files"
            reason = f"unpacks to more than {limit}, as a bomb does; the rest is not read (limits.megabytes raises this)"
            yield SkippedMember("", reason, True, "too_large", of_container=True)
            yield ClosedContainer("")


def _size(path: Path) -> int:
    try:
        return file_status(path).st_size
    except OSError:  # deleted meanwhile; opening it reports that
        return 0
