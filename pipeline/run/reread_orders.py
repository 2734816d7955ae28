"""Reads single documents once more by a person's order: with another template, with another engine, or in the same way.

This happens between rounds of the loop, in a loop of its own over the same ledger. A result with another template or engine is pinned: it
stays until the file changes or is reprocessed, also when today's recipes differ.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from pipeline.engines.base import Engine
from pipeline.engines.registry import make_engine
from pipeline.errors import DocumentError, OutboxError, PipelineError, StoreError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.orders import Order, close_order, open_readings
from pipeline.monitoring.events import Observer
from pipeline.run.job import Job, check_template
from pipeline.run.loop import Loop
from pipeline.run.original_file import OriginalFiles
from pipeline.run.part_file import PartPlace, find_part, unpack_part

POLL_SECONDS = 1.0
"""How often the ledger is queried for orders."""


class RereadOrders:
    """Carries out the open orders for readings."""

    def __init__(self, job: Job, observer: Observer) -> None:
        self._job, self._observer = job, observer
        self._engines: dict[str, Engine] = {}
        self._next_poll, self._has_orders = 0.0, False
        self._loop: Loop | None = None
        self._stopping = False

    def stop(self) -> None:
        """Finish what is in flight. Orders that are not carried out stay open. Called from a signal handler."""
        self._stopping = True
        if self._loop:
            self._loop.stopping = True

    def carry_out(self) -> None:
        """Carry out the open orders. An error that may pass by itself (disk, database) is raised; the order stays open then."""
        if not self.is_waiting():
            return
        self._has_orders, self._next_poll = False, 0.0
        for order in open_readings(self._job.ledger, unlocking=False):
            if self._stopping:
                return
            try:
                outcome = self._read(order)
            except (OutboxError, StoreError):
                raise
            except PipelineError as error:
                outcome = {"error": error.message, "cure": error.cure}
            if not self._stopping:
                close_order(self._job.ledger, order.id, outcome)

    def is_waiting(self) -> bool:
        """Whether an order is open, so that a round should end; the ledger is queried once a second."""
        if time.monotonic() >= self._next_poll:
            self._next_poll = time.monotonic() + POLL_SECONDS
            self._has_orders = bool(open_readings(self._job.ledger, unlocking=False))
        return self._has_orders

    def _read(self, order: Order) -> Mapping[str, Any]:
        ledger, template = self._job.ledger, order.details.get("template")
        record = ledger.file_by_name(order.details["name"])
        file = self._job.present_file(record.source) if record and record.place != "deleted" else None
        try:
            place = find_part(ledger, record, self._job.settings) if record else None
            if record and place:
                file = self._unpacked(record, place)
        except DocumentError as error:
            return {"error": error.detail}
        if record is None or file is None:
            return {"error": "the file is no longer where it was read"}
        if template:
            check_template(template, self._job.templates)
        job = self._job_for(order.details.get("engine"), template)
        planned = job.plan(record.source.relative, job.requested_templates(record), record.chosen_template, record.recipes)
        if planned == record.recipes:
            ledger.mark_for_rereading([record])
        else:
            ledger.mark_stale(record.source.name)
        with Loop(job, self._observer, answer_questions=False) as self._loop:
            self._loop.round([file])
            for name in place.around if place else ():  # they count their parts
                self._loop.publisher.publish_again(name)
            self._loop.publisher.tidy(now=False)
        self._loop = None
        record = ledger.file_by_name(record.source.name)
        if record is None or record.stale or record.published_sha256 != record.sha256:
            return {"error": "the file changed while it was read; it is read again when it has settled"}
        if template or order.details.get("engine"):
            ledger.pin(record.source.name)
        return {"status": record.status, "engine": job.engine.identity, "templates": list(record.recipes)}

    def _unpacked(self, record: FileRecord, place: PartPlace) -> InboxFile:
        """A part of a container at the path where it was read; the loop deletes it. Raises PartFileError, PipelineError."""
        job, path = self._job, record.source.path

        def is_ended() -> bool:
            self._observer.heartbeat()
            return self._stopping

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutboxError(f"{path.parent}: cannot be written: {error.strerror or error}", "free disk space") from error
        with closing(OriginalFiles(job.settings)) as originals:
            file = unpack_part(place, path.parent, job.settings, path, originals, is_ended)
        return replace(file, source=record.source)

    def _job_for(self, engine: str | None, template: str | None) -> Job:
        """The job with another engine, another template, or both; engines stay loaded for later orders."""
        job, settings, chosen_engine = self._job, self._job.settings, self._job.engine
        if engine and engine != settings.engine:
            # With the engine `server`, the setting `model` is a name at that server and no model of this machine.
            model = settings.model if engine == "vlm" and settings.engine != "server" else ""
            settings = settings.model_copy(update={"engine": engine, "model": model})
            if engine not in self._engines:
                self._engines[engine] = make_engine(settings)
            chosen_engine = self._engines[engine]
        cluster = job.cluster if chosen_engine is job.engine else None
        return Job(
            settings,
            job.templates,
            chosen_engine,
            job.ledger,
            (template,) if template else (),
            cluster,
            objects=job.objects,
            mirror=job.mirror,
        )
