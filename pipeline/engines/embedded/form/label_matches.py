"""Where a page prints the labels of a template's fields, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from pipeline.engines.embedded.fields.label_index import OTHER, label_index
from pipeline.engines.embedded.fields.labels import Label, find_labels
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.templates.template import Template

ALIKE = 86
"""Likeness (0 to 100) from which a text is a label with other endings or a misread letter."""
SHORTEST = 4
"""Folded characters of a label that is looked for by likeness."""
MOST_WORDS = 8
"""Words of a text that may be a label."""


@dataclass(frozen=True, slots=True)
class LabelMatch:
    """A label of a field on the page: characters up to ``end`` of a run's text."""

    field: str
    run: Run
    start: int
    end: int
    strength: float
    """How surely the text names the field, 0 to 1."""


def find_matches(layout: Layout, template: Template) -> list[LabelMatch]:
    """The labels of all fields that are no tables, in reading order, and labels of other things under ``?``."""
    ranks = _ranks(template)
    exact = find_labels(layout, label_index(template))
    matches = [_match(label, ranks) for label in exact]
    matches += _nearly(layout, template, exact, ranks)
    return sorted(matches, key=lambda match: (match.run.number, match.start))


def _ranks(template: Template) -> dict[tuple[str, str], float]:
    """How telling each label is of its field: the first ones are those that the page most probably prints."""
    ranks: dict[tuple[str, str], float] = {}
    for name, field in template.fields.items():
        for labels in field.labels.values():
            for at, label in enumerate(labels):
                rank = max(0.75, 1 - 0.03 * at)
                ranks[name, label_key(label)] = max(rank, ranks.get((name, label_key(label)), 0.0))
    return ranks


def _match(label: Label, ranks: Mapping[tuple[str, str], float]) -> LabelMatch:
    rank = ranks.get((label.field, label_key(label.run.text[label.start : label.end])), 0.8)
    length = min(1.0, 0.75 + label.length / 40)
    title = 0.8 if label.title else 1.0
    field = OTHER if label.field.startswith(OTHER) else label.field
    return LabelMatch(field, label.run, label.start, label.end, rank * length * title * (0.4 + 0.6 * label.cover))


def _nearly(
    layout: Layout, template: Template, exact: Sequence[Label], ranks: Mapping[tuple[str, str], float]
) -> Iterator[LabelMatch]:
    """Texts that are like a label of a field that the page does not print exactly."""
    found = {label.field for label in exact if label.cover >= 0.7}
    wanted = {
        key: name for name, key in ranks if name not in found and len(key) >= SHORTEST and template.fields[name].type != "table"
    }
    heads = {run.number: _head(run) for run in layout.runs}
    keys = {number: label_key(run_head) for number, run_head in heads.items() if 0 < len(run_head.split()) <= MOST_WORDS}
    keys = {number: key for number, key in keys.items() if len(key) >= SHORTEST}
    if not wanted or not keys:
        return
    labels = list(wanted)
    likeness = process.cdist(list(keys.values()), labels, scorer=fuzz.ratio, score_cutoff=ALIKE)
    for number, row in zip(keys, likeness, strict=True):
        at = int(row.argmax())
        if row[at] >= ALIKE:
            name = wanted[labels[at]]
            strength = 0.8 * float(row[at]) / 100 * ranks[name, labels[at]]
            yield LabelMatch(name, layout.runs[number], 0, len(heads[number]), strength)


def _head(run: Run) -> str:
    """The text up to its first mark that ends a label, or its first digit."""
    for at, char in enumerate(run.text):
        if char in ":=" or (char.isdigit() and at and not run.text[at - 1].isalpha()):
            return run.text[:at].rstrip(" :.-")
    return run.text
