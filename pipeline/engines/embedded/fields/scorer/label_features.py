"""How labels and other words near a value speak for a field, as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.label_relations import LabelScores, Relation, strengths
from pipeline.engines.embedded.fields.labels import OTHER
from pipeline.engines.embedded.fields.scalar_fields import LESS_RIVAL, MORE_RIVAL
from pipeline.engines.embedded.fields.scorer.nearby_texts import MAX_LETTERS, NearbyTexts
from pipeline.engines.embedded.fields.vocabulary import is_neutral

Numbers = NDArray[np.float32]
Strengths = NDArray[np.float64]
LABEL_FEATURES = (
    "strength",
    "strongest field",
    "strongest other",
    "strength over rivals",
    "beside",
    "above",
    "wrapped",
    "adjoins",
    "cover",
    "length",
    "vague",
    "title",
    "shared",
    "gap",
    "share of the strongest",
    "stronger candidates",
    "labels on the page",
    "payment label",
    "likeness left",
    "rival likeness left",
    "likeness above",
    "rival likeness above",
)
_LEAST_LIKE = 60


class LabelContext:
    """The labels of one page for candidates of one type, for every field of that type."""

    def __init__(
        self,
        texts: NearbyTexts,
        labels: LabelScores,
        candidates: Sequence[Candidate],
        spread: bool,
        keys: Mapping[str, Sequence[str]],
    ) -> None:
        """``keys`` are the folded labels of each field and of each kind of other value (``?money``)."""
        self._width = labels.layout.page.width
        self._candidates = list(candidates)
        relations = labels.relations(self._candidates, spread)
        self.scores = {place: strengths(found) for place, found in relations.items()}
        """The strength of each field's best label, by the candidate's place."""
        self._owners: dict[tuple[int, int], set[str]] = {}
        for label in labels.labels:
            self._owners.setdefault((label.run.number, label.start), set()).add(label.field)
        self._counts = Counter(label.field for label in labels.labels)
        count = len(self._candidates)
        fields = dict.fromkeys(field for best in self.scores.values() for field in best)
        self._row = {field: row for row, field in enumerate(fields)}
        self._strengths = np.zeros((len(fields), count))
        """A row for each field of ``_row``, a column for each candidate."""
        self._relations: dict[str, dict[int, list[Relation]]] = {}
        for at, candidate in enumerate(self._candidates):
            for field, power in self.scores[candidate.place].items():
                self._strengths[self._row[field], at] = power
            for relation in relations[candidate.place]:
                self._relations.setdefault(relation.label.field, {}).setdefault(at, []).append(relation)
        self._likeness_row = {field: row for row, field in enumerate(keys)}
        self._likeness = [_Strongest(each) for each in _likeness(texts, self._candidates, keys)]
        self._strongest = _Strongest(self._strengths)

    def features(self, fields: Sequence[str]) -> dict[str, Numbers]:
        """For each of the fields one row for each candidate, in the order of LABEL_FEATURES."""
        rows = {field: at for at, field in enumerate(field for field in fields if field in self._row)}
        among = _Strongest(self._strengths[[self._row[field] for field in rows]])
        return {field: self._features(field, among.besides(rows.get(field))) for field in fields}

    def _features(self, field: str, strongest_field: Strengths) -> Numbers:
        count, row = len(self._candidates), self._row.get(field)
        own = self._strengths[row] if row is not None else np.zeros(count)
        most = own.max(initial=0.0)
        rival = self._strongest.besides(row)
        found = np.zeros((count, len(LABEL_FEATURES)), np.float32)
        found[:, 0] = own
        found[:, 1] = strongest_field
        found[:, 2] = self._strongest_other
        found[:, 3] = own - np.where(rival > own, MORE_RIVAL, LESS_RIVAL) * rival
        found[:, _GAP] = 1.0
        for at, relations in self._relations.get(field, {}).items():
            found[at, _BESIDE : _GAP + 1] = self._of_relations(self._candidates[at], relations)
        found[:, _GAP + 1] = own / most if most else 0.0
        found[:, _GAP + 2] = (count - np.searchsorted(np.sort(own), own, side="right")) / max(1, count)
        found[:, _GAP + 3] = min(4, self._counts[field]) / 4
        found[:, _GAP + 4] = self._strongest_payment
        likeness_row = self._likeness_row.get(field)
        for at, likeness in enumerate(self._likeness):
            if likeness_row is not None:
                found[:, _GAP + 5 + 2 * at] = likeness.rows[likeness_row]
            found[:, _GAP + 6 + 2 * at] = likeness.besides(likeness_row)
        return found

    @cached_property
    def _strongest_other(self) -> Strengths:
        """The strength of the strongest label of anything that is no field, for each candidate."""
        return self._strongest_of(name for name in self._row if name.startswith(OTHER))

    @cached_property
    def _strongest_payment(self) -> Strengths:
        """The same of what was paid and given back."""
        return self._strongest_of((OTHER + "paid", OTHER + "change"))

    def _strongest_of(self, names: Iterable[str]) -> Strengths:
        """The strength of the strongest of these fields, for each candidate."""
        rows = [self._row[name] for name in names if name in self._row]
        return np.asarray(self._strengths[rows].max(axis=0, initial=0.0)) if rows else np.zeros(len(self._candidates))

    def _of_relations(self, candidate: Candidate, relations: Sequence[Relation]) -> tuple[float, ...]:
        """The features from "beside" to "gap"."""
        best, at_place = relations[0], dict.fromkeys(_PLACES, 0.0)
        for relation in relations:
            best = relation if relation.strength > best.strength else best
            at_place[relation.place] = max(at_place[relation.place], relation.strength)
        label = best.label
        return (
            *at_place.values(),
            float(_adjoins(best, candidate)),
            label.cover,
            min(20, label.length) / 20,
            float(label.vague),
            float(label.title),
            min(3, len(self._owners[label.run.number, label.start]) - 1) / 3,
            _gap(label.box, candidate.box, self._width),
        )


class _Strongest:
    """Rows of numbers that are not negative, and the largest in each column besides one row."""

    def __init__(self, rows: Strengths) -> None:
        self.rows = rows
        self._at = rows.argmax(axis=0) if len(rows) else np.zeros(rows.shape[1], np.intp)
        self._first = rows.max(axis=0, initial=0.0)
        others = rows.copy()
        if len(rows):
            others[self._at, np.arange(rows.shape[1])] = 0.0
        self._second = others.max(axis=0, initial=0.0)

    def besides(self, row: int | None) -> Strengths:
        """The largest number in each column, that of one row left out."""
        return self._first if row is None else np.asarray(np.where(self._at == row, self._second, self._first))


_PLACES = ("beside", "above", "wrapped")
_BESIDE, _GAP = LABEL_FEATURES.index("beside"), LABEL_FEATURES.index("gap")


def _adjoins(relation: Relation, candidate: Candidate) -> bool:
    label = relation.label
    if label.run is not candidate.run:
        return False
    return all(is_neutral(word) for word in label.run.text[label.end : candidate.start].split())


def _gap(label: tuple[float, ...], value: tuple[float, ...], width: float) -> float:
    """Distance between two boxes, as a share of the page's width, 1 at most."""
    across = max(0.0, value[0] - label[2], label[0] - value[2])
    down = max(0.0, value[1] - label[3], label[1] - value[3])
    return min(1.0, (across + 2 * down) / max(1.0, width))


def _likeness(
    texts: NearbyTexts, candidates: Sequence[Candidate], keys: Mapping[str, Sequence[str]]
) -> tuple[Strengths, Strengths]:
    """How much the words left of each candidate (a column), and those above it, are like the labels of each field (a row), 0 to 1."""
    left, above = [texts.left(candidate) for candidate in candidates], [texts.above(candidate) for candidate in candidates]
    unique = sorted({text for text in [*left, *above] if 3 <= len(text) <= MAX_LETTERS})
    place = {text: at for at, text in enumerate(unique)}
    at_left, at_above = ([place.get(text, len(unique)) for text in side] for side in (left, above))
    best = np.zeros((len(keys), len(unique) + 1))  # the last one is that of texts that are too short or too long
    labels = [label for own in keys.values() for label in own]
    if unique and labels:
        matrix = process.cdist(unique, labels, scorer=fuzz.ratio, score_cutoff=_LEAST_LIKE, dtype=np.uint8)
        labelled = [at for at, own in enumerate(keys.values()) if own]
        begins = np.cumsum([0, *(len(own) for own in keys.values() if own)])[:-1]
        best[labelled, :-1] = np.maximum.reduceat(matrix, begins, axis=1).T / 100
    return best[:, at_left], best[:, at_above]
