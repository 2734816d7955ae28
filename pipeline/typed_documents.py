"""Documents as typed objects: what the Python API returns, made of a publication."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.publish.publication import Publication
from pipeline.records import Box, DocumentStatus, Evidence, Grounding, Json, Page, Reason, UnitStatus, WordSource
from pipeline.templates.template import Column, FieldType, Template, TemplateField

Row = dict[str, Any]
"""One row of a table: values by column name, typed as ``Value`` says."""
Value = str | bool | int | Decimal | date | time | list[Any] | None
"""``money``, ``number`` and ``percentage`` are Decimal, ``integer`` is int, ``boolean`` bool, ``date`` and ``time`` those of datetime,
a ``table`` is a list of rows, a field with several values a list; all else is str. None: the document does not say."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document: its value, and the evidence for it."""

    name: str
    value: Value
    printed: str | None = None
    """The value as it stands on the page."""
    page: int | None = None
    """Counted from 1; None where the value was not found on a page."""
    box: Box | None = None
    """``(x0, y0, x1, y1)`` in points (1/72 inch) from the top left of the upright page."""
    confidence: float | None = None
    """The probability that the value is right; None where it was not assessed."""
    grounding: Grounding = "none"
    """How the value was found among the words of the page: ``exact``, ``value``, ``fuzzy`` or ``none``."""
    flags: tuple[str, ...] = ()
    """What checks say of it, such as a sum that does not hold."""
    needs_review: bool = False
    """Whether a person should look at the value (setting ``review.accepted_error``)."""
    place: str | None = None
    """Where an office file or a text has it: ``Sheet1!B7``, ``table 2, row 3, column 1``; None for other files."""


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One page of a document."""

    number: int
    """Counted from 1."""
    status: UnitStatus
    reason: Reason | None = None
    """Why the page is ``failed`` or ``skipped``."""
    detail: str = ""
    source: WordSource | None = None
    """Where the words come from: ``textlayer``, ``ocr``, ``file`` (an office file or a text), or ``xml`` (an e-invoice); None for a page
    without words."""
    size: tuple[float, float] | None = None
    """Width and height in points. None, as ``text``, where the page was not read in this call."""
    text: str | None = None
    """The words of the page, one printed line a line."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was read of one file."""

    path: Path
    status: DocumentStatus
    """``done``, ``partial`` (some pages are missing), ``failed``, or ``skipped`` (all pages are above a limit)."""
    reason: Reason | None = None
    """Why the document, or its first missing page, was not read."""
    detail: str = ""
    """The reason in words."""
    results: Mapping[str, Mapping[str, Field]] = field(default_factory=dict)
    """Fields by template and name."""
    pages: tuple[DocumentPage, ...] = ()
    published: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """The JSON object as ``pipeline run`` writes it; empty for a file that could not be opened at all."""
    data: Json = None
    """The values in the shape of the JSON Schema that the call was given, or of a template with groups; None without one."""
    schema_errors: tuple[str, ...] = ()
    """Where ``data`` does not meet the JSON Schema, because the document lacks what the schema requires: one line a place."""
    documents: tuple[Document, ...] = ()
    """Of a file that holds several documents, each of them; ``results`` then has the values of the first one. Their page numbers are
    those of the file."""
    answers: Mapping[str, Field] = field(default_factory=dict)
    """The answers to the questions of the call (``ask``), by question."""

    @property
    def template(self) -> str | None:
        """The template that read the document; the first one where there are several."""
        return next(iter(self.results), None)

    @property
    def fields(self) -> dict[str, Field]:
        """Fields of all templates by name; of two of one name that of the first template."""
        merged: dict[str, Field] = {}
        for fields in self.results.values():
            merged = {**fields, **merged}
        return merged

    def __getitem__(self, name: str) -> Value:
        """The value of a field. Raises KeyError for a field that no template has."""
        for fields in self.results.values():
            if name in fields:
                return fields[name].value
        raise KeyError(name)

    @property
    def line_items(self) -> list[Row]:
        """The rows of the field ``line_items``; empty where there are none."""
        rows = self.fields["line_items"].value if "line_items" in self.fields else None
        return rows if isinstance(rows, list) else []

    @property
    def text(self) -> str:
        """The text of all pages that were read in this call, a form feed between two of them."""
        return "\f".join(page.text for page in self.pages if page.text is not None)


def typed_document(
    publication: Publication, templates: Mapping[str, Template], pages: Mapping[int, Page], asked: Mapping[str, str]
) -> Document:
    """A publication as a document. ``asked`` are the questions of the call by their templates: their answers come before earlier ones."""
    results: dict[str, dict[str, Field]] = {}
    by_template = dict(sorted(publication.fields.items(), key=lambda item: item[0] not in asked))
    for template, fields in by_template.items():
        specs = templates[template].fields if template in templates else {}
        review = set(publication.fields_to_review(template))
        results[template] = {
            name: _field(name, evidence, specs.get(name), needs_review=name in review) for name, evidence in fields.items()
        }
    shaped = next(iter(publication.data.values()), None)
    return Document(
        publication.source.path,
        publication.status,
        publication.reason,
        publication.detail,
        results,
        tuple(_page(item, pages.get(item["page"])) for item in publication.pages()),
        publication.as_json(),
        shaped.data if shaped else None,
        (shaped.errors or ()) if shaped else (),
        answers={question: results[template]["answer"] for template, question in asked.items() if template in results},
    )


def _field(name: str, evidence: Evidence, spec: TemplateField | None, *, needs_review: bool) -> Field:
    return Field(
        name,
        _typed(evidence.value, spec),
        evidence.printed,
        evidence.page,
        evidence.box,
        evidence.confidence,
        evidence.grounding,
        evidence.flags,
        needs_review,
        evidence.place,
    )


def _page(published: Mapping[str, Any], page: Page | None) -> DocumentPage:
    lines = groupby(page.words, key=lambda word: word.line) if page else ()
    return DocumentPage(
        published["page"],
        published["status"],
        published.get("reason"),
        published.get("detail", ""),
        published["source"],
        (page.width, page.height) if page else None,
        "\n".join(" ".join(word.text for word in line) for _, line in lines) if page else None,
    )


def _truth(text: str) -> bool:
    """True or False. Raises ValueError for any other text."""
    return ("false", "true").index(text) == 1


PARSERS: dict[FieldType, Callable[[str], Value]] = {
    "money": Decimal,
    "number": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "percentage": Decimal,
    "integer": int,
    "boolean": _truth,
}


def _typed(value: Json, spec: TemplateField | Column | None) -> Value:
    """A JSON value as its field's type; a value that does not fit its type (a person may have written it) stays a str."""
    if isinstance(value, list):
        if isinstance(spec, TemplateField) and spec.type == "table":
            return [{name: _typed(cell, spec.columns.get(name)) for name, cell in row.items()} for row in value]
        return [_typed(item, spec) for item in value]
    if value is None or spec is None or spec.type not in PARSERS:
        return None if value is None else str(value)
    try:
        return PARSERS[spec.type](str(value))
    except (ValueError, InvalidOperation):
        return str(value)
