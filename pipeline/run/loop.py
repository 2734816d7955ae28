"""The one loop: plan the units → ask the engine → check each answer → commit it → publish the documents that are complete.

Reading runs in worker processes, two calls ahead of the engine for every core; everything else runs here, in one thread, so the
ledger has one writer. `run`, `watch`, `reprocess` and cron all come in through ``Loop.round``.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Self

from pipeline.checks.einvoice_overlay import overlay_einvoice
from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import FILE_CHANGED, DocumentError, ExitCode
from pipeline.intake.hashing import content_hash
from pipeline.intake.scan import InboxFile
from pipeline.intake.settle import restat_file
from pipeline.monitoring.events import Observer, Observers
from pipeline.records import Answer, AnyImage, DocumentInfo, Page, Reason, Result, UnitKey, UnitStatus
from pipeline.run.archive import Shelver
from pipeline.run.batching import GLANCE_SECONDS, IDLE_SECONDS, TURN_SECONDS, Pace
from pipeline.run.circuit_breaker import CircuitBreaker
from pipeline.run.document_run import Held, Task
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.run.page_requests import Picture, ReadRequest, decode_reply, encode_request
from pipeline.run.publisher import Publisher
from pipeline.run.questions import Desk
from pipeline.run.reader_calls import opened_document, reader_call, reader_pool
from pipeline.run.unit_retry import Again, Tried, Unit
from pipeline.runtime.watchdog import Watchdog, restart_count, restart_program
from pipeline.runtime.worker_pool import Reply
from pipeline.templates.routing import FALLBACK, for_kind
from pipeline.words.lines import without_picture_words


class Loop:
    """Reads files until there are none left; keeps its workers between rounds. ``attends`` to what people ask meanwhile, too."""

    def __init__(self, job: Job, observer: Observer, *, shelve: bool = False, attends: bool = True) -> None:
        self._job, self._observer = job, Observers(observer, job.objects) if job.objects else observer
        if job.mirror:
            job.mirror.on_warning = observer.warning
        self._shelver = Shelver(job, observer)
        self._publisher = Publisher(job, self._shelver if shelve else None)
        if shelve:
            self._shelver.catch_up()
        self._tasks: dict[str, Task] = {}
        self._numbers = itertools.count(1)
        self._ready: deque[Task] = deque()
        self._units: dict[UnitKey, Unit] = {}
        self._queue = EngineQueue(job)
        self._drawing: dict[UnitKey, Request] = {}
        self._breaker = CircuitBreaker(job.settings.retry.stop_after_failures)
        self._pool = reader_pool(job.settings, job.cluster)
        self._desk = Desk(job, self._pool, self._queue, self._publisher)
        self._attends = attends
        self._watchdog = Watchdog(job.settings.retry.watchdog_seconds, self._hung)
        self.stopping = False
        """Set from a signal handler: take no more files or pages, finish what is in flight, then return."""
        self.until: float | None = None
        """Time (monotonic) from which it stops like that by itself."""

    def __enter__(self) -> Self:
        self._queue.__enter__()
        self._watchdog.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.__exit__()
        self._pool.close()
        self._queue.__exit__()

    @property
    def busy(self) -> bool:
        """Whether files are being read just now: more can join them."""
        return bool(self._tasks)

    @property
    def under_way(self) -> tuple[int, int]:
        """Calls that the readers have, and units that the engine has."""
        return self._pool.load, self._queue.in_flight

    @property
    def out_of_time(self) -> bool:
        """Whether ``until`` has come."""
        return self.until is not None and time.monotonic() >= self.until

    @property
    def _ending(self) -> bool:
        return self.stopping or self.out_of_time

    def round(self, files: Iterable[InboxFile | None]) -> None:
        """Read these files to the end; None among them means "no file just now, ask again soon".

        Raises PipelineError when nothing can go on; what has ended until then is committed and published.
        """
        fetching = self._job.objects.fetch_ahead(files, self._left) if self._job.objects else None
        try:
            source = fetching or iter(files)
            while True:
                self._queue.reset_in_flight()
                for answer in self._job.engine.answer(self._requests(source)):
                    self._watchdog.heartbeat()
                    if answer is None:
                        self._observer.heartbeat()
                    else:
                        self._answered(answer)
                self._watchdog.pause()
                if self._queue.has_next(ending=self._ending) or self._drawing:  # the last answers are to be asked again
                    continue
                if not self._ending:
                    self._give_up_on_the_unanswered()
                if self._ending or not (self._ready or self._pool.load):  # the last answers may have freed a twin to be read
                    break
        finally:
            self._watchdog.pause()
            if fetching:
                fetching.close()
            self._tasks.clear()
            self._ready.clear()
            self._units.clear()
            self._queue.clear()
            self._desk.forget()
            self._drawing.clear()
            self._publisher.flush()

    def attend(self) -> None:
        """See to what people ask, while no files are read."""
        self._desk.turn()
        if self._desk.busy and not self._ending:
            self.round(())

    def flush(self) -> None:
        """Let the ledger know of everything that is published."""
        self._publisher.flush()

    def tidy(self, *, now: bool = True) -> None:
        """Write spreadsheets anew that hold outdated rows; unless ``now``, only when that was not done lately."""
        self._publisher.tidy(now=now)

    def put_away(self, known: Iterable[InboxFile]) -> None:
        """Move or delete, as the settings say, files that were read before but are still there."""
        self._publisher.put_away_known(known)

    def _give_up_on_the_unanswered(self) -> None:
        """An engine owes an answer to every request; one that it forgot ends as failed, never in silence."""
        self._desk.give_up()
        waiting = [task for task in self._tasks.values() if task.pages]
        for task in waiting:
            self._end_pages(task, list(task.pages), "failed", "engine", "the engine gave no answer")
            self._publish_if_complete(task)

    # ---- files become requests --------------------------------------------------------------------

    def _requests(self, files: Iterator[InboxFile | None]) -> Iterator[Request | None]:
        more, queue, pace = True, self._queue, Pace(gathers=self._job.engine.prefers_batches)
        while queue.has_next(ending=self._ending) or (
            (more or self._ready or self._pool.load) and not (self._ending and not self._pool.load)
        ):
            self._observer.heartbeat()
            if self._attends:
                self._desk.turn()
            while pace.fed and (request := queue.next(ending=self._ending)):
                self._watchdog.heartbeat()
                yield request
            while self._pool.room and (self._ready or more) and not self._ending:
                if not pace.has_room(queue.waiting, self._pool.load):
                    break
                if self._ready:
                    self._read_next_page(self._ready[0])
                    continue
                try:
                    found = next(files)
                except StopIteration:
                    more = False
                    break
                if found is None:
                    break
                self._take(found)
            pace.look(self._pool.load)
            if pace.fed and queue.has_next(ending=self._ending):
                continue
            self._watchdog.heartbeat() if queue.in_flight else self._watchdog.pause()
            glances, began = queue.in_flight and pace.fed, time.monotonic()
            replies = self._pool.poll(GLANCE_SECONDS if glances else IDLE_SECONDS if more else TURN_SECONDS)
            self._publisher.flush_if_due()
            pace.waited(time.monotonic() - began, came=replies > 0)
            if not replies and glances:
                yield None
            elif not replies and more and not self._pool.load:
                time.sleep(IDLE_SECONDS)

    def _take(self, found: InboxFile) -> None:
        """A file's turn: nothing to do, wait for its twin, or plan it."""
        ledger = self._job.ledger
        known = ledger.file_at(found.source.path)
        if known and self._job.up_to_date(known, found):
            self._observer.file_finished(found)
            return
        try:
            sha256 = found.sha256 or content_hash(found)
        except OSError as error:
            self._left(found, f"cannot be read: {error.strerror or error}")
            return
        if sha256 is None:
            self._left(found, FILE_CHANGED)
            return
        if same := self._tasks.get(sha256):
            if found.source.path not in {other.source.path for other in (same.found, *same.waiting)}:  # a rescan sees it again
                same.waiting.append(found)
            return
        if known is None:
            found = self._shelver.came_back(found, sha256)
            known = ledger.file_at(found.source.path)
        elif self._job.is_due(known):
            ledger.mark_for_retry(sha256, self._job.settings.retry.page_attempts)
        ledger.record_file(found.source, sha256, found.size, found.mtime_ns, self._job.told(known))
        self._observer.file_started(found.source, sha256)
        before = known.recipes if known and known.published_sha256 == sha256 else {}
        task = self._tasks[sha256] = Task(next(self._numbers), found, sha256, before, self._job.told(known))
        limit = self._job.settings.limits.megabytes
        if found.size > limit * 1_000_000:
            self._opened(task, DocumentInfo(sha256, "", 0, "too_large", f"more than {limit} MB (limits.megabytes)"))
        elif document := ledger.document(sha256):
            self._begin(task, document)
        else:
            self._submit(task, 0, reader_call(self._job, task, 0))

    def _opened(self, task: Task, document: DocumentInfo) -> None:
        self._job.ledger.record_document(document)
        self._begin(task, document)

    def _begin(self, task: Task, document: DocumentInfo) -> None:
        """The document is open (or never will be): list its units."""
        task.document = document
        chosen = self._job.ledger.chosen_template(task.sha256)
        task.recipes = self._job.plan(task.found.source.relative, task.told, chosen, task.before)
        if document.reason:
            task.recipes = task.recipes or {}
            self._publish(task)
            return
        if task.recipes is None:
            task.unread = list(range(self._readable(document), 0, -1))
        else:
            self._list_units(task, task.recipes)
        if task.complete:
            self._publish(task)
        elif task.unread:
            self._ready.append(task)

    def _readable(self, document: DocumentInfo) -> int:
        return min(document.pages, self._job.settings.limits.pages)

    def _list_units(self, task: Task, recipes: dict[str, str]) -> None:
        """Units that the ledger does not have; pages above the limit end here as skipped."""
        document, ledger = task.document, self._job.ledger
        assert document is not None  # noqa: S101 - called from _begin and _choose, both after opening
        for template, recipe in recipes.items():
            ended = ledger.answered_pages(task.sha256, template, recipe)
            for page in range(1, document.pages + 1):
                if page not in ended:
                    task.missing.setdefault(page, []).append(template)
        above = [page for page in task.missing if page > self._readable(document)]
        self._end_pages(task, above, "skipped", "too_large", "above limits.pages")
        task.unread = sorted(set(task.missing) - set(task.held), reverse=True)

    def _read_next_page(self, task: Task) -> None:
        """Hand one page to a reader. While nobody knows the template, the next page waits for this one's kind."""
        page = task.unread.pop()
        self._submit(task, page, reader_call(self._job, task, page))
        if not task.unread or task.recipes is None:
            self._ready.popleft()

    # ---- replies of the readers -------------------------------------------------------------------

    def _submit(self, task: Task, page: int, call: ReadRequest, template: str = "") -> None:
        """Hand a call to the readers. With a ``template``, it draws the picture for asking about one unit again."""
        self._pool.submit(
            encode_request(call),
            lambda reply: self._replied(task, page, template, reply),
            lambda why: self._reader_lost(task.sha256, page, why),
        )

    def _replied(self, task: Task, page: int, template: str, reply: Reply) -> None:
        sha256 = task.sha256
        if self._tasks.get(sha256) is not task:  # late, about a file that was left
            return
        if template:
            self._drawn(task, UnitKey(sha256, page, template, self._job.recipes[template]), reply)
            return
        if (reply.error and reply.error.detail == FILE_CHANGED) or restat_file(task.found) != task.found:
            self._leave(task)
        elif page == 0:
            self._opened(task, opened_document(sha256, reply))
        elif reply.error:
            self._page_failed(task, page, reply.error, reply.seconds)
        else:
            self._page_read(task, page, reply)

    def _reader_lost(self, sha256: str, page: int, why: str) -> None:
        if task := self._tasks.get(sha256):
            self._observer.reader_lost(task.found.source.name, page, why)

    def _leave(self, task: Task) -> None:
        """The file changed under our hands: it comes back when it has settled; its twins need not wait for that."""
        self._drop(task)
        self._left(task.found, FILE_CHANGED)
        for twin in task.waiting:
            self._take(twin)

    def _left(self, found: InboxFile, why: str) -> None:
        self._observer.file_skipped(found.source.name, why)
        self._observer.file_finished(found)

    def _drop(self, task: Task) -> None:
        del self._tasks[task.sha256]
        for key in [key for key in self._units if key.sha256 == task.sha256]:
            del self._units[key]
            self._drawing.pop(key, None)
            self._queue.discard(key)
        if task in self._ready:
            self._ready.remove(task)

    def _page_failed(self, task: Task, page: int, error: DocumentError, seconds: float) -> None:
        if task.recipes is None:
            task.held[page] = Held(None, {}, error.reason, error.detail, seconds)
            self._choose(task, None)
        else:
            self._end_pages(task, [page], "failed", error.reason, error.detail, seconds)
            self._publish_if_complete(task)

    def _page_read(self, task: Task, page: int, reply: Reply) -> None:
        try:
            reading, images = decode_reply(reply, page)
        except DocumentError as error:
            self._page_failed(task, page, error, reply.seconds)
            return
        self._observer.page_read(task.sha256, reading.page)
        if task.recipes is None:
            kind = "text" if reading.kind in ("chart", "photo") and task.covered else reading.kind
            task.held[page] = Held(reading.page, images)
            self._choose(task, for_kind(kind, self._job.templates) if kind else None)
        else:
            self._ask(task, reading.page, images)

    def _choose(self, task: Task, template: str | None) -> None:
        """Settle the template by the first page that has a kind; covers, blank and failed pages before it were held back."""
        if template is None and task.unread:
            self._ready.append(task)
            return
        chosen = template or FALLBACK
        self._job.ledger.record_chosen_template(task.sha256, chosen)
        task.recipes = self._job.plan(task.found.source.relative, task.told, chosen, task.before) or {}
        self._list_units(task, task.recipes)
        held, task.held = task.held, {}
        for page, item in held.items():
            if item.page is None:
                self._end_pages(task, [page], "failed", item.reason, item.detail, item.seconds)
            else:
                images = {name: image for image in item.images.values() for name in task.recipes}
                self._ask(task, item.page, images)
        if task.unread:
            self._ready.append(task)
        self._publish_if_complete(task)

    def _ask(self, task: Task, page: Page, images: Mapping[str, AnyImage]) -> None:
        """Requests for a page's units; blank pages end here, and units that killed the program too often."""
        if page.blank:
            self._end_pages(task, [page.number], "blank", seconds=page.seconds)
            self._publish_if_complete(task)
            return
        task.pages[page.number] = page
        for name in list(task.missing.get(page.number, [])):
            template = self._job.templates[name]
            key = UnitKey(task.sha256, page.number, name, self._job.recipes[name])
            pages = task.document.pages if task.document else 1
            # What a template is answered from must not depend on the templates beside it.
            seen = page if template.reader == "transcript" else without_picture_words(page)
            request = Request(key, seen, template, images.get(name), pages)
            unit = self._units[key] = Unit(request, self._job.engine.retries)
            if self._queue.is_given_up(key):
                detail = f"the program died {self._job.settings.retry.crash_attempts} times while this page was being answered"
                self._go_on(task, unit, unit.take(failed_answer(request, detail)))
            else:
                self._queue.add(request)

    # ---- answers ----------------------------------------------------------------------------------

    def _answered(self, answer: Answer) -> None:
        """Check an answer against its page; ask again, or commit the best one and publish the document when it was the last."""
        self._queue.answered()
        self._observer.answer_received(answer)
        if self._desk.answered(answer):
            return
        task, unit = self._tasks.get(answer.key.sha256), self._units.get(answer.key)
        if task is None or unit is None:  # late, about a file that was left
            return
        self._go_on(task, unit, unit.take(answer))

    def _go_on(self, task: Task, unit: Unit, again: Again | None) -> None:
        """Do what the ladder says."""
        key = unit.request.key
        if again and again.tokens:
            picture = Picture(again.tokens, unit.request.page.turned, again.part)
            self._drawing[key] = again.request
            call = replace(reader_call(self._job, task, key.page), picture=picture)
            self._submit(task, key.page, call, key.template)
        elif again:
            self._queue.add_first(again.request)
        elif unit.best:
            del self._units[key]
            self._end_unit(task, unit, unit.best)
            self._queue.discard(key)

    def _drawn(self, task: Task, key: UnitKey, reply: Reply) -> None:
        """The picture for asking again is here, or never will be."""
        request, unit = self._drawing.pop(key, None), self._units.get(key)
        if request is None or unit is None:
            return
        try:
            _, images = decode_reply(reply, key.page)
            self._queue.add_first(replace(request, image=next(iter(images.values()))))
        except (DocumentError, StopIteration):
            self._go_on(task, unit, unit.skip())

    def _end_unit(self, task: Task, unit: Unit, best: Tried) -> None:
        request, answer = unit.request, best.answer
        page, template = request.page, request.template
        evidence = overlay_einvoice(best.evidence, page, template)
        seconds = round(page.seconds + unit.seconds, 4)
        source = "xml" if page.facts and any(spec.einvoice for spec in template.fields.values()) else page.source
        result = Result(answer.key, answer.status, evidence, answer.reason, answer.detail, source, seconds, page.turned)
        self._commit(task, [result])
        self._publish_if_complete(task)
        self._breaker.record(result)

    def _hung(self) -> None:
        """Called from the watchdog's thread."""
        retry = self._job.settings.retry
        again = restart_count() < retry.stop_after_failures
        what = "starting anew" if again else f"ending, after {restart_count()} restarts"
        self._observer.warning(f"no sign of life from the engine for {retry.watchdog_seconds:g} s; {what}")
        self._pool.close()
        restart_program() if again else os._exit(ExitCode.NO_ENGINE)

    def _end_pages(
        self,
        task: Task,
        pages: Iterable[int],
        status: UnitStatus,
        reason: Reason | None = None,
        detail: str = "",
        seconds: float = 0.0,
    ) -> None:
        """End all units of some pages, together, without asking an engine."""
        results = [
            Result(UnitKey(task.sha256, page, name, self._job.recipes[name]), status, {}, reason, detail, None, seconds)
            for page in pages
            for name in task.missing.get(page, [])
        ]
        self._commit(task, results)

    def _commit(self, task: Task, results: list[Result]) -> None:
        self._job.ledger.commit(results)
        for result in results:
            task.settle(result.key.page, result.key.template)
            self._observer.unit_finished(result)

    def _publish_if_complete(self, task: Task) -> None:
        if task.complete and task.sha256 in self._tasks:
            self._publish(task)

    def _publish(self, task: Task) -> None:
        """Publish a complete document, then give its twins their turn."""
        assert task.document is not None  # noqa: S101 - complete tasks are open
        self._observer.document_published(self._publisher.publish(task.found, task.document, task.recipes or {}))
        self._observer.file_finished(task.found)
        self._drop(task)
        for twin in task.waiting:
            self._take(twin)
