"""What a reader is asked about a page: which words, which images, and by which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.intake.scan import Found
from pipeline.run.job import Job
from pipeline.run.reading import Picture, ReadRequest
from pipeline.run.task import Task
from pipeline.settings import Settings
from pipeline.templates.model import PageKind, Template
from pipeline.templates.routing import for_kind

KINDS: tuple[PageKind, ...] = ("invoice", "receipt", "chart", "photo", "text")
"""What a page may turn out to be, where nobody said which templates read it."""


def reader_call(job: Job, task: Task, page: int) -> ReadRequest:
    """The request to read a page for all templates that miss it, or to tell its kind; page 0 only opens the file."""
    choose = task.recipes is None
    names = {kind: for_kind(kind, job.templates) for kind in KINDS} if choose else {t: t for t in task.missing.get(page, ())}
    templates = {name: job.templates[template] for name, template in names.items()}
    return replace(_reading_call(job, task.found, page, templates), choose=choose)


def question_call(job: Job, found: Found, page: int, template: Template) -> ReadRequest:
    """The request to read a page for one template that need not be among the job's."""
    return _reading_call(job, found, page, {template.name: template})


def picture_call(settings: Settings, path: Path, size: int, mtime_ns: int, page: int, picture: Picture) -> ReadRequest:
    """The request to draw a page of a file that was read before."""
    limits = settings.limits
    return ReadRequest(
        str(path), size, mtime_ns, page, passwords=limits.passwords, megapixels=limits.megapixels, picture=picture
    )


def _reading_call(job: Job, found: Found, page: int, templates: Mapping[str, Template]) -> ReadRequest:
    limits, engine = job.settings.limits, job.engine
    return ReadRequest(
        str(found.source.path),
        found.size,
        found.mtime_ns,
        page,
        images={name: template.image.tokens if engine.wants_image(template) else 0 for name, template in templates.items()},
        whole=engine.measures,
        pictures=frozenset(name for name, template in templates.items() if template.reader == "transcript"),
        passwords=limits.passwords,
        megapixels=limits.megapixels,
        einvoice=job.settings.einvoices == "read",
    )
