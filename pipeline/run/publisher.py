"""Complete documents become files: the JSON at once, rows and the ledger's marks gathered for a moment.

Gathering keeps a thousand small documents from costing a thousand syncs of every sheet. A crash before the marks only means that these
documents are published again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.intake.scan import InboxFile
from pipeline.publish.atomic_files import write_atomically
from pipeline.publish.csv_sheets import append_rows, rebuild
from pipeline.publish.publication import Publication
from pipeline.publish.rows import DOCUMENTS, Row, sheet_columns, sheet_names, text_rows
from pipeline.records import DocumentInfo
from pipeline.run.archive import Shelver
from pipeline.run.compose import compose, publications, versions
from pipeline.run.job import Job
from pipeline.values.times import utc_timestamp

GATHER_DOCUMENTS = 100
GATHER_SECONDS = 1.0
TIDY_SHARE = 20
"""A watcher writes sheets anew only after this many times as long as that took the last time."""


class Publisher:
    """Writes documents and keeps the spreadsheets; ``flush`` ends a round, ``tidy`` a run.

    ``shelver`` puts files away once they are published; None leaves them where they are.
    """

    def __init__(self, job: Job, shelver: Shelver | None = None) -> None:
        self._job, self._shelver = job, shelver
        self._gathered: dict[Path, tuple[InboxFile, Publication]] = {}
        self._since = 0.0
        self._next_tidy = 0.0
        self._unsecured: list[tuple[InboxFile, Publication]] = []
        self._known: list[InboxFile] = []
        job.ledger.record_recipes(job.recipes, job.engine.identity, versions(job.engine.identity, job.precision))

    def publish(self, found: InboxFile, document: DocumentInfo, recipes: Mapping[str, str]) -> Publication:
        """Write the document's JSON; its rows follow with the next flush."""
        if found.source.path in self._gathered:  # replaced since, and read again already
            self.flush()
        publication = compose(
            self._job.ledger, self._job.templates, found.source, document, recipes, self._job.settings.review.accepted_error
        )
        path = self._job.outbox / f"{found.source.name}.json"
        write_atomically(path, [publication.as_bytes()], self._job.scratch)
        self._wrote([path])
        if not self._gathered:
            self._since = time.monotonic()
        self._gathered[found.source.path] = (found, publication)
        self.flush_if_due()
        return publication

    def flush_if_due(self) -> None:
        """``flush``, when enough or for long enough was gathered."""
        if len(self._gathered) >= GATHER_DOCUMENTS or (self._gathered and time.monotonic() - self._since > GATHER_SECONDS):
            self.flush()
        self._secure(now=False)

    def flush(self) -> None:
        """Append the gathered rows, tell the ledger, put the files away."""
        gathered, self._gathered = list(self._gathered.values()), {}
        if not gathered:
            return
        items = [publication for _, publication in gathered]
        rows, dirty = self._rows(items)
        sizes = self._append(rows, dirty)
        ledger = self._job.ledger
        again = {item.source.path: self._retry_at(item) for item in items}
        with ledger.transaction():
            for name, size in sizes.items():
                ledger.record_sheet(name, sheet_columns(name, self._job.templates) or [], size)
            ledger.mark_sheets_outdated(sorted({*dirty, *(rows.keys() - sizes.keys())}))
            for item in items:
                path, sha256 = item.source.path, item.document.sha256
                review = [name for template in item.fields for name in item.fields_to_review(template)]
                corrected = [name for template in item.fields for name in item.corrected_fields(template)]
                ledger.record_publication(
                    *(path, sha256, item.recipes, item.status, item.reason, again[path]), review=review, corrected=corrected
                )
        self._wrote(self._job.outbox / f"{name}.csv" for name in sizes)
        self._unsecured += [(found, item) for found, item in gathered if not again[found.source.path]]
        if not self._job.mirror:
            self._put_away()

    def _wrote(self, paths: Iterable[Path]) -> None:
        if self._job.mirror:
            self._job.mirror.add_files(paths)

    def _secure(self, *, now: bool) -> None:
        """Where the outbox lies in a store: have it there; only then are files put away."""
        if self._job.mirror and self._job.mirror.checkpoint(now=now):
            self._put_away()

    def put_away_known(self, known: Iterable[InboxFile]) -> None:
        """Put away files that were published before but are still there; where the outbox lies in a store, once that has all of it."""
        self._known += known
        if not self._job.mirror:
            self._put_away()

    def _put_away(self) -> None:
        done, self._unsecured = self._unsecured, []
        known, self._known = self._known, []
        if self._shelver:
            for found, item in done:
                self._shelver.put_away(found, item.status, item.reason, item.detail)
            self._shelver.put_away_known(known)

    def _retry_at(self, item: Publication) -> str | None:
        """When a document is to be read again of which something failed that may not fail again."""
        if item.status not in ("failed", "partial"):
            return None
        tried = self._job.ledger.fewest_attempts(
            item.document.sha256, item.recipes.values(), self._job.settings.retry.page_attempts
        )
        return None if tried is None else utc_timestamp(self._job.retry_pause(tried))

    def _append(self, rows: Mapping[str, list[Row]], dirty: set[str]) -> dict[str, int]:
        """Append to the sheets that are in order; their new sizes."""
        sizes: dict[str, int] = {}
        for name in rows.keys() - dirty:
            columns = sheet_columns(name, self._job.templates) or []
            size = append_rows(self._job.outbox, self._job.ledger, name, columns, rows[name], self._job.scratch)
            if size is not None:
                sizes[name] = size
        return sizes

    def _rows(self, items: Iterable[Publication]) -> tuple[dict[str, list[Row]], set[str]]:
        """Rows to append by sheet, and the sheets that hold older rows of these documents."""
        templates = self._job.templates
        rows: dict[str, list[Row]] = defaultdict(list)
        dirty: set[str] = set()
        for item in items:
            for name, added in text_rows(item, templates).items():
                rows[name] += added
            before = self._job.ledger.file_at(item.source.path)
            if before and before.published_sha256:
                used = [templates[name] for name in {*before.recipes, *item.recipes} if name in templates]
                dirty |= {DOCUMENTS, *(name for template in used for name in sheet_names(template))}
        return rows, dirty

    # ---- sheets that hold outdated rows ------------------------------------------------------------

    def tidy(self, *, now: bool = True) -> None:
        """Write the dirty sheets anew; unless ``now``, only when enough time has passed since the last time."""
        self.flush()
        self._rebuild(now=now)
        self._secure(now=now)

    def _rebuild(self, *, now: bool) -> None:
        job = self._job
        sheets = [name for name in job.ledger.outdated_sheets() if sheet_columns(name, job.templates)]
        if not sheets or (not now and time.monotonic() < self._next_tidy):
            return
        started = time.monotonic()
        documents = publications(job.ledger, job.templates, job.settings.review.accepted_error)
        rebuild(job.outbox, job.ledger, sheets, documents, job.templates, job.scratch)
        self._wrote(job.outbox / f"{name}.csv" for name in sheets)
        self._next_tidy = time.monotonic() + TIDY_SHARE * (time.monotonic() - started)
