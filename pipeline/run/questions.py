"""What people ask of a run while it works: questions about a page, and corrected documents to be published again.

Both come through the ledger, so that whoever asks need not be there when it is done. A question goes to the engine before all pages that
wait; it belongs to no document's result and is asked once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.confidence import assess_confidence
from pipeline.engines.base import Request
from pipeline.errors import DocumentError, TemplateError
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.ledger.orders import Order, close_order, delete_orders, find_order, open_orders
from pipeline.records import Answer, UnitKey
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.run.page_requests import decode_reply, encode_request
from pipeline.run.publisher import Publisher
from pipeline.run.reader_calls import question_call
from pipeline.run.unit_retry import tried
from pipeline.runtime.worker_pool import ReaderPool, Reply
from pipeline.templates.ask import REMEMBERED, ask_template
from pipeline.templates.model import Template
from pipeline.words.lines import without_picture_words

LOOK_SECONDS = 1.0
"""How often the ledger is looked at."""


@dataclass(frozen=True, slots=True)
class _Question:
    order: Order
    template: Template
    key: UnitKey


class Desk:
    """The open orders of one loop, carried out in its thread."""

    def __init__(self, job: Job, pool: ReaderPool, queue: EngineQueue, publisher: Publisher) -> None:
        self._job, self._pool, self._queue, self._publisher = job, pool, queue, publisher
        self._reading: dict[int, _Question] = {}
        self._asked: dict[UnitKey, tuple[_Question, Request]] = {}
        self._next = 0.0

    @property
    def busy(self) -> bool:
        """Whether a question is under way."""
        return bool(self._reading or self._asked)

    def turn(self) -> None:
        """Look what is new, once a second."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK_SECONDS
        orders = open_orders(self._job.ledger)
        self._publish([order for order in orders if order.kind == "publishing"])
        for order in orders:
            if order.kind == "question":
                self._read(order)

    def forget(self) -> None:
        """Nothing is under way any more; what has no answer is asked again at the next turn."""
        self._reading.clear()
        self._asked.clear()

    def give_up(self) -> None:
        """The engine gave no answer to what it was asked."""
        for key in list(self._asked):
            self.answered(Answer(key, status="failed", reason="engine", detail="the engine gave no answer"))

    # ---- corrected documents ------------------------------------------------------------------------

    def _publish(self, orders: list[Order]) -> None:
        ledger = self._job.ledger
        for sha256 in {order.sha256 for order in orders}:
            document = ledger.document(sha256, stale=True)
            for file in ledger.files_with_contents(sha256) if document else ():
                if (
                    document and file.published_sha256 == sha256 and not file.stale
                ):  # else it is published when it has been read
                    self._publisher.publish(InboxFile(file.source, file.size, file.mtime_ns), document, file.recipes)
        if orders:
            self._publisher.flush()
        delete_orders(ledger, orders)

    # ---- questions ----------------------------------------------------------------------------------

    def _read(self, order: Order) -> None:
        """Have the page read that a question is about."""
        under_way = [*self._reading.values(), *(question for question, _ in self._asked.values())]
        if any(question.order.id == order.id for question in under_way):
            return
        page = int(order.details["page"])
        try:
            template = ask_template(order.details["question"], earlier(self._job, order))
        except TemplateError as error:
            self._end(order, {"error": error.message})
            return
        key = UnitKey(order.sha256, page, template.name, self._job.recipe(template))
        if any(question.key == key for question in under_way):  # the same is being asked; its turn comes
            return
        found = self._find(order.sha256)
        if found is None and self._to_be_recognised(order.sha256):
            return
        if found is None:
            self._end(order, {"error": "the file is no longer where it was read"})
            return
        question = self._reading[order.id] = _Question(order, template, key)
        call = question_call(self._job, found, page, template)
        self._pool.submit(encode_request(call), lambda reply: self._replied(question, page, reply))

    def _find(self, sha256: str) -> InboxFile | None:
        """A file with these contents that lies where the ledger has it, as it was."""
        for file in self._job.ledger.files_with_contents(sha256):
            found = InboxFile(file.source, file.size, file.mtime_ns)
            if restat_file(found) == found or (self._job.objects and self._job.objects.try_fetch(found)):
                return found
        return None

    def _to_be_recognised(self, sha256: str) -> bool:
        """Whether a file is there that a rebuilt ledger knows by its contents alone, until this run comes to it."""
        return any(file.size < 0 and file.source.path.is_file() for file in self._job.ledger.files_with_contents(sha256))

    def _replied(self, question: _Question, page: int, reply: Reply) -> None:
        if self._reading.get(question.order.id) is not question:  # of a round that ended
            return
        del self._reading[question.order.id]
        try:
            reading, images = decode_reply(reply, page)
        except DocumentError as error:
            self._end(question.order, {"error": str(error)})
            return
        if reading.page.blank:
            self._end(question.order, {"answer": None, "engine": self._job.engine.identity})
        elif self._queue.is_given_up(question.key):
            self._end(question.order, {"error": "the program died over this question again and again"})
        else:
            document = self._job.ledger.document(question.order.sha256, stale=True)
            pages = document.pages if document else 1
            image = images.get(question.template.name)
            request = Request(question.key, without_picture_words(reading.page), question.template, image, pages)
            self._asked[question.key] = (question, request)
            self._queue.add_first(request)

    def answered(self, answer: Answer) -> bool:
        """Take an engine's answer; whether it was for us."""
        question, request = self._asked.pop(answer.key, (None, None))
        if question is None or request is None:
            return False
        if answer.status == "failed" and not answer.claims:
            self._end(question.order, {"error": f"{answer.reason}: {answer.detail}"})
        else:
            evidence = assess_confidence(tried(answer, request).evidence, question.template, self._job.engine.identity)[
                "answer"
            ]
            self._end(
                question.order,
                {
                    "answer": evidence.value,
                    "printed": evidence.printed,
                    "box": evidence.box,
                    "grounding": evidence.grounding,
                    "confidence": evidence.confidence,
                    "flags": evidence.flags,
                    "engine": self._job.engine.identity,
                    "seconds": answer.seconds,
                },
            )
        self._queue.discard(answer.key)
        return True

    def _end(self, order: Order, outcome: Mapping[str, Any]) -> None:
        close_order(self._job.ledger, order.id, outcome)


def earlier(job: Job, order: Order) -> list[tuple[str, str | None]]:
    """The questions that one follows up on, with their answers, the first one first."""
    told: list[tuple[str, str | None]] = []
    follows = order.details.get("follows")
    while follows and len(told) < REMEMBERED and (before := find_order(job.ledger, int(follows))):
        if before.kind != "question" or before.sha256 != order.sha256 or before.id >= order.id:
            break
        told.append((before.details["question"], (before.outcome or {}).get("answer")))
        follows = before.details.get("follows")
    return told[::-1]
