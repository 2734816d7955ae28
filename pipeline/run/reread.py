"""Single documents read in the way that somebody asked for: with another template, another engine, or once more.

This happens between rounds of the loop, by a loop of its own over the same ledger. What was read so is pinned: it stays, whatever today's
recipes are, until the file changes or is reprocessed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.engines.base import Engine
from pipeline.engines.registry import make_engine
from pipeline.errors import PipelineError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.orders import Order, close_order, open_orders
from pipeline.monitoring.events import Observer
from pipeline.run.job import Job, check_template
from pipeline.run.loop import Loop

LOOK_SECONDS = 1.0


class Rereading:
    """The open orders for readings."""

    def __init__(self, job: Job, observer: Observer) -> None:
        self._job, self._observer = job, observer
        self._engines: dict[str, Engine] = {}
        self._next, self._due = 0.0, False
        self._loop: Loop | None = None
        self._stopping = False

    def stop(self) -> None:
        """Finish what is in flight; what is not done stays ordered. Called from a signal handler."""
        self._stopping = True
        if self._loop:
            self._loop.stopping = True

    def until_due(self, files: Iterator[InboxFile | None]) -> Iterator[InboxFile | None]:
        """The files, as long as nobody waits for a reading."""
        while not self._look():
            try:
                yield next(files)
            except StopIteration:
                return

    def turn(self) -> None:
        """Carry out what is ordered. Raises what may pass by itself; the order then stays open."""
        if not self._look():
            return
        self._due, self._next = False, 0.0
        for order in open_orders(self._job.ledger, "reading"):
            if self._stopping:
                return
            try:
                outcome = self._read(order)
            except PipelineError as error:
                outcome = {"error": error.message, "cure": error.cure}
            if not self._stopping:
                close_order(self._job.ledger, order.id, outcome)

    def _look(self) -> bool:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_SECONDS
            self._due = bool(open_orders(self._job.ledger, "reading"))
        return self._due

    def _read(self, order: Order) -> Mapping[str, Any]:
        ledger, template = self._job.ledger, order.details.get("template")
        file = ledger.file_by_name(order.details["name"])
        found = self._job.present(file.source) if file else None
        if file is None or found is None:
            return {"error": "the file is no longer where it was read"}
        if template:
            check_template(template, self._job.templates)
        job = self._job_for(order.details.get("engine"), template)
        again = (
            job.plan(file.source.relative, job.requested_templates(file), file.chosen_template, file.recipes) == file.recipes
        )
        if again:
            ledger.mark_for_rereading([file])
        else:
            ledger.mark_stale(file.source.path)
        with Loop(job, self._observer, answer_questions=False) as self._loop:
            self._loop.round([found])
            self._loop.publisher.tidy(now=False)
        self._loop = None
        read = ledger.file_by_name(file.source.name)
        if read is None or read.stale or read.published_sha256 != read.sha256:
            return {"error": "the file changed while it was read; it is read again when it has settled"}
        if template or order.details.get("engine"):
            ledger.pin(read.source.path)
        return {"status": read.status, "engine": job.engine.identity, "templates": list(read.recipes)}

    def _job_for(self, engine: str | None, template: str | None) -> Job:
        job = self._job
        settings, made = job.settings, job.engine
        if engine and engine != settings.engine:
            model = (
                settings.model if engine == "vlm" and settings.engine != "server" else ""
            )  # a name at a server is no model here
            settings = settings.model_copy(update={"engine": engine, "model": model})
            if engine not in self._engines:
                self._engines[engine] = make_engine(settings)
            made = self._engines[engine]
        forced = (template,) if template else ()
        cluster = job.cluster if made is job.engine else None
        return Job(settings, job.templates, made, job.ledger, forced, cluster, objects=job.objects, mirror=job.mirror)
