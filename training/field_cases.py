"""The fields of documents whose truth is known, as the program reads them: features of the confidence, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.confidence_features import Features, absence_features, value_features
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.checks.value_comparison import is_absent
from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.publish.review_flags import REVIEW_FLAGS
from pipeline.records import Evidence, Result, UnitKey
from pipeline.templates.template import Template
from training.scorer.examples import TrueDocument, is_same, template_of

SAME_ADDRESS = 85
"""Likeness of two addresses, 0 to 100, from which they are the same."""


@dataclass(frozen=True)
class FieldCase:
    """One field of one document."""

    layout: str
    kind: str
    """The template."""
    real: bool
    name: str
    features: Features
    absent: bool
    """Whether the program gave no value."""
    right: bool
    printed: bool
    """Whether the document prints the field."""
    named: bool
    """Whether a failed check names it for review."""
    strangeness: float


def read_document(document: TrueDocument, template: Template) -> dict[str, Evidence]:
    """The checked fields of a document, without their confidences."""
    results = [
        Result(UnitKey("0" * 64, page.number, template.name, ""), "done", ground(read_fields(page, template), page, template))
        for page in document.pages
    ]
    return apply_fallbacks(check_document(merge_pages(results, template), template), template)


def field_cases(document: TrueDocument, *, real: bool) -> Iterator[FieldCase]:
    """Every field whose truth is known, tables aside."""
    template = template_of(document.kind)
    fields = read_document(document, template)
    sure = confirmed_by_sums(fields, template)
    for name in sorted(document.known & template.fields.keys()):
        if template.fields[name].type == "table":
            continue
        evidence = fields[name]
        absent = is_absent(evidence.value)
        yield FieldCase(
            layout=layout_of(document),
            kind=template.name,
            real=real,
            name=name,
            features=absence_features(template, name, fields)
            if absent
            else value_features(template, name, fields, name in sure),
            absent=absent,
            right=is_right(document, name, evidence.value, template),
            printed=document.values[name] is not None,
            named=not absent and any(flag.startswith(REVIEW_FLAGS) for flag in evidence.flags),
            strangeness=evidence.signals.get("page doubt", 0.0),
        )


def layout_of(document: TrueDocument) -> str:
    """The layout of a document. Slips of one shop are of one layout, where nobody names their layouts."""
    own = document.layout != document.name.split("/")[-1]
    return document.layout if own else label_key(str(document.values.get("vendor_name") or document.layout))


def is_right(document: TrueDocument, name: str, value: Any, template: Template) -> bool:
    """Whether a value, or that there is none, is what the document prints."""
    field, truth = template.fields[name], document.values[name]
    if truth is None and field.otherwise:
        truth = document.values.get(field.otherwise)
    if is_absent(value) or is_absent(truth):
        return is_absent(value) and is_absent(truth)
    if field.type in ("money", "date", "identifier", "party"):
        return is_same(field, truth, str(value), document.aliases.get(name, []))
    pair = label_key(str(truth)), label_key(str(value))
    if field.format == "address":
        return fuzz.ratio(*pair) >= SAME_ADDRESS or (
            fuzz.token_set_ratio(str(truth).casefold(), str(value).casefold()) >= SAME_ADDRESS
            and min(map(len, pair)) >= max(map(len, pair)) / 2
        )
    return pair[0] == pair[1]
