"""How exactly the OCR's networks reckon: in bfloat16 where the processor multiplies it and OpenVINO is installed, else in float32."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import EngineUnavailableError
from pipeline.install_hint import install_hint
from pipeline.runtime.processor import cpu_flags
from pipeline.settings import Settings

Precision = Literal["float32", "bfloat16"]
BFLOAT16_VERSION = 1
"""Part of the recipe where lines are read in bfloat16 (``glance``): raise it when they are read differently."""
UNITS = frozenset({"amx_bf16", "avx512_bf16"})
"""Units for which OpenVINO has routines in bfloat16; without them it reckons in float32, whatever it is told."""
LEAST_MB = 5_000
"""Address space of a reader below which its plans for lines of many lengths may not find room beside a large page: 4.1 GB were seen."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way of bfloat16; ``cure`` is empty where only another machine would help."""

    reason: str
    cure: str = ""


def bfloat16_obstacle(memory_mb: int) -> Obstacle | None:
    """Why OCR cannot reckon in bfloat16 here, in readers of so much address space; None where it can."""
    if not UNITS & cpu_flags():
        return Obstacle("this processor has no unit for bfloat16 that OpenVINO uses")
    if importlib.util.find_spec("openvino") is None:
        return Obstacle("OpenVINO is not installed", install_hint("fast-ocr"))
    if memory_mb < LEAST_MB:
        return Obstacle(
            f"OpenVINO may take more address space than limits.memory_mb ({memory_mb:,})", f"set it to {LEAST_MB} or more"
        )
    return None


def choose_precision(settings: Settings) -> Precision:
    """The precision that is used here. Raises EngineUnavailableError where bfloat16 is asked for by name and cannot be had."""
    wanted = settings.ocr.precision
    if wanted == "float32":
        return "float32"
    if not (obstacle := bfloat16_obstacle(settings.limits.memory_mb)):
        return "bfloat16"
    if wanted == "bfloat16":
        raise EngineUnavailableError(f"no OCR in bfloat16: {obstacle.reason}", obstacle.cure or "set `ocr: {precision: auto}`")
    return "float32"
