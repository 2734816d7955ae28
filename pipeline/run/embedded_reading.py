"""What the embedded engine reads on a page that a language model answers: a second reading, which costs milliseconds.

A field that it is sure of is not asked of a model that gets words only, and where both have answered, they are weighed against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.checks.arithmetic import check_document
from pipeline.checks.confidence import assess_confidence
from pipeline.checks.doubtful_fields import doubtful_fields
from pipeline.checks.einvoice_overlay import overlay_einvoice
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.joint_choice import joint_claims
from pipeline.engines.base import Request
from pipeline.engines.deadline import deadline
from pipeline.engines.embedded.fields import SEVERAL_DOCUMENTS, read_fields
from pipeline.engines.prompt_hints import unlabelled_amounts
from pipeline.records import Claim, Evidence, Page
from pipeline.templates.template import Template, TemplateField

SECONDS = 10.0
"""Time for one page; without the reading the model's answer stands alone."""
ENGINE = "embedded"
MODEL_ENGINES = ("vlm", "server")
"""Engines with a language model, by the beginning of their identity."""


def has_model(engine: str) -> bool:
    """Whether an engine answers with a language model; ``engine`` is its identity."""
    return engine.partition("/")[0] in MODEL_ENGINES


@dataclass(frozen=True, slots=True)
class EmbeddedReading:
    """The embedded engine's claims of one page, and what became of them in all checks that one page allows."""

    claims: Mapping[str, Claim]
    evidence: Mapping[str, Evidence]

    @property
    def shows_several_documents(self) -> bool:
        """Whether the page shows several documents, of which this is one."""
        return any(flag.startswith(SEVERAL_DOCUMENTS) for claim in self.claims.values() for flag in claim.flags)

    def question(self, request: Request) -> Request:
        """The request to a model: about all fields where it sees the page, else about those that are not read for sure.

        On one page of several, amounts without a label are on another page.
        """
        if request.image is not None:
            return replace(without_details(request), reading=self.claims)
        asked = doubtful_fields(self.evidence, request.template)
        if request.pages > 1:
            asked -= set(unlabelled_amounts(request.page, request.template))
        fields = {name: _without_columns(field) for name, field in request.template.fields.items() if name in asked}
        return replace(request, reading=self.claims, template=request.template.model_copy(update={"fields": fields}))

    def joined(self, claims: Mapping[str, Claim], page: Page, template: Template) -> Mapping[str, Claim]:
        """One claim for each field, from a model's claims and these."""
        return joint_claims(claims, self.claims, self.evidence, page, template)


def without_details(request: Request) -> Request:
    """The request to a language model, which is not asked for details: they have labels and grammars, and would double its answer."""
    template = request.template
    fields = {name: _without_columns(field) for name, field in template.main_fields().items()}
    return replace(request, template=template.model_copy(update={"fields": fields, "checks": template.main_checks()}))


def _without_columns(field: TemplateField) -> TemplateField:
    return field.model_copy(update={"columns": field.main_columns()})


def embedded_reading(page: Page, template: Template) -> EmbeddedReading | None:
    """The reading of a page; None for templates that are no fields among words, and where it fails: the model can do without."""
    if template.reader != "fields" or not page.words:
        return None
    try:
        with deadline(SECONDS):
            claims = read_fields(page, template)
            checked = check_document(overlay_einvoice(ground(claims, page, template), page, template), template)
            return EmbeddedReading(claims, assess_confidence(apply_fallbacks(checked, template), template, ENGINE))
    except MemoryError:
        raise
    except Exception:  # hostile pages raise any exception
        return None
