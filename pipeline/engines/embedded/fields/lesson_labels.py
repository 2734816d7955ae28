"""Labels that corrections have taught: which words stand by a confirmed value, and a template that knows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.fields.scorer.last_layer import Shifts, scorer_digest
from pipeline.languages.language import NO_LANGUAGE
from pipeline.records import Box, Lesson
from pipeline.templates.template import Template, TemplateField

MOST_LETTERS = 40
_ROWS_ABOVE = 6
_MARKS = " :;.,#*-–—=|/()[]"
_MOST_TEMPLATES = 64
_TEMPLATES: dict[tuple[int, tuple[tuple[str, tuple[str, ...]], ...]], tuple[Template, Template]] = {}


def shifts(lesson: Lesson) -> Shifts:
    """The lesson's shifts by field; none where they were fitted to other weights than the shipped ones."""
    if lesson.scorer != scorer_digest():
        return {}
    return {name: field.shift for name, field in lesson.fields.items() if field.shift}


def labelled_template(template: Template, lesson: Lesson) -> Template:
    """The template with the lesson's labels. On the sender's pages such a label means its field and no other."""
    learned = {name: field.labels for name, field in lesson.fields.items() if field.labels and name in template.fields}
    if not learned:
        return template
    key = id(template), tuple(sorted(learned.items()))
    known = _TEMPLATES.get(key)
    if known is None or known[0] is not template:
        if len(_TEMPLATES) >= _MOST_TEMPLATES:
            _TEMPLATES.clear()
        known = _TEMPLATES[key] = template, _with_labels(template, learned)
    return known[1]


def _with_labels(template: Template, learned: Mapping[str, tuple[str, ...]]) -> Template:
    keys = {name: {label_key(label) for label in labels} for name, labels in learned.items()}
    fields = {}
    for name, field in template.fields.items():
        taken = {key for other, others in keys.items() if other != name for key in others} - keys.get(name, set())
        fields[name] = _changed(field, taken, learned.get(name, ()))
    return template.model_copy(update={"fields": fields})


def _changed(field: TemplateField, taken: set[str], added: tuple[str, ...]) -> TemplateField:
    if field.type == "table":
        return field
    labels = {code: [text for text in texts if label_key(text) not in taken] for code, texts in field.labels.items()}
    if added:
        labels[NO_LANGUAGE] = [*labels.get(NO_LANGUAGE, []), *added]
    return field if labels == field.labels else field.model_copy(update={"labels": labels})


def labels_at(layout: Layout, candidate: Candidate | NameCandidate) -> Iterator[str]:
    """The words that may be the label of a value, as printed: those left of it, and the nearest ones above it."""
    run, start = candidate.run, candidate.start
    box = candidate.box if isinstance(candidate, Candidate) else candidate.run.box
    for text in (_left(layout, run, start), _above(layout, run.row, box)):
        label = text.strip(_MARKS)
        if 2 <= len(label_key(label)) <= MOST_LETTERS and len(label) <= MOST_LETTERS and not any(c.isdigit() for c in label):
            yield label


def _left(layout: Layout, run: Run, start: int) -> str:
    text = run.text[:start].strip(_MARKS)
    if text:
        return _behind_digits(text)
    before = [other for other in layout.rows[run.row] if other.box[2] <= run.box[0] + 1]
    return _behind_digits(before[-1].text) if before else ""


def _behind_digits(text: str) -> str:
    """The words behind the last one with a digit."""
    kept: list[str] = []
    for word in reversed(text.split()):
        if any(c.isdigit() for c in word):
            break
        kept.append(word)
    return " ".join(reversed(kept))


def _above(layout: Layout, row: int, box: Box) -> str:
    for above in range(row - 1, max(-1, row - _ROWS_ABOVE), -1):
        for run in layout.rows[above]:
            if run.box[0] < box[2] and run.box[2] > box[0] and run.letters >= 2:
                return run.text
    return ""
