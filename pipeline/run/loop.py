"""The one loop: admit → read → ask → check → commit → publish.

``run``, ``watch``, ``reprocess``, ``serve`` and cron all enter through ``Loop.round``. Readers are processes of their own. All else happens
here in one thread, so that the ledger has one writer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Self

from pipeline.errors import FILE_CHANGED, BlockedResultError
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.monitoring.events import Observer, Observers
from pipeline.records import Result
from pipeline.run.admission import Admission
from pipeline.run.answer_progress import AnswerProgress
from pipeline.run.archive import Archive
from pipeline.run.chats import ROUND_SECONDS, Chats
from pipeline.run.circuit_breaker import CircuitBreaker
from pipeline.run.container_parts import ContainerParts
from pipeline.run.document_run import Action, AskEngine, ChooseTemplate, DocumentRun, EndPages
from pipeline.run.engine_driver import IDLE_SECONDS, EngineDriver
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.run.moves import Moves
from pipeline.run.open_units import OpenUnits, page_results
from pipeline.run.page_requests import decode_document, decode_page
from pipeline.run.publisher import Publisher
from pipeline.run.questions import Questions
from pipeline.run.reader_calls import ReaderCalls, reader_pool
from pipeline.run.reading_turns import ReadingTurns
from pipeline.run.unlock_orders import UnlockOrders
from pipeline.runtime.worker_pool import Reply


class Loop:
    """Reads files until none are left. Readers and engine stay ready between rounds. Use as a context manager.

    ``archive_files``: move or delete published files as the settings say. ``answer_questions``: carry out the orders in the ledger that
    people place during the run; ``progress`` gets their answers while they are written. ``chats``: conversations of programs, which share
    the engine with pages.

    Set ``stopping`` (from a signal handler) or ``until`` (a monotonic time) to admit no more files and pages; units in flight are finished.
    Files that are not published then are read on when they come again.
    """

    def __init__(
        self,
        job: Job,
        observer: Observer,
        *,
        archive_files: bool = False,
        answer_questions: bool = True,
        chats: Chats | None = None,
        progress: AnswerProgress | None = None,
    ) -> None:
        observers = (observer, job.objects) if job.objects else (observer,)
        self._job = job
        if job.mirror:
            job.mirror.on_warning = observer.warning
        self._archive = Archive(job, observer)
        if archive_files or answer_questions:  # within another loop removals may be open
            self._archive.recover(whole_inbox=archive_files)
        self.publisher = Publisher(job, self._archive if archive_files else None, observer.warning)
        self._containers = ContainerParts(job, Observers(*observers), self.publisher, self._begin, self._end_container)
        self._observer: Observer = Observers(*observers, self._containers)
        self.stopping = False
        self.until: float | None = None
        self._runs: dict[str, DocumentRun] = {}  # by the hash of the contents
        self._turns = ReadingTurns()
        self._is_interrupted: Callable[[], bool] = lambda: False
        self._pool = reader_pool(job.settings, job.cluster)
        self._queue = EngineQueue(job)
        self._engine = EngineDriver(job, self._queue, observer, self._pool.close, chats)
        self._chats, self._round_began = chats, 0.0
        moves = Moves(job, self.publisher, self._runs, self._observer)
        moves.finish()
        self.recognise_moves = moves.recognise
        self._admission = Admission(job, self._observer, self._archive, moves, self._runs, self._skip_file)
        self._readers = ReaderCalls(job, self._pool, self._observer, self._runs, self._drop)
        self._units = OpenUnits(job, self._queue, self._readers, self._end_unit)
        self._questions = Questions(job, self._pool, self._queue, self.publisher, progress, enabled=answer_questions)
        self._unlocks = UnlockOrders(job, self._is_reading, self.publisher.flush, enabled=answer_questions)
        self._breaker = CircuitBreaker(job.settings.retry.stop_after_failures)

    def __enter__(self) -> Self:
        self._queue.__enter__()
        self._engine.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.__exit__()
        self._pool.close()
        self._containers.clear()
        self._questions.close()
        self._queue.__exit__()

    @property
    def busy(self) -> bool:
        """Whether a round is at work on documents or conversations, which more files can join."""
        return bool(self._runs) or self._has_chats

    @property
    def in_flight(self) -> tuple[int, int]:
        """Number of calls that readers have, and of units that the engine has."""
        return self._pool.load, self._queue.in_flight

    @property
    def out_of_time(self) -> bool:
        """Whether ``until`` has come."""
        return self.until is not None and time.monotonic() >= self.until

    @property
    def _has_chats(self) -> bool:
        """Whether a conversation may begin. A round without documents does not go on for ever for their sake."""
        if self._chats is None or not self._chats.waiting or self._ending:
            return False
        return bool(self._runs) or time.monotonic() < self._round_began + ROUND_SECONDS

    @property
    def _ending(self) -> bool:
        return self.stopping or self.out_of_time or self._is_interrupted()

    def round(self, files: Iterable[InboxFile | None], is_interrupted: Callable[[], bool] = lambda: False) -> None:
        """Read these files to the end, or until ``is_interrupted``. None among them means "no file now, ask again soon".

        Raises PipelineError for a fault of the machine. All results until then are committed and published.
        """
        fetched = self._job.objects.fetch_ahead(files, self._skip_file) if self._job.objects else None
        self._turns.begin(fetched or files, self._containers.next_part)
        self._is_interrupted, self._round_began = is_interrupted, time.monotonic()
        states = (self._questions, self._unlocks, self._queue, self._units, self._turns, self._runs, self._containers)
        with ExitStack() as cleanup:  # in reverse order, each also when another one fails
            cleanup.callback(self.publisher.flush)
            for clear in (*(state.clear for state in states), *([fetched.close] if fetched else []), self._engine.reset):
                cleanup.callback(clear)
            while self._has_work():
                self._observer.heartbeat()
                self._questions.carry_out_orders()
                self._admit_unlocked()
                self._take_parts()
                self._admit_and_read()
                self._take_replies()
                self._ask_and_check()
                self.publisher.flush_if_due()

    def answer_questions(self) -> None:
        """Carry out orders between rounds, while no files are read."""
        self._questions.carry_out_orders()
        if (self._questions.busy or self._unlocks.is_waiting) and not self._ending:
            self.round(())

    def _has_work(self) -> bool:
        if self._queue.has_next(ending=self._ending) or self._engine.load or self._pool.load or self._has_chats:
            return True
        if self._ending:
            return False
        if self._containers.may_go_on or self._questions.is_unpacking or self._unlocks.is_waiting:
            return True
        if not self._turns.waiting:
            self._fail_unanswered()
        return self._turns.waiting or bool(self._pool.load) or self._containers.active

    # ---- admit: a file becomes a document -----------------------------------------------------------

    def _admit_and_read(self) -> None:
        """Keep the readers busy: with pages of the documents in turn, and with new files."""
        while not self._ending and self._engine.readers_may_work(self._pool) and (turn := self._turns.next()):
            if isinstance(turn, InboxFile):
                self._admit(turn)
            else:
                self._readers.read(turn, turn.next_page(), self._read)
                self._turns.add(turn)

    def _admit_unlocked(self) -> None:
        """Take the files whose passwords people have given."""
        for file in () if self._ending else self._unlocks.files():
            self._observer.files_found(1, 0)
            self._admit(file)

    def _is_reading(self, name: str) -> bool:
        """Whether the file with this name in the outbox is being read, or waits for its twin."""
        return any(name in (file.source.name for file in (run.file, *run.twins)) for run in self._runs.values())

    def _admit(self, file: InboxFile) -> None:
        run = self._admission.admit(file)
        if run is None:
            return
        self._runs[run.sha256] = run
        if self._admission.may_be_container(run):
            self._containers.take(run)
        else:
            self._begin(run)

    def _begin(self, run: DocumentRun) -> None:
        """Begin to read a document that is no archive and no mail."""
        if host := self._admission.host_kind(run):
            self._containers.take(run, host)
        if document := self._admission.known_document(run):
            self._do(run, self._admission.plan(run, document))
        else:
            self._readers.read(run, 0, self._open)

    def _open(self, run: DocumentRun, _: int, reply: Reply) -> None:
        document = decode_document(run.sha256, reply)
        if document.attachments and not self._admission.is_part(run):
            self._containers.take(run, "pdf")
        self._do(run, self._admission.open(run, document))

    # ---- admit: a container becomes its parts -------------------------------------------------------

    def _take_parts(self) -> None:
        """Take parts of containers, unless the run is ending; wait for them when there is nothing else to do."""
        if not self._ending:
            busy = self._pool.load or self._engine.load or self._queue.waiting or self._turns.waiting
            self._containers.work(may_wait=not busy)

    def _end_container(self, ended: DocumentRun | str, left: str) -> None:
        """All parts of a container have ended. It is published, unless parts are ``left`` for a later run."""
        if isinstance(ended, str):
            run = next((run for run in self._runs.values() if run.file.source.name == ended), None)
            self._do(run, ()) if run else self.publisher.publish_again(ended)
        elif self._runs.get(ended.sha256) is ended:
            if left or restat_file(ended.file) != ended.file:
                self._drop(ended, left or FILE_CHANGED)
            else:
                self._do(ended, ())

    # ---- read: a page becomes words -----------------------------------------------------------------

    def _take_replies(self) -> None:
        """Take the replies of readers; wait for them when the engine has nothing to do."""
        began = time.monotonic()
        delivered = self._pool.poll(self._engine.reader_seconds(more_files=self._turns.more_files, ending=self._ending))
        self._engine.readers_waited(time.monotonic() - began, delivered=bool(delivered))
        may_come = self._turns.more_files or self._questions.is_unpacking
        if may_come and not (delivered or self._pool.load or self._engine.load or self._queue.waiting):
            time.sleep(IDLE_SECONDS)

    def _read(self, run: DocumentRun, number: int, reply: Reply) -> None:
        page_reply = decode_page(reply, number)
        self._admission.count_time(run, reply.seconds)
        if page_reply.page:
            self._observer.page_read(run.sha256, page_reply.page)
        self._do(run, run.page_replied(page_reply))

    def _do(self, run: DocumentRun, actions: Iterable[Action]) -> None:
        """Carry out the actions that a document needs next; publish it when it is complete."""
        for action in actions:
            match action:
                case ChooseTemplate(document, template):
                    self._do(run, self._admission.choose(run, document, template))
                case AskEngine():
                    self._units.ask(run, action)
                case EndPages():
                    self._commit(run, page_results(run, action, self._job.recipes))
        if self._runs.get(run.sha256) is not run:
            return
        if run.out_of_time and run.phase == "reading":
            self._units.drop(run)
            self._commit(run, page_results(run, run.end_open_pages(), self._job.recipes))
        if run.phase == "complete":
            if not self._containers.holds(run):
                self._publish(run)
        else:
            self._turns.add(run)

    # ---- ask and check: words become an answer, an answer becomes a result -------------------------

    def _ask_and_check(self) -> None:
        if self._has_chats:
            self._engine.hand_over_chats()
        self._engine.submit(self._pool.load, ending=self._ending)
        for answer in self._engine.poll(may_wait=not (self._pool.load or self._turns.more_files)):
            self._observer.answer_received(answer)
            if not self._questions.take_answer(answer):
                self._admission.count_answer(answer, self._engine.concurrency)
                self._units.check(answer)

    def _fail_unanswered(self) -> None:
        """End the units as failed for which an idle engine has given no answer."""
        self._questions.fail_unanswered()
        for run in [run for run in self._runs.values() if run.pages_with_engine]:
            self._do(run, [EndPages(sorted(run.pages_with_engine), "failed", "engine", "the engine gave no answer")])

    # ---- commit: a result becomes durable -----------------------------------------------------------

    def _end_unit(self, run: DocumentRun, result: Result) -> None:
        self._commit(run, [result])
        self._do(run, ())
        self._breaker.record(result)

    def _commit(self, run: DocumentRun, results: list[Result]) -> None:
        pages = {result.key.page for result in results}
        marks = [found for page in pages if (found := run.marks.pop(page, None))]
        texts = {page: run.texts.pop(page) for page in pages if page in run.texts}
        self._job.ledger.commit(results, marks, texts)
        for result in results:
            run.unit_ended(result.key.page, result.key.template)
            self._observer.unit_finished(result)

    # ---- publish: a document becomes files ----------------------------------------------------------

    def _publish(self, run: DocumentRun) -> None:
        assert run.document is not None  # noqa: S101 - a complete document is open
        self._admission.reset_time(run)
        try:
            publication = self.publisher.publish(run.file, run.document, run.recipes or {})
        except BlockedResultError as error:
            self._drop(run, f"its result cannot be written: {error.message}")
        else:
            self._observer.document_published(publication)
            self._observer.file_finished(run.file)
            self._drop(run, reason="")

    def _skip_file(self, file: InboxFile, reason: str) -> None:
        self._observer.file_skipped(file.source.name, reason)
        self._observer.file_finished(file)

    def _drop(self, run: DocumentRun, reason: str = FILE_CHANGED) -> None:
        """Remove a document that is published or, with a ``reason``, skipped. Its twins are admitted."""
        del self._runs[run.sha256]
        self._containers.forget(run)
        self._units.drop(run)
        self._turns.remove(run)
        if reason:
            self._skip_file(run.file, reason)
        for twin in run.twins:
            self._admit(twin)
