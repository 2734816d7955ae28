"""The documents in a file: decides how it is split once its pages are read, and composes their publications.

The decision and the names of the documents are in the ledger before any of their results is written, so that a run that dies leaves
no result of which the next one knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.split.file_page import FilePage, KeyFields
from pipeline.checks.split.split_file import BarcodeRules, split_file
from pipeline.ledger.document_states import insert_decision, is_settled
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.records import FIGURE, DocumentInfo, Source
from pipeline.run.compose import compose
from pipeline.run.job import Job
from pipeline.split_records import Split, part_label
from pipeline.templates.template import Template


def is_read_anew(job: Job, source: Source, document: DocumentInfo, recipes: Mapping[str, str]) -> bool:
    """Whether pages of a file were read since its present result was published.

    A rebuilt ledger has its results and not what was seen on each page, so that nothing can be decided anew from it.
    """
    record = job.ledger.file_by_name(source.name)
    if record is None or record.published_sha256 != document.sha256:
        return True
    return record.stale or record.retry_at is not None or dict(record.recipes) != dict(recipes)


def record_documents(job: Job, source: Source, document: DocumentInfo, recipes: Mapping[str, str], *, decide: bool) -> bool:
    """Record which documents a file holds. With ``decide`` it is found out anew, else what was decided before holds.

    A person's split precedes the program's. Returns whether results of earlier documents became obsolete.
    """
    ledger, name, sha256 = job.ledger, source.name, document.sha256
    before = ledger.decided_split(name, sha256)
    decided = decide_split(job, source, document, recipes) if decide else before
    split = ledger.person_split(sha256) or decided
    ranges = split.documents if split and _is_of_parts(split) else ()
    known = ledger.documents_of(name)
    if decided == before and [record.part and record.part.pages for record in known if record.sha256 == sha256] == list(ranges):
        return False
    by_label = {part_label(record.part.pages): record.source.name for record in known if record.part}
    names = {by_label.get(part_label(pages)) or job.outbox_names.part(name, part_label(pages)): pages for pages in ranges}
    with ledger.transaction():
        ledger.record_decided_split(name, sha256, decided)
        ledger.record_parts(name, sha256, names)
        for record in known:
            if record.sha256 == sha256 and record.part and record.part.pages not in ranges:
                _reopen(ledger, record.key)
    return any(record.source.name not in names for record in known)


def _reopen(ledger: Ledger, key: str) -> None:
    """Have a document checked again that was approved with other pages; part of an open transaction."""
    if is_settled(ledger, key):
        insert_decision(ledger, key, "to_check", "")


def _is_of_parts(split: Split) -> bool:
    """Whether the documents of a split have results of their own: not where one document is the whole file, apart from blank pages."""
    is_cut = len(split.documents) > 1 or bool(split.documents[0].sheet_part)
    return is_cut or any(reason == "person" for _, reason in split.left_out)


def decide_split(job: Job, source: Source, document: DocumentInfo, recipes: Mapping[str, str]) -> Split | None:
    """How the program splits a file of which all pages are read; None for one document."""
    policy = job.split_policy(source.relative)
    if policy == "never" or document.reason or (document.pages < 2 and not job.ledger.sheets(document.sha256)):
        return None
    template = _telling_template(job, recipes)
    if template is None:
        return None
    marks = job.ledger.page_marks(document.sha256)
    pages = [
        FilePage(
            result.key.page,
            result.status,
            result.fields,
            marks.get(result.key.page),
            1 + len(result.others),
            shows_figures=any(FIGURE in evidence.signals for evidence in result.fields.values()),
        )
        for result in job.ledger.results(document.sha256, template.name, recipes[template.name])
    ]
    stacks = job.settings.stacks
    return split_file(pages, KeyFields.of(template), policy, BarcodeRules(stacks.separators, stacks.first_pages))


def document_publications(job: Job, publication: Publication) -> list[Publication]:
    """The publications of the documents that a file is split into; none where it is one."""
    records = job.ledger.documents_of(publication.source.name) if publication.documents else []
    return [
        compose(
            job.ledger,
            job.templates,
            replace(record.source, path=publication.source.path),
            publication.document,
            publication.recipes,
            publication.accepted_error,
            record.part,
            publication,
        )
        for record in records
    ]


def _telling_template(job: Job, recipes: Mapping[str, str]) -> Template | None:
    """The first template whose fields tell documents apart, else the first one."""
    templates = [job.templates[name] for name in recipes if name in job.templates]
    return next((template for template in templates if KeyFields.of(template).can_tell), next(iter(templates), None))
