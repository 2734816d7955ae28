"""Fit the choice between a language model's reading and the embedded engine's, and the confidences of what is chosen; say how well they hold.

    python -m training.joint ANSWERS GENERATED... [--real FOLDER...] [--held FOLDER...] [--pages FOLDER] [--folds 5] [--write]

ANSWERS is what ``training.model_answers`` wrote. The weights of the choice are fitted to fields that the two read differently and that one
of them has right. A logistic model then learns from the chosen answers which are right. Figures are by folds of layouts; ``--held``
documents are only measured. ``--write`` puts the weights in their place.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from pathlib import Path

import numpy as np

import pipeline.checks
from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.calibration import calibration, review_threshold
from pipeline.checks.confidence import asked_features, assess_confidence
from pipeline.checks.confidence_features import Features
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.checks.joint_calibration import FILE
from pipeline.checks.joint_choice import is_beyond_search, is_same_reading, joint_claims, sum_features
from pipeline.checks.joint_features import RIGHT_WHERE_OTHER_IS_WRONG, choice_features, was_asked
from pipeline.checks.merge import merge_pages
from pipeline.checks.value_comparison import is_absent
from pipeline.publish.review_flags import fields_to_review
from pipeline.records import Claim, Evidence, Json, Result, UnitKey
from pipeline.run.embedded_reading import ENGINE, EmbeddedReading, embedded_reading
from pipeline.templates.template import Template
from training.confidence import calibration_error
from training.field_cases import is_right, layout_of
from training.fit_command import fit_parser, folds, recipe
from training.logistic import chances, fit
from training.model_answers import kept_answers
from training.scorer.examples import TrueDocument, generated_documents, real_documents, template_of

AGAINST_CHOICE = ("embedded odds", "a sum fails", "model's value is not on the page")
"""Features that never speak for the model."""
AGAINST = ("a sum fails", "a check digit fails", "dates out of order", "not on the page", "hard to read")
"""Features that never speak for an answer."""
ACCEPTED_ERROR = 0.05
ONE = log(499)
"""The weight with which a feature of ``log_odds`` is the logarithm of odds itself."""
CHOICE_BEFORE = {"always": log(RIGHT_WHERE_OTHER_IS_WRONG), "embedded odds": -ONE, "a sum holds": log(128 / 3)}
"""The choice before any answer is seen, by Bayes' rule: where the embedded engine is wrong, every other answer of the model is right; of 131
totals that a sum confirms 128 are (``checks.arithmetic``)."""
CONFIDENCE_BEFORE = {f"odds, {source}": ONE for source in ("both", "embedded", "model")}
"""The confidences before any answer is seen: the embedded engine's own, and what follows from it for a model's other value."""
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Answered:
    """A document with both readings of each of its pages. A page that the model was not asked has an empty one."""

    document: TrueDocument
    layout: str
    real: bool
    template: Template
    pages: Sequence[tuple[EmbeddedReading | None, Mapping[str, Claim]]]


@dataclass(frozen=True)
class JointCase:
    """One field of one document."""

    layout: str
    kind: str
    real: bool
    name: str
    right: bool
    printed: bool
    absent: bool
    named: bool
    """Whether a check names it for review, whatever its confidence."""
    features: Features | None
    """None for a field that the model was not asked."""
    confidence: float | None
    """Of a field that the model was not asked."""


def main() -> None:
    """Fit, measure, and write."""
    parser = fit_parser(__doc__, folds=5)
    parser.add_argument("--held", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    answers = kept_answers(given.generated[0])
    given.generated = given.generated[1:]
    generated = list(chain.from_iterable(map(generated_documents, given.generated)))
    real = [document for folder in given.real for document in real_documents(folder, given.pages)]
    held = [document for folder in given.held for document in real_documents(folder, given.pages)]
    known = [
        answered(d, answers, real=is_real)
        for d, is_real in [*((d, False) for d in generated), *((d, True) for d in real)]
        if any((d.name, page.number) in answers for page in d.pages)
    ]
    fold = folds({each.layout for each in known}, given.folds, given.seed)
    out_of_fold: list[tuple[JointCase, float]] = []
    for at in range(given.folds):
        choice, models = fit_all([each for each in known if fold[each.layout] != at], given.real_weight)
        out_of_fold += with_confidence(cases([e for e in known if fold[e.layout] == at], choice), models)
    report(out_of_fold, "layouts left out")
    for reader in ("embedded engine", "model"):
        alone(known, reader)
    choice, models = fit_all(known, given.real_weight)
    tested = [answered(d, answers, real=True) for d in held]
    report(with_confidence(cases(tested, choice), models), "in no fit")
    if given.write:
        made = {**recipe(given), "documents": len(known), "layouts": len(fold), "answers": len(answers)}
        stored = {"choice": choice, "values": models[False], "absences": models[True], "made from": made}
        path = Path(pipeline.checks.__file__).parent / FILE
        path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def answered(document: TrueDocument, answers: Mapping[tuple[str, int], Mapping[str, Claim]], *, real: bool) -> Answered:
    """A document with its readings."""
    template = template_of(document.kind)
    pages = [(embedded_reading(page, template), answers.get((document.name, page.number), {})) for page in document.pages]
    return Answered(document, layout_of(document), real, template, pages)


def fit_all(known: Sequence[Answered], real_weight: float) -> tuple[Weights, dict[bool, Weights]]:
    """The weights of the choice, and those of the confidences of values (False) and absences (True)."""
    rows = [(features, right, each.real) for each in known for features, right in differences(each)]
    importance = [real_weight if is_real else 1.0 for *_, is_real in rows]
    choice = fit([f for f, *_ in rows], [right for _, right, _ in rows], importance, AGAINST_CHOICE, CHOICE_BEFORE)
    chosen = [case for case in cases(known, choice) if case.features is not None]
    models: dict[bool, Weights] = {}
    for absent in (False, True):
        part = [case for case in chosen if case.absent is absent]
        importance = [real_weight if case.real else 1.0 for case in part]
        models[absent] = fit(
            [case.features or {} for case in part], [case.right for case in part], importance, AGAINST, CONFIDENCE_BEFORE
        )
    return choice, models


def differences(each: Answered) -> Iterator[tuple[Features, bool]]:
    """For fields of documents of one page that the two readers read differently: features, and whether the model is right.

    Fields that none of the two has right teach nothing.
    """
    for (reading, claims), page in zip(each.pages, each.document.pages, strict=True):
        if reading is None or len(each.pages) > 1:
            continue
        read = ground(claims, page, each.template)
        for name in sorted(each.document.known & read.keys()):
            field, own, model = each.template.fields[name], reading.evidence[name], read[name]
            if field.type == "table" or is_same_reading(field.type, own.value, model.value) or is_beyond_search(field):
                continue
            rights = [_right_on_page(each, name, evidence.value) for evidence in (own, model)]
            if rights[0] != rights[1]:
                before, after = (
                    sum_features({**reading.evidence, **changed}, each.template) for changed in ({}, {name: model})
                )
                proof = {key: after[key] - before[key] for key in after}
                yield {**choice_features(field, own, model), **proof}, rights[1]


def _right_on_page(each: Answered, name: str, value: Json) -> bool:
    """Whether a value is right before absent fields are filled from others."""
    if is_absent(value):
        return each.document.values[name] is None
    return is_right(each.document, name, value, each.template)


def cases(known: Sequence[Answered], choice: Weights) -> Iterator[JointCase]:
    """The fields of documents as the two readings give them together."""
    for each in known:
        fields = joined_fields(each, choice)
        sure = confirmed_by_sums(fields, each.template)
        assessed = assess_confidence(fields, each.template, ENGINE)
        failed = fields_to_review(fields, 0.0)
        for name in sorted(each.document.known & each.template.fields.keys()):
            evidence = fields[name]
            if each.template.fields[name].type == "table":
                continue
            asked = was_asked(evidence)
            yield JointCase(
                layout=each.layout,
                kind=each.template.name,
                real=each.real,
                name=name,
                right=is_right(each.document, name, evidence.value, each.template),
                printed=each.document.values[name] is not None,
                absent=is_absent(evidence.value),
                named=name in failed,
                features=asked_features(each.template, name, fields, name in sure) if asked else None,
                confidence=None if asked else assessed[name].confidence,
            )


def joined_fields(each: Answered, choice: Weights) -> dict[str, Evidence]:
    """The checked fields of a document, without confidences."""
    results = []
    for (reading, claims), page in zip(each.pages, each.document.pages, strict=True):
        joint = joint_claims(claims, reading.claims, reading.evidence, page, each.template, choice) if reading else claims
        key = UnitKey("0" * 64, page.number, each.template.name, "")
        results.append(Result(key, "done", ground(joint, page, each.template)))
    return apply_fallbacks(check_document(merge_pages(results, each.template), each.template), each.template)


def with_confidence(found: Iterator[JointCase], models: Mapping[bool, Weights]) -> list[tuple[JointCase, float]]:
    """The cases with their confidences."""
    most = calibration().most
    return [
        (
            case,
            float(chances([case.features], dict(models[case.absent]), most)[0])
            if case.features is not None
            else case.confidence or most,
        )
        for case in found
    ]


def alone(known: Sequence[Answered], reader: str) -> None:
    """Print how many printed fields of one-page documents, of those that the model was asked, one reader has right by itself."""
    rights = defaultdict(list)
    for each in known:
        if len(each.pages) > 1 or each.pages[0][0] is None:
            continue
        reading, claims = each.pages[0]
        for name in sorted(each.document.known & claims.keys()):
            if each.template.fields[name].type != "table":
                value = claims[name].value if reader == "model" else reading.evidence[name].value  # type: ignore[union-attr]
                printed = each.document.values[name] is not None
                rights[_source(each.real, each.template.name), printed].append(_right_on_page(each, name, value))
    for (source, printed), part in sorted(rights.items()):
        print(f"{reader} alone, {source}, asked and {'printed' if printed else 'absent'}: {sum(part)} of {len(part)} right")


def _source(real: bool, kind: str) -> str:
    return f"{'real' if real else 'generated'} {kind}s"


def report(rows: Sequence[tuple[JointCase, float]], title: str) -> None:
    """Print the figures of each source."""
    sources: dict[str, list[tuple[JointCase, float]]] = defaultdict(list)
    for case, sure in rows:
        sources[_source(case.real, case.kind)].append((case, sure))
    for source, part in sorted(sources.items()):
        below = review_threshold(part[0][0].kind, ACCEPTED_ERROR)
        scored = [(case, sure, case.named or sure < below) for case, sure in part if case.printed]
        silent = sum(not case.right and not named for case, _, named in scored)
        marked = sum(case.right and named for case, _, named in scored)
        rest = [case for case, _ in part if not case.printed]
        print(
            f"{source}, {title}: {len(scored)} printed values, {np.mean([c.right for c, *_ in scored]):.3f} right, "
            f"calibration error {calibration_error([(c, s) for c, s, _ in scored]):.3f}; silent {silent} ({silent / len(scored):.3f}), "
            f"right but named {marked}; {sum(not c.absent for c in rest)} of {len(rest)} absent fields filled"
        )
        asked = [case for case, _ in part if case.features is not None]
        for printed in (True, False):
            rights = [case.right for case in asked if case.printed is printed]
            print(f"  of these asked and {'printed' if printed else 'absent'}: {sum(rights)} of {len(rights)} right")


if __name__ == "__main__":
    main()
