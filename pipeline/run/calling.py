"""What a reader is asked about a page: which words, which images, and by which settings."""

from __future__ import annotations

from pipeline.run.job import Job
from pipeline.run.reading import ReadRequest
from pipeline.run.task import Task
from pipeline.templates.model import PageKind
from pipeline.templates.routing import for_kind

KINDS: tuple[PageKind, ...] = ("invoice", "receipt", "chart", "photo", "text")
"""What a page may turn out to be, where nobody said which templates read it."""


def reader_call(job: Job, task: Task, page: int) -> ReadRequest:
    """The request to read a page for all templates that miss it, or to tell its kind; page 0 only opens the file."""
    choose = task.recipes is None
    by_kind: dict[str, str] = {}
    if choose:
        by_kind.update((kind, for_kind(kind, job.templates)) for kind in KINDS)
    else:
        by_kind.update((template, template) for template in task.missing.get(page, ()))
    found, limits = task.found, job.settings.limits
    return ReadRequest(
        str(found.source.path),
        found.size,
        found.mtime_ns,
        page,
        choose,
        {kind: _image_tokens(job, template) for kind, template in by_kind.items()},
        job.engine.measures,
        frozenset(kind for kind, template in by_kind.items() if job.templates[template].reader == "transcript"),
        limits.passwords,
        limits.megapixels,
        einvoice=job.settings.einvoices == "read",
    )


def _image_tokens(job: Job, name: str) -> int:
    template = job.templates[name]
    return template.image.tokens if job.engine.wants_image(template) else 0
