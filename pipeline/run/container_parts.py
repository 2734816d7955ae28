"""Containers of a run: taken apart one after the other, their parts read as documents, and published when all of these have ended.

A part has the path of its unpacked file, which is the same every time, and so the ledger knows it again after a crash. Containers without
pages of their own (archives, mails) are published here; a document with attachments is published by the loop, which asks ``holds`` first.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from pipeline.errors import BlockedResultError
from pipeline.intake.container_items import ClosedContainer, Item, OpenedContainer, SkippedMember, UnpackedFiles, UnpackedMember
from pipeline.intake.container_worker import ContainerWorker, Unpacking
from pipeline.intake.scan import InboxFile
from pipeline.ledger.contained_records import end_part, end_parts, record_part
from pipeline.monitoring.events import Observer
from pipeline.permissions import withheld_rights, withhold
from pipeline.publish.publication import Publication
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.records import DocumentInfo, PartStatus, Reason
from pipeline.run.container_tree import ContainerTree, Node
from pipeline.run.document_run import DocumentRun
from pipeline.run.job import Job
from pipeline.run.part_sources import adopt_older, known_source, unpack_order, unpacked_folder
from pipeline.run.publisher import Publisher

WAIT_SECONDS = 0.05
"""How long the loop waits for a part when it has nothing else to do."""
WORK_SECONDS = 0.002
"""How long it takes parts while it has."""
READY_PARTS = 4
"""Parts that wait for a reader."""


class ContainerParts(Observer):
    """Takes containers apart and observes how their parts end.

    ``on_no_container`` gets a document whose contents are no container after all. ``on_end`` gets the document of an outermost container
    whose parts have all ended, or the name of a document inside, with the reason why parts are left for a later run, if any.
    """

    def __init__(
        self,
        job: Job,
        observer: Observer,
        publisher: Publisher,
        on_no_container: Callable[[DocumentRun], None],
        on_end: Callable[[DocumentRun | str, str], None],
    ) -> None:
        self._job, self._observer, self._publisher = job, observer, publisher
        self._on_no_container, self._on_end = on_no_container, on_end
        self._worker = ContainerWorker()
        self._waiting: deque[ContainerTree] = deque()
        self._current: tuple[ContainerTree, Unpacking] | None = None
        self._trees: dict[str, ContainerTree] = {}  # by the name of the result
        self._ready: deque[InboxFile] = deque()
        self._files = UnpackedFiles()
        self._open: dict[str, tuple[ContainerTree, Node, Path]] = {}  # documents by the name of the result
        self._hosts: set[str] = set()

    # ---- for the loop -------------------------------------------------------------------------------

    def take(self, run: DocumentRun, host: str = "") -> None:
        """Take the file of a document apart; ``host`` is its kind where it has pages of its own."""
        tree = ContainerTree(run, host)
        self._trees[tree.name] = tree
        self._waiting.append(tree)

    def holds(self, run: DocumentRun) -> bool:
        """Whether parts of a document have not ended: it is not published before them."""
        name = run.file.source.name
        return name in self._trees or name in self._hosts

    @property
    def active(self) -> bool:
        """Whether a container has not ended."""
        return bool(self._trees)

    @property
    def may_go_on(self) -> bool:
        """Whether a part may come without any other part ending first."""
        return bool(self._ready) or self._worker.is_busy or bool(self._waiting and not self._current) or self._has_room

    @property
    def _has_room(self) -> bool:
        """Whether one more part may be unpacked. A container may always have one part on the disk, so that it goes on."""
        return self._current is not None and (not self._files.full or not self._current[0].open_files)

    def next_part(self) -> InboxFile | None:
        """The next part to read; None when none is ready."""
        return self._ready.popleft() if self._ready else None

    def work(self, *, may_wait: bool) -> None:
        """Take what the process has unpacked, and request the next part while there is room. Raises OutboxError."""
        until = time.monotonic() + (WAIT_SECONDS if may_wait else WORK_SECONDS)
        while self._trees:
            if not self._current and self._waiting:
                tree = self._waiting.popleft()
                adopt_older(self._job, tree)
                self._current = tree, Unpacking(self._worker, unpack_order(self._job, tree), self._take)
            while self._current and not self._worker.is_busy and len(self._ready) < READY_PARTS and self._has_room:
                self._current[1].advance()
            seconds = until - time.monotonic()
            if not self._worker.is_busy or seconds <= 0 or (may_wait and self._ready):
                return
            self._worker.poll(seconds if may_wait else 0)

    def clear(self) -> None:
        """Forget all containers; unpacked files are deleted."""
        for state in (self._waiting, self._trees, self._ready, self._open, self._hosts):
            state.clear()
        self._current = None
        self._files = UnpackedFiles()
        self._worker.close()
        self._worker = ContainerWorker()
        shutil.rmtree(self._job.unpacked, ignore_errors=True)

    # ---- unpacking ----------------------------------------------------------------------------------

    def _take(self, answer: Item | str | None) -> None:
        assert self._current  # noqa: S101 - only its unpacking gives answers
        tree, unpacking = self._current
        match answer:
            case "":
                self._current = None
                del self._trees[tree.name]
                self._on_no_container(tree.run)
            case str():
                tree.kind = answer
            case None:
                self._current = None
                self._finish(tree)
            case OpenedContainer():
                self._take_container(tree, answer)
            case UnpackedMember():
                self._take_part(tree, answer)
            case SkippedMember():
                self._take_declined(tree, answer)
            case ClosedContainer():
                if answer.name:
                    node = tree.nodes[answer.name]
                    node.closed = True
                    self._end(tree, node)
        if self._current and not self._worker.is_busy and not isinstance(answer, UnpackedMember):
            unpacking.advance()

    def forget(self, run: DocumentRun) -> None:
        """Take a document no further apart: it was published or skipped."""
        tree = self._trees.get(run.file.source.name)
        if tree is None or tree.run is not run:
            return
        del self._trees[tree.name]
        if tree in self._waiting:
            self._waiting.remove(tree)
        if self._current and self._current[0] is tree:
            self._current = None
            self._worker.close()
            self._worker = ContainerWorker()

    def _take_container(self, tree: ContainerTree, opened: OpenedContainer) -> None:
        if not opened.name:
            tree.root.opened, tree.root.mail = opened, opened.mail
            self._record(tree, 0, "", PartStatus(tree.name, tree.run.file.source.relative, None), opened.mail)
            return
        parent = tree.nodes[opened.parent]
        mail = {**parent.mail, **opened.mail} if not opened.mail.get("from") else opened.mail
        assert opened.path  # noqa: S101 - only the outermost container has none
        source = known_source(self._job, tree, opened.name, opened.original_name, opened.path, opened.sha256)
        if opened.is_host:
            node = Node(opened.name, source.name, parent, opened, mail=mail)
            self._hosts.add(source.name)
        else:
            node = Node(opened.name, source.name, parent, opened, InboxFile(source, opened.size, 0), mail)
            self._record(tree, tree.next_number(), parent.name, PartStatus(source.name, opened.original_name, None), mail)
        parent.open_parts += 1
        tree.nodes[opened.name] = node

    def _take_part(self, tree: ContainerTree, part: UnpackedMember) -> None:
        parent = tree.nodes[part.parent]
        source = known_source(self._job, tree, part.name, part.original_name, part.path, part.sha256)
        withhold(part.path, withheld_rights(tree.run.file.location, self._job.inbox_root))
        record = self._job.ledger.file_at(part.path)
        if record and record.sha256 == part.sha256:
            os.utime(part.path, ns=(record.mtime_ns, record.mtime_ns))
        file = InboxFile(source, part.size, part.path.stat().st_mtime_ns)
        status = PartStatus(source.name, part.original_name, None)
        if record and self._job.up_to_date(record, file):
            _, detail = self._job.ledger.failure_reason(record.sha256)
            reason = cast(Reason | None, record.reason)
            known = replace(status, status=record.status, reason=reason, detail=detail if reason else "")
            self._record(tree, tree.next_number(), parent.name, known, parent.mail)
            part.path.unlink(missing_ok=True)
            self._observer.files_found(0, 1)
            return
        self._record(tree, tree.next_number(), parent.name, status, parent.mail)
        self._files.add(part)
        tree.open_files += 1
        parent.open_parts += 1
        self._open[source.name] = tree, parent, part.path
        self._observer.files_found(1, 0)
        self._ready.append(file)

    def _take_declined(self, tree: ContainerTree, part: SkippedMember) -> None:
        parent = tree.nodes[part.parent]
        status = PartStatus(
            *(None, "" if part.of_container else part.name, "failed" if part.document_lost else "skipped"),
            *(part.code if part.document_lost else None, part.reason),
        )
        self._record(tree, tree.next_number(), parent.name, status, parent.mail)
        shown = tree.run.file.source.relative
        report = self._observer.file_skipped if part.document_lost else self._observer.file_ignored
        report(f"{shown}/{part.name}" if part.name else shown, part.reason)

    def _record(self, tree: ContainerTree, number: int, parent: str, part: PartStatus, mail: Mapping[str, str]) -> None:
        record_part(self._job.ledger, tree.name, number, parent, part, mail)

    # ---- the ends of parts --------------------------------------------------------------------------

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        name = publication.source.name
        if name in self._open or publication.part_of:
            end_part(self._job.ledger, name, publication.status, publication.reason, publication.detail)

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        if name in self._open:
            tree, parent, _ = self._open[name]
            tree.leave(parent, f"{name}: {reason}")

    def file_finished(self, file: InboxFile) -> None:
        """See Observer."""
        name = file.source.name
        if name not in self._open or self._open[name][2] != file.source.path:
            return
        tree, parent, path = self._open.pop(name)
        self._files.remove(path)
        tree.open_files -= 1
        record = self._job.ledger.file_by_name(name)
        if record and record.status and record.published_sha256 == record.sha256 and not record.stale:  # known, a twin
            end_part(self._job.ledger, name, record.status, record.reason, self._job.ledger.failure_reason(record.sha256)[1])
        parent.open_parts -= 1
        self._end(tree, parent)

    def _end(self, tree: ContainerTree, node: Node) -> None:
        """Publish the containers that have ended because something in ``node`` has."""
        for ended in tree.ended_from(node):
            if not ended.key:
                self._end_tree(tree)
            elif ended.is_host:
                self._hosts.discard(ended.name)
                self._on_end(ended.name, ended.left)
            elif not ended.left:
                self._publish(tree, ended)

    def _publish(self, tree: ContainerTree, node: Node) -> None:
        """Publish a container without pages inside another one."""
        assert node.file  # noqa: S101 - it has a file
        assert node.opened  # noqa: S101 - it was opened
        job, source, sha256 = self._job, node.file.source, node.opened.sha256
        document = DocumentInfo(sha256, node.opened.kind, 0)
        job.ledger.record_file(source, sha256, node.file.size, node.file.mtime_ns)
        job.ledger.record_document(document)
        job.ledger.record_withheld_rights(sha256, job.ledger.withheld_rights(tree.run.sha256))
        try:
            publication = self._publisher.publish(node.file, document, {})
        except BlockedResultError as error:
            reason = f"its result cannot be written: {error.message}"
            self._observer.file_skipped(source.name, reason)
            tree.leave(node, f"{source.name}: {reason}")
            return
        end_part(job.ledger, source.name, publication.status, publication.reason, publication.detail)
        self._observer.document_published(publication)

    def _finish(self, tree: ContainerTree) -> None:
        """The container is taken apart to its end; some of its parts may be open."""
        job = self._job
        if not tree.root.opened and not tree.host:
            self._record(tree, 0, "", PartStatus(tree.name, tree.run.file.source.relative, None), {})
        sheets = [DOCUMENTS, *(name for template in job.templates.values() for name in sheet_names(template))]
        end_parts(job.ledger, tree.name, tree.numbers, unpacked_folder(self._job, tree.name), sheets)
        tree.root.closed = True
        self._end(tree, tree.root)

    def _end_tree(self, tree: ContainerTree) -> None:
        if self._trees.get(tree.name) is not tree:  # it was forgotten
            return
        del self._trees[tree.name]
        shutil.rmtree(unpacked_folder(self._job, tree.name), ignore_errors=True)
        if not tree.host:
            document = DocumentInfo(tree.run.sha256, tree.kind or "damaged", 0)
            self._job.ledger.record_document(document)
            tree.run.plan(document, {}, {})
        self._on_end(tree.run, tree.root.left)
