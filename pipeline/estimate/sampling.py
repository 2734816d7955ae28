"""Reading a sample of the inbox to see what it costs: the run's own loop over a few files, into an outbox that is thrown away.

Only a document's first pages are read. The first files warm up readers and engine, and are not counted among those that tell the pace.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import psutil

from pipeline.engines.base import Engine, Request
from pipeline.estimate.totals import Stratum, stratum
from pipeline.intake.scan import InboxFile
from pipeline.ledger.ledger import Ledger
from pipeline.monitoring.events import Observer
from pipeline.object_urls import local_folder
from pipeline.publish.publication import Publication
from pipeline.records import Answer, DocumentInfo, Page, Reason, Result, Source
from pipeline.remote.objects import ObjectInbox
from pipeline.run.document_run import Task
from pipeline.run.job import Job, open_job
from pipeline.run.loop import Loop
from pipeline.run.page_requests import encode_request
from pipeline.run.reader_calls import opened_document, reader_call, reader_pool
from pipeline.runtime.worker_pool import Reply
from pipeline.settings import Settings
from pipeline.templates.model import Template

PAGES_EACH = 5
"""Pages read of a document: those of one resemble each other, so that more documents tell more than more pages."""
WARM_EACH = 4
"""Files of a kind that warm up, at most; one a reader."""
WARM_OF = 10
"""Files of a stratum of the sample below which none is spared for warming up, where there are no others."""
WARM_SECONDS = 10.0
"""How long warming up may take once the engine is loaded: where pages take longer than that, nobody notices the first one's delay."""
WAIT_SECONDS = 0.2
LOOK_SECONDS = 0.1
"""Between two looks at the memory."""
UNIT_BYTES = 400
"""What a unit takes in the ledger beside its fields: keys, times, two indices."""
LEDGER_SLACK = 1.4
"""SQLite's pages are not full: a row of some thousand bytes leaves part of its page empty."""

Told = Callable[[str, int, int], None]
"""Hears how far it is: what is being done, how many are done, of how many."""


class OutOfTime(Exception):  # noqa: N818 - no error
    """The time for the sample is over, and nothing is under way that could be waited for."""


@dataclass
class Seen:
    """What became of one file of the sample."""

    source: Source
    taken: float
    document: DocumentInfo | None = None
    """None until it was opened."""
    whole: bool = False
    """Whether everything was read that was to be read."""
    pages: set[int] = field(default_factory=set)
    """Pages that have ended."""
    seconds: float = 0.0
    """Time that readers and engine spent on it, each by its own clock."""
    bytes: int = 0
    """Its JSON and its share of the ledger."""
    reason: Reason | None = None
    detail: str = ""
    warm: bool = False
    """Whether it was read before the clock started."""


@dataclass
class Sample:
    """What reading the sample told."""

    seen: list[Seen] = field(default_factory=list)
    startup: float = 0.0
    """Seconds until the clock started: engine loaded, readers started, the first files read."""
    seconds: float = 0.0
    """From then to the last page that ended."""
    sheets: int = 0
    """Bytes of all spreadsheets."""
    memory: tuple[int, int] = (0, 0)
    """Bytes of the main process, model included, and of its readers, when they held most together."""
    left: list[tuple[str, str]] = field(default_factory=list)
    """Files that could not be taken, and why."""
    interrupted: bool = False


@contextmanager
def set_apart(settings: Settings) -> Iterator[Settings]:
    """The same settings with an outbox that is thrown away; objects of a store are fetched into it, too."""
    with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as folder:
        apart = settings.model_copy(update={"outbox": Path(folder), "after": "keep", "archive": None, "failed": None})
        url = settings.inbox_url
        yield apart.model_copy(update={"inbox": local_folder(apart.objects_folder, url)}) if url else apart


def taken_apart(found: InboxFile, settings: Settings, apart: Settings) -> InboxFile:
    """A file as it is known by ``settings``, as it is called by those that are ``set_apart``."""
    path = found.source.path
    if not path.is_relative_to(settings.objects_folder):
        return found
    return replace(found, source=replace(found.source, path=apart.objects_folder / path.relative_to(settings.objects_folder)))


def count_pages(job: Job, apart: Settings, files: Sequence[InboxFile], seconds: float) -> Iterator[tuple[Path, int]]:
    """Pages to be read of each file, 0 where none can be; no further ones so many ``seconds`` after the first.

    Of a store they are fetched for it. Raises StoreError.
    """
    limits, until, over, opened = job.settings.limits, float("inf"), False, dict[Path, InboxFile]()
    objects = ObjectInbox(apart, apart.inbox_url) if apart.inbox_url else None
    replies: deque[tuple[Path, Reply]] = deque()
    with reader_pool(job.settings) as pool, closing(objects.fetch_ahead(files, _gone) if objects else _all(files)) as waiting:
        while (not over or pool.load) and time.monotonic() < until:
            found = None
            while pool.room and not over:
                try:
                    found = next(waiting)
                except StopIteration:
                    over = True
                    break
                if found is None:
                    break
                if found.size > limits.megabytes * 1_000_000:
                    yield found.source.path, 0
                else:
                    opened[found.source.path] = found
                    on_reply = partial(_note_reply, replies, found.source.path)
                    pool.submit(encode_request(reader_call(job, Task(0, found, "", {}), 0)), on_reply)
            if pool.poll(WAIT_SECONDS):
                until = min(until, time.monotonic() + seconds)
            while replies:
                path, reply = replies.popleft()
                yield path, min(opened_document("", reply).pages, limits.pages)
                if objects:
                    objects.file_finished(opened[path])


def _note_reply(replies: deque[tuple[Path, Reply]], path: Path, reply: Reply) -> None:
    replies.append((path, reply))


def _all(files: Sequence[InboxFile]) -> Generator[InboxFile | None, None, None]:
    yield from files


def _gone(found: InboxFile, why: str) -> None:
    """An object that cannot be fetched now: others speak for it."""


def read_sample(
    apart: Settings,
    engine: Engine,
    template: str | None,
    files: Sequence[InboxFile],
    spare: Sequence[InboxFile],
    seconds: float,
    told: Told,
) -> Sample:
    """Read the first pages of these files as a run would, once a few ``spare`` ones were; ``apart``: settings that are set apart.

    So many ``seconds`` after the first page that was read no further one is begun; one at least is read.

    A KeyboardInterrupt ends it too; what is known until then comes back. Raises what a run raises.
    """
    sample, memory, watch = Sample(), _Memory(), _Watch(engine, seconds, told)
    limits = apart.limits.model_copy(update={"pages": min(PAGES_EACH, apart.limits.pages)})
    settings = apart.model_copy(update={"limits": limits})
    warm = _warm(files, spare, settings.workers or len(os.sched_getaffinity(0)))
    try:
        with memory, open_job(settings, template=template, engine=watch.engine) as job, Loop(job, watch) as loop:
            try:
                loop.round(watch.hand_out(warm, [found for found in files if found not in warm]))
            finally:
                watch.look_up(job.ledger)
    except OutOfTime:
        pass
    except KeyboardInterrupt:
        sample.interrupted = True
    sample.sheets = sum(path.stat().st_size for path in settings.outbox.glob("*.csv"))
    watch.sum_up(sample)
    sample.memory = memory.peak
    return sample


def _warm(files: Sequence[InboxFile], spare: Sequence[InboxFile], readers: int) -> list[InboxFile]:
    """Files to warm up with: some of each kind, of its largest stratum; such as are ``spare``, or as the sample can do without."""
    strata: dict[Stratum, list[InboxFile]] = {}
    for found in spare or files:
        strata.setdefault(stratum(found.source.relative, found.size), []).append(found)
    largest: dict[str, list[InboxFile]] = {}
    for (kind, _), members in strata.items():
        if len(members) >= max(1 if spare else WARM_OF, len(largest.get(kind, ()))):
            largest[kind] = members
    return [found for members in largest.values() for found in members[-min(readers, WARM_EACH) :]]


class _Stopwatch:
    """The engine, and when it was loaded; hands it no more requests once the time is over."""

    def __init__(self, engine: Engine, out_of_time: Callable[[], bool]) -> None:
        self._engine, self._out_of_time = engine, out_of_time
        self.identity, self.retries = engine.identity, engine.retries
        self.needs_whole_page, self.prefers_batches = engine.needs_whole_page, engine.prefers_batches
        self.loaded: float | None = None
        """When it had its first page and gave a sign of life, or asked for another."""
        self.under_way = self.handed = 0
        self._ended = False

    def wants_image(self, template: Template) -> bool:
        """See Engine."""
        return self._engine.wants_image(template)

    def answer(self, requests: Iterable[Request | None]) -> Iterator[Answer | None]:
        """See Engine. Raises OutOfTime when those are answered that were handed out in time."""
        self.under_way = 0
        for answer in self._engine.answer(self._passed_on(requests)):
            self.loaded = self.loaded or time.monotonic()
            self.under_way -= answer is not None
            yield answer
        if self._ended:
            raise OutOfTime

    def _passed_on(self, requests: Iterable[Request | None]) -> Iterator[Request | None]:
        for request in requests:
            if self.handed and self._out_of_time():
                self._ended = True
                return
            self.under_way += request is not None
            self.handed += request is not None
            yield request
            if self.handed:
                self.loaded = self.loaded or time.monotonic()


class _Watch(Observer):
    """Notes what the loop does to each file, and by the clock on the wall when."""

    def __init__(self, engine: Engine, seconds: float, told: Told) -> None:
        self.engine = _Stopwatch(engine, self._out_of_time)
        self._told, self._files = told, 0
        self._began = self._last = time.monotonic()
        self._seconds, self._until = seconds, float("inf")
        self._first_page: float | None = None
        self._warmed: float | None = None
        self._seen: dict[Path, Seen] = {}
        self._by_hash: dict[str, Seen] = {}
        """Of equal contents the file that is being read."""
        self._hashed: list[tuple[str, Seen]] = []
        self._left: list[tuple[str, str]] = []
        self._over: set[Path] = set()

    def hand_out(self, warm: Sequence[InboxFile], others: Sequence[InboxFile]) -> Iterator[InboxFile | None]:
        """The files for the loop: first those that warm up, then, when they are read, the others."""
        self._files = len(warm) + len(others)
        yield from warm
        paths = {found.source.path for found in warm}
        while not paths <= self._over and time.monotonic() < (self.engine.loaded or self._began) + WARM_SECONDS:
            yield None
        if paths and paths <= self._over:
            self._warmed = self._last = time.monotonic()
            for path in paths & self._seen.keys():
                self._seen[path].warm = True
        for found in others:
            if self._out_of_time():
                return
            yield found

    def _out_of_time(self) -> bool:
        return time.monotonic() >= self._until

    def _run_clock(self) -> None:
        """Engine and readers work: their start is not counted."""
        self._until = min(self._until, time.monotonic() + self._seconds)

    def heartbeat(self) -> None:
        """See Observer. Raises OutOfTime, though not before the engine had a page if there is one."""
        if self._out_of_time() and not self.engine.under_way and (self.engine.handed or self._first_page is None):
            raise OutOfTime

    def file_started(self, source: Source, sha256: str) -> None:
        """See Observer."""
        seen = self._seen[source.path] = self._by_hash[sha256] = Seen(source, time.monotonic())
        self._hashed.append((sha256, seen))

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        del sha256
        self._run_clock()
        if self._first_page is None:
            self._first_page = time.monotonic() - page.seconds

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        if result.status == "skipped":
            return
        seen, self._last = self._by_hash[result.key.sha256], time.monotonic()
        seen.pages.add(result.key.page)
        seen.seconds += result.seconds
        if result.reason and not seen.reason:
            seen.reason, seen.detail = result.reason, result.detail

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        seen, self._last = self._seen[publication.source.path], time.monotonic()
        seen.whole = True
        if publication.document.reason:
            seen.reason, seen.detail = publication.document.reason, publication.document.detail
        units = [unit for unit in publication.units if unit.status != "skipped"]
        if not seen.pages:  # it does not open, or its twin was read
            seen.seconds = self._last - seen.taken
            seen.pages = {unit.key.page for unit in units}
        rows = sum(len(repr(unit.fields)) + UNIT_BYTES for unit in units)
        seen.bytes = len(replace(publication, units=units).as_bytes()) + round(rows * LEDGER_SLACK)

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self._left.append((name, reason))

    def file_finished(self, found: InboxFile) -> None:
        """See Observer."""
        self._run_clock()
        self._over.add(found.source.path)
        self._told("reading", len(self._over), self._files)

    def look_up(self, ledger: Ledger) -> None:
        """What opening the files told."""
        for sha256, seen in self._hashed:
            seen.document = ledger.document(sha256)

    def sum_up(self, sample: Sample) -> None:
        """Put it all into ``sample``."""
        left = {name for name, _ in self._left}
        started = self._warmed or max(self.engine.loaded or self._began, self._first_page or self._began)
        sample.seen = [seen for seen in self._seen.values() if seen.source.name not in left]
        sample.startup, sample.seconds, sample.left = started - self._began, max(0.0, self._last - started), self._left


class _Memory:
    """Looks again and again how much memory this process and its children hold. Use as a context manager."""

    def __init__(self) -> None:
        self.peak = (0, 0)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while True:
            held = own.memory_info().rss, sum(map(_resident, own.children()))
            self.peak = max(self.peak, held, key=sum)
            if self._end.wait(LOOK_SECONDS):
                return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
