"""Documents that people have corrected or confirmed, with their pages as the readers of the loop read them, for ``pipeline learn``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import DocumentError, FileChangedError, StoreError
from pipeline.intake.hashing import content_hash
from pipeline.intake.scan import InboxFile
from pipeline.learning.confirmed import ConfirmedDocument
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.file_records import FileRecord
from pipeline.records import Json, Page
from pipeline.run.compose import compose
from pipeline.run.job import Job
from pipeline.run.page_requests import decode_reply, encode_request, question_request
from pipeline.run.reader_calls import reader_pool
from pipeline.runtime.worker_pool import ReaderPool, Reply
from pipeline.templates.template import Template
from pipeline.words.lines import without_picture_words

MOST_PAGES = 20
"""Pages of a document that are read at most."""


@dataclass
class ConfirmedDocuments:
    """What was found: documents to learn from, and those that were left out with the reason."""

    documents: list[ConfirmedDocument] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Reason by name of the result."""


def confirmed_documents(job: Job) -> ConfirmedDocuments:
    """All documents of the ledger with a confirmed or corrected value, read again.

    Raises EngineUnavailableError where readers cannot start.
    """
    found, seen = ConfirmedDocuments(), set[tuple[str, str]]()
    with reader_pool(job.settings) as pool:
        for record, template, values in list(_confirmed(job)):
            if (record.sha256, template.name) in seen:  # equal contents are one document
                continue
            seen.add((record.sha256, template.name))
            name = record.source.name
            try:
                pages = _pages(job, pool, record, template)
            except (DocumentError, FileChangedError, StoreError, OSError) as error:
                found.left_out[name] = str(error)
                continue
            if any(page.facts for page in pages):
                found.left_out[name] = "its values come from the data of an e-invoice, which need not be learned"
            elif not pages:
                found.left_out[name] = "it has no page with words"
            else:
                found.documents.append(
                    ConfirmedDocument(name, record.sha256, template, values, pages, _sure(job, record, template))
                )
    return found


def _confirmed(job: Job) -> Iterator[tuple[FileRecord, Template, dict[str, Json]]]:
    for record in job.ledger.published_files():
        by_template: dict[str, dict[str, Json]] = {}
        for (template, name), history in correction_history(job.ledger, record.key).items():
            if not history[-1].withdrawn and template in job.templates and name in job.templates[template].fields:
                by_template.setdefault(template, {})[name] = history[-1].value
        for template, values in by_template.items():
            if job.templates[template].reader == "fields":
                yield record, job.templates[template], values


def _sure(job: Job, record: FileRecord, template: Template) -> frozenset[str]:
    """Fields with a published value that asked for no review."""
    document = job.ledger.document(record.published_sha256 or "", stale=True)
    if document is None:
        return frozenset()
    accepted = job.settings.review.accepted_error
    publication = compose(job.ledger, job.templates, record.source, document, record.recipes, accepted, record.part)
    fields, asked = publication.fields.get(template.name, {}), set(publication.fields_to_review(template.name))
    return frozenset(name for name, item in fields.items() if item.value not in (None, "", []) and name not in asked)


def _pages(job: Job, pool: ReaderPool, record: FileRecord, template: Template) -> tuple[Page, ...]:
    """The pages with words. Raises DocumentError, FileChangedError, StoreError, OSError where the file is not the confirmed one."""
    file = _present(job, record)
    document = job.ledger.document(record.sha256, stale=True)
    pages = []
    numbers = record.part.pages.pages if record.part else range(1, (document.pages if document else 1) + 1)
    for number in numbers[:MOST_PAGES]:
        content, _ = decode_reply(
            _call(pool, encode_request(question_request(job, file, record.sha256, number, template))), number
        )
        page = without_picture_words(content.page)
        if page.words and not page.blank:
            pages.append(page)
    return tuple(pages)


def _present(job: Job, record: FileRecord) -> InboxFile:
    if record.place == "deleted":
        raise DocumentError("unreadable", "its file was deleted after it was read (`after: delete`)")
    file = job.present_file(record.source)
    if file is not None and job.objects and job.objects.is_object(record.source.path):
        file = job.objects.fetch(file)
    if file is None:
        raise DocumentError("unreadable", f"its file is no longer at {record.source.path}")
    if content_hash(file) != record.published_sha256:
        raise DocumentError("unreadable", "its file has changed since it was confirmed")
    return file


def _call(pool: ReaderPool, request: bytes) -> Reply:
    replies: list[Reply] = []
    pool.submit(request, replies.append)
    while not replies and pool.load:
        pool.poll()
    return replies[0] if replies else Reply(error=DocumentError("unreadable", "its reader gave no reply"))
