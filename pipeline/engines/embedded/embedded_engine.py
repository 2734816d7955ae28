"""The embedded engine behind the Protocol: hands each request to the reader its template names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from pipeline.engines.base import Request, SequentialEngine
from pipeline.engines.deadline import DeadlineError, deadline
from pipeline.records import Answer, Claim
from pipeline.templates.template import Template

VERSION = 10
"""Part of every recipe: raise it when readers answer differently."""


class EmbeddedEngine(SequentialEngine):
    """Answers one request after the other, in milliseconds; needs nothing but what is installed."""

    identity = f"embedded/{VERSION}"
    retries = 0
    needs_whole_page = True
    prefers_batches = False

    def __init__(self, seconds: float = 120) -> None:
        super().__init__()
        self._seconds = seconds

    def wants_image(self, template: Template) -> bool:
        """Charts and captions are read from pixels; fields and transcripts from words alone. A question may be about a chart."""
        return template.reader in ("chart", "caption", "question")

    def respond(self, request: Request) -> Answer:
        """See SequentialEngine."""
        started = time.perf_counter()
        answer = _answer(request, self._seconds)
        return replace(answer, seconds=round(time.perf_counter() - started, 4))


def _answer(request: Request, seconds: float) -> Answer:
    try:
        with deadline(seconds):
            claims, *others = _read(request)
            return Answer(request.key, claims, others=tuple(others))
    except DeadlineError as error:
        return Answer(request.key, status="failed", reason="timeout", detail=str(error))
    except Exception as error:  # a reader's mistake costs one unit, never the run
        return Answer(request.key, status="failed", reason="engine", detail=f"{type(error).__name__}: {error}"[:500])


def _read(request: Request) -> list[Mapping[str, Claim]]:
    """The claims of the document or chart on the page; of several where it shows them."""
    image = request.local_image
    if image and request.template.reader == "chart":
        from pipeline.engines.embedded.chart.page_charts import read_charts

        return read_charts(request.page, image, request.template)
    if request.template.reader != "fields":
        return [_read_whole(request)]
    from pipeline.engines.embedded.fields import read_documents

    return list(read_documents(request.page, request.template, request.lesson))


def _read_whole(request: Request) -> Mapping[str, Claim]:
    """Readers are imported when a template first needs them: a transcript waits for no picture library."""
    page, template, image = request.page, request.template, request.local_image
    if template.reader == "transcript":
        from pipeline.engines.embedded.transcript.transcript_reader import read_transcript

        return read_transcript(page, template)
    if image and template.reader == "caption":
        from pipeline.engines.embedded.caption.caption_reader import read_caption

        return read_caption(page, image, template)
    if template.reader == "form":
        from pipeline.engines.embedded.form import read_form

        return read_form(page, template)
    if template.reader == "question":
        from pipeline.engines.embedded.question import read_question

        return read_question(request)
    from pipeline.engines.embedded.fields import read_fields

    return read_fields(page, template, request.lesson)
