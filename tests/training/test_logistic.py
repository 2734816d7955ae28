"""The fit finds the weights that the answers were drawn with, and bars those that may not speak for an answer."""

from __future__ import annotations

import math
import random

import pytest

from training.confidence import highest_confidence
from training.logistic import chances, fit


def test_the_weights_are_found_again() -> None:
    draw = random.Random(1)
    rows = [{"always": 1.0, "strength": draw.uniform(-1, 1), "noise": draw.uniform(-1, 1)} for _ in range(6000)]
    right = [draw.random() < 1 / (1 + math.exp(-(0.5 + 2 * row["strength"]))) for row in rows]
    weights = fit(rows, right, [1.0] * len(rows), ())
    assert weights["always"] == pytest.approx(0.5, abs=0.15)
    assert weights["strength"] == pytest.approx(2.0, abs=0.2)
    assert weights["noise"] == pytest.approx(0.0, abs=0.15)


def test_what_speaks_against_an_answer_never_speaks_for_it() -> None:
    rows = [{"always": 1.0, "a sum fails": float(at % 2)} for at in range(100)]
    right = [at % 2 == 1 or at % 4 == 0 for at in range(100)]
    free, barred = (fit(rows, right, [1.0] * 100, against) for against in ((), ("a sum fails",)))
    assert free["a sum fails"] > 0.5
    assert barred["a sum fails"] == 0
    assert chances(rows, barred, 0.7).tolist() == pytest.approx([0.7] * 100, abs=0.02)


def test_more_documents_support_a_higher_confidence() -> None:
    assert highest_confidence(226) == 0.987
    assert highest_confidence(50) < highest_confidence(500) < 1


def test_few_answers_move_the_weights_little_from_those_before() -> None:
    before = {"always": -0.5, "odds": 3.0}
    assert fit([], [], [], (), before) == before
    few, many = (fit([{"always": 1.0}] * count, [True] * count, [1.0] * count, (), before)["always"] for count in (1, 200))
    assert -0.5 < few < 1.5 < many
