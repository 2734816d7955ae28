"""How a lesson changes the answer to a page.

The page is read twice, without the lesson and with it. Only the fields that the lesson is about change, and only where no check speaks
against the new values. A changed value has the flag ``learned:NUMBER``, and is no surer than the replay over confirmed documents allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.arithmetic import CHECKSUM, check_document
from pipeline.checks.grounding import UNGROUNDED, ground
from pipeline.checks.value_comparison import is_absent
from pipeline.learning.senders import is_seller
from pipeline.records import Claim, Evidence, FieldLesson, Lesson, Page
from pipeline.templates.template import Template

LEARNED = "learned"
"""Flag ``learned:3`` of a value that lesson 3 changed."""
_REFUSED = (UNGROUNDED, CHECKSUM, "sum:", "order:", "unclear-end")
_MOVED = 0.5
"""The score of a value that another field's lesson has moved, at most."""
Claims = Mapping[str, Claim]


def with_lesson(shipped: Claims, taught: Claims, lesson: Lesson, page: Page, template: Template) -> Claims:
    """The claims after a lesson: ``shipped`` are those without it, ``taught`` those with it. ``shipped`` where nothing changes.

    Nothing changes on a page on which the engine reads another seller.
    """
    if not is_seller(lesson.sender, shipped, template):
        return shipped
    changed = {name for name in lesson.fields if name in taught and _differ(shipped.get(name), taught[name])}
    if not changed:
        return shipped
    flag = f"{LEARNED}:{lesson.number}"
    claims = {**shipped}
    for name in changed:
        claims[name] = _limited(taught[name], support(lesson.fields[name]), flag)
    for name in _displaced(shipped, taught, changed):
        claims[name] = _limited(taught[name], _MOVED, flag)
    if _faults(claims, page, template) - _faults(shipped, page, template):
        return shipped
    return claims


def support(lesson: FieldLesson) -> float:
    """The highest score of a value that a lesson gives: the rule of succession over the replays of the field."""
    return (lesson.right + 1) / (lesson.replayed + 2)


def changed_by_lesson(evidence: Evidence) -> str:
    """The number of the lesson that changed a value; empty where none did."""
    return next((flag.partition(":")[2] for flag in evidence.flags if flag.startswith(f"{LEARNED}:")), "")


def _differ(a: Claim | None, b: Claim) -> bool:
    value = a.value if a else None
    return not (is_absent(value) and is_absent(b.value)) and value != b.value


def _limited(claim: Claim, most: float, flag: str) -> Claim:
    return replace(claim, score=min(claim.score, round(most, 3)), flags=(*claim.flags, flag))


def _displaced(shipped: Claims, taught: Claims, changed: set[str]) -> set[str]:
    """Other fields whose value stands where a changed field has its value now, and which the page read with the lesson gives up."""
    places = {word for name in changed for word in taught[name].words}
    return {
        name
        for name, claim in shipped.items()
        if name not in changed
        and name in taught
        and places.intersection(claim.words)
        and _differ(claim, taught[name])
        and not isinstance(claim.value, list)
    }


def _faults(claims: Claims, page: Page, template: Template) -> set[tuple[str, str]]:
    """What checks find wrong: field and flag. Sums over table columns do not count, since a missed row says nothing of a total."""
    scalar = [check for check in template.checks if not template.sums_rows(check)]
    checked = check_document(ground(claims, page, template), template.model_copy(update={"checks": scalar}))
    return {(name, flag) for name, item in checked.items() for flag in item.flags if flag.startswith(_REFUSED)}
