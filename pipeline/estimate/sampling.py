"""Reads a sample of the inbox to see what it costs: the loop of ``run`` over a few files, into a temporary outbox."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import psutil

from pipeline.engines.base import Engine, Request
from pipeline.intake.scan import InboxFile
from pipeline.monitoring.events import Observer
from pipeline.object_urls import local_folder
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Page, Reason, Result, Source
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings

PAGES_PER_DOCUMENT = 5
"""Pages that are read of a document. They resemble each other, so more documents say more than more pages."""
WARM_UP_SHARE = 10
"""One of so many documents of the sample warms up readers and engine, but at most one for each reader, and no more than four."""
MEMORY_POLL_SECONDS = 0.1
LEDGER_UNIT_BYTES = 400
"""What a unit takes in the ledger beside its fields: keys, times, two indices."""
LEDGER_FILL = 1.4
"""SQLite leaves part of its pages empty."""

ReportProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and of how many."""


class OutOfTime(Exception):  # noqa: N818 - no error
    """The time for the sample is over, and the engine has no page to wait for."""


@dataclass
class FileSample:
    """What became of one file of the sample."""

    source: Source
    sha256: str
    started: float
    document_pages: int | None = None
    """Pages of the document; None until it was opened."""
    complete: bool = False
    """Whether all pages that were to be read are read."""
    pages: set[int] = field(default_factory=set)
    """Pages that are finished."""
    seconds: float = 0.0
    """Time that readers and engine spent on it, each by its own clock."""
    bytes: int = 0
    """Its JSON file and its share of the ledger."""
    reason: Reason | None = None
    detail: str = ""
    warm_up: bool = False


@contextmanager
def temporary_outbox(settings: Settings) -> Iterator[Settings]:
    """The settings with an outbox that is deleted afterwards. Objects of a store are fetched into it, too."""
    with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as folder:
        changed = settings.model_copy(update={"outbox": Path(folder), "after": "keep", "archive": None, "failed": None})
        url = settings.inbox_url
        yield changed.model_copy(update={"inbox": local_folder(changed.objects_folder, url)}) if url else changed


class TimedEngine:
    """An engine that takes no more requests once the time is over, and notes when it was loaded."""

    def __init__(self, engine: Engine, out_of_time: Callable[[], bool]) -> None:
        self._engine, self._out_of_time = cast(Any, engine), out_of_time
        self.loaded: float | None = None
        """When it gave the first sign of life with a request."""
        self.submitted = self.load = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @property
    def room(self) -> bool:
        """See Engine. Raises OutOfTime when the time is over and all requests are answered."""
        if self.submitted and self._out_of_time():
            if not self.load:
                raise OutOfTime
            return False
        return bool(self._engine.room)

    def submit(self, request: Request) -> None:
        """See Engine."""
        self._engine.submit(request)
        self.submitted, self.load = self.submitted + 1, self.load + 1

    def poll(self, timeout: float) -> list[Answer]:
        """See Engine."""
        answers: list[Answer] = self._engine.poll(timeout)
        if self.submitted:
            self.loaded = self.loaded or time.monotonic()
        self.load -= len(answers)
        return answers

    def reset(self) -> None:
        """See Engine."""
        self._engine.reset()
        self.load = 0


class Sample(Observer):
    """Notes what the loop does to each file, when, and in how much memory. Ends the loop ``seconds`` after the first page."""

    def __init__(self, seconds: float = 0.0, report: ReportProgress = lambda *_: None) -> None:
        self.files: dict[Path, FileSample] = {}
        self.skipped: list[tuple[str, str]] = []
        """Files that could not be read, and why."""
        self.memory = (0, 0)
        """Bytes of the main process (with the engine), and of its readers, when they were largest together."""
        self.csv_bytes = 0
        self.interrupted = False
        self.startup = self.seconds = 0.0
        """Seconds until the pace is measured (loading, the files that warm up), and from then to the last page that was finished."""
        self._seconds, self._report, self._end, self._measured = seconds, report, float("inf"), 0.0
        self._by_hash: dict[str, FileSample] = {}
        """Of equal files the one that is being read."""
        self._finished: list[Path] = []
        self._first_page: float | None = None

    def read(self, settings: Settings, engine: Engine, template: str | None, files: Sequence[InboxFile]) -> None:
        """Read the first pages of ``files`` as a run does; at least one page, however short the time. A KeyboardInterrupt ends it, too.

        ``settings`` have the temporary outbox. Raises what a run raises.
        """
        limits = settings.limits.model_copy(update={"pages": min(PAGES_PER_DOCUMENT, settings.limits.pages)})
        settings = settings.model_copy(update={"limits": limits})
        self._engine = TimedEngine(engine, self._out_of_time)
        self._count, self._warm_up = len(files), min(settings.workers or os.cpu_count() or 1, 4, len(files) // WARM_UP_SHARE)
        began = self._last = self._started = time.monotonic()
        try:
            with open_job(settings, template=template, engine=cast(Engine, self._engine)) as job, Loop(job, self) as loop:
                try:
                    loop.round(files)
                finally:
                    for file in self.files.values():
                        document = job.ledger.document(file.sha256)
                        file.document_pages = document.pages if document else None
        except OutOfTime:
            pass
        except KeyboardInterrupt:
            self.interrupted = True
        if not any(file.warm_up for file in self.files.values()):
            self._started = max(began, self._engine.loaded or began, self._first_page or began)
        self.startup, self.seconds = self._started - began, max(0.0, self._last - self._started)
        self.csv_bytes = sum(path.stat().st_size for path in settings.outbox.glob("*.csv"))
        names = {name for name, _ in self.skipped}
        self.files = {path: file for path, file in self.files.items() if file.source.name not in names}

    def _out_of_time(self) -> bool:
        return time.monotonic() >= self._end

    def heartbeat(self) -> None:
        """See Observer. Raises OutOfTime, but waits until the engine has had a page if there is one."""
        if time.monotonic() > self._measured + MEMORY_POLL_SECONDS:
            self._measured = time.monotonic()
            self.memory = max(self.memory, _memory(), key=sum)
        if self._out_of_time() and not self._engine.load and (self._engine.submitted or self._first_page is None):
            raise OutOfTime

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        self.files[source.path] = self._by_hash[sha256] = FileSample(source, sha256, time.monotonic())

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        del sha256
        self._end = min(self._end, time.monotonic() + self._seconds)
        self._first_page = self._first_page or time.monotonic() - page.seconds

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        if result.status == "skipped":
            return
        file, self._last = self._by_hash[result.key.sha256], time.monotonic()
        file.pages.add(result.key.page)
        file.seconds += result.seconds
        if result.reason and not file.reason:
            file.reason, file.detail = result.reason, result.detail

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        file, self._last = self.files[publication.source.path], time.monotonic()
        file.complete = True
        if publication.document.reason:
            file.reason, file.detail = publication.document.reason, publication.document.detail
        units = [unit for unit in publication.units if unit.status != "skipped"]
        if not file.pages:  # it does not open, or an equal file was read
            file.seconds = self._last - file.started
            file.pages = {unit.key.page for unit in units}
        rows = sum(len(repr(unit.fields)) + LEDGER_UNIT_BYTES for unit in units)
        file.bytes = len(replace(publication, units=units).as_bytes()) + round(rows * LEDGER_FILL)
        if len(self._finished) < self._warm_up:
            file.warm_up, self._started = True, self._last

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self.skipped.append((name, reason))

    def file_finished(self, found: InboxFile) -> None:
        """See Observer."""
        self._end = min(self._end, time.monotonic() + self._seconds)
        self._finished.append(found.source.path)
        self._report("reading", len(self._finished), self._count)


def _memory() -> tuple[int, int]:
    """Bytes of this process and of its children."""
    process, children = psutil.Process(), 0
    for child in process.children():
        try:
            children += child.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return process.memory_info().rss, children
