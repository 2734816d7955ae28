"""What reading the whole inbox will take: pages, time, memory and disk, from a few files really opened and read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engines.base import Engine
from pipeline.estimate.sampling import Sample, Seen, Told, count_pages, read_sample, set_apart, taken_apart
from pipeline.estimate.totals import Drawn, Stratum, Total, draw, stratum, total
from pipeline.intake.scan import InboxFile
from pipeline.run.job import Job
from pipeline.runtime.lock import is_locked

OPENED = 400
"""Files that are opened at most to count their pages."""
OPENED_SHARE = 0.25
"""Of the time, for opening files."""
NOISE = 0.10
"""Standard deviation of the time that the same pages take from one run to the next, as a share (docs/performance.md)."""


@dataclass
class Forecast:
    """The prediction, and what it stands on. None where too little was seen to say."""

    files: int
    opened: int = 0
    """Files whose pages were counted, now or by an earlier run."""
    pages: Total | None = None
    seconds: Total | None = None
    """From start to end, start-up included."""
    bytes: Total | None = None
    """What comes into the outbox."""
    read: list[Seen] = field(default_factory=list)
    """Documents of the sample of which at least a page was read, or that cannot be read."""
    unfinished: int = 0
    """Documents of the sample that were begun, and of which no page had ended when the time was over."""
    sample: Sample = field(default_factory=Sample)
    shared: bool = False
    """Whether another run was at work, so that the times are those of a busy machine."""
    interrupted: bool = False

    @property
    def failed(self) -> list[Seen]:
        """Documents of the sample that cannot be read, wholly or in part."""
        return [seen for seen in self.read if seen.reason]


def forecast(
    job: Job, engine: Engine, template: str | None, todo: Sequence[InboxFile], *, most: int, seconds: float, told: Told
) -> Forecast:
    """Open and read a sample of ``todo``: ``most`` files, and no further page after ``seconds``. Writes nothing to the outbox.

    A KeyboardInterrupt ends it with what is known so far. Raises what a run raises.
    """
    made = Forecast(len(todo), shared=is_locked(job.outbox))
    with set_apart(job.settings) as apart:
        taken = [taken_apart(found, job.settings, apart) for found in todo]
        before = _opened_before(job, dict(zip(taken, todo, strict=True)))
        files = {found.source.path: (_stratum(found, before), found.size) for found in taken}
        order = [taken[index] for index in draw(list(files.values()), max(most, OPENED))]
        pages = dict(before)
        try:
            unknown = [found for found in order if found.source.path not in before]
            for path, count in count_pages(job, apart, unknown, seconds * OPENED_SHARE):
                pages[path] = count
                told("opening files", len(pages) - len(before), len(unknown))
            left = seconds * (1 - OPENED_SHARE)
            made.sample = read_sample(apart, engine, template, order[:most], order[most:], left, told)
        except KeyboardInterrupt:
            made.interrupted = True
    made.interrupted |= made.sample.interrupted
    _conclude(made, files, pages, job.settings.limits.pages)
    return made


def _opened_before(job: Job, todo: Mapping[InboxFile, InboxFile]) -> dict[Path, int]:
    """Pages to be read of files that the ledger has seen as they are: those of the sample, and as it knows them."""
    pages: dict[Path, int] = {}
    for taken, found in todo.items():
        file = job.known.get(os.fspath(found.source.path))
        if file and (file.size, file.mtime_ns) == (found.size, found.mtime_ns):
            document = job.ledger.document(file.sha256, stale=True)
            if document:
                pages[taken.source.path] = min(document.pages, job.settings.limits.pages)
    return pages


def _stratum(found: InboxFile, before: dict[Path, int]) -> Stratum:
    """Files whose pages are known are no sample of the others."""
    kind, size = stratum(found.source.relative, found.size)
    return (f"{kind} known", size) if found.source.path in before else (kind, size)


def _conclude(made: Forecast, files: dict[Path, tuple[Stratum, int]], pages: dict[Path, int], limit: int) -> None:
    """From what was seen to all ``files`` (stratum, bytes)."""
    sizes = Counter(stratum for stratum, _ in files.values())
    for seen in made.sample.seen:
        if seen.document:
            pages[seen.source.path] = min(seen.document.pages, limit)
    made.read = [seen for seen in made.sample.seen if (seen.pages or seen.whole) and seen.source.path in pages]
    made.unfinished = len(made.sample.seen) - len(made.read)
    made.opened = len(pages)
    if not pages:
        return

    def of_all_pages(seen: Seen, cost: float) -> Drawn:
        path = seen.source.path
        units = max(1, pages[path])
        return Drawn(files[path][0], units, files[path][1], cost * units / max(1, len(seen.pages)))

    opened = [Drawn(files[path][0], max(1, count), files[path][1], count) for path, count in pages.items()]
    made.pages = total(sizes, opened, opened).at_least(sum(pages.values()))
    whole = [seen for seen in made.read if seen.whole]
    if whole:
        rows = 1 + made.sample.sheets / sum(seen.bytes for seen in whole)
        made.bytes = total(sizes, opened, [of_all_pages(seen, seen.bytes * rows) for seen in whole])
    timed = [seen for seen in made.read if not seen.warm] or made.read
    if not timed:
        return
    # Readers and engine work side by side: what each document took by their clocks is its share of what all took by the wall's.
    spent = sum(seen.seconds for seen in timed) or 1.0
    cost = total(sizes, opened, [of_all_pages(seen, seen.seconds * made.sample.seconds / spent) for seen in timed], NOISE)
    warmed = sum(len(seen.pages) for seen in made.read if seen.warm and timed is not made.read)
    made.seconds = cost.of(max(0.0, 1 - warmed / max(made.pages.value, 1)), made.sample.startup)
