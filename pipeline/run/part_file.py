"""Unpacks parts of containers once more: their files are deleted when they are read, and their pages are needed later.

Page images, reviews, questions and single re-readings do. The process of ``container_worker`` opens the container, within the limits that
it had when it was read.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from pipeline.errors import DocumentError
from pipeline.intake.container_items import Item, SkippedMember, UnpackedMember
from pipeline.intake.container_worker import ContainerWorker, Unpacking, UnpackOrder
from pipeline.intake.scan import InboxFile, file_location
from pipeline.intake.unpacked_copy import disk_errors
from pipeline.ledger.contained_records import container_passwords, part_of
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.permissions import withheld_rights, withhold
from pipeline.records import WRAPPER_KINDS, Source
from pipeline.run.job import UNPACKED_FOLDER
from pipeline.run.original_file import OriginalFiles, is_remote
from pipeline.safe_open import file_status, open_file
from pipeline.settings import STATE_FOLDER, Settings

SECONDS = 300.0
"""Time to reach a part in its container, and to unpack it."""
POLL_SECONDS = 0.2


class PartFileError(DocumentError):
    """A part cannot be unpacked again; ``detail`` says what to do. Its result stays."""


@dataclass(frozen=True, slots=True)
class PartPlace:
    """Where a part comes from."""

    part: FileRecord
    container: FileRecord
    """The outermost container."""
    host: str
    """As ``UnpackOrder.host``, of the outermost container."""
    around: tuple[str, ...]
    """Names of the results of the containers around it, the inner ones first."""
    needed: tuple[str, ...]
    """As ``UnpackOrder.needed``: its file, and those of the documents that hold it."""
    passwords: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """As ``UnpackOrder.own_passwords``."""


def is_part(record: FileRecord, settings: Settings) -> bool:
    """Whether a document was taken out of a container, so that its file is there only while it is read."""
    return record.source.path.is_relative_to((settings.outbox / STATE_FOLDER / UNPACKED_FOLDER).resolve())


def find_part(ledger: Ledger, record: FileRecord, settings: Settings) -> PartPlace | None:
    """Where a document comes from; None for one that is no part of a container. Raises PartFileError where no file can come from it."""
    if not is_part(record, settings):
        return None
    name = record.part.file if record.part else record.source.name
    origin = part_of(ledger, name)
    container = ledger.file_by_name(origin.root) if origin else None
    document = ledger.document(container.sha256, stale=True) if container else None
    if origin is None or container is None or document is None:
        raise PartFileError("unreadable", "its container is not known any more: put that into the inbox once more")
    own = ledger.document(record.sha256, stale=True)
    if own and own.kind in WRAPPER_KINDS:
        raise PartFileError("unreadable", "it is a container without pages of its own: open the documents in it")
    around, needed = [], [record.source.path.name]
    while origin and origin.parent and origin.parent not in around:
        around.append(origin.parent)
        holder = ledger.file_by_name(origin.parent) if origin.parent != origin.root else None
        needed += [holder.source.path.name] if holder else []
        origin = part_of(ledger, origin.parent)
    passwords = container_passwords(ledger, container.source.name, container.sha256)
    return PartPlace(record, container, host_of(document.kind), tuple(around), tuple(needed), passwords)


def host_of(kind: str) -> str:
    """``UnpackOrder.host`` of a container with contents of this kind."""
    return "" if kind in WRAPPER_KINDS else kind if kind in ("pdf", "xml") else "office"


def container_location(place: PartPlace, settings: Settings) -> Path:
    """The file of the outermost container, without symbolic links. Raises PartFileError when it is gone."""
    if place.container.place != "deleted":  # another file may be at its path
        try:
            path = file_location(place.container.source.path, settings.inbox)
            if stat.S_ISREG(file_status(path).st_mode):
                return path
        except (OSError, ValueError):
            pass
    raise PartFileError(
        "unreadable",
        f"its container {place.container.source.relative} is no longer where it was read: put it back to see this page",
    )


@contextmanager
def _outermost_file(place: PartPlace, settings: Settings, originals: OriginalFiles) -> Iterator[Path]:
    """The file of the outermost container, fetched where it is in an object store or a mailbox. Raises PartFileError, OutboxError."""
    if not is_remote(place.container, settings):
        yield container_location(place, settings)
        return
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(originals.open(place.container))
        except DocumentError as error:
            raise PartFileError(error.reason, f"its container {place.container.source.relative}: {error.detail}") from error
        yield archive


def unpack_parts(
    places: Sequence[PartPlace],
    archive: Path,
    into: Path,
    settings: Settings,
    worker: ContainerWorker,
    is_ended: Callable[[], bool] = lambda: False,
) -> tuple[Mapping[str, InboxFile], str]:
    """The files of some parts of one container that lies at ``archive``, below ``into``, by their file names.

    Only those with the contents that were read; the text says why others are absent, where the container does. Raises OutboxError when
    the disk is full, EngineUnavailableError when no process can start.
    """
    first, limits = places[0], settings.limits
    missing = {place.part.source.path.name: place.part for place in places}
    order = UnpackOrder(
        archive,
        into,
        limits.megabytes * 1_000_000,
        Path(first.container.source.relative).name,
        first.host,
        tuple({name for place in places for name in place.needed}),
        tuple(settings.intake.ignore),
        tuple(limits.passwords),
        first.passwords,
    )
    found: dict[str, InboxFile] = {}
    answers: list[Item | str | None] = []
    unpacking, until, problem = Unpacking(worker, order, answers.append), time.monotonic() + SECONDS, ""
    while missing:
        unpacking.advance()
        while not answers:
            if is_ended() or time.monotonic() >= until:
                worker.close()
                return found, "it takes too long to unpack"
            worker.poll(POLL_SECONDS)
        answer = answers.pop()
        if answer is None or answer == "":
            break
        if isinstance(answer, SkippedMember) and answer.of_container:
            problem = answer.reason
        elif isinstance(answer, UnpackedMember):
            path = into / answer.path.name
            part = missing.get(path.name)
            if part and (file := _checked(path, part)):
                found[path.name] = file
                del missing[path.name]
            else:
                path.unlink(missing_ok=True)
    return found, problem


def unpack_part(
    place: PartPlace,
    folder: Path,
    settings: Settings,
    target: Path,
    originals: OriginalFiles,
    is_ended: Callable[[], bool] = lambda: False,
) -> InboxFile:
    """One part as the file ``target``, unpacked below ``folder``. It has the rights that its container has.

    Raises PartFileError, and what ``unpack_parts`` raises.
    """
    with (
        _outermost_file(place, settings, originals) as archive,
        disk_errors(target),
        TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as into,
        ContainerWorker() as worker,
    ):
        found, problem = unpack_parts([place], archive, Path(into), settings, worker, is_ended)
        file = found.get(place.part.source.path.name)
        if file is None:
            _raise_missing(place, archive, problem)
        withhold(file.source.path, withheld_rights(archive, settings.inbox.resolve()))
        file.source.path.replace(target)
    return InboxFile(Source(target, place.part.source.name, place.part.source.relative), file.size, file.mtime_ns)


def _checked(path: Path, part: FileRecord) -> InboxFile | None:
    """A part's file with the time that the ledger has, where its contents are those that were read."""
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size != part.size >= 0 or hashlib.file_digest(file, "sha256").hexdigest() != part.sha256:
                return None
            if part.mtime_ns >= 0:
                os.utime(file.fileno(), ns=(part.mtime_ns, part.mtime_ns))
            mtime_ns = os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
    return InboxFile(Source(path, part.source.name, part.source.relative), size, mtime_ns)


def _raise_missing(place: PartPlace, archive: Path, problem: str) -> NoReturn:
    """Raises PartFileError for a part that did not come out of its container."""
    container, shown = place.container, place.container.source.relative
    try:
        status = file_status(archive)
        is_same = (status.st_size, status.st_mtime_ns) == (container.size, container.mtime_ns)
    except OSError:
        is_same = False
    if is_same:
        raise PartFileError("unreadable", f"it cannot be taken out of its container {shown}: {problem or 'it is not in it'}")
    raise PartFileError(
        "unreadable",
        f"its container {shown} has changed and no longer holds it as it was read: read that again (`pipeline run`)",
    )
