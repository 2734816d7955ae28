"""Logistic regression of whether an answer is right, with a ridge and with weights that may not become positive."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.checks.confidence_features import Features

RIDGE = 0.3
_STEPS = 50
_SMALL = 1e-8
Numbers = NDArray[np.float64]


def fit(
    features: Sequence[Features],
    right: Sequence[bool],
    importance: Sequence[float],
    against: Collection[str],
    before: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """The weight of each feature, by name.

    ``importance`` is the weight of each answer. What speaks ``against`` an answer never gets to speak for it: where it does so by chance,
    its weight is zero. ``before`` holds the weights from which few answers move them little, 0 by default.
    """
    start = before or {}
    names = sorted({name for each in features for name in each} | start.keys())
    kept, truth, mass = names, np.array(right, float), np.array(importance, float)
    while True:
        centre = np.array([start.get(name, 0.0) for name in kept])
        weights = dict(zip(kept, _likeliest(_matrix(features, kept), truth, mass, centre), strict=True))
        wrong = {name for name in kept if name in against and weights[name] > 0}
        if not wrong:
            return {name: round(float(weights.get(name, 0.0)), 4) for name in names}
        kept = [name for name in kept if name not in wrong]


def _likeliest(matrix: Numbers, truth: Numbers, mass: Numbers, centre: Numbers) -> Numbers:
    """The most likely weights under a ridge around ``centre``, by Newton's method."""
    weights: Numbers = centre.copy()
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-matrix @ weights))
        slope = matrix.T @ (mass * (truth - chance)) - RIDGE * (weights - centre)
        bend = (matrix * (mass * chance * (1 - chance))[:, None]).T @ matrix + RIDGE * np.eye(matrix.shape[1])
        move = np.linalg.solve(bend, slope)
        weights = weights + move
        if np.abs(move).max() < _SMALL:
            break
    return weights


def chances(features: Sequence[Features], weights: dict[str, float], most: float = 1.0) -> Numbers:
    """The probability of each answer, ``most`` at most."""
    names = list(weights)
    chance: Numbers = 1 / (1 + np.exp(-_matrix(features, names) @ np.array([weights[name] for name in names])))
    return np.minimum(most, chance)


def _matrix(features: Sequence[Features], names: Sequence[str]) -> Numbers:
    return np.array([[each.get(name, 0.0) for name in names] for each in features]).reshape(len(features), len(names))
