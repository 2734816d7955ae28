"""How likely a document begins at a page: a logistic regression, fitted by ``python -m training.stacks`` to stacks with known cuts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pipeline.checks.split.boundary_features import Features

FILE = "boundaries.json"
CONTRADICTIONS = (("number same", "date other"), ("number same", "seller id other"), ("number same", "total other"))
"""What is rare among drawn stacks: a number belongs to one document, with one date, sender and total."""
CLEAR = 0.7
"""Score from which both of them are clear."""


@dataclass(frozen=True, slots=True)
class BoundaryModel:
    """Weights by feature, and from which probability on a decision needs no review."""

    weights: dict[str, float]
    sure: float

    def probability(self, features: Features) -> float:
        """The probability of a cut."""
        value = sum(self.weights.get(name, 0.0) * amount for name, amount in features.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))

    def is_doubtful(self, features: Features, probability: float) -> bool:
        """Whether a person should look at a decision: it is not sure, or its best reasons contradict each other."""
        if any(min(features.get(name, 0.0) for name in pair) >= CLEAR for pair in CONTRADICTIONS):
            return True
        return max(probability, 1 - probability) < self.sure


@cache
def boundary_model() -> BoundaryModel:
    """The model that is shipped."""
    stored = json.loads((files("pipeline.checks.split") / FILE).read_text(encoding="utf-8"))
    return BoundaryModel(stored["weights"], stored["sure"])
