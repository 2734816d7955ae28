"""From ended units to files: merge the pages, check the sums, write the JSON, add the rows, tell the ledger.

JSON files are written at once; rows and the ledger's marks are gathered for a moment, so that a thousand small documents do not cost
a thousand syncs of every sheet. A crash before the marks only means that these documents are published again.
"""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pipeline import __version__
from pipeline.checks.arithmetic import check_document
from pipeline.checks.document import merge
from pipeline.intake.shelve import shelve
from pipeline.ledger.ledger import Ledger
from pipeline.publish.document import Publication
from pipeline.publish.files import write_atomically
from pipeline.publish.rows import DOCUMENTS, Row, sheet_columns, sheet_names, sheet_rows
from pipeline.publish.sheets import append_rows, rebuild
from pipeline.records import Document, Evidence, Source
from pipeline.run.job import Job
from pipeline.templates.model import Template

GATHER_DOCUMENTS = 100
GATHER_SECONDS = 1.0
Templates = Mapping[str, Template]
_LIBRARIES = ("pymupdf", "pypdfium2", "pillow", "rapidocr", "onnxruntime")


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """What a result depends on, without importing any of it."""
    found = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"pipeline": __version__, "python": platform.python_version(), **found}


def compose(
    ledger: Ledger, templates: Templates, source: Source, document: Document, recipes: Mapping[str, str]
) -> Publication:
    """A document's publication, from the ledger alone."""
    units, fields = [], {}
    for template, recipe in recipes.items():
        results = ledger.results(document.sha256, template, recipe)
        units += results
        if template in templates:
            fields[template] = check_document(merge(results, templates[template]), templates[template])
        else:  # the template is gone; what it found is still worth having
            fields[template] = _unmerged(results)
    started, finished = ledger.span(document.sha256, recipes) or (None, None)
    engine, made_with = ledger.made_by(recipes.values())
    provenance: dict[str, Any] = {
        "engine": engine,
        "recipe": "+".join(recipes.values()),
        "versions": made_with,
        "started": started,
        "finished": finished,
    }
    return Publication(source, document, recipes, units, fields if not document.reason else {}, provenance)


def _unmerged(results: Iterable[Any]) -> dict[str, Evidence]:
    merged: dict[str, Evidence] = {}
    for result in results:
        for name, evidence in result.fields.items():
            merged.setdefault(name, evidence)
    return merged


class Publisher:
    """Writes documents and keeps the spreadsheets; call ``flush`` at the end of a round."""

    def __init__(self, job: Job, *, shelve_files: bool = False) -> None:
        self._job, self._shelve = job, shelve_files and job.settings.after != "keep"
        self._gathered: list[Publication] = []
        job.ledger.saw_recipes(job.recipes, job.engine.identity, versions())
        self._since = 0.0

    def publish(self, source: Source, document: Document, recipes: Mapping[str, str]) -> Publication:
        """Write the document's JSON; its rows follow with the next flush."""
        publication = compose(self._job.ledger, self._job.templates, source, document, recipes)
        write_atomically(self._job.outbox / f"{source.name}.json", [publication.as_bytes()], self._job.scratch)
        if not self._gathered:
            self._since = time.monotonic()
        self._gathered.append(publication)
        if len(self._gathered) >= GATHER_DOCUMENTS or time.monotonic() - self._since > GATHER_SECONDS:
            self.flush()
        return publication

    def flush(self) -> None:
        """Append the gathered rows, tell the ledger, put the files away."""
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        rows, dirty = self._rows(gathered)
        sizes: dict[str, int] = {}
        for name, added in rows.items():
            columns = sheet_columns(name, self._job.templates) or []
            size = (
                append_rows(self._job.outbox, self._job.ledger, name, columns, added, self._job.scratch)
                if name not in dirty
                else None
            )
            if size is None:
                dirty.add(name)
            else:
                sizes[name] = size
        ledger = self._job.ledger
        with ledger.transaction():
            for name, size in sizes.items():
                ledger.wrote_sheet(name, sheet_columns(name, self._job.templates) or [], size)
            ledger.soil_sheets(sorted(dirty))
            for item in gathered:
                ledger.published(item.source.path, item.document.sha256, item.recipes, item.status, item.reason)
        self._put_away(gathered)

    def _rows(self, gathered: list[Publication]) -> tuple[dict[str, list[Row]], set[str]]:
        """Rows to append by sheet, and the sheets that hold older rows of these documents."""
        rows: dict[str, list[Row]] = defaultdict(list)
        dirty: set[str] = set()
        for item in gathered:
            for name, added in sheet_rows(item, self._job.templates).items():
                rows[name] += added
            before = self._job.ledger.known_file(item.source.path)
            if before and before.published:
                templates = [
                    self._job.templates[name] for name in {*before.recipes, *item.recipes} if name in self._job.templates
                ]
                dirty |= {DOCUMENTS, *(name for template in templates for name in sheet_names(template))}
        return rows, dirty

    def _put_away(self, gathered: list[Publication]) -> None:
        settings = self._job.settings
        if not self._shelve:
            return
        archive = settings.archive or settings.inbox.resolve().parent / "archive"
        for item in gathered:
            if item.status == "done" and item.source.path.is_relative_to(settings.inbox.resolve()):
                shelve(item.source.path, item.source.relative, settings.after, archive)

    def finish(self) -> None:
        """Flush, and write the dirty sheets anew."""
        self.flush()
        for name in self._job.ledger.dirty_sheets():
            columns = sheet_columns(name, self._job.templates)
            if columns is not None:
                rebuild(
                    self._job.outbox,
                    self._job.ledger,
                    name,
                    columns,
                    rows_of(self._job.ledger, self._job.templates, name),
                    self._job.scratch,
                )


def publications(ledger: Ledger, templates: Templates) -> Iterator[Publication]:
    """Everything that is published, from the ledger alone, by name."""
    for file in ledger.published_files():
        document = ledger.document(file.published or "", stale=True)
        if document:
            yield compose(ledger, templates, file.source, document, file.recipes)


def rows_of(ledger: Ledger, templates: Templates, sheet: str) -> Iterator[Row]:
    """All rows of one sheet, from the ledger alone."""
    for publication in publications(ledger, templates):
        yield from sheet_rows(publication, templates).get(sheet, [])
