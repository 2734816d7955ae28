"""The last layer of the scorer's networks, refitted for one field of one sender's documents.

The networks stay as they are shipped. A *shift* is added to the weights of the last layer: for each network one number for each of its
inputs, and last what is added to the logit of "the page does not print it". It is fitted to a few confirmed pages by the loss that the
networks were trained with, and drawn towards zero (ridge regression), so that few pages move it little.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.scorer.candidate_groups import Group
from pipeline.engines.embedded.fields.scorer.network import WEIGHTS, Scores, before_softmax, softmax, weights

Numbers = NDArray[np.float64]
Shift = Sequence[Sequence[float]]
Shifts = Mapping[str, Shift]
"""A shift by field."""
NO_SHIFTS: Shifts = MappingProxyType({})
RIDGE = 0.3
"""How strongly a shift is drawn towards zero: half of it times the sum of squares is added to the loss."""
_STEPS = 30
_ENOUGH = 1e-6


@cache
def scorer_digest() -> str:
    """Sixteen hexadecimal digits that change with the shipped weights."""
    content = (files("pipeline.engines.embedded.fields.scorer") / WEIGHTS).read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


def shifted(scores: Mapping[str, Scores], groups: Sequence[Group], shifts: Shifts) -> Mapping[str, Scores]:
    """The scores, those of the fields in ``shifts`` computed with them. A shift of another form is left out."""
    if not shifts:
        return scores
    changed = dict(scores)
    for group in groups:
        shift = shifts.get(group.field)
        if shift is not None and len(group.candidates) and len(shift) == len(weights()[group.family]):
            parts = [_probabilities(inputs, logits, each) for (inputs, logits), each in zip(_last(group), shift, strict=True)]
            if all(part is not None for part in parts):
                mean = np.mean([part for part in parts if part is not None], axis=0)
                changed[group.field] = Scores(mean[:-1].astype(np.float32), float(mean[-1]))
    return changed


def fit(examples: Sequence[tuple[Group, frozenset[int]]], ridge: float = RIDGE) -> tuple[tuple[float, ...], ...]:
    """The shift that fits pages best. Each is the group of a field with the places of the right candidates in it; none: absent.

    All groups are of one family and have candidates.
    """
    per_page = [_last(group) for group, _ in examples]
    rights = [np.array([*(at in right for at in range(len(group.candidates))), not right]) for group, right in examples]
    return tuple(
        _fit_one([_with_absence(page[at][0]) for page in per_page], [page[at][1] for page in per_page], rights, ridge)
        for at in range(len(per_page[0]))
    )


def _last(group: Group) -> list[tuple[Numbers, Numbers]]:
    """Inputs and logits of the last layer, for each network."""
    found = [before_softmax(network, [group.features])[0] for network in weights()[group.family]]
    return [(inputs.astype(np.float64), logits.astype(np.float64)) for inputs, logits in found]


def _with_absence(inputs: Numbers) -> Numbers:
    """A row for each candidate and one for its absence, whose only input is the last column."""
    rows = np.zeros((len(inputs) + 1, inputs.shape[1] + 1))
    rows[:-1, :-1] = inputs
    rows[-1, -1] = 1.0
    return rows


def _probabilities(inputs: Numbers, logits: Numbers, shift: Sequence[float]) -> Numbers | None:
    if len(shift) != inputs.shape[1] + 1:
        return None
    return np.asarray(softmax((logits + _with_absence(inputs) @ np.array(shift)).astype(np.float32)), np.float64)


def _fit_one(
    pages: Sequence[Numbers], logits: Sequence[Numbers], rights: Sequence[NDArray[np.bool_]], ridge: float
) -> tuple[float, ...]:
    """Newton's method with steps that are halved until the loss falls."""
    shift = np.zeros(pages[0].shape[1])

    def loss(at: Numbers) -> float:
        total = ridge / 2 * float(at @ at)
        for rows, base, right in zip(pages, logits, rights, strict=True):
            values = base + rows @ at
            total += float(np.logaddexp.reduce(values) - np.logaddexp.reduce(values[right]))
        return total

    now = loss(shift)
    for _ in range(_STEPS):
        gradient, curvature = ridge * shift, ridge * np.eye(len(shift))
        for rows, base, right in zip(pages, logits, rights, strict=True):
            values = base + rows @ shift
            all_likely = np.exp(values - np.logaddexp.reduce(values))
            right_likely = np.where(right, np.exp(values - np.logaddexp.reduce(values[right])), 0.0)
            gradient = gradient + rows.T @ (all_likely - right_likely)
            mean = rows.T @ all_likely
            curvature = curvature + (rows.T * all_likely) @ rows - np.outer(mean, mean)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-4 and loss(shift - size * step) > now:
            size /= 2
        shift = shift - size * step if size > 1e-4 else shift
        before, now = now, loss(shift)
        if before - now < _ENOUGH:
            break
    return tuple(round(float(number), 4) for number in shift)
