"""Complete documents become files: the JSON at once, rows and the ledger's marks gathered for a moment.

Gathering keeps a thousand small documents from costing a thousand syncs of every sheet. A crash before the marks only means that these
documents are published again.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.intake.scan import Found
from pipeline.intake.settle import look_again
from pipeline.intake.shelve import shelve
from pipeline.publish.document import Publication
from pipeline.publish.files import write_atomically
from pipeline.publish.rows import DOCUMENTS, Row, sheet_columns, sheet_names, sheet_rows
from pipeline.publish.sheets import append_rows, rebuild
from pipeline.records import Document
from pipeline.run.composing import compose, publications, versions
from pipeline.run.job import Job
from pipeline.run.observer import Observer

GATHER_DOCUMENTS = 100
GATHER_SECONDS = 1.0
TIDY_SHARE = 20
"""A watcher writes sheets anew only after this many times as long as that took the last time."""


class Publisher:
    """Writes documents and keeps the spreadsheets; ``flush`` ends a round, ``tidy`` a run.

    ``observer`` is told what became of files that are done with.
    """

    def __init__(self, job: Job, observer: Observer, *, shelve_files: bool = False) -> None:
        self._job, self._observer, self._shelve = job, observer, shelve_files and job.settings.after != "keep"
        self._gathered: dict[Path, tuple[Found, Publication]] = {}
        self._since = 0.0
        self._next_tidy = 0.0
        job.ledger.saw_recipes(job.recipes, job.engine.identity, versions(job.engine.identity))

    def publish(self, found: Found, document: Document, recipes: Mapping[str, str]) -> Publication:
        """Write the document's JSON; its rows follow with the next flush."""
        if found.source.path in self._gathered:  # replaced since, and read again already
            self.flush()
        publication = compose(self._job.ledger, self._job.templates, found.source, document, recipes)
        write_atomically(self._job.outbox / f"{found.source.name}.json", [publication.as_bytes()], self._job.scratch)
        if not self._gathered:
            self._since = time.monotonic()
        self._gathered[found.source.path] = (found, publication)
        if len(self._gathered) >= GATHER_DOCUMENTS or time.monotonic() - self._since > GATHER_SECONDS:
            self.flush()
        return publication

    def flush(self) -> None:
        """Append the gathered rows, tell the ledger, put the files away."""
        gathered, self._gathered = list(self._gathered.values()), {}
        if not gathered:
            return
        items = [publication for _, publication in gathered]
        rows, dirty = self._rows(items)
        sizes = self._append(rows, dirty)
        ledger = self._job.ledger
        with ledger.transaction():
            for name, size in sizes.items():
                ledger.wrote_sheet(name, sheet_columns(name, self._job.templates) or [], size)
            ledger.soil_sheets(sorted({*dirty, *(rows.keys() - sizes.keys())}))
            for item in items:
                ledger.published(item.source.path, item.document.sha256, item.recipes, item.status, item.reason)
        for found, item in gathered:
            if item.status == "done":
                self._put_away(found)

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
            for name, added in sheet_rows(item, templates).items():
                rows[name] += added
            before = self._job.ledger.known_file(item.source.path)
            if before and before.published:
                used = [templates[name] for name in {*before.recipes, *item.recipes} if name in templates]
                dirty |= {DOCUMENTS, *(name for template in used for name in sheet_names(template))}
        return rows, dirty

    # ---- files that are done with ------------------------------------------------------------------

    def put_away_known(self, known: Iterable[Found]) -> None:
        """Put away files that were published before but are still there."""
        files = self._job.ledger.known_files() if self._shelve else {}
        for found in known if self._shelve else ():
            if files[str(found.source.path)].status == "done":
                self._put_away(found)

    def _put_away(self, found: Found) -> None:
        """Move or delete a file of the inbox, unless it is no longer the one that was read."""
        settings, path = self._job.settings, found.source.path
        if not self._shelve or not path.is_relative_to(settings.inbox.resolve()) or look_again(found) != found:
            return
        try:
            place = shelve(path, found.source.relative, settings.after, settings.archive_folder)
        except OSError as error:
            self._observer.not_put_away(found.source.name, error.strerror or str(error))
            return
        where = str(place) if place else f"{path} (deleted, {found.source.name})"
        self._job.ledger.moved_file(path, where)
        self._job.namer.moved(path, where)
        self._observer.put_away(found.source.name, str(place or ""))

    # ---- sheets that hold outdated rows ------------------------------------------------------------

    def tidy(self, *, now: bool = True) -> None:
        """Write the dirty sheets anew; unless ``now``, only when enough time has passed since the last time."""
        self.flush()
        job = self._job
        sheets = {name: columns for name in job.ledger.dirty_sheets() if (columns := sheet_columns(name, job.templates))}
        if not sheets or (not now and time.monotonic() < self._next_tidy):
            return
        started = time.monotonic()
        documents = (sheet_rows(item, job.templates) for item in publications(job.ledger, job.templates))
        rebuild(job.outbox, job.ledger, sheets, documents, job.scratch)
        self._next_tidy = time.monotonic() + TIDY_SHARE * (time.monotonic() - started)
