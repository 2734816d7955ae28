"""Units whose page is read and that have no result yet: they wait, are with the engine, or are retried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.checks.code_overlay import overlay_codes
from pipeline.checks.einvoice_overlay import overlay_einvoice
from pipeline.checks.grounding import ground
from pipeline.checks.value_comparison import is_absent
from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.engines.deadline import deadline
from pipeline.engines.embedded.fields import SEVERAL_DOCUMENTS, count_documents
from pipeline.learning.lookup import LedgerLessons
from pipeline.records import Answer, AnyImage, Evidence, Lesson, Page, Result, UnitKey
from pipeline.run.answer_retry import Attempt, NextRequest, UnitRetry
from pipeline.run.document_run import AskEngine, DocumentRun, EndPages
from pipeline.run.embedded_reading import embedded_reading, has_model
from pipeline.run.engine_queue import EngineQueue
from pipeline.run.job import Job
from pipeline.run.page_requests import PictureRequest
from pipeline.run.reader_calls import ReaderCalls
from pipeline.templates.template import Template
from pipeline.words.lines import without_picture_words

EMBEDDED = "embedded"
"""The engine that reads one of several documents on a page and says which, and that can use lessons."""
SEARCH_SECONDS = 10.0
OnResult = Callable[[DocumentRun, Result], None]


class OpenUnits:
    """Queues units for the engine and checks their answers. ``on_result`` gets the best answer of each unit as its result."""

    def __init__(self, job: Job, queue: EngineQueue, readers: ReaderCalls, on_result: OnResult) -> None:
        self._job, self._queue, self._readers, self._on_result = job, queue, readers, on_result
        self._units: dict[UnitKey, tuple[DocumentRun, UnitRetry]] = {}
        self._lessons = LedgerLessons(job.ledger)

    def ask(self, run: DocumentRun, action: AskEngine) -> None:
        """Queue a unit. It fails at once if the program has died over it too often."""
        page, template = action.page, self._job.templates[action.template]
        key = UnitKey(run.sha256, page.number, template.name, self._job.recipes[template.name])
        # The words in pictures are read only for transcripts and charts. Other templates must get the same page with or without
        # one beside them.
        visible = page if template.reader in ("transcript", "chart") else without_picture_words(page)
        request = Request(key, visible, template, action.image, run.document.pages if run.document else 1)
        model = has_model(self._job.engine.identity)
        reading = embedded_reading(visible, template) if model else None
        unit = UnitRetry(request, self._job.engine.retries, reading, model, lesson=self._lesson(visible, template))
        self._units[key] = run, unit
        if self._queue.is_given_up(key):
            detail = f"the program died {self._job.settings.retry.crash_attempts} times while this page was being answered"
            self._continue(run, unit, unit.take(replace(failed_answer(request, detail), final=True)))
        elif (question := unit.question).template.fields:
            self._queue.add(question)
        else:  # the embedded engine has read all of them for sure
            self._continue(run, unit, unit.take(Answer(key)))

    def _lesson(self, page: Page, template: Template) -> Lesson | None:
        """What corrections of the page's sender have taught; only the embedded engine can use it."""
        if template.reader != "fields" or not self._job.engine.identity.startswith(EMBEDDED):
            return None
        return self._lessons(page, template.name)

    def check(self, answer: Answer) -> None:
        """Check an answer against its page. The unit is then retried, or has its result."""
        if answer.key in self._units:  # else the answer is late: its file was skipped
            run, unit = self._units[answer.key]
            self._continue(run, unit, unit.take(answer))

    def drop(self, run: DocumentRun) -> None:
        """Forget the units of a document."""
        for key in [key for key, (owner, _) in self._units.items() if owner is run]:
            del self._units[key]
            self._queue.discard(key)

    def clear(self) -> None:
        """Forget all units."""
        self._units.clear()

    def _continue(self, run: DocumentRun, unit: UnitRetry, following: NextRequest | None) -> None:
        key = unit.request.key
        if following and following.pixels:
            self._draw(run, unit, following)
        elif following:
            self._queue.add_first(following.request)
        elif unit.best:
            del self._units[key]
            self._on_result(run, _result(unit, unit.best, whole_sheet=not self._job.engine.identity.startswith(EMBEDDED)))
            self._queue.discard(key)

    def _draw(self, run: DocumentRun, unit: UnitRetry, following: NextRequest) -> None:
        """Have a reader draw the image for the next request."""
        key = unit.request.key

        def on_image(image: AnyImage | None) -> None:
            if self._units.get(key) != (run, unit):
                return
            if image is None:
                self._continue(run, unit, unit.skip())
            else:
                self._queue.add_first(replace(following.request, image=image))

        self._readers.draw(run, key.page, PictureRequest(following.pixels, unit.request.page.turned, following.part), on_image)


def _result(unit: UnitRetry, best: Attempt, *, whole_sheet: bool) -> Result:
    """The best answer of a unit as its result. Values of an e-invoice inside the file replace values read from the page;
    the codes of the page are compared with both.

    ``whole_sheet``: the engine may have read several documents on the page as one.
    """
    page, template = unit.request.page, unit.request.template
    source = "xml" if page.facts and any(spec.einvoice for spec in template.fields.values()) else page.source
    evidence = overlay_codes(overlay_einvoice(best.evidence, page, template), page, template)
    if whole_sheet and template.reader == "fields" and _shows_several(unit):
        evidence = {name: _of_several(read) for name, read in evidence.items()}
    seconds = round(page.seconds + unit.seconds, 4)
    answer = best.answer
    others = tuple(ground(claims, page, template) for claims in answer.others)
    return Result(answer.key, answer.status, evidence, answer.reason, answer.detail, source, seconds, page.turned, others)


def _of_several(evidence: Evidence) -> Evidence:
    """A value of a page with several documents, with a flag that says so."""
    if is_absent(evidence.value) or any(flag.startswith(SEVERAL_DOCUMENTS) for flag in evidence.flags):
        return evidence
    return replace(evidence, flags=(*evidence.flags, SEVERAL_DOCUMENTS))


def _shows_several(unit: UnitRetry) -> bool:
    """Whether a page shows several documents; False where the search fails, because the answer stands without it."""
    if unit.reading:
        return unit.reading.shows_several_documents
    try:
        with deadline(SEARCH_SECONDS):
            return count_documents(unit.request.page, unit.request.template) > 1
    except MemoryError:
        raise
    except Exception:  # hostile pages raise any exception
        return False


def page_results(run: DocumentRun, end: EndPages, recipes: Mapping[str, str]) -> list[Result]:
    """Results for all open units of some pages, which end without the engine."""
    keys = [UnitKey(run.sha256, page, name, recipes[name]) for page in end.pages for name in run.open_units[page]]
    return [Result(key, end.status, {}, end.reason, end.detail, None, end.seconds) for key in keys]
