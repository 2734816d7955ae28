"""Predicts what reading the whole inbox takes (pages, time, memory, disk) from a few files that are really opened and read."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.engines.base import Engine
from pipeline.estimate.sampling import FileSample, ReportProgress, Sample, temporary_outbox
from pipeline.estimate.totals import SampledFile, Stratum, Total, draw, stratum, total
from pipeline.intake.scan import InboxFile
from pipeline.run.job import Job
from pipeline.run.page_requests import decode_document, encode_request, opening_request
from pipeline.run.reader_calls import reader_pool
from pipeline.runtime.lock import is_locked
from pipeline.runtime.worker_pool import Reply

MAX_OPENED = 400
"""Most files that are opened to count their pages."""
OPENING_SHARE = 0.25
"""Share of the time for opening files."""
POLL_SECONDS = 0.2
NOISE = 0.10
"""Standard deviation of the time that the same pages take from one run to the next, as a share (docs/performance.md)."""


@dataclass
class Forecast:
    """The prediction, and the sample that it comes from. A total is None where the sample was too small."""

    files: int
    opened: int = 0
    """Files whose pages were counted, now or by an earlier run."""
    pages: Total | None = None
    seconds: Total | None = None
    """From start to end, with the start."""
    bytes: Total | None = None
    """What is written to the outbox."""
    read: list[FileSample] = field(default_factory=list)
    """Documents of the sample of which at least one page was read, or that cannot be read."""
    unfinished: int = 0
    """Documents of the sample of which no page was finished when the time was over."""
    sample: Sample = field(default_factory=Sample)
    is_shared: bool = False
    """Whether another run was at work, so that the times are those of a busy machine."""

    @property
    def failed(self) -> list[FileSample]:
        """Documents of the sample that cannot be read, wholly or in part."""
        return [file for file in self.read if file.reason]


def make_forecast(
    job: Job,
    engine: Engine,
    template: str | None,
    files: Sequence[InboxFile],
    *,
    most: int,
    seconds: float,
    report: ReportProgress = lambda *_: None,
    most_opened: int = MAX_OPENED,
) -> Forecast:
    """Open and read a sample of ``files``: ``most`` of them, and no further page after ``seconds``. Writes nothing to the outbox.

    A KeyboardInterrupt ends it with what is known so far. Raises what a run raises.
    """
    forecast = Forecast(len(files), sample=Sample(seconds * (1 - OPENING_SHARE), report), is_shared=is_locked(job.outbox))
    sample, limit = forecast.sample, job.settings.limits.pages
    with temporary_outbox(job.settings) as settings:
        here = {_path(found, job, settings.objects_folder): found for found in files}
        pages = {path: count for path, found in here.items() if (count := _known_pages(job, found)) is not None}
        sizes = {path: (_stratum(found, path in pages), found.size) for path, found in here.items()}
        order = [list(here)[index] for index in draw(list(sizes.values()), max(most, most_opened))]
        try:
            unknown = [here[path] for path in order if path not in pages and path == here[path].source.path]
            _count_pages(job, unknown, pages, seconds * OPENING_SHARE, report)
            chosen = [replace(here[path], source=replace(here[path].source, path=path)) for path in order[:most]]
            sample.read(settings, engine, template, chosen)
        except KeyboardInterrupt:
            sample.interrupted = True
    pages |= {path: min(file.document_pages, limit) for path, file in sample.files.items() if file.document_pages is not None}
    _add_totals(forecast, sizes, pages)
    return forecast


def _path(found: InboxFile, job: Job, objects: Path) -> Path:
    """Where a file is for the sample; objects of a store are fetched to a folder of their own."""
    path = found.source.path
    return objects / path.relative_to(job.settings.objects_folder) if path.is_relative_to(job.settings.objects_folder) else path


def _known_pages(job: Job, found: InboxFile) -> int | None:
    """Pages to read of a file that an earlier run opened and that is unchanged; None for any other."""
    file = job.file_records.get(os.fspath(found.source.path))
    if file is None or (file.size, file.mtime_ns) != (found.size, found.mtime_ns):
        return None
    document = job.ledger.document(file.sha256, stale=True)
    return min(document.pages, job.settings.limits.pages) if document else None


def _stratum(found: InboxFile, is_known: bool) -> Stratum:
    """Files of an earlier run are strata of their own: they are no sample of the others."""
    kind, size = stratum(found.source.relative, found.size)
    return (f"{kind} known", size) if is_known else (kind, size)


def _count_pages(job: Job, files: Sequence[InboxFile], pages: dict[Path, int], seconds: float, report: ReportProgress) -> None:
    """Open files and add to ``pages`` how many are to be read of each, 0 if it does not open. Ends ``seconds`` after the first one."""
    limits, end, before = job.settings.limits, float("inf"), len(pages)

    def open_file(found: InboxFile) -> None:
        def note(reply: Reply) -> None:
            pages[found.source.path] = min(decode_document("", reply).pages, limits.pages)

        pool.submit(encode_request(opening_request(job, found)), note)

    with reader_pool(job.settings) as pool:
        for found in files:
            if found.size > limits.megabytes * 1_000_000:
                pages[found.source.path] = 0
            else:
                open_file(found)
        while pool.load and time.monotonic() < end:
            if pool.poll(POLL_SECONDS):
                end = min(end, time.monotonic() + seconds)
                report("opening files", len(pages) - before, len(files))


def _add_totals(forecast: Forecast, files: Mapping[Path, tuple[Stratum, int]], pages: Mapping[Path, int]) -> None:
    """From the sample to all ``files`` (stratum, bytes)."""
    sample, counts = forecast.sample, Counter(group for group, _ in files.values())
    forecast.read = [file for path, file in sample.files.items() if (file.pages or file.complete) and path in pages]
    forecast.unfinished = len(sample.files) - len(forecast.read)
    forecast.opened = len(pages)
    if not pages:
        return

    def sampled(path: Path, cost: float) -> SampledFile:
        return SampledFile(files[path][0], max(1, pages[path]), files[path][1], cost)

    def whole(file: FileSample, cost: float) -> SampledFile:
        """The cost of all pages of a document of which the first ones were read."""
        path = file.source.path
        return sampled(path, cost * max(1, pages[path]) / max(1, len(file.pages)))

    opened = [sampled(path, count) for path, count in pages.items()]
    forecast.pages = total(counts, opened, opened).at_least(sum(pages.values()))
    if complete := [file for file in forecast.read if file.complete]:
        with_csv = 1 + sample.csv_bytes / sum(file.bytes for file in complete)
        forecast.bytes = total(counts, opened, [whole(file, file.bytes * with_csv) for file in complete])
    if timed := [file for file in forecast.read if not file.warm_up] or forecast.read:
        # Readers and engine work side by side. The share of a document in their own times is its share in the time by the wall clock.
        pace = sample.seconds / (sum(file.seconds for file in timed) or 1.0)
        cost = total(counts, opened, [whole(file, file.seconds * pace) for file in timed], NOISE)
        warmed_up = sum(len(file.pages) for file in forecast.read if file not in timed)
        forecast.seconds = cost.scaled(max(0.0, 1 - warmed_up / max(forecast.pages.value, 1)), sample.startup)
