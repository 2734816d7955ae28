"""How strongly a label on the page belongs to a value: beside it, above it, in the same word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.vocabulary import is_neutral
from pipeline.records import Box
from pipeline.templates.template import Template

_ABOVE_ROWS = 14
_AT_ONCE = 256
"""Values that are compared with all labels at once: memory stays small on a page full of both."""
RIVALS = {
    "money": ("money", "number", "?money", "?paid", "?change"),
    "number": ("number", "money", "?money", "?paid", "?change", "?identifier"),
    "date": ("date", "?date"),
    "time": ("time", "date", "?date"),
    "identifier": ("money", "number", "date", "time", "identifier", "?money", "?paid", "?change", "?date", "?identifier"),
}
OTHER_KINDS = ("?money", "?paid", "?change", "?date", "?identifier")
NUMBER_KINDS = ("number", "money", "integer", "percentage", "quantity", "duration")
DATE_KINDS = ("date", "time", "period")
CODE_KINDS = ("identifier", "phone", "mail", "url", "iban", "bic", "country")


def rivals(kind: str, details: bool) -> tuple[str, ...]:
    """The types whose labels compete for values of a type. ``details``: among labels of types that the scorer does not know, too."""
    if kind in RIVALS and not details:
        return RIVALS[kind]
    if kind in NUMBER_KINDS:
        return (*NUMBER_KINDS, "?money", "?paid", "?change", "?identifier")
    if kind in DATE_KINDS:
        return (*DATE_KINDS, "?date")
    return (*CODE_KINDS, *NUMBER_KINDS, *DATE_KINDS, "text", "party", "address", *OTHER_KINDS)


"""Types of values, and of which types the labels compete for them."""
Place = tuple[int, int, int]
_Rows = dict[int, list[Candidate]]
_BRACKETS = re.compile(r"\([^()]{0,60}\)")
VAGUE = 0.55
"""The weight of a label that many values share ("Number")."""
_TITLE_REACH = 4.0  # letter heights between a title and its number


class Relation(NamedTuple):
    """A label that may belong to a value, where it stands and how strongly it belongs to it, 0 to 1."""

    place: Literal["beside", "wrapped", "above"]
    label: Label
    strength: float


_NO_LABELS: tuple[int, list[Label]] = (0, [])


class LabelScores:
    """Scores of (field, candidate) pairs: the best label of each field for each candidate, 0 to 1.

    Amounts in a row belong to the label at its left, the last one most; other values to the nearest label only.
    """

    def __init__(self, layout: Layout, labels: list[Label]) -> None:
        self.layout = layout
        self.labels = labels
        self._by_row: dict[int, list[Label]] = defaultdict(list)
        for label in labels:
            self._by_row[label.row].append(label)
        self._heads = [label for label in labels if not label.title or len(self._by_row[label.row]) >= 3]
        """Labels that may stand above a value. A title is one only among other headings."""
        self._over: dict[tuple[int, Box], tuple[int, list[Label]]] = {}
        self._relations: dict[tuple[bool, tuple[Place, ...]], dict[Place, list[Relation]]] = {}

    def score(self, candidates: Sequence[Candidate], spread: bool) -> dict[Place, dict[str, float]]:
        """For each candidate (by place) the strength of each field's best label.

        ``spread`` says that one label may own a whole row of values (amounts).
        """
        return {place: strengths(found) for place, found in self.relations(candidates, spread).items()}

    def relations(self, candidates: Sequence[Candidate], spread: bool) -> dict[Place, list[Relation]]:
        """For each candidate (by place) every label that may belong to it. They are found once for the same candidates."""
        places = tuple(c.place for c in candidates)
        found = self._relations.get((spread, places))
        if found is None:
            self._look_above(candidates)
            values = _Values(candidates, self._blocked_rows(candidates, spread))
            found = {place: self._of(c, values, spread) for place, c in zip(places, candidates, strict=True)}
            self._relations[spread, places] = found
        return found

    def plain(self, candidates: Sequence[Candidate], least: float) -> dict[Place, dict[str, float]]:
        """As ``score`` for amounts, with labels of at least some strength that stand beside the amount, or over it alone.

        A label over several amounts is the heading of a column.
        """
        below: dict[Label, list[tuple[Place, float]]] = defaultdict(list)
        scores: dict[Place, dict[str, float]] = {}
        relations = self.relations(candidates, spread=True)
        for place in (candidate.place for candidate in candidates):
            scores[place] = strengths(relation for relation in relations[place] if relation.place == "beside")
            for relation in relations[place]:
                if relation.place == "above":
                    below[relation.label].append((place, relation.strength))
        for label, found in below.items():
            if len(found) == 1:
                (place, strength), best = found[0], scores[found[0][0]]
                best[label.field] = max(strength, best.get(label.field, 0.0))
        return {place: {name: score for name, score in best.items() if score >= least} for place, best in scores.items()}

    def _of(self, candidate: Candidate, values: _Values, spread: bool) -> list[Relation]:
        found = self._beside(candidate, values, spread)
        if spread:
            found += self._wrapped(candidate, values.by_row)
        return found + self._above(candidate, values, spread)

    def _beside(self, candidate: Candidate, values: _Values, spread: bool) -> list[Relation]:
        """Labels in the same row, to the left (or, weakly, to the right)."""
        here, most = self._by_row.get(candidate.run.row, ()), candidate.box[0] + 2.0
        left = [label for label in here if label.box[2] <= most]
        if not left:
            return []
        labels: list[Relation] = []
        row, at = values.by_row[candidate.run.row], values.number_in_row[candidate.place]
        sound = [] if spread else [c for c in row[:at] if c.quality >= 0.35]
        last = spread and not any(
            not any(candidate.box[2] < o.box[0] < c.box[0] for o in here) for c in row[at + 1 :] if c.quality >= 0.35
        )
        for label in left:
            if label.title and not self._closely(label, candidate):
                continue
            nearer = sum([o.box[2] > label.box[2] + 1.0 and o.field != label.field for o in left])
            strength = self._reach(label, candidate)
            if spread:
                strength *= 1.0 if last else 0.7
                strength *= 0.55 if nearer else 1.0
            else:
                between = sum([c.box[0] >= label.box[2] - 2.0 for c in sound])
                strength *= 0.5**between * 0.35 ** min(2, nearer)
            labels.append(Relation("beside", label, strength))
        return labels

    def _closely(self, label: Label, candidate: Candidate) -> bool:
        """Whether the value follows directly, or after words in brackets."""
        if label.run is candidate.run:
            return _is_neutral(_between(label, candidate))
        return candidate.box[0] - label.box[2] < _TITLE_REACH * self.layout.height

    def _reach(self, label: Label, candidate: Candidate) -> float:
        """Strength by how much of the words between and around the label it explains."""
        cover = (0.2 + 0.8 * label.cover) * (VAGUE if label.vague else 1.0)
        if label.run is candidate.run:
            between = _between(label, candidate)
            if _is_neutral(between):
                return max(cover, VAGUE * label.cover if label.vague else 0.85)
            return cover * (0.85 if len(between) <= 14 else 0.6)
        gap = (candidate.box[0] - label.box[2]) / max(1.0, self.layout.page.width)
        return cover * (1.0 - 0.3 * min(1.0, gap))

    def _above(self, candidate: Candidate, values: _Values, spread: bool) -> list[Relation]:
        """Labels over the value, aligned with it, with at most other values of its column between."""
        above, aligned = self._over.get((candidate.run.row, candidate.box), _NO_LABELS)
        if not aligned:
            return []
        height = max(self.layout.height, 4.0)
        blocked = values.blocked_rows[candidate.run.row, candidate.box]
        distance = (candidate.box[1] - self._row_bottoms[above]) / height
        near = max(0.0, 1.0 - max(0.0, distance / (1 + blocked * spread) - 1.0) * (0.04 if spread else 0.12))
        keep = 1.0 if spread else 0.4**blocked
        labels: list[Relation] = []
        for label in aligned:
            if label not in values.has_own:
                values.has_own[label] = self._has_own(label, values.by_row.get(above, ()))
            weight = 0.45 if values.has_own[label] else 1.0
            strength = 0.8 * (0.3 + 0.7 * label.cover) * near * weight * keep * (VAGUE if label.vague else 1.0)
            labels.append(Relation("above", label, strength))
        return labels

    @cached_property
    def _head_places(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The boxes of the labels that may stand above a value, and their rows."""
        return np.array([label.box for label in self._heads]), np.array([label.row for label in self._heads])

    def _look_above(self, candidates: Iterable[Candidate]) -> None:
        """Finds the nearest row above each value that has labels aligned with it, and these labels."""
        if not self._heads:
            return
        places = [place for place in {(c.run.row, c.box): None for c in candidates} if place not in self._over]
        labels, label_rows = self._head_places
        for start in range(0, len(places), _AT_ONCE):
            part = places[start : start + _AT_ONCE]
            rows, boxes = np.array([row for row, _ in part])[:, None], np.array([box for _, box in part])
            above = (label_rows < rows) & (label_rows > rows - _ABOVE_ROWS)
            above &= _aligned_pairs(labels, boxes, max(self.layout.height, 4.0))
            nearest = np.where(above, label_rows, -1).max(axis=1)
            found: list[list[Label]] = [[] for _ in part]
            for at, label in np.argwhere(above & (label_rows == nearest[:, None])).tolist():
                found[at].append(self._heads[label])
            self._over.update(zip(part, zip(nearest.tolist(), found, strict=True), strict=True))

    def _blocked_rows(self, candidates: Sequence[Candidate], spread: bool) -> dict[tuple[int, Box], int]:
        """How many rows between each value and its labels above have another value of its column; for other than amounts, or any text."""
        over = {place: self._over.get(place, _NO_LABELS) for place in {(c.run.row, c.box): None for c in candidates}}
        found = dict.fromkeys(over, 0)
        places = [place for place, (above, aligned) in over.items() if aligned and above < place[0] - 1]
        if not places:
            return found
        ordered = sorted(candidates, key=lambda c: c.run.row)
        value_boxes, value_rows = np.array([c.box for c in ordered]), np.array([c.run.row for c in ordered])
        lines, firsts = np.unique(value_rows, return_index=True)
        for start in range(0, len(places), _AT_ONCE):
            part = places[start : start + _AT_ONCE]
            boxes = np.array([box for _, box in part])
            aligned = _aligned_pairs(value_boxes, boxes, max(self.layout.height, 4.0))
            blocked = np.zeros((len(part), len(self.layout.rows)), bool)
            blocked[:, lines] = np.logical_or.reduceat(aligned, firsts, axis=1)
            if not spread:
                blocked |= self.layout.rows_across(boxes)
            row = np.arange(len(self.layout.rows))
            own, above = np.array([[row for row, _ in part], [over[place][0] for place in part]])[:, :, None]
            counts = (blocked & (row > above) & (row < own)).sum(axis=1)
            found.update(zip(part, counts.tolist(), strict=True))
        return found

    def _wrapped(self, candidate: Candidate, by_row: _Rows) -> list[Relation]:
        """Labels of the row above, where that row has no value and this row has nothing else: the line was broken."""
        row = candidate.run.row
        labels = self._by_row.get(row - 1)
        if not labels or by_row.get(row - 1) or candidate is not by_row[row][-1]:
            return []
        if any(run.letters > 4 for run in self.layout.rows[row]):
            return []
        return [Relation("wrapped", o, 0.75 * (0.2 + 0.8 * o.cover)) for o in labels if o.box[0] < candidate.box[0]]

    @cached_property
    def _row_bottoms(self) -> list[float]:
        """The lower edge of each row."""
        return [max(run.box[3] for run in row) for row in self.layout.rows]

    def _has_own(self, label: Label, row: Iterable[Candidate]) -> bool:
        """Whether the label has a value beside it already."""
        return any(
            c.box[0] >= label.end_x - 2.0 and c.quality >= 0.5 and c.box[0] - label.end_x < 0.3 * self.layout.page.width
            for c in row
        )


class _Values:
    """The values that are related to labels together. ``blocked_rows`` says how many rows part each place from the labels above it."""

    def __init__(self, candidates: Sequence[Candidate], blocked_rows: Mapping[tuple[int, Box], int]) -> None:
        self.by_row = _by_row(candidates)
        self.number_in_row: dict[Place, int] = {}
        for row in self.by_row.values():
            for at, candidate in enumerate(row):
                self.number_in_row.setdefault(candidate.place, at)
        self.blocked_rows = blocked_rows
        self.has_own: dict[Label, bool] = {}
        """Whether labels above values have a value beside them already, as far as it was asked."""


class PageLabels:
    """The labels of a page by the type of values that they may belong to. The label of an invoice number has no amounts."""

    def __init__(self, layout: Layout, labels: Sequence[Label], template: Template, *, details: bool = False) -> None:
        self._layout, self._labels, self._details = layout, labels, details
        self._types: dict[str, str] = {name: field.type for name, field in template.fields.items()}
        self._scores: dict[str, LabelScores] = {}

    def of(self, kind: str) -> LabelScores:
        """The labels that compete for values of a type; the same object for the same type."""
        if kind not in self._scores:
            kinds = rivals(kind, self._details)
            own = [label for label in self._labels if self._types.get(label.field, label.field) in kinds]
            self._scores[kind] = LabelScores(self._layout, own)
        return self._scores[kind]


def _between(label: Label, candidate: Candidate) -> str:
    """The text between a label and a value in the same run, without words in brackets."""
    between = candidate.run.text[label.end : candidate.start]
    return _BRACKETS.sub(" ", between) if "(" in between else between


def _is_neutral(text: str) -> bool:
    return all(map(is_neutral, text.split()))


def strengths(relations: Iterable[Relation]) -> dict[str, float]:
    """The strength of each field's best label."""
    best: dict[str, float] = {}
    for _, label, strength in relations:
        if strength > best.get(label.field, -1.0):
            best[label.field] = strength
    return best


def _by_row(candidates: Iterable[Candidate]) -> _Rows:
    """Candidates by row, from left to right."""
    rows: _Rows = defaultdict(list)
    for candidate in candidates:
        rows[candidate.run.row].append(candidate)
    for row in rows.values():
        row.sort(key=lambda c: c.box[0])
    return rows


def _aligned_pairs(others: NDArray[np.float64], values: NDArray[np.float64], height: float) -> NDArray[np.bool_]:
    """Whether each value (a row of the result) is aligned with each other box (a column).

    Their left edges, right edges or centres agree, or one lies within the other.
    """
    left, right, x0, x1 = others[:, 0], others[:, 2], values[:, 0, None], values[:, 2, None]
    found = (np.abs(left - x0) < 1.2 * height) | (np.abs(right - x1) < 1.2 * height)
    found |= np.abs(left + right - x0 - x1) < 3.0 * height
    middle, other_middle = (x0 + x1) / 2, (left + right) / 2
    found |= (left < middle) & (middle < right)
    return np.asarray(found | ((x0 < other_middle) & (other_middle < x1)))
