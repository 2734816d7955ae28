"""What this machine can do for a model: cores, vector units, memory. Imports no torch, so that ``doctor`` answers at once."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import psutil

BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""x86 and Arm names of units that multiply bfloat16; without one of them, float32 is several times as fast."""
BYTE_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
"""x86 names of units that multiply bytes and add the products up without overflow."""
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_CGROUP_USED = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))


@lru_cache(maxsize=1)
def cpu_flags() -> frozenset[str]:
    """The processor's feature flags as Linux names them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    found = (line.split(":", 1)[1].split() for line in lines if line.lower().startswith(("flags", "features")))
    return frozenset(flag for flags in found for flag in flags)


def multiplies_bfloat16() -> bool:
    """Whether bfloat16 products are done by the processor itself."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return apple or bool(BFLOAT16_FLAGS & cpu_flags())


def multiplies_bytes() -> bool:
    """Whether products of bytes are done by the processor itself, several times as fast as float32."""
    return bool(BYTE_FLAGS & cpu_flags())


def usable_cores() -> int:
    """Physical cores that this process may use: two hardware threads share one multiplier."""
    threads = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    physical = psutil.cpu_count(logical=False) or threads
    return max(1, min(physical, usable, round(usable * physical / threads) or 1))


def free_memory() -> int:
    """Bytes that may still be taken: what the system has available, or what a container's limit leaves."""
    free = psutil.virtual_memory().available
    for limit, used in _container():
        free = min(free, max(0, limit - used))
    return int(free)


def total_memory() -> int:
    """Bytes of memory in this machine, or in its container."""
    return int(min([psutil.virtual_memory().total, *(limit for limit, _ in _container())]))


def give_back() -> None:
    """Return to the system what was freed.

    The C library keeps what a page's activations took; with weights and answers beside it that is what a small machine lacks. Takes
    20 ms for half a gigabyte.
    """
    trim = _c_function("malloc_trim")
    if trim:
        trim(0)


@lru_cache(maxsize=1)
def _c_function(name: str) -> Callable[[int], int] | None:
    """A function of the C library that the process runs with; only GNU's has this one."""
    try:
        found: Callable[[int], int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    return found


def _container() -> list[tuple[int, int]]:
    """Limit and use of the control group, if it has a limit."""
    for limit, used in zip(_CGROUP_LIMITS, _CGROUP_USED, strict=True):
        try:
            most, now = limit.read_text().strip(), int(used.read_text())
        except (OSError, ValueError):
            continue
        if most.isdigit() and int(most) < psutil.virtual_memory().total:
            return [(int(most), now)]
    return []
