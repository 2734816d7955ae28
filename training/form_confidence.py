"""Fits the confidence of the reader of forms, and writes pipeline/checks/form_calibration.json.

    python -m training.form_confidence OBSERVATIONS.jsonl [--write]

``OBSERVATIONS.jsonl`` has a line for every value that was read of documents whose values are known: ``{"kind": "value", "score": 0.71,
"right": true, "document": "a"}``. The kinds are ``value``, ``cell`` (with the score of its table) and ``absent``. Prints the weights, and
the expected calibration error of weights that were fitted without the document they are tested on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).parents[1] / "pipeline" / "checks" / "form_calibration.json"
RULE_OF_THREE = 3.0
Line = dict[str, Any]


def main() -> None:
    """Fit, test, and write where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("observations", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    lines = [json.loads(line) for line in given.observations.read_text(encoding="utf-8").splitlines()]
    of_kind = {kind: [line for line in lines if line["kind"] == kind] for kind in ("value", "cell", "absent")}
    for kind in ("value", "cell"):
        print(f"{kind}: {len(of_kind[kind])} observations, ECE on documents left out {left_out_error(of_kind[kind]):.3f}")
    absent = of_kind["absent"]
    documents = len({line["document"] for line in lines})
    fitted = {
        "values": [round(weight, 3) for weight in fit(of_kind["value"])],
        "cells": [round(weight, 3) for weight in fit(of_kind["cell"])],
        "absent": round((sum(line["right"] for line in absent) + 1) / (len(absent) + 2), 3),
        "most": round(1 - RULE_OF_THREE / documents, 3),
    }
    print(json.dumps(fitted))
    if given.write:
        TARGET.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


def fit(lines: list[Line], ridge: float = 1.0, steps: int = 50) -> tuple[float, float]:
    """Constant and slope of a logistic regression on the score, every document with the same weight (Newton's method)."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line["document"]] = counts.get(line["document"], 0) + 1
    features = np.array([[1.0, line["score"]] for line in lines])
    right = np.array([float(line["right"]) for line in lines])
    shares = np.array([1 / counts[line["document"]] for line in lines])
    shares *= len(lines) / shares.sum()
    weights = np.zeros(2)
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (shares * (right - chance)) - ridge * weights
        curve = (features * (shares * chance * (1 - chance))[:, None]).T @ features + ridge * np.eye(2)
        weights += np.linalg.solve(curve, slope)
    return float(weights[0]), float(weights[1])


def left_out_error(lines: list[Line], bins: int = 10) -> float:
    """Expected calibration error in bins of equally many observations, each document's by weights fitted without it."""
    pairs = []
    for document in sorted({line["document"] for line in lines}):
        constant, slope = fit([line for line in lines if line["document"] != document])
        pairs += [
            (1 / (1 + np.exp(-(constant + slope * line["score"]))), float(line["right"]))
            for line in lines
            if line["document"] == document
        ]
    parts = np.array_split(np.array(sorted(pairs)), bins)
    return float(sum(len(part) * abs(part[:, 0].mean() - part[:, 1].mean()) for part in parts) / len(pairs))


if __name__ == "__main__":
    main()
