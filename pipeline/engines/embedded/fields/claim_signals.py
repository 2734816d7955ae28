"""What the scorer knows of a field beside the probability of its value: how sure absence is, the next likely value, labels, the page.

``checks.confidence`` weighs these signals. All are numbers from 0 to 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import log

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.scorer import Group, Scores
from pipeline.languages.evidence import UNSEEN, weight
from pipeline.records import Claim
from pipeline.templates.template import Template
from pipeline.values.currencies import currency_codes
from pipeline.values.dates import Order, parse_date

UNSCORED = 0.5
"""Probability that a field is absent, where no scorer gives one."""
UNREADABLE = Claim(None, score=UNSCORED, signals={"page doubt": 1.0})
"""The claim of a page that is not blank, and of which no word was read."""
_LEAST = 1e-3
_MOST_CANDIDATES = 40
_LABEL_LETTERS = 3
_MONTH_FIRST = ("en",)
"""Languages in which some countries print the month before the day."""


_TRACES = {
    "currency": re.compile(rf"[^\W\d_]?[$\u00a2-\u00a5\u20a0-\u20cf]|\b(?:{'|'.join(sorted(currency_codes()))})\b"),
    "time": re.compile(r"(?<![\d.,:])(?:[01]?\d|2[0-3])\s?[:h.]\s?[0-5]\d(?![\d%.,])"),
}


class ClaimSignals:
    """The signals of all fields of one page."""

    def __init__(
        self,
        layout: Layout,
        template: Template,
        labels: Sequence[Label],
        groups: Sequence[Group],
        scores: Mapping[str, Scores],
        order: Order | None,
        proven: bool,
    ) -> None:
        """``order``: of day and month, as other dates prove it (``proven``) or the country has it; None where nothing says."""
        self._groups = {group.field: group for group in groups}
        self._scores = scores
        self._kinds = {name: spec.type for name, spec in template.fields.items()}
        self._texts = [run.text for run in layout.runs]
        self._labels: dict[str, float] = defaultdict(float)
        for label in labels:
            if not label.vague:
                self._labels[label.field] = max(self._labels[label.field], label.cover)
        self._label_words = {word for label in labels if not label.vague for word in label.words}
        self._order_doubt = 0.0 if proven else (1.0 if order is None else 0.5) * weight(_MONTH_FIRST, layout.languages)
        self._page = {
            "page doubt": _mean(_entropy(scores[group.field]) for group in groups if len(group.candidates)),
            "unknown labels": _unknown_labels(layout, labels),
            "unknown language": layout.languages.get(UNSEEN, 0.0),
        }

    def _trace(self, field: str) -> float:
        """Whether something on the page looks like a currency or a time, where the field is one."""
        return self._traces.get(self._kinds[field], 0.0)

    @cached_property
    def _traces(self) -> dict[str, float]:
        """Whether the page has a trace of each type that leaves one."""
        kinds = _TRACES.keys() & set(self._kinds.values())
        return {kind: float(any(map(_TRACES[kind].search, self._texts))) for kind in kinds}

    def absence(self, field: str) -> Claim:
        """The claim that the page does not have the field; its score is the probability of that."""
        scores = self._scores.get(field)
        absent = UNSCORED if scores is None else scores.absent
        return Claim(None, score=round(min(1.0, max(_LEAST, absent)), 3), signals=self.of(field, Claim(None)))

    def of(self, field: str, claim: Claim) -> dict[str, float]:
        """The signals of a field with this claim."""
        value = claim.value
        signals = {
            "label": self._labels[field],
            "trace": self._trace(field),
            "made of labels": len(self._label_words.intersection(claim.words)) / max(1, len(claim.words)),
            "ambiguous day": self._order_doubt if _is_ambiguous(claim.printed or "") else 0.0,
            **self._page,
        }
        if (group := self._groups.get(field)) is not None:
            scores = self._scores[field]
            own = str(value[0] if isinstance(value, list) and value else value)
            signals |= {
                "absent": scores.absent,
                "rival": max((p for other, p in _by_value(group, scores).items() if other != own), default=0.0),
                "candidates": min(1.0, log(1 + len(group.candidates)) / log(1 + _MOST_CANDIDATES)),
            }
        return {name: round(float(signal), 3) for name, signal in signals.items()}


def _is_ambiguous(printed: str) -> bool:
    """Whether day and month of a date can be exchanged. With dots the day is first everywhere."""
    return "." not in printed and parse_date(printed, "DMY") != parse_date(printed, "MDY")


def _by_value(group: Group, scores: Scores) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    texts = [each.text if isinstance(each, NameCandidate) else each.value for each in group.candidates]
    for text, probability in zip(texts, scores.candidates.tolist(), strict=True):
        total[text] += probability
    return total


def _entropy(scores: Scores) -> float:
    """The entropy of a field's probabilities as a share of the most that is possible."""
    parts: list[float] = [p for p in (*scores.candidates.tolist(), scores.absent) if p > 0]
    return -sum(p * log(p) for p in parts) / log(max(2, len(scores.candidates) + 1))


def _unknown_labels(layout: Layout, labels: Sequence[Label]) -> float:
    """The share of texts that end in a colon, and of which no known label is a part."""
    known = {label.run.number for label in labels}
    marked = [run for run in layout.runs if _is_marked(run)]
    return sum(run.number not in known for run in marked) / max(4, len(marked))


def _is_marked(run: Run) -> bool:
    head, colon, _ = run.text.partition(":")
    return bool(colon) and sum(letter.isalpha() for letter in head) >= _LABEL_LETTERS


def _mean(parts: Iterable[float]) -> float:
    values = list(parts)
    return sum(values) / len(values) if values else 0.0
