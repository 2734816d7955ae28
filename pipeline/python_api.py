"""The Python API: ``read`` and ``read_many`` give documents as typed objects; see docs/python.md.

Both run the same loop as ``pipeline run``, in a thread of its own. Documents come back through a queue, so that the caller's loop and the
reading go on side by side.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Full, Queue
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from pipeline import object_urls
from pipeline.engines.base import Engine
from pipeline.engines.registry import make_engine
from pipeline.errors import DocumentError, SettingsError, TemplateError
from pipeline.intake.scan import NO_REGULAR_FILE, InboxFile
from pipeline.monitoring.events import Observer
from pipeline.publish.publication import Publication
from pipeline.records import Page
from pipeline.run.compose import compose
from pipeline.run.file_documents import document_publications
from pipeline.run.job import Job, all_templates, named_templates, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.safe_open import path_problem, shortened
from pipeline.settings import Settings, load_settings
from pipeline.settings_sections import RetrySettings
from pipeline.templates.schema_nodes import field_key
from pipeline.templates.schema_template import SchemaText, read_schema_text
from pipeline.typed_documents import Document, typed_document

DOCUMENTS_AHEAD = 64
"""Most documents that wait for the caller. Reading pauses while there are so many."""
PAGES_KEPT = 1_000
"""Documents whose pages are remembered, for further files with the same contents."""
POLL_SECONDS = 0.2
WATCHDOG_SECONDS = 1_000_000.0
"""The watchdog of the command line starts the program anew. A caller's program is never restarted, so it gets the longest timeout."""

StrPath = str | os.PathLike[str]
Schema = type[BaseModel] | Mapping[str, Any] | StrPath
"""A JSON Schema: a pydantic model, the schema as a dict, or the path of a file."""


def read(
    path: StrPath,
    *,
    template: str | Sequence[str] | None = None,
    ask: str | Sequence[str] | None = None,
    schema: Schema | None = None,
    engine: str | None = None,
    model: str | None = None,
    outbox: StrPath | None = None,
    config: StrPath | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    raise_on_failure: bool = False,
) -> Document:
    """Read one file. The keyword arguments are those of ``read_many``.

    Raises what ``read_many`` raises, and SettingsError for a folder.
    """
    if not path_problem(Path(path)) and Path(path).is_dir():
        raise SettingsError(f"{path}: is a folder", "read_many() reads all files in it")
    documents = read_many(
        [path],
        template=template,
        ask=ask,
        schema=schema,
        engine=engine,
        model=model,
        outbox=outbox,
        config=config,
        settings=settings,
        raise_on_failure=raise_on_failure,
    )
    (document,) = documents
    return document


def read_many(
    paths: Iterable[StrPath],
    *,
    template: str | Sequence[str] | None = None,
    ask: str | Sequence[str] | None = None,
    schema: Schema | None = None,
    engine: str | None = None,
    model: str | None = None,
    outbox: StrPath | None = None,
    config: StrPath | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    raise_on_failure: bool = False,
) -> Generator[Document, None, None]:
    """Read files, and all files in folders. Yields a document as soon as it is complete, one for every file.

    ``template`` names the templates that read every file; without one each file gets its own by its pages. ``ask`` is a question about
    every page instead, or a list of several. ``schema`` is a JSON Schema that every file fills: a pydantic model, a dict, or the path
    of a file; the values are in ``Document.data``. ``settings`` are keys of pipeline.yaml, ``config`` is such a file. With an ``outbox``
    (also one that the settings name) results are written there, and files that are up to date in it are not read again. Without one
    nothing is written.

    A file that cannot be read gives a document with a ``reason``; with ``raise_on_failure`` it raises DocumentError. Closing the generator
    ends the reading.

    Raises SettingsError for wrong settings, unknown templates and missing files, TemplateError and EngineUnavailableError, all at once;
    LockedError, LedgerError and OutboxError when iteration starts.
    """
    call_settings = _settings(config, settings, {"engine": engine, "model": model, "outbox": outbox})
    names = template if isinstance(template, str) or template is None else ",".join(template)
    all_templates(call_settings)  # also without names: mistakes in the user's own templates are raised here
    named_templates(call_settings, names)
    schema_text = None if schema is None else _schema_text(schema)
    if schema_text:
        schema_text.template()
    files = [Path(path) for path in paths]
    for file in files:
        if problem := path_problem(file):
            raise SettingsError(f"{shortened(str(file))}: {problem}", "check the path; nothing was read")
        if not file.exists():
            raise SettingsError(f"{file}: no such file or folder", "check the path; nothing was read")
    ready = None if call_settings.executor == "ray" else make_engine(call_settings)
    questions = (ask,) if isinstance(ask, str) else tuple(ask or ())
    return _documents(_Call(call_settings, files, names, questions, schema_text, ready), raise_on_failure=raise_on_failure)


def _schema_text(schema: Schema) -> SchemaText:
    """A JSON Schema in any of the forms that ``read_many`` takes. Raises TemplateError."""
    if isinstance(schema, type):
        return SchemaText(json.dumps(schema.model_json_schema()), schema.__name__, field_key(schema.__name__))
    if isinstance(schema, Mapping):
        name = str(schema.get("title") or "schema")
        try:
            return SchemaText(json.dumps(schema), "schema", field_key(name))
        except (TypeError, ValueError, RecursionError) as error:
            raise TemplateError(f"schema: is no JSON: {error}", "give a JSON Schema as a dict") from None
    return read_schema_text(Path(schema))


_loading_settings = threading.Lock()


def _settings(
    config: StrPath | None, settings: Settings | Mapping[str, Any] | None, keywords: Mapping[str, StrPath | None]
) -> Settings:
    """The settings of one call; keyword arguments win over ``settings``, these over ``config``. Raises SettingsError."""
    values = {key: value for key, value in keywords.items() if value is not None}
    if not isinstance(settings, Settings):
        with _loading_settings:
            return load_settings(Path(config) if config else None, search=False, **{**(settings or {}), **values})
    if config is not None:
        raise SettingsError("both `config` and a Settings object are given", "load_settings(config, ...) makes one of both")
    if "outbox" in values:
        if object_urls.is_url(values["outbox"]):
            raise SettingsError(
                f"{values['outbox']}: an outbox in an object store cannot be added to a Settings object",
                "give the URL to Settings or load_settings, or give `settings` as a dict",
            )
        values["outbox"] = Path(values["outbox"])
    return settings.model_copy(update=values)


# ---- the reading thread ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of ``read_many``, checked."""

    settings: Settings
    files: list[Path]
    template: str | None
    ask: tuple[str, ...]
    schema: SchemaText | None
    engine: Engine | None
    """None: the job connects to a cluster."""


class _Stopped(Exception):  # noqa: N818 - no error
    """The caller has closed the generator."""


class _Handover:
    """The queue between the reading thread and the caller."""

    def __init__(self) -> None:
        self._queue: Queue[Document | BaseException | None] = Queue(DOCUMENTS_AHEAD)
        self._stopped = threading.Event()

    def put(self, item: Document | BaseException | None) -> None:
        """Hand over a document, an error, or None for the end. Waits while the queue is full. Raises _Stopped."""
        while True:
            self.check()
            try:
                return self._queue.put(item, timeout=POLL_SECONDS)
            except Full:
                continue

    def check(self) -> None:
        """Raises _Stopped when the caller takes no more documents."""
        if self._stopped.is_set():
            raise _Stopped

    def take(self) -> Iterator[Document]:
        """Documents up to the end. Raises the error that ended the reading."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def stop(self) -> None:
        """Take nothing more."""
        self._stopped.set()


def _documents(call: _Call, *, raise_on_failure: bool) -> Generator[Document, None, None]:
    handover = _Handover()
    thread = threading.Thread(target=_run, args=(call, handover), name="pipeline.read", daemon=True)
    thread.start()
    try:
        for document in handover.take():
            if raise_on_failure and document.status in ("failed", "skipped"):
                raise DocumentError(document.reason or "unreadable", f"{document.path}: {document.detail}")
            yield document
    finally:
        handover.stop()
        thread.join()


def _run(call: _Call, handover: _Handover) -> None:
    """The thread: read everything, hand over each document, then the end or the error."""
    try:
        _read_all(call, handover)
        handover.put(None)
    except _Stopped:
        pass
    except BaseException as error:  # the caller's thread raises it
        with suppress(_Stopped):
            handover.put(error)


def _read_all(call: _Call, handover: _Handover) -> None:
    with (
        _outbox(call.settings) as settings,
        open_job(settings, template=call.template, ask=call.ask, schema=call.schema, engine=call.engine) as job,
    ):
        collector = _Collector(job, handover)
        with Loop(job, collector, answer_questions=False) as loop:
            try:
                new, known = split_up_to_date(job, job.scan(collector.file_skipped, call.files), job.file_records)
                for file in known:
                    collector.file_known(file)
                loop.round(new)
                loop.publisher.tidy()
                collector.check_all(call.files)
            except _Stopped:  # the job then ends in good order
                loop.publisher.flush()


@contextmanager
def _outbox(settings: Settings) -> Iterator[Settings]:
    """The settings for files that are named one by one; with a temporary outbox where none is named."""
    retry = RetrySettings(**{**settings.retry.model_dump(), "watchdog_seconds": WATCHDOG_SECONDS})
    settings = settings.model_copy(update={"retry": retry, "shard": ""})
    if "outbox" in settings.model_fields_set:
        yield settings
        return
    with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as folder:
        yield settings.model_copy(update={"outbox": Path(folder)})


class _Collector(Observer):
    """Makes documents of the loop's events and hands them over."""

    def __init__(self, job: Job, handover: _Handover) -> None:
        self._job, self._handover = job, handover
        self._pages: dict[str, dict[int, Page]] = {}
        self._skipped: dict[str, str] = {}
        self._complete: set[Path] = set()

    def heartbeat(self) -> None:
        """See Observer. Raises _Stopped."""
        self._handover.check()

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        if sha256 not in self._pages and len(self._pages) >= PAGES_KEPT:
            del self._pages[next(iter(self._pages))]
        self._pages.setdefault(sha256, {})[page.number] = page

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        pages = self._pages.get(publication.document.sha256, {})
        templates, asked = self._job.templates, self._job.questions
        parts = [typed_document(part, templates, pages, asked) for part in document_publications(self._job, publication)]
        self._put(replace(typed_document(publication, templates, pages, asked), documents=tuple(parts)))

    def file_skipped(self, name: str, reason: str) -> None:
        """See Observer."""
        self._skipped[name] = reason

    def file_finished(self, file: InboxFile) -> None:
        """See Observer."""
        path, name = file.source.path, file.source.name
        if path not in self._complete and name in self._skipped:
            self._put(Document(path, "failed", "unreadable", self._skipped.pop(name)))

    def file_known(self, inbox_file: InboxFile) -> None:
        """Hand over what the outbox holds of a file that is up to date, once."""
        if inbox_file.source.path in self._complete:
            return
        job, file = self._job, self._job.file_records[os.fspath(inbox_file.source.path)]
        document = job.ledger.document(file.sha256, stale=True)
        if document:
            accepted = job.settings.review.accepted_error
            self.document_published(compose(job.ledger, job.templates, inbox_file.source, document, file.recipes, accepted))

    def check_all(self, files: Iterable[Path]) -> None:
        """Hand over a failed document for what was given and gave none."""
        for file in files:
            if not file.is_dir() and file.resolve() not in self._complete:
                self._put(Document(file.resolve(), "failed", "unsupported", NO_REGULAR_FILE))
        for name, reason in self._skipped.items():
            if Path(name) not in self._complete:
                self._put(Document(Path(name), "failed", "unreadable", reason))

    def _put(self, document: Document) -> None:
        self._complete.add(document.path)
        self._handover.put(document)
