"""The course of the printed lines on a photographed page: where a line that begins at one height ends on the other side.

A scan is skewed: all lines have one slope. On a photograph the slope changes from top to bottom (perspective) and from left to right (paper
that is curled). It is estimated from the slopes of the long pieces of text; each piece keeps its place on the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MIN_PIECES = 12
"""Fewest long pieces from which a changing slope is estimated."""
LONG = 4.0
"""Length over height from which the slope of a piece is trusted."""
RIDGE = (0.0, 0.001, 0.001, 0.005, 0.005, 0.005)
"""Weight of the rule that each coefficient is small, relative to the pieces: it decides where a part of the page has no text."""
ROUNDS = 4
"""Rounds of the estimate; each gives less weight to the pieces that the last one does not explain (Huber's weights)."""
MIN_GAIN = 0.7
"""A changing slope is used where the pieces' deviation from it is at most this share of their deviation from one common slope."""
MIN_BEND = 0.25
"""A changing slope is used where it moves some piece by this share of the letters' height at least: else the page is as good as level."""
STEPS = 8
"""Steps in which a line is followed to the middle of the page."""


@dataclass(frozen=True, slots=True)
class Course:
    """The slope at each place as a polynomial of the place, ``coefficients``; x and y are counted from ``middle`` in units of ``reach``."""

    middle: tuple[float, float]
    reach: float
    coefficients: Floats

    def level(self, x: Floats, y: Floats) -> Floats:
        """The height at which the lines through these points cross the middle of the page."""
        at, height = (x - self.middle[0]) / self.reach, (y - self.middle[1]) / self.reach
        step = -at / STEPS
        for _ in range(STEPS):
            halfway = height + step / 2 * (_terms(at, height) @ self.coefficients)
            height = height + step * (_terms(at + step / 2, halfway) @ self.coefficients)
            at = at + step
        levelled: Floats = height * self.reach + self.middle[1]
        return levelled


def find_course(
    places: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], slopes: Sequence[float]
) -> Course | None:
    """The course of the lines through pieces of text, by their middles, sizes (length, height) and slopes, in any unit of length.

    None where one slope explains the pieces.
    """
    long = [n for n, (length, height) in enumerate(sizes) if length > LONG * max(height, 1e-6)]
    if len(long) < MIN_PIECES:
        return None
    xy, size, slope = (np.array([values[n] for n in long], np.float64) for values in (places, sizes, slopes))
    low, high = xy.min(axis=0) - size.max(axis=0) / 2, xy.max(axis=0) + size.max(axis=0) / 2
    middle, reach = (low + high) / 2, float(max(high - low) / 2)
    terms = _terms((xy[:, 0] - middle[0]) / reach, (xy[:, 1] - middle[1]) / reach)
    weights, common = size[:, 0] / size[:, 0].mean(), _median(slope, size[:, 0])
    coefficients = _fit(terms, slope, weights)
    course = Course((float(middle[0]), float(middle[1])), reach, coefficients)
    deviations = [float(weights @ np.abs(slope - estimate)) for estimate in (terms @ coefficients, common)]
    bend = np.abs(course.level(*xy.T) - (xy[:, 1] - common * (xy[:, 0] - middle[0]))).max()
    return course if deviations[0] <= MIN_GAIN * deviations[1] and bend >= MIN_BEND * np.median(size[:, 1]) else None


def _terms(x: Floats, y: Floats) -> Floats:
    """What the slope may depend on: its height (perspective), its column (curl), and both."""
    return np.stack([np.ones_like(x), x, y, x * y, x * x, x * x * y], axis=-1)


def _fit(terms: Floats, slopes: Floats, weights: Floats) -> Floats:
    robust = np.ones_like(slopes)
    coefficients = np.zeros(terms.shape[1])
    penalty = np.diag(RIDGE) * weights.sum()
    for _ in range(ROUNDS):
        weighted = terms * (weights * robust)[:, None]
        coefficients = np.linalg.solve(weighted.T @ terms + penalty + 1e-9 * np.eye(len(penalty)), weighted.T @ slopes)
        errors = np.abs(slopes - terms @ coefficients)
        robust = np.minimum(1.0, max(float(np.median(errors)), 1e-4) * 1.5 / np.maximum(errors, 1e-9))
    return coefficients


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(weights[order].cumsum(), weights.sum() / 2)])
