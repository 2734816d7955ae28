"""Calls to readers: what they are asked about a page, by which settings, and what opening a file told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.cluster.cluster import Cluster
from pipeline.errors import DocumentError
from pipeline.intake.scan import InboxFile
from pipeline.records import DocumentInfo
from pipeline.run.document_run import Task
from pipeline.run.job import Job
from pipeline.run.page_requests import HANDLER, Picture, ReadRequest, decode_opened
from pipeline.runtime.worker_pool import ReaderPool, Reply, WorkerPool
from pipeline.settings import Settings
from pipeline.templates.model import PageKind, Template
from pipeline.templates.routing import for_kind

KINDS: tuple[PageKind, ...] = ("invoice", "receipt", "chart", "photo", "text")
"""What a page may turn out to be, where nobody said which templates read it."""

MAX_PAGES = 100_000
"""Pages of one document above which its page count counts as a lie."""


def reader_pool(settings: Settings, cluster: Cluster | None = None) -> ReaderPool:
    """The processes that open files and read pages, here or in a cluster."""
    if cluster:
        return cluster.readers()
    limits, attempts = settings.limits, settings.retry.reader_attempts
    size = settings.workers or len(os.sched_getaffinity(0))
    return WorkerPool(HANDLER, size=size, seconds=limits.seconds, memory_mb=limits.memory_mb, attempts=attempts)


def reader_call(job: Job, task: Task, page: int) -> ReadRequest:
    """The request to read a page for all templates that miss it, or to tell its kind; page 0 only opens the file."""
    choose = task.recipes is None
    names = {kind: for_kind(kind, job.templates) for kind in KINDS} if choose else {t: t for t in task.missing.get(page, ())}
    templates = {name: job.templates[template] for name, template in names.items()}
    return replace(_reading_call(job, task.found, page, templates), choose=choose)


def question_call(job: Job, found: InboxFile, page: int, template: Template) -> ReadRequest:
    """The request to read a page for one template that need not be among the job's."""
    return _reading_call(job, found, page, {template.name: template})


def picture_call(settings: Settings, path: Path, size: int, mtime_ns: int, page: int, picture: Picture) -> ReadRequest:
    """The request to draw a page of a file that was read before."""
    limits = settings.limits
    return ReadRequest(
        str(path), size, mtime_ns, page, passwords=limits.passwords, megapixels=limits.megapixels, picture=picture
    )


def _reading_call(job: Job, found: InboxFile, page: int, templates: Mapping[str, Template]) -> ReadRequest:
    limits, engine = job.settings.limits, job.engine
    return ReadRequest(
        str(found.source.path),
        found.size,
        found.mtime_ns,
        page,
        images={name: template.image.tokens if engine.wants_image(template) else 0 for name, template in templates.items()},
        whole=engine.needs_whole_page,
        pictures=frozenset(name for name, template in templates.items() if template.reader == "transcript"),
        passwords=limits.passwords,
        megapixels=limits.megapixels,
        einvoice=job.settings.read_einvoices,
        precision=job.precision,
    )


def opened_document(sha256: str, reply: Reply) -> DocumentInfo:
    """What a reader that was to open a file found out."""
    if reply.error:
        return DocumentInfo(sha256, "", 0, reply.error.reason, reply.error.detail)
    try:
        opened = decode_opened(reply.parts)
    except DocumentError as error:
        return DocumentInfo(sha256, "", 0, error.reason, error.detail)
    if opened.pages > MAX_PAGES:  # a page tree that lies: every page would need a row in the ledger
        return DocumentInfo(
            sha256, opened.kind, 0, "too_large", f"claims {opened.pages:,} pages; more than {MAX_PAGES:,} are not believed"
        )
    return DocumentInfo(sha256, opened.kind, opened.pages)
