"""How exactly the OCR's networks reckon: in bfloat16 where the processor multiplies it and OpenVINO is installed, else in float32."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pipeline.errors import EngineUnavailableError
from pipeline.processor import cpu_flags

Precision = Literal["float32", "bfloat16"]
UNITS = frozenset({"amx_bf16", "avx512_bf16"})
"""Units for which OpenVINO has routines in bfloat16; without them it reckons in float32, whatever it is told."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stands in the way of bfloat16; ``cure`` is empty where only another machine would help."""

    told: str
    cure: str = ""


@cache
def hindrance() -> Hindrance | None:
    """Why OCR cannot reckon in bfloat16 here; None where it can."""
    if not UNITS & cpu_flags():
        return Hindrance("this processor has no unit for bfloat16 that OpenVINO uses")
    if importlib.util.find_spec("openvino") is None:
        return Hindrance("OpenVINO is not installed", f"{Path(sys.executable).name} -m pip install 'pipeline[fast-ocr]'")
    return None


def choose(wanted: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """The precision that is used here. Raises EngineUnavailableError where bfloat16 is asked for by name and cannot be had."""
    if wanted == "float32":
        return "float32"
    if not (reason := hindrance()):
        return "bfloat16"
    if wanted == "bfloat16":
        raise EngineUnavailableError(f"no OCR in bfloat16: {reason.told}", reason.cure or "set `ocr: {precision: auto}`")
    return "float32"
