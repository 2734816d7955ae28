"""A document as a person sees it, for the served pages and for the static review alike.

A page without scripts renders a ``DocumentView`` by its HTML template; ``export_data`` turns one into the data of the interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pipeline.errors import cure_of
from pipeline.publish.chart_plot import plot_chart
from pipeline.publish.chart_values import chart_values
from pipeline.publish.publication import Publication
from pipeline.publish.review_flags import flag_notes, is_urgent, review_reasons
from pipeline.publish.review_words import ReviewWords
from pipeline.records import Correction, Evidence, Json, Reason
from pipeline.templates.template import Template, TemplateField

_NEARLY_SURE = 0.95
_ENGLISH = ReviewWords()


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a result, with what a person should know about its value."""

    name: str
    evidence: Evidence
    spec: TemplateField | None
    """None when today's template has no such field."""
    review_reasons: Sequence[str]
    """Why a person should check the value; empty when there is no reason."""
    is_urgent: bool
    """Whether the document waits for that: not for a detail that nothing proves."""
    notes: Sequence[str]
    corrections: Sequence[Correction]
    """Oldest first."""
    active_correction: Correction | None
    """The correction that gives the field its value."""
    value_read: Json
    """The value that the engine read; None without an active correction."""

    @property
    def confidence_percent(self) -> str:
        """The confidence in percent, with a decimal above 95 and never 100; empty when it was not assessed."""
        confidence = self.evidence.confidence
        return "" if confidence is None else f"{min(100 * confidence, 99.9):.{int(confidence > _NEARLY_SURE)}f}"


@dataclass(frozen=True, slots=True)
class ResultView:
    """What one template read."""

    template: str
    question: str
    """The question that the template was made from; empty for other templates."""
    fields: Sequence[FieldView]
    has_chart: bool
    """Whether the template reads charts and there are values to draw."""

    def chart_svg(self) -> str | None:
        """The chart drawn from the values that were read; None without one. The drawing library is loaded here."""
        return plot_chart({field.name: field.evidence.value for field in self.fields}) if self.has_chart else None


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A published document."""

    publication: Publication
    results: Sequence[ResultView]
    words: ReviewWords = _ENGLISH
    """The words of its reasons and cures."""

    @property
    def detail(self) -> str:
        """The reason of a failure in words, without the folders of this machine."""
        source = self.publication.source
        return self.publication.detail.replace(str(source.path), source.relative)

    @property
    def cure(self) -> str:
        """What to do about a failure."""
        return cure(self.publication.reason, self.publication.source.name, self.words)

    @property
    def engine(self) -> str:
        """The engine's identity; empty when it is unknown."""
        return self.publication.provenance.get("engine") or ""


def document_view(publication: Publication, templates: Mapping[str, Template], words: ReviewWords = _ENGLISH) -> DocumentView:
    """The view of a publication. A result whose template no longer exists has fields without ``spec``."""
    results = [_result_view(publication, name, templates.get(name), words) for name in publication.fields]
    return DocumentView(publication, results, words)


def cure(reason: str | None, name: str, words: ReviewWords = _ENGLISH) -> str:
    """What to do about a failure of this document with this reason; empty without one."""
    return cure_of(cast(Reason, reason), name, words.say) if reason else ""


def value_text(value: Any) -> str:
    """A value in one text for people: a dash for an absent one, the items of a list with dots in between, objects by their keys."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(
            f"{str(key).replace('_', ' ')}: {value_text(item)}" for key, item in value.items() if item not in (None, "")
        )
    if isinstance(value, list):
        ends = "; " if any(isinstance(item, Mapping) for item in value) else " · "
        return ends.join(value_text(item) for item in value if item not in (None, "")) or "—"
    return str(value)


def _result_view(publication: Publication, name: str, template: Template | None, words: ReviewWords) -> ResultView:
    fields = publication.fields[name]
    has_chart = (
        template is not None and template.reader == "chart" and "data" in fields and bool(chart_values(fields["data"].value))
    )
    views = [_field_view(publication, name, template, field, words) for field in fields]
    return ResultView(name, publication.questions.get(name, ""), views, has_chart)


def _field_view(
    publication: Publication, template_name: str, template: Template | None, name: str, words: ReviewWords
) -> FieldView:
    evidence = publication.fields[template_name][name]
    checks = {check.name: check for check in template.checks} if template else {}
    correction = publication.active_correction(template_name, name)
    uncorrected = publication.uncorrected.get(template_name, {}).get(name)
    fields = publication.fields[template_name]
    reasons = review_reasons(evidence, publication.threshold(template_name), checks, words, fields=fields)
    notes = flag_notes(evidence, checks, words)
    return FieldView(
        name,
        evidence,
        template.fields.get(name) if template else None,
        [] if correction else reasons,
        not correction and is_urgent(evidence, publication.threshold(template_name)),
        [*reasons, *notes] if correction else notes,  # a person has seen the value: what a check still says is no doubt
        publication.corrections.get((template_name, name), ()),
        correction,
        uncorrected.value if correction and uncorrected else None,
    )
