"""Chooses the precision of the OCR networks: bfloat16 where the processor multiplies it and OpenVINO is installed, else float32."""

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
"""Part of the recipe where lines are read in bfloat16. Increase it when ``fast_recogniser`` reads them differently."""
OPENVINO_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})
"""Processor units for which OpenVINO has bfloat16 routines. Without one it computes in float32 although bfloat16 is set."""
MIN_MEMORY_MB = 5_000
"""Smallest address space of a reader in MB. The compiled networks for many line lengths and a large page took 4.1 GB in measurements."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why bfloat16 is not available. ``cure`` says how to get it; it is empty where only another machine would help."""

    reason: str
    cure: str = ""


def bfloat16_obstacle(memory_mb: int) -> Obstacle | None:
    """Why OCR cannot run in bfloat16 on this machine, in readers with ``memory_mb`` of address space; None where it can."""
    if not OPENVINO_FLAGS & cpu_flags():
        return Obstacle("this processor has no unit for bfloat16 that OpenVINO uses")
    if importlib.util.find_spec("openvino") is None:
        return Obstacle("OpenVINO is not installed", install_hint("fast-ocr"))
    if memory_mb < MIN_MEMORY_MB:
        return Obstacle(
            f"OpenVINO may take more address space than limits.memory_mb ({memory_mb:,})", f"set it to {MIN_MEMORY_MB} or more"
        )
    return None


def choose_precision(settings: Settings) -> Precision:
    """The precision that this machine uses. Raises EngineUnavailableError where the settings require bfloat16 and it is not available."""
    requested = settings.ocr.precision
    if requested == "float32":
        return "float32"
    if not (obstacle := bfloat16_obstacle(settings.limits.memory_mb)):
        return "bfloat16"
    if requested == "bfloat16":
        raise EngineUnavailableError(f"no OCR in bfloat16: {obstacle.reason}", obstacle.cure or "set `ocr: {precision: auto}`")
    return "float32"
