"""Admits files of the inbox to a run.

A file is up to date already, has the contents of a document that is being read (a twin), or is a document to read.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from pipeline.errors import EMPTY_FILE, FILE_CHANGED, FileChangedError
from pipeline.intake.container_kinds import host_kind, may_be_wrapper
from pipeline.intake.hashing import content_hash
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.monitoring.events import Observer
from pipeline.permissions import rights_to_withhold, withheld_rights
from pipeline.records import Answer, DocumentInfo
from pipeline.remote.mail_inbox import is_mail_inbox
from pipeline.run.archive import Archive
from pipeline.run.document_run import Action, DocumentRun
from pipeline.run.job import Job
from pipeline.run.moves import Moves
from pipeline.run.rebuilt_records import is_new_version, with_rebuilt_record

RECORD_SECONDS = 30.0
"""How often the time that a document takes is recorded."""
SkipFile = Callable[[InboxFile, str], None]
"""Called with a file that is left for a later run, and the reason."""


class Admission:
    """Admits files to a run. ``runs`` are the documents in the run by the hash of their contents."""

    def __init__(
        self, job: Job, observer: Observer, archive: Archive, moves: Moves, runs: Mapping[str, DocumentRun], skip: SkipFile
    ) -> None:
        self._job, self._observer, self._archive, self._moves = job, observer, archive, moves
        self._runs, self._skip = runs, skip
        self._unpacked = job.unpacked_root

    def admit(self, file: InboxFile) -> DocumentRun | None:
        """The document to read. None for a file that is up to date, waits for its twin, or is left for a later run."""
        ledger, path = self._job.ledger, file.source.path
        self._job.learn_templates(file.source.relative)
        same_name = (run.file for run in self._runs.values() if run.file.source.name == file.source.name)
        if file in same_name:  # a later scan has found a file that is being read
            return None
        record = ledger.file_at(path)
        if record and self._job.up_to_date(record, file):
            self._observer.file_finished(file)
            return None
        if file.size == 0 and not path.is_relative_to(self._unpacked):  # what an archive holds gets no content later
            self._skip(file, EMPTY_FILE)
            return None
        try:
            sha256 = file.sha256 or content_hash(file)
        except FileChangedError:
            sha256 = None
        except OSError as error:
            self._skip(file, f"cannot be read: {error.strerror or error}")
            return None
        if sha256 is None:
            self._skip(file, FILE_CHANGED)
            return None
        if twin := self._runs.get(sha256):
            if path not in {other.source.path for other in (twin.file, *twin.twins)}:
                twin.twins.append(file)
            return None
        if record and record.sha256 != sha256 and self._set_aside(record):
            file, earlier, record = self._with_new_name(file), record, None
            if earlier.size < 0:
                self._observer.warning(
                    f"{file.source.relative}: the ledger was made anew and cannot tell whether this file is a new version of "
                    f"{earlier.source.name}.json or another document; its result is {file.source.name}.json (if the earlier one "
                    f"is outdated: pipeline forget {shlex.quote(earlier.source.name)})"
                )
        if record is None:
            file = with_rebuilt_record(self._job, file, sha256)
            record = ledger.file_at(path)
        if record is None or record.sha256 != sha256:
            if run := self._moves.waits_for(file, sha256, record):
                run.twins.append(file)
                return None
            if self._moves.recognise_file(file, sha256):
                record = ledger.file_at(path)
                if record and self._job.up_to_date(record, file):
                    self._observer.file_finished(file)
                    return None
        if record is None and not path.is_relative_to(self._unpacked):
            file = self._archive.restore(file, sha256)
            record = ledger.file_at(path)
            if record is None and self._is_copy(file, sha256):
                self._observer.file_finished(file)
                return None
        elif record and self._job.is_due(record):
            ledger.mark_for_retry(sha256, self._job.settings.retry.page_attempts)
        self._moves.observe(file)
        named = self._job.requested_templates(record)
        ledger.record_file(file.source, sha256, file.size, file.mtime_ns, named, file.inode)
        with suppress(OSError):  # deleted meanwhile: reading it says so
            withheld = withheld_rights(path, self._job.inbox_root)
            ledger.record_withheld_rights(sha256, rights_to_withhold(withheld, self._job.outbox, path.stat().st_gid))
        self._observer.file_started(file.source, sha256)
        return DocumentRun(
            file,
            sha256,
            published=record.recipes if record and record.published_sha256 == sha256 else {},
            named=named,
            page_limit=self._job.settings.limits.pages,
            templates_by_kind=self._job.templates_by_kind,
            seconds=ledger.seconds_spent(sha256),
            seconds_limit=60 * self._job.settings.limits.document_minutes or math.inf,
        )

    def _is_copy(self, file: InboxFile, sha256: str) -> bool:
        """Whether a message is a copy of one that was read, down to its Message-ID. A message counts once, however often it lies there."""
        if not is_mail_inbox(self._job.objects):
            return False
        for record in self._job.ledger.files_with_contents(sha256):
            if record.published_sha256 == sha256 and record.size >= 0 and not record.source.path.is_relative_to(self._unpacked):
                self._job.objects.add_copy(file.source.path)
                self._observer.warning(f"{file.source.name}: not read: it is a copy of {record.source.name}, which was read")
                return True
        return False

    def is_part(self, run: DocumentRun) -> bool:
        """Whether a document was taken out of a container."""
        return run.file.source.path.is_relative_to(self._unpacked)

    def may_be_container(self, run: DocumentRun) -> bool:
        """Whether a file may be a container without pages of its own. Those inside containers are found when these are taken apart."""
        return not self.is_part(run) and may_be_wrapper(run.file.location)

    def host_kind(self, run: DocumentRun) -> str:
        """The kind of a document that may hold others: an office file, an e-invoice, a PDF that was opened before; else ""."""
        if self.is_part(run):
            return ""
        try:
            kind = host_kind(run.file.location)
        except OSError:  # deleted meanwhile: reading it says so
            return ""
        if kind != "pdf":
            return kind
        document = self._job.ledger.document(run.sha256)  # else the reader that opens it counts its attachments
        return kind if document and document.attachments else ""

    def _set_aside(self, record: FileRecord) -> bool:
        """Take the record of an earlier file from a path that has another file now. False where its result is to be replaced.

        A rebuilt ledger does not know of every path whether its file was read there, or elsewhere, or has been moved since. And a file
        that is about to leave may have left.
        """
        path = record.source.path
        if record.size >= 0:
            return self._archive.set_aside(record)
        if is_new_version(self._job, record, path):
            return False
        self._job.ledger.record_deletion(path)
        self._job.outbox_names.deleted(path)
        return True

    def _with_new_name(self, file: InboxFile) -> InboxFile:
        """The file with a name of its own; the earlier file of its path keeps name and result."""
        source = file.source
        return replace(file, source=replace(source, name=self._job.outbox_names(source.path, source.name)))

    def count_time(self, run: DocumentRun, seconds: float) -> None:
        """Count time against ``limits.document_minutes``. It is recorded now and then, so that it counts after a crash, too."""
        before, run.seconds = run.seconds, run.seconds + seconds
        if before // RECORD_SECONDS != run.seconds // RECORD_SECONDS:
            self._job.ledger.record_seconds_spent(run.sha256, run.seconds)

    def count_answer(self, answer: Answer, concurrency: int) -> None:
        """Count the time of an answer, which the engine worked on together with others, ``concurrency`` in all."""
        if run := self._runs.get(answer.key.sha256):
            self.count_time(run, answer.seconds / concurrency)

    def reset_time(self, run: DocumentRun) -> None:
        """The document is published. A later reading has the whole time again."""
        if run.seconds >= RECORD_SECONDS:
            self._job.ledger.record_seconds_spent(run.sha256, 0)

    def known_document(self, run: DocumentRun) -> DocumentInfo | None:
        """The document, where the ledger or the file's size suffices; None when a reader must open the file."""
        limit = self._job.settings.limits.megabytes
        if run.file.size <= limit * 1_000_000:
            return self._job.ledger.document(run.sha256)
        document = DocumentInfo(run.sha256, "", 0, "too_large", f"more than {limit} MB (limits.megabytes)")
        self._job.ledger.record_document(document)
        return document

    def open(self, run: DocumentRun, document: DocumentInfo) -> list[Action]:
        """A reader has opened the document: record it and plan its units."""
        self._job.ledger.record_document(document)
        return self.plan(run, document)

    def choose(self, run: DocumentRun, document: DocumentInfo, template: str) -> list[Action]:
        """The classifier has chosen the document's template: record it and plan its units."""
        self._job.ledger.record_chosen_template(run.sha256, template)
        return self.plan(run, document)

    def plan(self, run: DocumentRun, document: DocumentInfo) -> list[Action]:
        """Plan the units that the ledger does not have. Returns the first actions."""
        ledger, sha256 = self._job.ledger, run.sha256
        recipes = self._job.plan(run.file.source.relative, run.named, ledger.chosen_template(sha256), run.published)
        ended = {template: ledger.answered_pages(sha256, template, recipe) for template, recipe in (recipes or {}).items()}
        return run.plan(document, recipes, ended)
