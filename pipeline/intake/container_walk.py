"""Walks through a container and all containers inside of it, and gives their parts one at a time."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.ignored_names import IgnoredNames
from pipeline.intake.container_items import ClosedContainer, ItemStream, OpenedContainer, SkippedMember, UnpackedMember
from pipeline.intake.container_kinds import DECLINED_FORMATS, host_kind, wrapper_kind
from pipeline.intake.container_members import UNPACK_IT, Member, display_name, folders_and_name, readable_name, refusal_of_name
from pipeline.intake.container_readers import READERS, UNPACK_ERRORS, ContainerFile, cause_of, code_of
from pipeline.intake.member_names import MemberNames
from pipeline.intake.unpacked_copy import Allowance, copy_part, disk_errors, part_file_name
from pipeline.records import Reason

MAX_DEPTH = 6
"""Levels of containers inside containers that are opened: a signed mail in a mail in an archive, with an archive of PDFs that have
attachments."""
_AGAIN = "; have it sent again"
MemberFilter = Callable[[Path], bool]
"""Whether the member that would be unpacked to this path is needed."""


@dataclass(frozen=True)
class Resumption:
    """How far an earlier process came that died over this container: it is taken apart once more, and what it died over is left out."""

    items: int = 0
    """Items that came out of it before."""
    fatal_steps: tuple[int, ...] = ()
    """Numbers of the steps that killed a process, with the reason."""
    reasons: tuple[tuple[Reason, str], ...] = ()


@dataclass
class ContainerWalk:
    """See ``containers.unpack``."""

    into: Path
    max_bytes: int
    is_needed: MemberFilter
    names: MemberNames
    """Gives the names in the outbox."""
    exact_names: MemberNames
    """Gives the names from which the paths on the disk follow."""
    allowance: Allowance
    ignored: IgnoredNames
    passwords: tuple[str, ...]
    """Tried on every container."""
    own_passwords: Mapping[str, Sequence[str]]
    """Tried on one container: passwords by its sha256, which is empty for the outermost one."""
    resumption: Resumption
    on_step: Callable[[int], None]
    steps: int = 0
    items: int = 0
    open_hashes: list[str] = field(default_factory=list)
    """Of the containers around the one that is open: a container may hold itself."""

    def whole(self, archive: Path, name: str, host: str) -> ItemStream:
        """The container itself, and all in it. Items that came out of it before are left out."""
        for item in self._container(archive, name, "", "", None, host):
            self.items += 1
            if self.items > self.resumption.items:
                yield item

    @property
    def _repeats(self) -> bool:
        """Whether the next item came out before: a reader may be at its file, which is not written again."""
        return self.items < self.resumption.items

    def _container(
        self, path: Path, original_name: str, prefix: str, unique: str, member: UnpackedMember | None, kind: str = ""
    ) -> ItemStream:
        """A container that lies at ``path``, and all in it. ``prefix`` is the path to it, with which names of its parts begin."""
        is_host = bool(kind)
        kind = kind or wrapper_kind(path)
        if kind in DECLINED_FORMATS:
            yield _opened(unique, original_name, kind, member)
            reason = f"{DECLINED_FORMATS[kind]} cannot be read; {UNPACK_IT}"
            yield SkippedMember(display_name(prefix), reason, True, "unsupported", unique, of_container=True)
            yield ClosedContainer(unique)
            return
        count, opened, parts = 0, False, None
        try:
            if self._is_fatal():
                raise _FatalError(*self.resumption.reasons[self.resumption.fatal_steps.index(self.steps)])
            passwords = (*self.own_passwords.get(member.sha256 if member else "", ()), *self.passwords)
            with READERS[kind](ContainerFile(path, original_name, self._scratch(), self.max_bytes, passwords)) as (mail, parts):
                for part in parts:
                    if not opened:
                        opened = True
                        yield _opened(unique, original_name, kind, member, mail, is_host=is_host)
                    if part is None:
                        reason = "has no mark at its end: it may be cut off"
                        yield SkippedMember(display_name(prefix), reason, False, parent=unique, of_container=True)
                        continue
                    count += 1
                    yield from self._member(part, prefix, unique)
        except _FatalError as error:
            problem: SkippedMember | None = SkippedMember(
                display_name(prefix), str(error), True, error.code, unique, of_container=True
            )
        except UNPACK_ERRORS as error:
            text = f"damaged: what follows member {count:,} cannot be found" if count else "cannot be unpacked"
            code = code_of(error)
            problem = SkippedMember(
                display_name(prefix),
                f"{text}: {cause_of(error)}{_AGAIN if count else ''}",
                True,
                code,
                unique,
                of_container=True,
            )
        else:
            problem = (
                None
                if count or is_host
                else SkippedMember(display_name(prefix), "holds no file", False, parent=unique, of_container=True)
            )
        if problem and is_host and not opened:  # its reading says what is wrong with it
            return
        if not opened and not is_host:
            yield _opened(unique, original_name, kind, member)
        if problem:
            yield problem
        if opened or not is_host:
            yield ClosedContainer(unique)

    def _member(self, member: Member, prefix: str, parent: str) -> ItemStream:
        name = f"{prefix}/{member.name}" if prefix else member.name
        refusal, lost, code = refusal_of_name(member.name), False, member.code
        if not refusal and self.ignored.ignores_path("/".join(folders_and_name(name))):
            refusal = "hidden or unfinished"
        if not refusal:
            refusal, lost = member.refusal, member.document_lost
        if not refusal and member.size > self.max_bytes:
            refusal, lost, code = self._too_large, True, "too_large"
        self.allowance.take_part()
        if refusal:
            yield SkippedMember(display_name(name) or "(no name)", refusal, lost, code, parent)
            self.allowance.take(member.bytes_when_skipped)
            return
        unique = self.names(name)
        path = self.into / part_file_name(self.exact_names(name), readable_name(name))
        needed = self.is_needed(path)
        result = self._unpack(member, name, unique, path, parent)
        if isinstance(result, SkippedMember):
            yield result
            return
        yield from self._unpacked(result, name, path, needed=needed)

    def _unpacked(self, part: UnpackedMember, name: str, path: Path, *, needed: bool) -> ItemStream:
        """A part that was unpacked: a document, a container, or both."""
        written = self._written(path)
        try:
            kind = wrapper_kind(written)
        except OSError:
            kind = ""
        refusal = self._refusal_of_container(part) if kind else ""
        if refusal:
            written.unlink(missing_ok=True)
            yield SkippedMember(display_name(name), refusal, True, "too_large", part.parent)
            return
        if kind:
            self.open_hashes.append(part.sha256)
            try:
                yield from self._container(written, part.original_name, name, part.name, part)
            finally:
                self.open_hashes.pop()
                written.unlink(missing_ok=True)
            return
        host = host_kind(written) if needed else ""
        if host and len(self.open_hashes) >= MAX_DEPTH:
            holds_more, host = self._holds_parts(written, part.original_name, host), ""
        else:
            holds_more = False
        copy = self._copy_of(written) if host else None
        if needed:
            yield part
        if holds_more:
            reason = f"files inside of a document in {MAX_DEPTH} others; save them from it and put them into the inbox"
            yield SkippedMember(display_name(f"{name}/(files)"), reason, True, "too_large", part.parent)
        if needed is False or written != path:
            written.unlink(missing_ok=True)
        if copy:
            self.open_hashes.append(part.sha256)
            try:
                yield from self._container(copy, part.original_name, name, part.name, part, host)
            finally:
                self.open_hashes.pop()
                copy.unlink(missing_ok=True)

    def _holds_parts(self, path: Path, name: str, kind: str) -> bool:
        """Whether a document holds others, which are not opened at this depth."""
        try:
            with READERS[kind](ContainerFile(path, name, self._scratch(), self.max_bytes)) as (_, parts):
                return next(parts, None) is not None
        except UNPACK_ERRORS:  # its reading says what is wrong with it
            return False

    def _refusal_of_container(self, part: UnpackedMember) -> str:
        """Why a container inside is not opened; empty for one that is."""
        depth = len(self.open_hashes)
        if part.sha256 in self.open_hashes or self.allowance.is_whole(part.size, part.sha256):
            return "holds itself, without end; take out what you need and put that into the inbox"
        if depth >= MAX_DEPTH:
            return f"an archive in {depth + 1} others; unpack them and put the files into the inbox"
        return ""

    def _unpack(self, member: Member, name: str, unique: str, path: Path, parent: str) -> UnpackedMember | SkippedMember:
        if self._is_fatal():
            code, why = self.resumption.reasons[self.resumption.fatal_steps.index(self.steps)]
            return SkippedMember(display_name(name), f"cannot be unpacked: {why}", True, code, parent)
        try:
            with member.open() as stream:
                size_and_hash = copy_part(stream, self._written(path), member.chunk, self.max_bytes, self.allowance)
        except tarfile.TarError as error:  # the members behind it in a tar file cannot be located either
            raise tarfile.ReadError(f"in {display_name(name)}: {error}") from error
        except UNPACK_ERRORS as error:
            return SkippedMember(display_name(name), f"cannot be unpacked: {cause_of(error)}", True, code_of(error), parent)
        if size_and_hash is None:
            return SkippedMember(display_name(name), self._too_large, True, "too_large", parent)
        return UnpackedMember(unique, readable_name(name), path, *size_and_hash, parent, member.decrypted)

    def _is_fatal(self) -> bool:
        """Count a step that may kill this process. Returns whether it has killed one before."""
        self.steps += 1
        self.on_step(self.steps)
        return self.steps in self.resumption.fatal_steps

    def _written(self, path: Path) -> Path:
        """Where a part is written: at its path, or beside it where that is in use already."""
        return path.with_name(f"{path.name}.again") if self._repeats else path

    def _copy_of(self, path: Path) -> Path:
        """Another name of a part's file, which stays when the caller deletes the first."""
        copy = path.with_name(f"{path.name}.host")
        with disk_errors(path):
            copy.unlink(missing_ok=True)
            os.link(path, copy)
        return copy

    def _scratch(self) -> Path:
        return self.into / f"{len(self.open_hashes)}.scratch"

    @property
    def _too_large(self) -> str:
        return f"larger than {self.max_bytes // 1_000_000} MB (limits.megabytes)"


class _FatalError(Exception):
    """Opening this container has killed a process."""

    def __init__(self, code: Reason, why: str) -> None:
        super().__init__(f"cannot be unpacked: {why}")
        self.code: Reason = code


def _opened(
    unique: str,
    original_name: str,
    kind: str,
    member: UnpackedMember | None,
    mail: Mapping[str, str] | None = None,
    *,
    is_host: bool = False,
) -> OpenedContainer:
    """A container that was opened; path, size, hash and parent of the outermost one are known to the caller."""
    if member is None:
        return OpenedContainer(unique, original_name, kind, mail=mail or {}, is_host=is_host)
    facts = (member.path, member.size, member.sha256, member.parent)
    return OpenedContainer(unique, original_name, kind, *facts, mail or {}, is_host, member.decrypted)
