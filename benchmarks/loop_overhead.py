"""What the loop itself costs: planning, checking, committing and publishing, with an engine that answers at once.

``python -m benchmarks.loop_overhead [--documents 4000] [--pages 4000] [--json FILE]``

Two inboxes: many documents of one page, and one document of many pages. "loop" is the time of the loop's own process without the
waiting for its readers; "end to end" is what passes on the clock, reading and all, with one reader so that the two do not share a
core. The documents are reported in groups, so that a cost that grows with the outbox shows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import documents
from benchmarks.measure import Row, report
from pipeline.engines.base import Request, SequentialEngine
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Claim
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.templates.template import Template


class InstantEngine(SequentialEngine):
    """Answers with the page's words, at once."""

    identity = "instant/1"
    retries = 0
    needs_whole_page = False
    prefers_batches = False

    def wants_image(self, template: Template) -> bool:
        """Never."""
        del template
        return False

    def respond(self, request: Request) -> Answer:
        """See SequentialEngine."""
        return Answer(request.key, {"text": Claim(" ".join(word.text for word in request.page.words))})


@dataclass
class Waiting:
    """Time spent waiting for readers."""

    seconds: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what ``connection.wait`` takes, which is the only place where the loop waits for its readers."""
        wait = connection.wait

        def timed(*arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return wait(*arguments)
            finally:
                self.seconds += time.perf_counter() - started

        with mock.patch.object(connection, "wait", timed):
            yield


@dataclass
class Clock(RunCounts):
    """Remembers, for every published document, when it was and how much of that was waiting."""

    waiting: Waiting = field(default_factory=Waiting)
    marks: list[tuple[float, float]] = field(default_factory=list)

    def mark(self) -> None:
        """Now."""
        self.marks.append((time.perf_counter(), self.waiting.seconds))

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        super().document_published(publication)
        self.mark()

    def stretch(self, first: int, last: int) -> tuple[float, float]:
        """Seconds on the clock and in the loop between two marks."""
        (start, waited), (end, waited_in_all) = self.marks[first], self.marks[last]
        return end - start, end - start - (waited_in_all - waited)


def run(inbox: Path, outbox: Path) -> Clock:
    """One run as `pipeline run` does it, without the screen."""
    clock = Clock()
    settings = Settings(inbox=inbox, outbox=outbox, workers=1)
    with (
        clock.waiting.counted(),
        open_job(settings, template="transcript", engine=InstantEngine()) as job,
        Loop(job, clock) as loop,
    ):
        todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, lambda *_: None), job.file_records)
        clock.mark()
        loop.round(iter(todo))
        clock.mark()
    return clock


def many_documents(folder: Path, count: int, steps: int) -> list[Row]:
    """Cost per document while the outbox grows."""
    for number in range(count):
        documents.put(folder / "many", f"{number % 100:02}/{number:05}.pdf", partial(documents.tiny_page, number))
    with tempfile.TemporaryDirectory() as outbox:
        clock = run(folder / "many", Path(outbox))
    if clock.units["done"] != count:
        raise RuntimeError(f"{count} units were due: {clock.units}")
    rows = []
    for first in range(0, count, count // steps):
        last = min(first + count // steps, count)
        rows.append(_row(f"documents of one page, {first + 1}–{last}", last - first, *clock.stretch(first, last)))
    return [*rows, _row(f"documents of one page, all {count}", count, *clock.stretch(0, -1))]


def many_pages(folder: Path, count: int) -> Row:
    """Cost per page of one long document."""
    pdf = documents.put(folder / "long", f"{count}.pdf", partial(documents.tiny_pages, count))
    with tempfile.TemporaryDirectory() as outbox:
        clock = run(pdf.parent, Path(outbox))
    if clock.units["done"] != count:
        raise RuntimeError(f"{count} units were due: {clock.units}")
    return _row(f"pages of one document, all {count}", count, *clock.stretch(0, -1))


def _row(what: str, units: int, clock: float, loop: float) -> Row:
    return {
        "units": what,
        "loop, ms a unit": f"{loop / units * 1000:.2f}",
        "end to end, ms a unit": f"{clock / units * 1000:.2f}",
        "waiting for the reader": f"{1 - loop / clock:.0%}",
    }


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--stretches", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="keep the drawn files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        rows = [*many_documents(folder, options.documents, options.stretches), many_pages(folder, options.pages)]
    report("The loop's own cost, with an engine that answers at once", rows, options.json)


if __name__ == "__main__":
    main()
