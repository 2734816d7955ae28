"""How strongly a label on the page belongs to a value: beside it, above it, in the same word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.vocabulary import is_neutral

_ABOVE_ROWS = 14
_BRACKETS = re.compile(r"\([^()]{0,60}\)")
VAGUE = 0.55
"""The weight of a label that many values share ("Number")."""
_TITLE_REACH = 4.0  # letter heights between a title and its number


@dataclass(frozen=True, slots=True)
class Relation:
    """A label that may belong to a value, where it stands and how strongly it belongs to it, 0 to 1."""

    place: Literal["beside", "wrapped", "above"]
    label: Label
    strength: float


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

    def score(self, candidates: list[Candidate], spread: bool) -> dict[tuple[int, int, int], dict[str, float]]:
        """For each candidate (by place) the strength of each field's best label.

        ``spread`` says that one label may own a whole row of values (amounts).
        """
        return {place: strengths(found) for place, found in self.relations(candidates, spread).items()}

    def relations(self, candidates: list[Candidate], spread: bool) -> dict[tuple[int, int, int], list[Relation]]:
        """For each candidate (by place) every label that may belong to it."""
        by_row = _by_row(candidates)
        return {c.place: self._relations(c, by_row, spread) for c in candidates}

    def plain(self, candidates: list[Candidate], least: float) -> dict[tuple[int, int, int], dict[str, float]]:
        """As ``score`` for amounts, with labels of at least some strength that stand beside the amount, or over it alone.

        A label over several amounts is the heading of a column.
        """
        by_row = _by_row(candidates)
        below: dict[Label, list[tuple[Candidate, float]]] = defaultdict(list)
        scores: dict[tuple[int, int, int], dict[str, float]] = {}
        for candidate in candidates:
            scores[candidate.place] = {}
            for label, strength in self._beside(candidate, by_row[candidate.run.row], spread=True):
                scores[candidate.place][label.field] = max(strength, scores[candidate.place].get(label.field, 0.0))
            for label, strength in self._above(candidate, by_row, spread=True):
                below[label].append((candidate, strength))
        for label, found in below.items():
            if len(found) == 1:
                (candidate, strength), best = found[0], scores[found[0][0].place]
                best[label.field] = max(strength, best.get(label.field, 0.0))
        return {place: {name: score for name, score in best.items() if score >= least} for place, best in scores.items()}

    def _relations(self, candidate: Candidate, by_row: dict[int, list[Candidate]], spread: bool) -> list[Relation]:
        found = [Relation("beside", *pair) for pair in self._beside(candidate, by_row[candidate.run.row], spread)]
        found += [Relation("wrapped", *pair) for pair in self._wrapped(candidate, by_row)] if spread else []
        return found + [Relation("above", *pair) for pair in self._above(candidate, by_row, spread)]

    def _beside(self, candidate: Candidate, row: list[Candidate], spread: bool) -> list[tuple[Label, float]]:
        """Labels in the same row, to the left (or, weakly, to the right)."""
        labels: list[tuple[Label, float]] = []
        left = [label for label in self._by_row[candidate.run.row] if label.end_x <= candidate.box[0] + 2.0]
        at = [c.place for c in row].index(candidate.place)
        for label in left:
            between = [c for c in row[:at] if c.box[0] >= label.end_x - 2.0 and c.quality >= 0.35]
            after = [c for c in row[at + 1 :] if c.quality >= 0.35]
            nearer = [o for o in left if o.end_x > label.end_x + 1.0 and o.field != label.field]
            strength = self._reach(label, candidate)
            if label.title and not self._closely(label, candidate):
                continue
            if spread:
                rightmost = not [
                    c
                    for c in after
                    if not any(o.box[0] > candidate.box[2] and o.box[0] < c.box[0] for o in self._by_row[candidate.run.row])
                ]
                strength *= 1.0 if rightmost else 0.7
                strength *= 0.55 if nearer else 1.0
            else:
                strength *= 0.5 ** len(between) * 0.35 ** min(2, len(nearer))
            labels.append((label, strength))
        return labels

    def _closely(self, label: Label, candidate: Candidate) -> bool:
        """Whether the value follows directly, or after words in brackets."""
        if label.run is candidate.run:
            between = _BRACKETS.sub(" ", label.run.text[label.end : candidate.start])
            return all(is_neutral(word) for word in between.split())
        return candidate.box[0] - label.box[2] < _TITLE_REACH * self.layout.height

    def _reach(self, label: Label, candidate: Candidate) -> float:
        """Strength by how much of the words between and around the label it explains."""
        cover = (0.2 + 0.8 * label.cover) * (VAGUE if label.vague else 1.0)
        if label.run is candidate.run:
            between = _BRACKETS.sub(" ", candidate.run.text[label.end : candidate.start])
            if all(is_neutral(word) for word in between.split()):
                return max(cover, VAGUE * label.cover if label.vague else 0.85)
            return cover * (0.85 if len(between) <= 14 else 0.6)
        gap = (candidate.box[0] - label.box[2]) / max(1.0, self.layout.page.width)
        return cover * (1.0 - 0.3 * min(1.0, gap))

    def _above(self, candidate: Candidate, by_row: dict[int, list[Candidate]], spread: bool) -> list[tuple[Label, float]]:
        """Labels over the value, aligned with it, with at most other values of its column between."""
        labels: list[tuple[Label, float]] = []
        row = candidate.run.row
        height = max(self.layout.height, 4.0)
        blocked = 0
        for above in range(row - 1, max(-1, row - _ABOVE_ROWS), -1):
            header = len(self._by_row[above]) >= 3
            aligned = [
                label
                for label in self._by_row[above]
                if (header or not label.title) and _aligned(label.box, candidate.box, height)
            ]
            distance = (candidate.box[1] - self._row_bottom(above)) / height
            if aligned:
                near = max(0.0, 1.0 - max(0.0, distance / (1 + blocked * spread) - 1.0) * (0.04 if spread else 0.12))
                for label in aligned:
                    weight = 1.0 if not self._has_own(label, by_row[above]) else 0.45
                    keep = 1.0 if spread else 0.4**blocked
                    labels.append(
                        (label, 0.8 * (0.3 + 0.7 * label.cover) * near * weight * keep * (VAGUE if label.vague else 1.0))
                    )
                break
            if any(_aligned(c.box, candidate.box, height) for c in by_row[above]) or (
                self._text_between(above, candidate) and not spread
            ):
                blocked += 1
        return labels

    def _wrapped(self, candidate: Candidate, by_row: dict[int, list[Candidate]]) -> list[tuple[Label, float]]:
        """Labels of the row above, where that row has no value and this row has nothing else: the line was broken."""
        row = candidate.run.row
        only_values = all(sum(c.isalpha() for c in run.text) <= 4 for run in self.layout.rows[row])
        if row == 0 or not only_values or by_row[row - 1] or candidate is not by_row[row][-1]:
            return []
        return [(o, 0.75 * (0.2 + 0.8 * o.cover)) for o in self._by_row[row - 1] if o.box[0] < candidate.box[0]]

    def _row_bottom(self, row: int) -> float:
        return max(run.box[3] for run in self.layout.rows[row])

    def _has_own(self, label: Label, row: list[Candidate]) -> bool:
        """Whether the label has a value beside it already."""
        return any(
            c.box[0] >= label.end_x - 2.0 and c.quality >= 0.5 and c.box[0] - label.end_x < 0.3 * self.layout.page.width
            for c in row
        )

    def _text_between(self, row: int, candidate: Candidate) -> bool:
        return any(run.box[0] < candidate.box[2] and run.box[2] > candidate.box[0] for run in self.layout.rows[row])


def strengths(relations: Iterable[Relation]) -> dict[str, float]:
    """The strength of each field's best label."""
    best: dict[str, float] = {}
    for found in relations:
        best[found.label.field] = max(best.get(found.label.field, 0.0), found.strength)
    return best


def _by_row(candidates: list[Candidate]) -> dict[int, list[Candidate]]:
    """Candidates by row, from left to right."""
    rows: dict[int, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        rows[candidate.run.row].append(candidate)
    for row in rows.values():
        row.sort(key=lambda c: c.box[0])
    return rows


def _aligned(label: tuple[float, float, float, float], value: tuple[float, float, float, float], height: float) -> bool:
    """Left edges, right edges or centres agree, or one lies within the other."""
    if abs(label[0] - value[0]) < 1.2 * height or abs(label[2] - value[2]) < 1.2 * height:
        return True
    if abs(label[0] + label[2] - value[0] - value[2]) < 3.0 * height:
        return True
    return label[0] < (value[0] + value[2]) / 2 < label[2] or value[0] < (label[0] + label[2]) / 2 < value[2]
