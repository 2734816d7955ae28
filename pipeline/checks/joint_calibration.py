"""The fitted weights of the choice between two readings of a field, and of the confidences of what was chosen (``training.joint``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FILE = "joint_calibration.json"


@dataclass(frozen=True, slots=True)
class JointCalibration:
    """Weights of features, by name."""

    choice: Mapping[str, float]
    """Of the model's value being right rather than the embedded engine's, where they differ."""
    values: Mapping[str, float]
    """Of a value that was chosen being right."""
    absences: Mapping[str, float]
    """Of there being none, where that was chosen."""


@cache
def joint_calibration() -> JointCalibration:
    """The weights that are shipped."""
    stored = json.loads((files("pipeline.checks") / FILE).read_text(encoding="utf-8"))
    return JointCalibration(stored["choice"], stored["values"], stored["absences"])
