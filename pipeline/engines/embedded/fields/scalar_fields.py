"""Chooses dates, times, identifiers and texts: one value for each field, the best label first, no value twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.label_index import Meanings, by_language, likely, tree_of, words_in
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.templates.template import TemplateField
from pipeline.values.leaf_values import parse_leaf

LEAST = 0.33
MORE_RIVAL, LESS_RIVAL = 0.6, 0.15
"""What a stronger and a weaker claim of another field take away from a strength, of their own strength."""
Scores = Mapping[tuple[int, int, int], Mapping[str, float]]
Choices = Mapping[str, Meanings]


def strength(scores: Mapping[str, float], field: str) -> float:
    """A field's strength for a candidate, less what the strongest other claim takes away."""
    own = scores.get(field, 0.0)
    rival = max([score for name, score in scores.items() if name != field], default=0.0)
    return own - (MORE_RIVAL if rival > own else LESS_RIVAL) * rival


def choose_scalars(fields: list[str], candidates: list[Candidate], scores: Scores) -> dict[str, tuple[Candidate, float]]:
    """The strongest pairs first; each value and each field once."""
    pairs = [
        (strength(scores[c.place], name) * (0.5 + 0.5 * c.quality) - 0.0001 * c.run.row, -at, name, c)
        for at, c in enumerate(candidates)
        for name in fields
        if name in scores[c.place]
    ]
    choices: dict[str, tuple[Candidate, float]] = {}
    used: set[tuple[int, int, int]] = set()
    for score, _, name, candidate in sorted(pairs, key=lambda pair: (pair[0], pair[1]), reverse=True):
        if score >= LEAST and name not in choices and candidate.place not in used:
            choices[name] = (candidate, min(1.0, score))
            used.add(candidate.place)
    return choices


def unlabelled(candidates: list[Candidate], scores: Scores, used: set[str]) -> Candidate | None:
    """The first value that no label claims for anything else."""
    free = [
        c for c in candidates if c.value not in used and c.quality >= 0.8 and max(scores[c.place].values(), default=0.0) < 0.45
    ]
    return free[0] if free else None


def text_beside(layout: Layout, labels: list[Label], field: str) -> tuple[str, tuple[int, ...], float] | None:
    """The text after, right of or below the best label of a field, up to the next label."""
    for label in sorted((o for o in labels if o.field == field), key=lambda o: -o.cover):
        run = label.run
        stop = min((o.start for o in labels if o.run is run and o.start >= label.end), default=len(run.text))
        if text := run.text[label.end : stop].strip(" :.-–#"):
            start = run.text.find(text, label.end)
            return text, run.span(start, start + len(text)), 0.8 * label.cover + 0.2
        right = [r for r in layout.rows[run.row] if r.box[0] > run.box[2]]
        below = [r for r in layout.runs if r.row == run.row + 1 and abs(r.box[0] - label.box[0]) < 3 * layout.height]
        busy = {o.run.number for o in labels}
        for other in [*right[:1], *below[:1]]:
            if other.number not in busy:
                return other.text, other.words, 0.7 * label.cover
    return None


def answer_beside(layout: Layout, labels: list[Label], field: str) -> tuple[str, tuple[int, ...], float] | None:
    """``true`` or ``false``, where the text beside the best label of a field is a yes or a no."""
    hit = text_beside(layout, labels, field)
    answer = parse_leaf("boolean", hit[0].split()[0]) if hit and hit[0].split() else None
    return (answer, hit[1], hit[2]) if hit and answer else None


def choices_by_text(field: TemplateField) -> Choices:
    """Folded names of the choices of an ``enum``: the choices that they name, each with the languages that call it so."""
    choices: dict[str, dict[str, set[str]]] = {}
    for value, labels in field.value_labels.items():
        for code, text in by_language(labels):
            choices.setdefault(label_key(text), {}).setdefault(value, set()).add(code)
    return {text: {value: frozenset(codes) for value, codes in values.items()} for text, values in choices.items() if text}


def choice_on_page(
    layout: Layout, labels: list[Label], name: str, field: TemplateField, choices: Choices
) -> tuple[str, tuple[int, ...], float] | None:
    """The choice of an ``enum`` that is printed beside its label, as a heading, or anywhere on the page.

    ``choices`` are those of ``choices_by_text``.
    """
    if field.value_labels:
        return _heading(layout, choices)
    beside = text_beside(layout, labels, name)
    if beside:
        best = max(field.values, key=lambda value: fuzz.ratio(label_key(value), label_key(beside[0])))
        if fuzz.ratio(label_key(best), label_key(beside[0])) >= 80:
            return best, beside[1], beside[2]
    for value in sorted(field.values, key=len, reverse=True):
        for run in layout.runs:
            if whole := re.search(rf"(?<!\w){re.escape(value)}(?!\w)", run.text, re.IGNORECASE):
                return value, run.span(*whole.span()), 0.4
    return None


def printed_choice(
    layout: Layout, labels: list[Label], name: str, choices: Choices
) -> tuple[str, tuple[int, ...], float] | None:
    """The choice whose name stands behind a label of the field, else anywhere as whole words, the longest name first."""
    beside = text_beside(layout, labels, name)
    if beside:
        key = label_key(beside[0])
        for text in sorted(choices, key=len, reverse=True):
            if text in key:
                return likely(choices[text], layout.languages)[0], beside[1], 0.9
    best: tuple[int, str, tuple[int, ...]] | None = None
    tree = _tree(choices)
    for run in layout.runs:
        key, begins = _key_with_begins(run)
        for _, text in words_in(tree, key, begins):
            if len(text) >= _LEAST_CHOICE and (best is None or len(text) > best[0]):
                best = len(text), text, run.words
    return (likely(choices[best[1]], layout.languages)[0], best[2], 0.6) if best else None


_TREES: dict[int, tuple[Choices, dict[str, Any]]] = {}


def _tree(choices: Choices) -> dict[str, Any]:
    known = _TREES.get(id(choices))
    if known is None or known[0] is not choices:
        if len(_TREES) > _MOST_TREES:
            _TREES.clear()
        known = _TREES[id(choices)] = choices, tree_of(choices)
    return known[1]


def _key_with_begins(run: Run) -> tuple[str, list[int]]:
    """The folded text of a run, and where its words begin in it."""
    keys = [label_key(word) for word in run.text.split(" ")]
    return "".join(keys), [0, *accumulate(map(len, keys))][:-1]


_MOST_TREES = 32
_LEAST_CHOICE = 6
"""Letters of a name that is looked for on the whole page, at least."""
MIN_HEADING = 0.6
"""Share of the letters of a line that the name of a choice has, where it is a heading."""


def _heading(layout: Layout, choices: Choices) -> tuple[str, tuple[int, ...], float] | None:
    """The choice whose name is a heading of the page: the largest one, and the first of several."""
    best: tuple[float, str, tuple[int, ...], float] | None = None
    for run in layout.runs:
        key = label_key("".join(c for c in run.text if not c.isdecimal()))
        for name in _ends(key):
            if name not in choices:
                continue
            rank = run.size * (1 + 0.001 * len(name))
            if best is None or rank > best[0]:
                best = (rank, likely(choices[name], layout.languages)[0], run.words, len(name) / max(1, len(key)))
    return (best[1], best[2], 0.5 + 0.4 * best[3]) if best else None


def _ends(key: str) -> Iterator[str]:
    """The beginnings and ends of a text that are most of it."""
    for length in range(len(key), 0, -1):
        if length < MIN_HEADING * len(key):
            return
        yield key[:length]
        yield key[-length:]
