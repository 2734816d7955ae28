"""What confirmed documents of one sender teach: labels that stand by confirmed values, and shifts of the scorer's last layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from pipeline.checks.value_comparison import is_absent
from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.lesson_labels import labelled_template, labels_at
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import Layout, label_key
from pipeline.engines.embedded.fields.scorer import Group
from pipeline.engines.embedded.fields.scorer.last_layer import RIDGE, fit, scorer_digest
from pipeline.learning.confirmed import ConfirmedDocument, is_right
from pipeline.records import FieldLesson, Lesson, Sender
from pipeline.templates.template import Template

Way = Literal["labels", "shift", "both"]
"""What a field learns: labels, a shift of the last layer, or both."""
WAYS: tuple[Way, ...] = ("labels", "shift", "both")
MOST_LABELS = 3
LEARNABLE = frozenset({"money", "date", "identifier", "party"})


def learnable(template: Template) -> list[str]:
    """The fields that a lesson can be about: those that the scorer chooses."""
    return [
        name
        for name, field in template.main_fields().items()
        if field.type in LEARNABLE and not field.many and (field.type != "party" or field.role)
    ]


def teach(documents: Sequence[ConfirmedDocument], sender: Sender, ways: Mapping[str, Way], ridge: float = RIDGE) -> Lesson:
    """What these documents, all of one template, teach about some fields in the given ways; without a number."""
    template = documents[0].template
    labels = {name: _labels(documents, name) if way != "shift" else () for name, way in ways.items()}
    plain = Lesson(0, template.name, sender, {name: FieldLesson(found) for name, found in labels.items() if found})
    known = labelled_template(template, plain)
    shifted = [name for name, way in ways.items() if way != "labels"]
    shifts = _shifts(documents, known, shifted, ridge) if shifted else {}
    fields = {name: FieldLesson(labels[name], shifts.get(name, ())) for name in ways if labels[name] or name in shifts}
    return Lesson(0, template.name, sender, fields, scorer_digest() if shifts else "")


def _labels(documents: Sequence[ConfirmedDocument], name: str) -> tuple[str, ...]:
    """The words that stand by the value in at least half of the documents that print it, and by nothing else more often."""
    template = documents[0].template
    beside_value: Counter[str] = Counter()
    beside_others: Counter[str] = Counter()
    printed: dict[str, str] = {}
    with_value = 0
    for document in documents:
        right, wrong = set[str](), set[str]()
        for layout, group, places in _groups_with_value(document, template, name):
            for at, candidate in enumerate(_candidates(group)):
                for label in labels_at(layout, candidate):
                    printed.setdefault(label_key(label), label)
                    (right if at in places else wrong).add(label_key(label))
        with_value += bool(right or wrong)
        beside_value.update(right)
        beside_others.update(wrong)
    own = {label_key(label) for texts in template.fields[name].labels.values() for label in texts}
    found = [
        (count, key)
        for key, count in beside_value.items()
        if 2 * count >= with_value and count >= beside_others[key] and key not in own
    ]
    return tuple(printed[key] for _, key in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:MOST_LABELS])


def _shifts(
    documents: Sequence[ConfirmedDocument], template: Template, names: Collection[str], ridge: float
) -> dict[str, tuple[tuple[float, ...], ...]]:
    found = {}
    for name in names:
        examples = []
        for document in documents:
            if name in document.values and is_absent(document.values[name]):
                examples += [(group, frozenset[int]()) for _, group in _groups(document, template, name)]
            else:
                examples += [(group, places) for _, group, places in _groups_with_value(document, template, name)]
        if examples:
            found[name] = fit(examples, ridge)
    return found


def _groups(document: ConfirmedDocument, template: Template, name: str) -> Iterator[tuple[Layout, Group]]:
    """The candidates of a field on each page that has some."""
    for page in document.candidates(template):
        yield from ((page.layout, group) for group in page.groups if group.field == name)


def _groups_with_value(
    document: ConfirmedDocument, template: Template, name: str
) -> Iterator[tuple[Layout, Group, frozenset[int]]]:
    """The pages on which the confirmed value stands, with the candidates of the field and the places of the right ones."""
    value = document.values.get(name)
    if is_absent(value):
        return
    for layout, group in _groups(document, template, name):
        texts = [each.text if isinstance(each, NameCandidate) else each.value for each in _candidates(group)]
        places = frozenset(at for at, text in enumerate(texts) if is_right(template.fields[name], text, value))
        if places:
            yield layout, group, places


def _candidates(group: Group) -> list[Candidate | NameCandidate]:
    return [*group.candidates]
