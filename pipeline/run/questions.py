"""Carries out orders that people place in the ledger: questions about a page, and corrected documents to publish again.

A question goes to the engine before all pages that wait. Its answer is no part of a document's result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.checks.confidence import assess_confidence
from pipeline.engines.base import Request
from pipeline.errors import DocumentError, PipelineError, TemplateError
from pipeline.intake.scan import InboxFile, file_of_source
from pipeline.ledger.orders import Order, close_order, find_order, open_orders
from pipeline.records import Answer, UnitKey
from pipeline.run.answer_progress import AnswerProgress
from pipeline.run.answer_retry import check_answer
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.run.page_requests import decode_reply, encode_request, question_request
from pipeline.run.part_cache import HeldPart, PartCache
from pipeline.run.part_file import PartFileError, PartPlace, find_part, is_part
from pipeline.run.publish_again import publish_again
from pipeline.run.publisher import Publisher
from pipeline.runtime.worker_pool import ReaderPool, Reply
from pipeline.templates.question_template import REMEMBERED, ask_template
from pipeline.templates.template import Template
from pipeline.words.lines import without_picture_words

POLL_SECONDS = 1.0
"""How often the ledger is queried for orders."""


@dataclass(frozen=True, slots=True)
class _Question:
    order: Order
    template: Template
    key: UnitKey
    part: HeldPart | None = None
    """The file, where it is a part of a container that was unpacked for the question."""


class Questions:
    """The open orders of a run, carried out in the loop's thread."""

    def __init__(
        self,
        job: Job,
        pool: ReaderPool,
        queue: EngineQueue,
        publisher: Publisher,
        progress: AnswerProgress | None = None,
        *,
        enabled: bool = True,
    ) -> None:
        """``progress`` gets the answers while they are written."""
        self._enabled, self._progress = enabled, progress or AnswerProgress()
        self._job, self._pool, self._queue, self._publisher = job, pool, queue, publisher
        self._at_readers: dict[int, _Question] = {}
        """Questions whose page is being read, by order."""
        self._at_engine: dict[UnitKey, tuple[_Question, Request]] = {}
        self._parts = PartCache(job.settings)
        self._unpacking: dict[int, HeldPart] = {}
        """Parts of containers that are unpacked once more, by order."""
        self._next_poll = 0.0

    def close(self) -> None:
        """Delete what was unpacked."""
        self._parts.close()

    @property
    def is_unpacking(self) -> bool:
        """Whether a question waits until a part of a container is unpacked."""
        return bool(self._unpacking)

    @property
    def busy(self) -> bool:
        """Whether a question waits for its file, a reader or the engine."""
        return bool(self._unpacking or self._at_readers or self._at_engine)

    def carry_out_orders(self) -> None:
        """Carry out new orders. The ledger is queried once a second."""
        is_unpacked = any(part.file.done() for part in self._unpacking.values())
        if not self._enabled or (time.monotonic() < self._next_poll and not is_unpacked):
            return
        self._next_poll = time.monotonic() + POLL_SECONDS
        orders = open_orders(self._job.ledger)
        publish_again(self._job, self._publisher, [order for order in orders if order.kind == "publishing"])
        for order in orders:
            if order.kind == "question":
                self._read(order)

    def clear(self) -> None:
        """Forget the questions in flight. Questions without an answer are asked again with the next orders."""
        for part in (*self._unpacking.values(), *(question.part for question in self._at_readers.values())):
            if part:
                self._parts.release(part)
        self._unpacking.clear()
        self._at_readers.clear()
        self._at_engine.clear()
        self._progress.clear()

    def fail_unanswered(self) -> None:
        """End the questions to which the engine gave no answer."""
        for key in list(self._at_engine):
            self.take_answer(Answer(key, status="failed", reason="engine", detail="the engine gave no answer"))

    # ---- questions ----------------------------------------------------------------------------------

    def _read(self, order: Order) -> None:
        """Have a reader read the page of a question."""
        in_flight = [*self._at_readers.values(), *(question for question, _ in self._at_engine.values())]
        if any(question.order.id == order.id for question in in_flight):
            return
        page = int(order.details["page"])
        try:
            template = ask_template(order.details["question"], earlier_questions(self._job, order))
        except TemplateError as error:
            self._close(order, {"error": error.message})
            return
        # The key is the question's own: the same question may be a unit of the document, too (--ask).
        key = UnitKey(order.sha256, page, template.name, f"question {self._job.recipe(template)}")
        if any(
            question.key == key for question in in_flight
        ):  # the same question again: it follows when the first has its answer
            return
        file = self._find_file(order.sha256)
        if file is None and self._may_be_recognised(order.sha256):
            return
        part = None
        if file is None:
            part = self._unpacked(order)
            if part is None:
                return
            file = part.file.result()
        question = self._at_readers[order.id] = _Question(order, template, key, part)
        request = question_request(self._job, file, order.sha256, page, template)
        self._pool.submit(encode_request(request), partial(self._ask, question))

    def _find_file(self, sha256: str) -> InboxFile | None:
        """A file with these contents whose size and time are those in the ledger; not that of a part, which may be deleted any moment."""
        for record in self._job.ledger.files_with_contents(sha256):
            if record.place == "deleted" or is_part(record, self._job.settings):  # another file may be at a deleted one's path
                continue
            present = file_of_source(record.source, self._job.settings.inbox)
            if present and (present.size, present.mtime_ns) == (record.size, record.mtime_ns):
                return present
            file = InboxFile(record.source, record.size, record.mtime_ns)
            if self._job.objects and self._job.objects.try_fetch(file):
                return file
        return None

    def _unpacked(self, order: Order) -> HeldPart | None:
        """The file of a part of a container; None while it is unpacked, and when the question was closed because it cannot be."""
        part = self._unpacking.get(order.id)
        try:
            if part is None:
                part = self._unpacking[order.id] = self._parts.hold(self._find_part(order.sha256))
            if not part.file.done():
                return None
            part.file.result()
        except (DocumentError, PipelineError) as error:
            if part:
                self._parts.release(part)
            self._unpacking.pop(order.id, None)
            self._close(order, {"error": error.detail if isinstance(error, DocumentError) else error.message})
            return None
        return self._unpacking.pop(order.id)

    def _find_part(self, sha256: str) -> PartPlace:
        """A part of a container with these contents; that of an object store is fetched. Raises PartFileError."""
        error = PartFileError("unreadable", "the file is no longer where it was read")
        for record in self._job.ledger.files_with_contents(sha256):
            try:
                place = find_part(self._job.ledger, record, self._job.settings)
            except PartFileError as reason:
                error = reason
                continue
            if place is None:
                continue
            container, objects = place.container, self._job.objects
            if objects and objects.is_object(container.source.path):
                objects.try_fetch(InboxFile(container.source, container.size, container.mtime_ns))
            return place
        raise error

    def _may_be_recognised(self, sha256: str) -> bool:
        """Whether a rebuilt ledger has a file without size and time, so that this run may still recognise it."""
        files = self._job.ledger.files_with_contents(sha256)
        return any(file.size < 0 and file.place != "deleted" and file.source.path.is_file() for file in files)

    def _ask(self, question: _Question, reply: Reply) -> None:
        """Take the page of a question and queue the question for the engine."""
        if self._at_readers.get(question.order.id) is not question:  # the reply belongs to a round that has ended
            return
        del self._at_readers[question.order.id]
        if question.part:
            self._parts.release(question.part)
        try:
            content, images = decode_reply(reply, question.key.page)
        except DocumentError as error:
            self._close(question.order, {"error": str(error)})
            return
        if content.page.blank:
            self._close(question.order, {"answer": None, "engine": self._job.engine.identity})
        elif self._queue.is_given_up(question.key):
            self._close(question.order, {"error": "the program died several times while this question was being answered"})
        else:
            document = self._job.ledger.document(question.order.sha256, stale=True)
            pages = document.pages if document else 1
            image = images.get(question.template.name)
            page, order = without_picture_words(content.page), question.order.id
            listen = partial(self._progress.write, order, question.template)
            request = Request(question.key, page, question.template, image, pages, listen=listen)
            self._progress.begin(order)
            self._at_engine[question.key] = (question, request)
            self._queue.add_first(request)

    def take_answer(self, answer: Answer) -> bool:
        """Take an answer of the engine. Returns whether it belongs to a question."""
        question, request = self._at_engine.pop(answer.key, (None, None))
        if question is None or request is None:
            return False
        if answer.status == "failed" and not answer.claims:
            self._close(question.order, {"error": f"{answer.reason}: {answer.detail}"})
        else:
            checked = check_answer(answer, request)
            evidence = assess_confidence(checked.evidence, question.template, self._job.engine.identity)["answer"]
            self._close(
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

    def _close(self, order: Order, outcome: Mapping[str, Any]) -> None:
        close_order(self._job.ledger, order.id, outcome)
        self._progress.end(order.id)


def earlier_questions(job: Job, order: Order) -> list[tuple[str, str | None]]:
    """The questions that this one follows, with their answers, the oldest first."""
    questions: list[tuple[str, str | None]] = []
    follows = order.details.get("follows")
    while follows and len(questions) < REMEMBERED and (before := find_order(job.ledger, int(follows))):
        if before.kind != "question" or before.sha256 != order.sha256 or before.id >= order.id:
            break
        questions.append((before.details["question"], (before.outcome or {}).get("answer")))
        follows = before.details.get("follows")
    return questions[::-1]
