"""Which data types the processor multiplies in hardware, read from Linux's /proc/cpuinfo. Imports nothing large."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path

BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""x86 and Arm names of units that multiply bfloat16; without one of these units, float32 is several times as fast."""
BYTE_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
"""x86 names of units that multiply bytes and add the products up without overflow."""


@lru_cache(maxsize=1)
def cpu_flags() -> frozenset[str]:
    """The processor's feature flags as Linux names them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags_by_line = (line.split(":", 1)[1].split() for line in lines if line.lower().startswith(("flags", "features")))
    return frozenset(flag for flags in flags_by_line for flag in flags)


def multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return apple or bool(BFLOAT16_FLAGS & cpu_flags())


def multiplies_bytes() -> bool:
    """Whether the processor multiplies bytes in hardware, several times as fast as float32."""
    return bool(BYTE_FLAGS & cpu_flags())
