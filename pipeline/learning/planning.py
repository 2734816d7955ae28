"""Which lessons confirmed documents speak for: each document of a sender is read with what the sender's other documents teach.

A field is learned in the way (labels, last layer, both) by which most values are mended, and only if more are mended than broken. A value
is broken where it was right and no longer is. A value that was published as sure and that nobody has confirmed counts as right. Documents
of other senders on which the lesson would be used count as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.learning.applying import changed_by_lesson
from pipeline.learning.confirmed import ConfirmedDocument, Replay, is_right
from pipeline.learning.lookup import LessonOf, Lookup, no_lesson
from pipeline.learning.senders import PageText, joined, likeness, same_sender, sender_keys, words_of
from pipeline.learning.teaching import WAYS, Way, learnable, teach
from pipeline.records import Evidence, FieldLesson, Lesson, Sender
from pipeline.templates.template import Template

LEAST_DOCUMENTS = 2
"""Confirmed documents of a sender from which on something is learned."""
MOST_DOCUMENTS = 20
"""Confirmed documents of a sender that are replayed: the last ones by name."""
Fields = Mapping[str, Evidence]


@dataclass(frozen=True)
class FieldProposal:
    """What one field would learn, and what the replay says of it. ``mended`` and ``broken`` are names of documents."""

    field: str
    way: Way
    labels: tuple[str, ...]
    mended: tuple[str, ...]
    broken: tuple[str, ...]
    replayed: int
    right: int

    @property
    def useful(self) -> bool:
        """Whether it mends more than it breaks."""
        return len(self.mended) > len(self.broken)


@dataclass(frozen=True)
class Proposal:
    """What the confirmed documents of one sender teach about one template."""

    sender: Sender
    template: str
    documents: tuple[str, ...]
    lesson: Lesson | None
    """None where nothing is learned; ``reason`` then says why."""
    fields: tuple[FieldProposal, ...] = ()
    """The fields of the lesson."""
    refused: tuple[FieldProposal, ...] = ()
    """Fields with wrong values for which nothing mends more than it breaks."""
    reason: str = ""


@dataclass
class _Family:
    """The confirmed documents of one sender and template."""

    documents: list[ConfirmedDocument] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)


def plan(
    documents: Sequence[ConfirmedDocument],
    replay: Replay,
    present: LessonOf = no_lesson,
) -> tuple[list[Proposal], list[str]]:
    """What the documents teach, by sender and template, and the names of documents whose sender cannot be told.

    ``present`` are the lessons in use.
    """
    families, unknown = _families(documents, replay)
    return [_propose(family, families, replay, present) for family in families], unknown


def _families(documents: Sequence[ConfirmedDocument], replay: Replay) -> tuple[list[_Family], list[str]]:
    families: list[_Family] = []
    unknown = []
    for document in documents:
        read = replay.read(document)
        confirmed = {name: Evidence(value) for name, value in document.values.items()}
        sender = replace(
            sender_keys({**read, **confirmed}, document.template, document.pages), read_as=_names_read(read, document.template)
        )
        if not (sender.vat_ids or sender.ibans or sender.names):
            unknown.append(document.name)
            continue
        own = [family for family in families if _belongs(document, sender, family)]
        if not own:
            families.append(own_family := _Family())
            own = [own_family]
        own[0].documents.append(document)
        own[0].senders.append(sender)
    return families, unknown


def _names_read(read: Fields, template: Template) -> tuple[str, ...]:
    sellers = [name for name, spec in template.fields.items() if spec.role == "seller" and spec.type == "party"]
    return tuple(value for name in sellers if isinstance(value := read[name].value, str))


def _belongs(document: ConfirmedDocument, sender: Sender, family: _Family) -> bool:
    same_template = family.documents[0].template.name == document.template.name
    return same_template and any(same_sender(sender, other) for other in family.senders)


def _propose(family: _Family, families: Sequence[_Family], replay: Replay, present: LessonOf) -> Proposal:
    documents = family.documents[-MOST_DOCUMENTS:]
    others = [document for other in families if other is not family for document in other.documents]
    foreign = words_of(word.text for document in others for page in document.pages for word in page.words)
    sender = joined(family.senders, [document.pages for document in family.documents], foreign)
    template, names = documents[0].template, tuple(document.name for document in documents)
    nothing = Proposal(sender, template.name, names, None)
    before = {document.name: replay.read(document) for document in documents}
    wrong = [name for name in learnable(template) if any(_is_wrong(d, name, before[d.name]) for d in documents)]
    today = {document.name: replay.read(document, present) for document in documents} if wrong else before
    if not any(_is_wrong(document, name, today[document.name]) for document in documents for name in wrong):
        return replace(nothing, reason="nothing to learn: every confirmed value of a kind that can be learned is read right")
    if len(documents) < LEAST_DOCUMENTS:
        return replace(nothing, reason=f"too few documents: {LEAST_DOCUMENTS} of the sender must be confirmed or corrected")
    tried: dict[str, list[FieldProposal]] = {name: [] for name in wrong}
    for way in WAYS:
        ways = dict.fromkeys(wrong, way)
        after = _left_out(documents, sender, ways, replay)
        for name in wrong:
            tried[name].append(_outcome(name, way, documents, before, after))
    best = {name: max(found, key=lambda one: len(one.mended) - len(one.broken)) for name, found in tried.items()}
    refused = [one for one in best.values() if not one.useful]
    kept = {name: one.way for name, one in best.items() if one.useful}
    while kept:
        after = _left_out(documents, sender, kept, replay)
        outcomes = [_outcome(name, way, documents, before, after) for name, way in kept.items()]
        if worse := [one for one in outcomes if not one.useful]:
            refused += worse
            kept = {name: way for name, way in kept.items() if name not in {one.field for one in worse}}
            continue
        lesson = teach(documents, sender, kept)
        harm = _harm_elsewhere(lesson, others, replay)
        outcomes = [
            replace(one, broken=(*one.broken, *harm.get(one.field, ()))) for one in outcomes if one.field in lesson.fields
        ]
        unlearned = [name for name in kept if name not in lesson.fields]
        worse = [one for one in outcomes if not one.useful]
        if worse or unlearned or not outcomes:
            refused += worse
            kept = {name: way for name, way in kept.items() if name not in {*unlearned, *(one.field for one in worse)}}
            continue
        return replace(
            nothing,
            lesson=_with_earlier(_with_support(lesson, outcomes), documents, replay, present, today),
            fields=tuple(_with_labels(outcomes, lesson)),
            refused=tuple(refused),
        )
    return replace(nothing, refused=tuple(refused), reason="nothing that could be learned mends more values than it breaks")


def _left_out(
    documents: Sequence[ConfirmedDocument], sender: Sender, ways: Mapping[str, Way], replay: Replay
) -> dict[str, Fields]:
    """Each document, read with what all the others teach."""
    found: dict[str, Fields] = {}
    for document in documents:
        lesson = teach([other for other in documents if other is not document], sender, ways)
        found[document.name] = replay.read(document, Lookup([_certain(lesson)]))
    return found


def _certain(lesson: Lesson) -> Lesson:
    """The lesson as if all replays had been right, so that pages are merged as they will be."""
    return replace(lesson, fields={name: replace(one, replayed=8, right=8) for name, one in lesson.fields.items()})


def _outcome(
    name: str, way: Way, documents: Sequence[ConfirmedDocument], before: Mapping[str, Fields], after: Mapping[str, Fields]
) -> FieldProposal:
    mended, broken, replayed, right = [], [], 0, 0
    for document in documents:
        old, new = before[document.name], after[document.name]
        if name in document.values:
            was = is_right(document.template.fields[name], old[name].value, document.values[name])
            now = is_right(document.template.fields[name], new[name].value, document.values[name])
            replayed, right = replayed + 1, right + now
            if now and not was:
                mended.append(document.name)
            if was and not now:
                broken.append(document.name)
        elif changed_by_lesson(new[name]) and name in document.sure:
            broken.append(document.name)
        # A lesson about this field may have moved another one.
        broken += [document.name for other in _moved(document, name, old, new) if other != name]
    return FieldProposal(name, way, (), tuple(mended), tuple(dict.fromkeys(broken)), replayed, right)


def _moved(document: ConfirmedDocument, name: str, old: Fields, new: Fields) -> list[str]:
    """Other fields that have lost a right value to what ``name`` has learned: those whose value stands where its new one does."""
    if not changed_by_lesson(new[name]):
        return []
    found = []
    for other, spec in document.template.fields.items():
        if old[other].value == new[other].value or not changed_by_lesson(new[other]) or old[other].box != new[name].box:
            continue
        if other in document.values:
            lost = is_right(spec, old[other].value, document.values[other]) and not is_right(
                spec, new[other].value, document.values[other]
            )
        else:
            lost = other in document.sure
        found += [other] if lost else []
    return found


def _is_wrong(document: ConfirmedDocument, name: str, read: Fields) -> bool:
    return name in document.values and not is_right(document.template.fields[name], read[name].value, document.values[name])


def _harm_elsewhere(lesson: Lesson, others: Sequence[ConfirmedDocument], replay: Replay) -> dict[str, list[str]]:
    """Documents of other senders by field that the lesson would make wrong, because their pages look like the sender's."""
    harm: dict[str, list[str]] = {}
    for document in others:
        if document.template.name != lesson.template or not any(
            likeness(lesson.sender, PageText.of(p)) for p in document.pages
        ):
            continue
        old, new = replay.read(document), replay.read(document, Lookup([_certain(lesson)]))
        for name in lesson.fields:
            if old[name].value != new[name].value and not (name in document.values and not _is_wrong(document, name, new)):
                harm.setdefault(name, []).append(document.name)
    return harm


def _with_support(lesson: Lesson, outcomes: Sequence[FieldProposal]) -> Lesson:
    fields: dict[str, FieldLesson] = {
        one.field: replace(lesson.fields[one.field], replayed=one.replayed, right=one.right) for one in outcomes
    }
    return replace(lesson, fields=fields)


def _with_earlier(
    lesson: Lesson, documents: Sequence[ConfirmedDocument], replay: Replay, present: LessonOf, today: Mapping[str, Fields]
) -> Lesson:
    """The lesson with the fields of the one in use, which it replaces: those that it does not teach anew, and that still break nothing.

    The documents that taught them may be gone. ``today`` is how the documents are read with the lesson in use.
    """
    pages = (page for document in documents for page in document.pages)
    earlier = next((found for page in pages if (found := present(page, lesson.template))), None)
    if earlier is None:
        return lesson
    scorer = lesson.scorer or earlier.scorer
    kept = {
        name: one
        for name, one in earlier.fields.items()
        if name not in lesson.fields and (not one.shift or earlier.scorer == scorer)
    }
    both = replace(lesson, fields={**kept, **lesson.fields}, scorer=scorer)
    after = {document.name: replay.read(document, Lookup([_certain(both)])) for document in documents}
    broken = {
        name
        for name in both.fields
        for document in documents
        if _is_wrong(document, name, after[document.name]) and not _is_wrong(document, name, today[document.name])
    }
    if broken & lesson.fields.keys():
        return lesson
    return replace(both, fields={name: one for name, one in both.fields.items() if name not in broken})


def _with_labels(outcomes: Sequence[FieldProposal], lesson: Lesson) -> list[FieldProposal]:
    return [replace(one, labels=lesson.fields[one.field].labels) for one in outcomes]
