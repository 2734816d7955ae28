"""Joins a language model's reading of a page with the embedded engine's: where they differ, the likelier one by fitted weights.

A small model fills fields that a page does not have, and copies an amount from the wrong line. The embedded engine says how likely its
own reading is, so each is a witness of the other. Amounts are chosen together, because sums prove some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.confidence_features import Features
from pipeline.checks.grounding import UNGROUNDED, ground
from pipeline.checks.joint_calibration import joint_calibration
from pipeline.checks.joint_features import MODEL, OWN, OWN_CONFIDENCE, UNKNOWN, choice_features
from pipeline.checks.joint_rows import joint_rows
from pipeline.checks.value_comparison import is_absent, same_value
from pipeline.records import TOKEN_PROBABILITY, Claim, Evidence, Json, Page
from pipeline.templates.template import Template, TemplateField

MAX_TOGETHER = 6
"""Amounts that are chosen together; further ones are chosen by themselves."""
Claims = Mapping[str, Claim]


def joint_claims(
    model: Claims,
    own: Claims,
    assessed: Mapping[str, Evidence],
    page: Page,
    template: Template,
    weights: Mapping[str, float] | None = None,
) -> dict[str, Claim]:
    """One claim for each field of the template.

    ``model`` holds the model's claims of the fields that it was asked, ``own`` the embedded engine's of all fields, and ``assessed`` these
    with their confidences. What a text layer does not print counts as none. ``weights`` are those of the choice, by default the shipped
    ones.
    """
    weights = joint_calibration().choice if weights is None else weights
    model = {name: claim for name, claim in model.items() if name in template.fields}
    read = ground(model, page, template)
    for name in _invented(read, page, template):
        model[name] = replace(model[name], value=None)
        read[name] = replace(read[name], value=None, flags=())
    joint = {name: own.get(name, Claim(None)) for name in template.fields}
    against: dict[str, float] = {}
    for name, evidence in read.items():
        field, mine = template.fields[name], assessed.get(name, Evidence(None))
        if field.type == "table":
            continue
        if is_same_reading(field.type, mine.value, evidence.value):
            joint[name] = _signed(joint[name], mine, model[name], {MODEL: 1.0, OWN: 1.0})
        elif is_absent(mine.value) and is_beyond_search(field):
            against[name] = float("inf")
        else:
            against[name] = weighed(choice_features(field, mine, evidence), weights)
    for name in _model_is_right(against, read, assessed, template, weights):
        claim = replace(model[name], score=model[name].signals.get(TOKEN_PROBABILITY, UNKNOWN))
        joint[name] = _signed(claim, assessed.get(name, Evidence(None)), claim, {MODEL: 1.0, OWN: 0.0})
        del against[name]
    for name in against:
        joint[name] = _signed(joint[name], assessed.get(name, Evidence(None)), model[name], {MODEL: 0.0, OWN: 1.0})
    for name in read:
        if template.fields[name].type == "table":
            joint[name] = joint_rows(name, joint, model[name], template)
    return joint


def is_beyond_search(field: TemplateField) -> bool:
    """Whether the embedded engine finds a field only where a label of it stands, so that its finding none says nothing."""
    return field.type in ("text", "enum", "number") and field.format is None


def _invented(read: Mapping[str, Evidence], page: Page, template: Template) -> list[str]:
    """Fields whose value a page with a text layer does not print. On a scan the model may be right where the OCR is wrong."""
    return [
        name
        for name, evidence in read.items()
        if page.source == "textlayer" and template.fields[name].type != "table" and UNGROUNDED in evidence.flags
    ]


def weighed(features: Features, weights: Mapping[str, float]) -> float:
    """The sum of features by their weights: the logarithm of odds."""
    return sum(weights.get(name, 0.0) * value for name, value in features.items())


def is_same_reading(kind: str, a: Json, b: Json) -> bool:
    """Whether two readings are the same; lists are where all their members are."""
    if is_absent(a) or is_absent(b):
        return is_absent(a) and is_absent(b)
    if isinstance(a, list) or isinstance(b, list):
        pairs = zip(a, b, strict=True) if isinstance(a, list) and isinstance(b, list) and len(a) == len(b) else [(None, "")]
        return all(same_value(kind, one, other) for one, other in pairs)
    return same_value(kind, a, b)


def _signed(claim: Claim, own: Evidence, model: Claim, readers: Mapping[str, float]) -> Claim:
    """The claim with signals that say who read it, and how sure each was."""
    sure = UNKNOWN if own.confidence is None else own.confidence
    return replace(claim, signals={**claim.signals, **model.signals, **readers, OWN_CONFIDENCE: sure})


def _model_is_right(
    against: Mapping[str, float],
    read: Mapping[str, Evidence],
    own: Mapping[str, Evidence],
    template: Template,
    weights: Mapping[str, float],
) -> list[str]:
    """The fields whose reading by the model is likelier. ``against``: the logarithm of its odds, by field where the two differ."""
    amounts = [name for name in against if template.fields[name].type == "money"][:MAX_TOGETHER]
    chosen = [name for name, odds in against.items() if name not in amounts and odds > 0]
    best: tuple[float, tuple[str, ...]] = (float("-inf"), ())
    for taken in product((False, True), repeat=len(amounts)):
        names = tuple(name for name, take in zip(amounts, taken, strict=True) if take)
        proof = sum_features({**own, **{name: read[name] for name in names}}, template)
        odds = sum(against[name] for name in names) + weighed(proof, weights)
        best = max(best, (odds, names), key=lambda option: option[0])
    return [*chosen, *best[1]]


def sum_features(fields: Mapping[str, Evidence], template: Template) -> Features:
    """How many sums of plain fields hold, and how many fail."""
    plain = {name: replace(evidence, flags=()) for name, evidence in fields.items()}
    found = {"a sum holds": 0.0, "a sum fails": 0.0}
    for check in template.checks:
        if check.sum and not template.sums_rows(check):
            alone = template.model_copy(update={"checks": [check]})
            flags = {flag for evidence in check_document(plain, alone).values() for flag in evidence.flags}
            found["a sum holds"] += bool(confirmed_by_sums(plain, alone))
            found["a sum fails"] += any(flag.startswith("sum:") for flag in flags)
    return found
