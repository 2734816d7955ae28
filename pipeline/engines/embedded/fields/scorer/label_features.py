"""How labels and other words near a value speak for a field, as numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.label_relations import LabelScores, Relation, strengths
from pipeline.engines.embedded.fields.labels import OTHER
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.fields.scalar_fields import strength
from pipeline.engines.embedded.fields.vocabulary import is_neutral

Numbers = NDArray[np.float32]
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
_MAX_WORDS = 40


class LabelContext:
    """The labels of one page for candidates of one type, for every field of that type."""

    def __init__(
        self,
        layout: Layout,
        labels: LabelScores,
        candidates: Sequence[Candidate],
        spread: bool,
        keys: Mapping[str, Sequence[str]],
    ) -> None:
        """``keys`` are the folded labels of each field and of each kind of other value (``?money``)."""
        self._layout = layout
        self._candidates = list(candidates)
        self._relations = labels.relations(self._candidates, spread)
        self.scores = {place: strengths(found) for place, found in self._relations.items()}
        """The strength of each field's best label, by the candidate's place."""
        self._owners: dict[tuple[int, int], set[str]] = {}
        self._labels = labels.labels
        for label in labels.labels:
            self._owners.setdefault((label.run.number, label.start), set()).add(label.field)
        self._likeness = _likeness(layout, self._candidates, keys)

    def features(self, field: str, fields: Sequence[str]) -> Numbers:
        """One row for each candidate, in the order of LABEL_FEATURES."""
        own = [self.scores[c.place].get(field, 0.0) for c in self._candidates]
        most, ordered = max(own, default=0.0), sorted(own)
        stronger = [(len(own) - bisect_right(ordered, each)) / len(own) for each in own]
        count = sum(label.field == field for label in self._labels)
        rows = [self._row(at, c, field, fields, own, stronger, most, count) for at, c in enumerate(self._candidates)]
        return np.array(rows, np.float32).reshape(len(rows), len(LABEL_FEATURES))

    def _row(
        self,
        at: int,
        candidate: Candidate,
        field: str,
        fields: Sequence[str],
        own: Sequence[float],
        stronger: Sequence[float],
        most: float,
        count: int,
    ) -> tuple[float, ...]:
        scores = self.scores[candidate.place]
        relations = [r for r in self._relations[candidate.place] if r.label.field == field]
        best = max(relations, key=lambda r: r.strength, default=None)
        by_place = {place: max((r.strength for r in relations if r.place == place), default=0.0) for place in _PLACES}
        label = best.label if best else None
        paid = max(scores.get(OTHER + "paid", 0.0), scores.get(OTHER + "change", 0.0))
        like = self._likeness.get(field, _NOTHING)
        rivals = [self._likeness[name] for name in self._likeness if name != field]
        return (
            own[at],
            max((scores.get(name, 0.0) for name in fields if name != field), default=0.0),
            max((score for name, score in scores.items() if name.startswith(OTHER)), default=0.0),
            strength(scores, field),
            by_place["beside"],
            by_place["above"],
            by_place["wrapped"],
            float(best is not None and _adjoins(best, candidate)),
            label.cover if label else 0.0,
            min(20, label.length) / 20 if label else 0.0,
            float(label.vague) if label else 0.0,
            float(label.title) if label else 0.0,
            min(3, len(self._owners[label.run.number, label.start]) - 1) / 3 if label else 0.0,
            _gap(label.box, candidate.box, self._layout.page.width) if label else 1.0,
            own[at] / most if most else 0.0,
            stronger[at],
            min(4, count) / 4,
            paid,
            like[0][at] if like[0] else 0.0,
            max((each[0][at] for each in rivals), default=0.0),
            like[1][at] if like[1] else 0.0,
            max((each[1][at] for each in rivals), default=0.0),
        )


_PLACES = ("beside", "above", "wrapped")
_NOTHING: tuple[list[float], list[float]] = ([], [])


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
    layout: Layout, candidates: Sequence[Candidate], keys: Mapping[str, Sequence[str]]
) -> dict[str, tuple[list[float], list[float]]]:
    """How much the words left of and above each candidate are like the labels of each field, 0 to 1."""
    left = [text_left(layout, candidate) for candidate in candidates]
    above = [text_above(layout, candidate) for candidate in candidates]
    unique = sorted({text for text in [*left, *above] if 3 <= len(text) <= _MAX_WORDS})
    found: dict[str, tuple[list[float], list[float]]] = {}
    for field, own in keys.items():
        best: dict[str, float] = {}
        if unique and own:
            matrix = process.cdist(unique, own, scorer=fuzz.ratio, score_cutoff=_LEAST_LIKE, dtype=np.uint8)
            best = {text: float(row.max()) / 100 for text, row in zip(unique, matrix, strict=True)}
        found[field] = [best.get(text, 0.0) for text in left], [best.get(text, 0.0) for text in above]
    return found


def text_left(layout: Layout, candidate: Candidate) -> str:
    """Folded letters before the value in its run, back to the last digit; where there are none, those of the run left of it."""
    text = _last_words(candidate.run.text[: candidate.start])
    if text:
        return text
    before = [run for run in layout.rows[candidate.run.row] if run.box[2] <= candidate.run.box[0] + 1]
    return _last_words(before[-1].text) if before else ""


def text_above(layout: Layout, candidate: Candidate) -> str:
    """Folded letters of the nearest run with letters above the value, in its column."""
    run = _run_above(layout, candidate)
    return label_key("".join(c for c in run.text if not c.isdigit())) if run else ""


def _run_above(layout: Layout, candidate: Candidate) -> Run | None:
    x0, _, x1, _ = candidate.box
    for row in range(candidate.run.row - 1, max(-1, candidate.run.row - 12), -1):
        for run in layout.rows[row]:
            if run.box[0] < x1 and run.box[2] > x0 and run.letters >= 3:
                return run
    return None


def _last_words(text: str) -> str:
    """The folded letters behind the last digit; a digit directly before the value does not count."""
    kept: list[str] = []
    for word in reversed(text.split()):
        if any(c.isdigit() for c in word) and kept:
            break
        kept.append("".join(c for c in word if not c.isdigit()))
    return label_key(" ".join(reversed(kept)))[-_MAX_WORDS:]
