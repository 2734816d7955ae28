"""What a cluster gives and what it costs: throughput against the number of actors, and the driver's work for a unit beside a local run's.

``python -m benchmarks.cluster_throughput [--pages 400] [--seconds 0.2] [--actors 1,2,4,8] [--json FILE]``

Letters of 380 words, first as documents of one page, then as one document of many pages. For throughput the engine sleeps, which takes no
processor, so that eight actors fit on any machine; for the driver's work it answers at once. "driver, ms a unit" is processor time of the
loop's own process with all its threads, without readers and actors: other work on the machine hardly changes it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import documents
from benchmarks.measure import Row, report
from benchmarks.raycluster import cluster
from pipeline.cluster.cluster import Cluster
from pipeline.engines.base import Request, SequentialEngine
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer, Claim
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.page_requests import HANDLER
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.settings_sections import RaySettings
from pipeline.templates.template import Template


class SleepingEngine(SequentialEngine):
    """Answers with the page's words, after a while that takes no processor."""

    identity = "sleeping/1"
    retries = 0
    needs_whole_page = False
    prefers_batches = False

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._seconds = settings.server.seconds / 1e6

    def wants_image(self, template: Template) -> bool:
        """Never."""
        del template
        return False

    def respond(self, request: Request) -> Answer:
        """See SequentialEngine."""
        if self._seconds >= 0.001:
            time.sleep(self._seconds)
        return Answer(request.key, {"text": Claim(" ".join(word.text for word in request.page.words))})


class Clock(RunCounts):
    """When the first and the last unit ended, and the processor time until then."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: list[tuple[float, float]] = []

    def answer_received(self, answer: Answer) -> None:
        """See Observer."""
        super().answer_received(answer)
        self.marks.append((time.perf_counter(), time.process_time()))


def run(inbox: Path, seconds: float, address: str | None, actors: int = 0) -> Row:
    """Units a second and the driver's milliseconds a unit, from the first answer to the last, when everything is loaded."""
    with tempfile.TemporaryDirectory() as outbox, ExitStack() as stack:
        settings = Settings(
            inbox=inbox, outbox=Path(outbox), workers=1, ray=RaySettings(address=address or "", cpus=1, actors=actors)
        )
        settings = settings.model_copy(update={"server": settings.server.model_copy(update={"seconds": seconds * 1e6})})
        make = f"{__spec__.name if __spec__ else __name__}:SleepingEngine"
        there = stack.enter_context(Cluster(settings, HANDLER, engine_factory=make)) if address else None
        while there and len(there.status.get("actors", ())) < actors:
            there.turn(0.1)
        engine = there.engine if there else SleepingEngine(settings)
        job = stack.enter_context(open_job(settings, template="transcript", engine=engine, cluster=there))
        clock = Clock()
        loop = stack.enter_context(Loop(job, clock))
        todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, lambda *_: None), job.file_records)
        loop.round(iter(todo))
        if set(clock.units) != {"done"}:
            raise RuntimeError(f"all were to be done: {clock.units}")
    warm = len(clock.marks) // 10
    (begun, used), (ended, used_in_all) = clock.marks[warm], clock.marks[-1]
    count = len(clock.marks) - warm - 1
    return {"units/s": round(count / (ended - begun), 2), "driver, ms a unit": round(1000 * (used_in_all - used) / count, 2)}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=0.2, help="time of the sleeping engine for a page")
    parser.add_argument("--actors", default="1,2,4,8")
    parser.add_argument("--folder", type=Path, help="keep the drawn files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    actors = [int(count) for count in options.actors.split(",")]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for number in range(options.pages):
            documents.put(folder / "many", f"{number % 100:02}/{number:05}.pdf", partial(documents.letter_page, number))
        letters = partial(documents.joined, (documents.letter_page(number) for number in range(options.pages)))
        documents.put(folder / "long", f"{options.pages}.pdf", letters)
        with cluster(max(actors)) as made:
            for count in actors:
                few = folder / "few"
                for number in range(min(options.pages, 40 * count)):
                    documents.put(few, f"{number:05}.pdf", partial(documents.letter_page, number))
                figures = run(few, options.seconds, made.address, count)
                what = f"{count} actors, {options.seconds:g} s a unit"
                share = figures["units/s"] / (count / options.seconds)
                rows.append(
                    {"what": what, "units/s": figures["units/s"], "driver, ms a unit": "", "of the ideal": f"{share:.0%}"}
                )
            for name, what in (("many", "documents of one page"), ("long", "pages of one document")):
                rows.append({"what": f"{what}, local", **run(folder / name, 0, None), "of the ideal": ""})
                rows.append({"what": f"{what}, 1 actor", **run(folder / name, 0, made.address, 1), "of the ideal": ""})
    report("A cluster on this machine", rows, options.json, [f"actors and driver share {len(os.sched_getaffinity(0))} cores"])


if __name__ == "__main__":
    main()
