"""Answers to the questions of a run, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from rich.table import Table

from pipeline.printable import one_line
from pipeline.publish.publication import Publication
from pipeline.records import Box, Json
from pipeline.templates.question_language import no_answer


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What one document answers to one question."""

    file: str
    question: str
    answer: Json
    """None where no page says it, and where the document was not read."""
    page: int | None
    place: str | None
    """The cell or paragraph of an office file."""
    box: Box | None
    """``(x0, y0, x1, y1)`` in points from the top left of the upright page."""
    confidence: float | None
    says: str
    """The answer, else that there is none, in the language of the question, else why the document was not read."""

    def where(self) -> str:
        """The place within the page, for people."""
        return self.place or (" ".join(f"{side:.0f}" for side in self.box) if self.box else "")

    def as_json(self) -> dict[str, Json]:
        """All of it but ``says``."""
        return {key: value for key, value in asdict(self).items() if key != "says"}


def document_answers(publication: Publication, questions: Mapping[str, str]) -> list[DocumentAnswer]:
    """The answers of a document to these questions (by the template made of each), and to no others. A container has none."""
    if publication.is_wrapper:
        return []
    return [_answer(publication, template, question) for template, question in questions.items()]


def _answer(publication: Publication, template: str, question: str) -> DocumentAnswer:
    name = publication.source.name
    evidence = publication.fields.get(template, {}).get("answer")
    if evidence is not None and evidence.value is not None:
        says = str(evidence.value)
        return DocumentAnswer(
            name, question, evidence.value, evidence.page, evidence.place, evidence.box, evidence.confidence, says
        )
    if any(unit.key.template == template and unit.status in ("done", "blank") for unit in publication.units):
        says = no_answer(question, publication.page_count)
    else:
        says = f"{publication.reason or 'not read'}: {publication.detail}".rstrip(": ")
    return DocumentAnswer(name, question, None, None, None, None, None, says)


def answers_table(answers: Iterable[DocumentAnswer]) -> Table:
    """One row an answer: file, question, answer, page, place."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, wraps in (("file", True), ("question", True), ("answer", True), ("page", False), ("place", False)):
        table.add_column(heading, overflow="fold" if wraps else "ellipsis", no_wrap=not wraps)
    for row in answers:
        page = "" if row.page is None else str(row.page)
        table.add_row(one_line(row.file), one_line(row.question), one_line(row.says), page, one_line(row.where()))
    return table
