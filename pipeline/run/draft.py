"""Drafts a template from sample documents: reads their pages, looks up what people corrected of them, and reads them with the draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.checks.merge import merge_pages
from pipeline.engines.base import Request
from pipeline.engines.embedded.draft import CorrectedValue, SampleDocument, draft_template
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.engines.embedded.form import read_form
from pipeline.errors import DocumentError, TemplateError
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.replacement import has_ledger
from pipeline.monitoring.events import Observer
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Evidence, Page, Result, UnitKey
from pipeline.run.answer_retry import check_answer
from pipeline.run.job import all_templates, open_job, open_ledger
from pipeline.run.loop import Loop
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.templates.load import parse_template
from pipeline.templates.template import Template
from pipeline.templates.template_draft import TemplateDraft

_TEMPLATE = "transcript"


@dataclass(frozen=True, slots=True)
class DraftReading:
    """A draft with the template that it is, and what that reads from each sample: evidence by field, by the sample's name."""

    draft: TemplateDraft
    template: Template
    read: Mapping[str, Mapping[str, Evidence]]


class _PageCollector(Observer):
    """Keeps the pages of a run by the contents of their file, and what became of each file."""

    def __init__(self) -> None:
        self.pages: dict[str, dict[int, Page]] = {}
        self.published: list[Publication] = []

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        self.pages.setdefault(sha256, {})[page.number] = page

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        self.published.append(publication)


def draft_from_files(settings: Settings, files: Sequence[Path], name: str) -> DraftReading:
    """The draft of these files. Corrections of them in the outbox of the settings name fields.

    Raises DocumentError for a file that cannot be read, TemplateError where nothing on the files recurs, SettingsError.
    """
    collector = _read_pages(settings, files)
    samples = []
    corrected = _corrections(settings, [publication.document.sha256 for publication in collector.published])
    for publication in collector.published:
        pages = collector.pages.get(publication.document.sha256, {})
        if not pages:
            raise DocumentError(publication.reason or "unreadable", f"{publication.source.path}: {publication.detail}")
        own = corrected.get(publication.document.sha256, [])
        samples.append(SampleDocument(publication.source.relative, [pages[number] for number in sorted(pages)], own))
    draft = draft_template(name, samples)
    if not draft.fields:
        raise TemplateError(
            "no label stands on these documents beside values that differ",
            "give two or more documents of one kind, e.g. of several months",
        )
    template = parse_template(draft.as_yaml(), name)
    return DraftReading(draft, template, {sample.name: _read_with(template, sample.pages) for sample in samples})


def _read_pages(settings: Settings, files: Sequence[Path]) -> _PageCollector:
    collector = _PageCollector()
    with TemporaryDirectory(prefix="pipeline-", ignore_cleanup_errors=True) as folder:
        changes = {"outbox": Path(folder), "outbox_url": "", "after": "keep", "split": "never", "executor": "local"}
        own = settings.model_copy(update={key: value for key, value in changes.items() if key in type(settings).model_fields})
        with (
            open_job(own, template=_TEMPLATE, engine=EmbeddedEngine()) as job,
            Loop(job, collector, answer_questions=False) as loop,
        ):
            loop.round(job.scan(lambda *_: None, files))
    return collector


def _corrections(settings: Settings, documents: Sequence[str]) -> dict[str, list[CorrectedValue]]:
    """The latest corrections of single values, by document."""
    if not has_ledger(settings.outbox / STATE_FOLDER):
        return {}
    templates = all_templates(settings)
    found: dict[str, list[CorrectedValue]] = {}
    with open_ledger(settings) as ledger:
        for sha256 in documents:
            for (template, name), history in correction_history(ledger, sha256).items():
                latest = history[-1]
                if latest.withdrawn or not isinstance(latest.value, str):
                    continue
                spec = templates[template].fields.get(name) if template in templates else None
                kind = spec.type if spec and spec.type not in ("enum", "table") else None
                field = name.replace(".", "_")
                found.setdefault(sha256, []).append(CorrectedValue(field, latest.value, kind))
    return found


def _read_with(template: Template, pages: Sequence[Page]) -> dict[str, Evidence]:
    """What a template reads from the pages of a document."""
    results = []
    for page in pages:
        key = UnitKey("", page.number, template.name, "")
        request = Request(key, page, template, None, len(pages))
        attempt = check_answer(Answer(key, read_form(page, template)), request)
        results.append(Result(key, "done", attempt.evidence))
    return merge_pages(results, template)
