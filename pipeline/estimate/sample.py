"""Reads a few files of the inbox with the loop of ``run``, into an outbox that is thrown away, and notes what each of them costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import psutil

from pipeline.engines.base import Engine
from pipeline.intake.scan import InboxFile
from pipeline.monitoring.events import Observer
from pipeline.object_urls import local_folder
from pipeline.publish.publication import Publication
from pipeline.records import Page, Result, Source
from pipeline.run.job import Job, open_job
from pipeline.run.loop import Loop
from pipeline.run.page_requests import decode_document, encode_request, opening_request
from pipeline.run.reader_calls import reader_pool
from pipeline.runtime.worker_pool import Reply

PAGES_PER_DOCUMENT = 5
"""Pages that are read of a document. They resemble each other, so more documents say more than more pages."""
OPENING_SHARE = 0.25
"""Share of the time that goes into counting pages."""
POLL_SECONDS = 0.1


class OutOfTime(Exception):  # noqa: N818 - no error
    """The time for the sample is over, and the engine has no page to finish."""


@dataclass
class FileSample:
    """What a file of the sample costs. ``seconds`` is what readers and engine spent on its ``pages``, by their own clocks."""

    sha256: str
    started: float
    timed: bool  # whether readers and engine had started before
    pages: set[int] = field(default_factory=set)
    seconds: float = 0.0
    publication: Publication | None = None  # of the pages that were read; None until that is complete


class Sample(Observer):
    """The sample; files go by their names in the outbox. After ``budget`` seconds the engine gets no further page."""

    def __init__(self, budget: float) -> None:
        self.files: dict[str, FileSample] = {}
        self.pages: dict[str, int] = {}  # to be read, of each file that was opened
        self.skipped: list[tuple[str, str]] = []
        self.memory = (0, 0)  # bytes of this process with the engine, and of its readers, when they were largest together
        self.startup = self.seconds = 0.0  # for the first files, and from then to the last page
        self._by_hash: dict[str, FileSample] = {}
        self._budget, self._end, self._last, self._measured = budget, float("inf"), 0.0, 0.0

    def count_pages(self, job: Job, files: Sequence[InboxFile]) -> None:
        """Open files to count their pages. Those in an object store are not fetched for that."""

        def note(file: InboxFile, reply: Reply) -> None:
            self.pages[file.source.name] = min(decode_document("", reply).pages, job.settings.limits.pages)

        end = time.monotonic() + self._budget * OPENING_SHARE
        with reader_pool(job.settings) as pool:
            for file in files:
                if not (job.objects and job.objects.is_object(file.source.path)):
                    pool.submit(encode_request(opening_request(job, file)), partial(note, file))
            while pool.load and (not self.pages or time.monotonic() < end):
                pool.poll(POLL_SECONDS)

    def read(self, job: Job, engine: Engine, template: str | None, files: Sequence[InboxFile]) -> None:
        """Read the first pages of files as a run does. The first files, one in ten, start readers and engine. Raises what a run raises."""
        old, limits, first = job.settings, job.settings.limits, max(1, len(files) // 10)
        few = limits.model_copy(update={"pages": min(PAGES_PER_DOCUMENT, limits.pages)})
        began = self._last = time.monotonic()
        with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as folder, suppress(OutOfTime):
            changes = {"outbox": Path(folder), "after": "keep", "archive": None, "failed": None, "limits": few}
            settings = old.model_copy(update=changes)
            if url := old.inbox_url:  # objects are fetched into the temporary outbox, too
                settings = settings.model_copy(update={"inbox": local_folder(settings.objects_folder, url)})
                files = [_move(file, old.objects_folder, settings.objects_folder) for file in files]
            with open_job(settings, template=template, engine=cast(Engine, SampleEngine(engine, self))) as here:
                try:
                    with Loop(here, self) as loop:
                        loop.round(files[:first])
                        self.startup = time.monotonic() - began
                        loop.round(files[first:])
                finally:
                    self.startup = self.startup or time.monotonic() - began
                    self.seconds = max(0.0, self._last - began - self.startup)
                    documents = {name: here.ledger.document(file.sha256) for name, file in self.files.items()}
                    self.pages |= {name: min(document.pages, limits.pages) for name, document in documents.items() if document}

    @property
    def out_of_time(self) -> bool:
        """Whether the engine gets no further page. It gets one, however short the time."""
        return time.monotonic() >= self._end

    def heartbeat(self) -> None:
        """See Observer."""
        if time.monotonic() > self._measured + POLL_SECONDS:
            process, self._measured = psutil.Process(), time.monotonic()
            with suppress(psutil.Error):  # a reader has just ended
                readers = sum(child.memory_info().rss for child in process.children())
                self.memory = max(self.memory, (process.memory_info().rss, readers), key=sum)

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        file = FileSample(sha256, time.monotonic(), timed=self.startup > 0)
        self.files[source.name] = self._by_hash[sha256] = file

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        del sha256, page
        self._end = min(self._end, time.monotonic() + self._budget * (1 - OPENING_SHARE))

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        if result.status != "skipped":
            file, self._last = self._by_hash[result.key.sha256], time.monotonic()
            file.pages.add(result.key.page)
            file.seconds += result.seconds

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        file, self._last = self.files[publication.source.name], time.monotonic()
        units = [unit for unit in publication.units if unit.status != "skipped"]
        file.publication = replace(publication, units=units)
        if not file.pages:  # it does not open, or an equal file was read
            file.pages, file.seconds = {unit.key.page for unit in units}, self._last - file.started

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self.skipped.append((name, reason))


class SampleEngine:
    """An engine that gets no further page when the time for the sample is over."""

    def __init__(self, engine: Engine, sample: Sample) -> None:
        self._engine, self._sample = cast(Any, engine), sample

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @property
    def room(self) -> bool:
        """See Engine. Raises OutOfTime, but waits for pages that the engine has."""
        if not self._sample.out_of_time:
            return bool(self._engine.room)
        if not self._engine.load and any(file.pages for file in self._sample.files.values()):
            raise OutOfTime
        return not self._engine.load


def _move(file: InboxFile, old: Path, new: Path) -> InboxFile:
    """The file, with its place in the folder ``new`` if it is one of the objects in the folder ``old``."""
    path = file.source.path
    return replace(file, source=replace(file.source, path=new / path.relative_to(old))) if path.is_relative_to(old) else file
