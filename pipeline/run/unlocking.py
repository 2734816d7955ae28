"""Passwords that people give for single documents: checked at once, kept encrypted, and the document is read again by an order."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from pipeline.errors import DocumentError
from pipeline.intake.container_items import Item, OpenedContainer, UnpackedMember
from pipeline.intake.container_worker import ContainerWorker, Unpacking, UnpackOrder
from pipeline.intake.scan import InboxFile
from pipeline.intake.unpacked_copy import disk_errors
from pipeline.ledger.contained_records import container_passwords, locked_names, part_of, parts_in
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, place_order
from pipeline.records import WRAPPER_KINDS
from pipeline.run.page_requests import format_limits
from pipeline.run.part_cache import PartCache
from pipeline.run.part_file import find_part, host_of
from pipeline.run.password_reader import OPENS, PROBLEM, PasswordRequest
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.safe_open import FileState
from pipeline.settings import STATE_FOLDER, Settings

HANDLER = "pipeline.run.password_reader:handle"
SECONDS = 300.0
"""Time to try a password on a container."""
POLL_SECONDS = 0.2


def is_locked(ledger: Ledger, record: FileRecord) -> bool:
    """Whether a document lacks a password, or a container does for something in it."""
    if ledger.failure_reason(record.sha256)[0] == "needs_password":
        return True
    return any(part.reason == "needs_password" and part.name is None for part in parts_in(ledger, record.source.name))


def locked_inside(ledger: Ledger, record: FileRecord) -> list[FileRecord]:
    """What lacks a password in a container, at any depth."""
    names = [name for name in locked_names(ledger) if name.startswith(f"{record.source.name}/")]
    return [found for name in names if (found := ledger.file_by_name(name))]


def unlock(ledger: Ledger, settings: Settings, record: FileRecord, password: str, by: str) -> Order:
    """Keep the password of a document, and order that it is read. Raises OutboxError.

    The password is neither in the order nor in the journal: it is on the disk, encrypted, before the order is.
    """
    DocumentPasswords(settings.outbox / STATE_FOLDER).add(record.sha256, password)
    details = {"name": record.source.name, "template": None, "engine": None, "unlock": True}
    return place_order(ledger, "reading", record.sha256, details, by)


class PasswordTrial:
    """Tries passwords on documents, in processes that can be killed and that start with the first document. A context manager."""

    def __init__(self, settings: Settings) -> None:
        self._settings, limits = settings, settings.limits
        self._pool = WorkerPool(HANDLER, size=1, seconds=limits.seconds, memory_mb=limits.memory_mb)
        self._parts = PartCache(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()
        self._parts.close()

    def opens(self, ledger: Ledger, record: FileRecord, password: str) -> bool:
        """Whether a password opens a document.

        A document in an object store or a mailbox is fetched. Raises DocumentError where it cannot be tried, OutboxError,
        EngineUnavailableError.
        """
        origin = part_of(ledger, record.source.name)
        root = ledger.file_by_name(origin.root) if origin else record
        if root is None:
            raise DocumentError("unreadable", "its container is not known any more: put that into the inbox once more")
        document = ledger.document(record.sha256, stale=True)
        if document and document.kind in WRAPPER_KINDS:
            return self._opens_container(ledger, root, record, password)
        place = find_part(ledger, record, self._settings)
        if place is None:
            with self._parts.originals.open(root) as path:
                return self._opens_document(path, InboxFile(record.source, record.size, record.mtime_ns), password)
        with self._parts.open(place) as file:
            return self._opens_document(file.source.path, file, password)

    def _opens_document(self, path: Path, file: InboxFile, password: str) -> bool:
        request = PasswordRequest(
            str(path),
            FileState(file.size, file.mtime_ns),
            password,
            self._settings.limits.megapixels,
            format_limits(self._settings),
        )
        reply = self._pool.call(pickle.dumps(request))
        if reply.error:
            raise reply.error
        if reply.parts[0] == PROBLEM:
            raise DocumentError("unreadable", reply.parts[1].decode(errors="replace"))
        return reply.parts[0] == OPENS

    def _opens_container(self, ledger: Ledger, root: FileRecord, record: FileRecord, password: str) -> bool:
        """Whether something comes out of an archive, at any depth in its container, by this password."""
        settings, document = self._settings, ledger.document(root.sha256, stale=True)
        target = "" if root.source.name == record.source.name else record.sha256
        passwords = container_passwords(ledger, root.source.name, root.sha256) | {target: (password,)}
        scratch = settings.outbox.resolve() / STATE_FOLDER
        with (
            self._parts.originals.open(root) as archive,
            disk_errors(scratch / "unlock"),
            TemporaryDirectory(prefix="unlock-", dir=scratch, ignore_cleanup_errors=True) as into,
        ):
            order = UnpackOrder(
                archive,
                Path(into),
                settings.limits.megabytes * 1_000_000,
                Path(root.source.relative).name,
                host_of(document.kind) if document else "",
                ignore=tuple(settings.intake.ignore),
                passwords=settings.limits.passwords,
                own_passwords=passwords,
            )
            return _is_decrypted(order, target)


def _is_decrypted(order: UnpackOrder, target: str) -> bool:
    """Whether a password opens something in the container with the hash ``target``, which is empty for the outermost one."""
    targets = set() if target else {""}
    for item in _items(order):
        if isinstance(item, OpenedContainer) and target and item.sha256 == target:
            targets.add(item.name)
        if isinstance(item, UnpackedMember | OpenedContainer) and item.decrypted and item.parent in targets:
            return True
        if isinstance(item, UnpackedMember):
            item.path.unlink(missing_ok=True)
    return False


def _items(order: UnpackOrder) -> Iterator[Item]:
    """What comes out of a container. Raises DocumentError when that takes too long."""
    answers: list[Item | str | None] = []
    until = time.monotonic() + SECONDS
    with ContainerWorker() as worker:
        unpacking = Unpacking(worker, order, answers.append)
        while True:
            if not answers:
                unpacking.advance()
            while not answers:
                if time.monotonic() >= until:
                    raise DocumentError("timeout", "it takes too long to try the password")
                worker.poll(POLL_SECONDS)
            answer = answers.pop(0)
            if answer is None or answer == "":
                return
            if not isinstance(answer, str):
                yield answer
