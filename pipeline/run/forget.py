"""Takes the results of documents back, and brings them back as they were.

Order of the steps: the undo log is whole and on the disk; the ledger lets go of the documents in one transaction that is on the disk; then
result files, rows of spreadsheets and the review page go. A command that dies in between is completed by the next one. Undoing has the
same steps backwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import OutboxError, SettingsError, StoreError
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.forgotten import Row, delete_documents, document_rows, occupied_names, restore_documents
from pipeline.publish.result_files import write_result
from pipeline.publish.rows import DOCUMENTS, sheet_names
from pipeline.run.job import Job
from pipeline.run.publisher import Publisher
from pipeline.run.undo_log import UndoLog, unfinished_logs, write_undo_log

REVIEW_FILE = "review.html"
"""The page of `pipeline review` in the outbox: it shows pictures of pages."""


@dataclass(frozen=True)
class Forgetter:
    """Takes documents of a job's outbox back. The job holds the outbox's lock."""

    job: Job
    publisher: Publisher

    def forget(self, names: Sequence[str], identifier: str = "") -> UndoLog:
        """Take the documents with these names back. Returns their undo log. Call ``end`` when other exports are written again.

        The log has the ``identifier``, or one of its own.

        Raises OutboxError, LedgerError, StoreError.
        """
        self.publisher.flush()
        ledger = self.job.ledger
        results = [*names, *(part.source.name for name in names for part in ledger.documents_of(name))]
        log = write_undo_log(self.job.outbox, results, document_rows(ledger, names), identifier)
        self._take_out(log)
        return log

    def undo(self, log: UndoLog) -> list[str]:
        """Bring the documents of a log back. Returns their names. Call ``end`` when other exports are written again.

        Raises SettingsError, with nothing changed, when another document has one of the names; OutboxError, LedgerError, StoreError.
        """
        job, rows = self.job, log.rows()
        if occupied := occupied_names(job.ledger, rows):
            raise SettingsError(
                f"{occupied[0]}: another document has this name or lies at this path now"
                + (f" (and so for {len(occupied) - 1:,} more)" if len(occupied) > 1 else ""),
                "move its file, or forget its result first; nothing was changed",
            )
        log.set_state("undoing")
        self._bring_back(log, rows)
        parts = {row["name"] for table, row in rows if table == "parts"}
        return [document.name for document in log.documents() if document.name not in parts]

    def resume(self) -> list[UndoLog]:
        """Complete what interrupted commands have begun, up to ``end``. Returns their logs."""
        logs = list(unfinished_logs(self.job.outbox))
        for log in logs:
            if log.state == "undoing":
                self._bring_back(log, log.rows())
            else:
                self._take_out(log)
        return logs

    def end(self, log: UndoLog) -> None:
        """Record that a forgetting or an undoing is complete."""
        log.set_state("undone" if log.state == "undoing" else "forgotten")

    def _take_out(self, log: UndoLog) -> None:
        rows = log.rows()
        ledger = self.job.ledger
        names = [row["name"] for table, row in rows if table == "files" and self._is_present(row)]
        if names:
            delete_documents(ledger, names, self._sheets(rows))
            passwords = DocumentPasswords(ledger.path.parent)
            for sha256 in {row["sha256"] for table, row in rows if table == "files"}:
                if not ledger.files_with_contents(sha256):
                    passwords.remove(sha256)
        self.publisher.remove_obsolete({item.name: log.folder / item.result for item in log.documents() if item.result})
        self._move_review(log, back=False)
        self.publisher.tidy()

    def _bring_back(self, log: UndoLog, rows: Sequence[tuple[str, Row]]) -> None:
        paths: list[Path] = []
        for document in log.documents():
            if document.result:
                path = self.job.outbox / f"{document.name}.json"
                content = (log.folder / document.result).read_bytes()
                paths += write_result(path, content, self.job.scratch, self.publisher.warn, sync_name=True)
        restore_documents(self.job.ledger, rows, self._sheets(rows))
        if self.job.mirror:
            self.job.mirror.add_files(paths)
        self._move_review(log, back=True)
        self.publisher.tidy()

    def _is_present(self, row: Row) -> bool:
        """Whether the ledger has a file's row as the log has it. One that was read again since then is another result."""
        query = "SELECT * FROM files WHERE name = ?"
        present = next(self.job.ledger.rows(query, [row["name"]]), None)
        return present is not None and row.items() <= present.items()

    def _sheets(self, rows: Iterable[tuple[str, Row]]) -> set[str]:
        """The spreadsheets that hold rows of these documents."""
        used = {name for table, row in rows if table == "files" for name in json.loads(row["recipes"] or "{}")}
        templates = [self.job.templates[name] for name in used if name in self.job.templates]
        return {DOCUMENTS, *(name for template in templates for name in sheet_names(template))}

    def _move_review(self, log: UndoLog, *, back: bool) -> None:
        """Move the review page into the log, or back where there is no newer one."""
        review, kept = self.job.outbox / REVIEW_FILE, log.folder / REVIEW_FILE
        try:
            if back and kept.exists() and not review.exists():
                kept.rename(review)
            elif not back and review.exists():
                review.replace(kept)
                if self.job.mirror:
                    self.job.mirror.remove_files([REVIEW_FILE])
        except StoreError as error:
            self.job.mirror.on_warning(error.message) if self.job.mirror else None
        except OSError as error:
            raise OutboxError(
                f"{review}: cannot be moved: {error.strerror or error}", "check that you may write there"
            ) from error
