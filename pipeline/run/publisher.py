"""Writes complete documents to the outbox: the JSON at once, spreadsheet rows and ledger entries in batches.

A batch saves syncs: a thousand small documents do not need a thousand syncs of every sheet. After a crash before the ledger entries of
a batch, its documents are published again.
"""

from __future__ import annotations

import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.checks.duplicates import duplicate_keys
from pipeline.errors import BlockedResultError, OutboxError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.contained_records import earliest_retry, unpublished_parts
from pipeline.ledger.document_states import insert_decision, is_settled
from pipeline.ledger.file_records import FileRecord
from pipeline.publish.csv_dialect import DIALECTS
from pipeline.publish.csv_sheets import append_rows, other_dialects, rebuild
from pipeline.publish.list_values import list_values
from pipeline.publish.own_files import DISK_ERRORS, OwnFiles
from pipeline.publish.publication import Publication
from pipeline.publish.result_files import write_result
from pipeline.publish.rows import DOCUMENTS, PAGES, Row, sheet_columns, sheet_kinds, sheet_names, text_rows
from pipeline.records import DocumentInfo, FileMark, Source
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.archive import Archive, ReadFile
from pipeline.run.compose import compose, publications, versions
from pipeline.run.file_documents import document_publications, is_read_anew, record_documents
from pipeline.run.job import Job
from pipeline.run.obsolete_results import NO_COPIES, remove_obsolete_results
from pipeline.run.path_faults import is_fault_of_path
from pipeline.run.rebuilt_records import stays_at
from pipeline.runtime.file_system import FolderSync
from pipeline.split_records import document_key
from pipeline.values.times import utc_timestamp

FLUSH_DOCUMENTS = 100
FLUSH_SECONDS = 1.0
RETRY_SECONDS = 60.0
"""A watcher tries again after this time to write a sheet that another program holds."""
TIDY_FACTOR = 20
"""A watcher rewrites outdated sheets when this many times the duration of the last rewriting has passed."""

_Pending = tuple[InboxFile, Publication, list[Publication]]
"""A file with its publication, and those of the documents that it is split into."""


class Publisher:
    """Writes documents and maintains the spreadsheets. Call ``flush`` after a round and ``tidy`` after a run.

    ``archive`` moves or deletes files after their publication; None leaves them where they are. ``warn`` gets a line about each
    spreadsheet that somebody else has changed, or that cannot be written.
    """

    def __init__(self, job: Job, archive: Archive | None = None, warn: Callable[[str], None] = lambda _: None) -> None:
        self._job, self._archive, self.warn = job, archive, warn
        self._files = OwnFiles(job.ledger, job.outbox, warn, job.ledger.withheld_rights)
        self.unwritten: dict[str, str] = {}
        """Spreadsheets that could not be written at the last attempt, with the reason. Their rows are in the ledger."""
        self.unpublished: dict[str, str] = {}
        """Documents whose result was written and could not be brought to the disk, with the reason. They are published again."""
        self._pending: dict[
            str, tuple[InboxFile, Publication, list[Publication]]
        ] = {}  # by name, with the documents of the file
        self._pending_since = 0.0
        self._has_obsolete = False  # whether results of documents that a file no longer holds are to be removed
        self._next_tidy = 0.0
        self._folder_sync = FolderSync()
        self._dialect = DIALECTS[job.settings.csv.dialect]
        sheets = [DOCUMENTS, *(name for template in job.templates.values() for name in sheet_names(template))]
        if other := other_dialects(job.outbox, sheets, job.ledger, self._dialect):
            job.ledger.mark_sheets_outdated(other)
        job.ledger.record_recipes(job.recipes, job.engine.identity, versions(job.engine.identity, job.precision))

    def publish(
        self, file: InboxFile, document: DocumentInfo, recipes: Mapping[str, str], *, decide_split: bool | None = None
    ) -> Publication:
        """Write the document's JSON, and those of the documents that the file is split into; their rows follow with the next flush.

        ``decide_split``: whether it is found out anew which documents the file holds; None: where it was read since the last time.
        Raises BlockedResultError, OutboxError.
        """
        if file.source.name in self._pending:  # the file was replaced and read again since then
            self.flush()
        decide = is_read_anew(self._job, file.source, document, recipes) if decide_split is None else decide_split
        if record_documents(self._job, file.source, document, recipes, decide=decide):
            self._has_obsolete = True
        publication, parts = self._compose(file.source, document, recipes)
        for item in (publication, *parts):
            self._write_result(item, sync_name=False)  # the flush does that for many at a time
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending[file.source.name] = (file, publication, parts)
        self.flush_if_due()
        return publication

    def republish(self, file: FileRecord, document: DocumentInfo) -> None:
        """Write the results of a known file again, under the file's present name. The file itself is not moved or deleted for it.

        Raises BlockedResultError, OutboxError.
        """
        record_documents(self._job, file.source, document, file.recipes, decide=False)
        publication, parts = self._compose(file.source, document, file.recipes)
        for item in (publication, *parts):
            self._write_result(item, sync_name=True)
        with self._job.ledger.transaction():
            for item in parts:
                self._record(item, None)

    def _compose(
        self, source: Source, document: DocumentInfo, recipes: Mapping[str, str]
    ) -> tuple[Publication, list[Publication]]:
        """The publication, and those of the documents that the file is split into.

        The ledger learns by which keys the documents are found when they come again.
        """
        job = self._job
        publication = compose(job.ledger, job.templates, source, document, recipes, job.settings.review.accepted_error)
        parts = document_publications(job, publication)
        keys = {
            key.text
            for item in (publication, *parts)
            for template, fields in item.fields.items()
            if template in job.templates
            for key in duplicate_keys(fields, job.templates[template])
        }
        job.ledger.record_duplicate_keys(document.sha256, keys)
        return publication, parts

    def publish_again(self, name: str) -> None:
        """Write the result of a document again whose parts have ended after it was published. Raises OutboxError."""
        self.flush()
        record = self._job.ledger.file_by_name(name)
        document = self._job.ledger.document(record.sha256, stale=True) if record and record.published_sha256 else None
        if record and document:
            with suppress(BlockedResultError):  # its first result stands
                self.republish(record, document)

    def _write_result(self, publication: Publication, *, sync_name: bool) -> None:
        path = self._job.outbox / f"{publication.source.name}.json"
        withheld = self._job.ledger.withheld_rights(publication.document.sha256)

        def published_at() -> str | None:
            record = self._job.ledger.file_by_name(publication.source.name)
            return record.published_at if record else None

        try:
            written = write_result(
                path,
                publication.as_bytes(stays_at(self._job, publication.source)),
                self._job.scratch,
                self.warn,
                sync_name=sync_name,
                withheld=withheld,
                published_at=published_at,
            )
        except OutboxError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and is_fault_of_path(cause, path, self._job.outbox):
                raise BlockedResultError(error.message, "remove what is in the way, then run again") from error
            raise
        self._mirror(written)

    def remove_obsolete(self, copies: Mapping[str, Path] = NO_COPIES) -> None:
        """Remove the result files of documents that have another name now or were forgotten.

        One that somebody has changed is kept under another name, unless the file of its name in ``copies`` has the same bytes.
        """
        remove_obsolete_results(self._job.ledger, self._job.outbox, self._job.mirror, self.warn, copies)

    def flush_if_due(self) -> None:
        """``flush`` when the batch is large or old enough."""
        if len(self._pending) >= FLUSH_DOCUMENTS or (self._pending and time.monotonic() - self._pending_since > FLUSH_SECONDS):
            self.flush()
        self._upload(now=False)

    def flush(self) -> None:
        """Append the pending rows, bring results and sheets to the disk, record the publications in the ledger, archive the files.

        A power cut at any instant leaves no record of a result that is not on the disk.
        """
        pending, self._pending = list(self._pending.values()), {}
        if not pending:
            return
        unsynced = self._sync_results(item.source.name for _, whole, parts in pending for item in (whole, *parts))
        pending = [
            (file, whole, parts)
            for file, whole, parts in pending
            if all(item.source.name not in unsynced or self._write_once_more(item) for item in (whole, *parts))
        ]
        pending = self._without_open_containers(pending)
        items = [item for _, whole, parts in pending for item in (whole, *parts)]
        rows, outdated = self._rows(items)
        marks = self._append(rows, outdated)  # it syncs the names of new sheets
        ledger = self._job.ledger
        retry_at = self._retry_times([whole for _, whole, _ in pending])
        with ledger.transaction():
            for name, mark in marks.items():
                ledger.record_sheet(name, sheet_columns(name, self._job.templates) or [], mark.size)
                self._files.record(self._job.outbox / f"{name}.csv", mark)
            ledger.mark_sheets_outdated(sorted({*outdated, *(rows.keys() - marks.keys())}))
            for item in items:
                self.unpublished.pop(item.source.name, None)
                self._record(item, retry_at.get(item.source.name))
        self._mirror(self._job.outbox / f"{name}.csv" for name in marks)
        if self._has_obsolete:
            self._has_obsolete = False
            self.remove_obsolete()
        if self._archive:
            self._archive.plan(
                ReadFile(file, item.document.sha256, item.status, item.reason, item.detail)
                for file, item, _ in pending
                if not retry_at[file.source.name] and not (item.part_of and item.part_of.parent)
            )
            if not self._job.mirror:
                self._archive.carry_out()

    def _record(self, item: Publication, retry_at: str | None) -> None:
        """Record a publication as part of an open transaction."""
        ledger, name, sha256 = self._job.ledger, item.source.name, item.document.sha256
        self._reopen(item)
        review = [name for template in item.fields for name in item.fields_to_review(template)]
        review += [PAGES] if item.doubts else []
        corrected = [name for template in item.fields for name in item.corrected_fields(template)]
        listed = list_values(item, self._job.templates)
        if item.part:
            ledger.record_part_publication(
                *(name, sha256, item.recipes, item.status, item.reason), review=review, corrected=corrected, listed=listed
            )
        else:
            ledger.record_publication(
                *(name, sha256, item.recipes, item.status, item.reason, retry_at),
                review=review,
                corrected=corrected,
                listed=listed,
            )

    def _reopen(self, item: Publication) -> None:
        """A document that was read again after somebody approved it is to be checked again."""
        key = document_key(item.document.sha256, item.part)
        settled = is_settled(self._job.ledger, key)
        if settled and (item.provenance.get("finished") or "") > settled.at:
            insert_decision(self._job.ledger, key, "to_check", "")

    def _without_open_containers(self, pending: list[_Pending]) -> list[_Pending]:
        """Leave out containers of which a part is not safely in the outbox: their files must stay, and the next run goes on."""
        flushed = {item.source.name for _, item, _ in pending}
        kept = []
        for file, item, parts in pending:
            root = item.source.name if item.part_of and not item.part_of.parent else None
            open_part = (
                next((name for name in unpublished_parts(self._job.ledger, root) if name not in flushed), None)
                if root
                else None
            )
            if open_part:
                self.unpublished[item.source.name] = f"its part {open_part} has no result yet"
            else:
                kept.append((file, item, parts))
        return kept

    def _sync_results(self, names: Iterable[str]) -> set[str]:
        """Bring the names of results to the disk. Returns those whose folder is gone or cannot be synced. Raises OutboxError."""
        outbox = self._job.outbox.absolute()
        by_folder: dict[Path, list[str]] = defaultdict(list)
        for name in names:
            by_folder[(outbox / f"{name}.json").parent].append(name)
        unsynced: set[str] = set()
        for folder, inside in by_folder.items():
            try:
                self._folder_sync.sync([folder / "result"], outbox)
            except OSError as error:
                if folder == outbox or error.errno in DISK_ERRORS:
                    raise OutboxError(
                        f"{folder}: cannot be synced: {error}", "check the disk; nothing is lost, run again"
                    ) from error
                unsynced.update(inside)
        return unsynced

    def _write_once_more(self, publication: Publication) -> bool:
        """Write a result anew whose folder was taken away. Returns whether it is on the disk; else the next run publishes it."""
        name = publication.source.name
        try:
            self._write_result(publication, sync_name=True)
            self._folder_sync = FolderSync()  # folders above were perhaps made anew, too
            self._folder_sync.sync([self._job.outbox.absolute() / f"{name}.json"], self._job.outbox.absolute())
        except (BlockedResultError, OSError) as error:
            reason = error.message if isinstance(error, BlockedResultError) else str(error)
            self.unpublished[name] = reason
            self.warn(f"{name}: its result cannot be brought to the disk: {reason}; the next run publishes it")
            return False
        return True

    def _mirror(self, paths: Iterable[Path]) -> None:
        if self._job.mirror:
            self._job.mirror.add_files(paths)

    def _upload(self, *, now: bool) -> None:
        """Upload an outbox in an object store. Files are archived only after that."""
        if self._job.mirror and self._job.mirror.checkpoint(now=now) and self._archive:
            self._archive.carry_out()

    def archive_published(self, files: Sequence[InboxFile]) -> None:
        """Archive files that an earlier run published; with an outbox in an object store, after the upload.

        A file whose result was removed from the outbox stays.
        """
        if not self._archive or not files or self._job.settings.after == "keep":
            return
        if is_mail_inbox(self._job.objects):  # messages that were marked, and those that failed, are still in their folder
            files = [file for file in files if self._archive.may_leave(file)]
        if self._job.mirror:
            self._upload(now=False)  # what the run's start recorded is no reason to send the ledger; what is planned is
            self._archive.plan_published(files)
            return
        files = [file for file in files if self._has_result(file.source.name)]
        unsynced = self._sync_results(file.source.name for file in files)
        files = [file for file in files if file.source.name not in unsynced]
        self._archive.plan_published(files)
        self._archive.carry_out()

    def _has_result(self, name: str) -> bool:
        """Whether a plain file is at the place of a result; a link may lead to anything."""
        try:
            return stat.S_ISREG((self._job.outbox / f"{name}.json").lstat().st_mode)
        except OSError:
            return False

    def catch_up(self) -> None:
        """Finish or undo what a crash interrupted, as far as the shares are there."""
        if self._archive:
            self._archive.catch_up()

    def _retry_times(self, items: Sequence[Publication]) -> dict[str, str | None]:
        """When each document is to be read again, by name; a container when the first of its parts is."""
        times = {item.source.name: self._retry_at(item) for item in items}
        for item in items:
            if item.part_of and not item.part_of.parent:
                own = [times[other.source.name] for other in items if other.part_of and other.part_of.root == item.source.name]
                known = earliest_retry(self._job.ledger, item.source.name, times)
                times[item.source.name] = min(filter(None, [*own, known]), default=None)
        return times

    def _retry_at(self, item: Publication) -> str | None:
        """The time to read a document again that failed for a reason that may pass; None for no retry."""
        if item.status not in ("failed", "partial"):
            return None
        attempts = self._job.ledger.fewest_attempts(
            item.document.sha256, item.recipes.values(), self._job.settings.retry.page_attempts
        )
        return None if attempts is None else utc_timestamp(self._job.retry_pause(attempts))

    def _append(self, rows: Mapping[str, list[Row]], outdated: set[str]) -> dict[str, FileMark]:
        """Append to the sheets that are not ``outdated``. Returns their new marks."""
        job = self._job
        current = {name: added for name, added in rows.items() if name not in outdated}
        columns = {name: sheet_kinds(name, job.templates) or {} for name in current}
        return append_rows(job.outbox, job.ledger, self._files, current, columns, job.scratch, self._dialect)

    def _rows(self, items: Iterable[Publication]) -> tuple[dict[str, list[Row]], set[str]]:
        """Rows to append by sheet, and the sheets with older rows of these documents."""
        templates = self._job.templates
        rows: dict[str, list[Row]] = defaultdict(list)
        outdated: set[str] = set()
        for item in items:
            for name, added in text_rows(item, templates).items():
                rows[name] += added
            before = self._job.ledger.file_by_name(item.source.name)
            if before and before.published_sha256:
                used = [templates[name] for name in {*before.recipes, *item.recipes} if name in templates]
                outdated |= {DOCUMENTS, *(name for template in used for name in sheet_names(template))}
        return rows, outdated

    # ---- sheets that hold outdated rows ------------------------------------------------------------

    def tidy(self, *, now: bool = True) -> None:
        """Rewrite the outdated sheets and upload. Without ``now``, only when enough time has passed since the last rewriting."""
        self.flush()
        self._rebuild(now=now)
        self._upload(now=now)

    def _rebuild(self, *, now: bool) -> None:
        job = self._job
        sheets = [name for name in job.ledger.outdated_sheets() if sheet_columns(name, job.templates)]
        if not sheets or (not now and time.monotonic() < self._next_tidy):
            return
        started = time.monotonic()
        documents = publications(job.ledger, job.templates, job.settings.review.accepted_error)
        before, self.unwritten = (
            self.unwritten,
            rebuild(job.outbox, job.ledger, self._files, sheets, documents, job.templates, job.scratch, self._dialect),
        )
        for name, reason in self.unwritten.items():
            if before.get(name) != reason:
                self.warn(f"{reason}; its rows are kept, and the next run tries again")
        self._mirror(job.outbox / f"{name}.csv" for name in sheets if name not in self.unwritten)
        pause = TIDY_FACTOR * (time.monotonic() - started)
        self._next_tidy = time.monotonic() + (max(pause, RETRY_SECONDS) if self.unwritten else pause)
