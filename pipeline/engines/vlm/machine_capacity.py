"""Cores and memory that this machine has for a model. Imports no torch, so that ``pipeline doctor`` is fast."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import psutil

PAGESIZE = os.sysconf("SC_PAGESIZE")
_DONTNEED = 4
"""Linux's MADV_DONTNEED: pages of a mapped file leave memory, and are read from the file when they are used again."""
_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_CGROUP_USED = (Path("/sys/fs/cgroup/memory.current"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"))


def usable_cores() -> int:
    """Physical cores that this process may use, because two hardware threads share one multiplier."""
    threads = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    physical = psutil.cpu_count(logical=False) or threads
    return max(1, min(physical, usable, round(usable * physical / threads) or 1))


def free_memory() -> int:
    """Bytes of memory that are free in this system, or in its container."""
    free = psutil.virtual_memory().available
    for limit, used in _container():
        free = min(free, max(0, limit - used))
    return int(free)


def total_memory() -> int:
    """Bytes of memory in this machine, or in its container."""
    return int(min([psutil.virtual_memory().total, *(limit for limit, _ in _container())]))


def release_freed_memory() -> None:
    """Return freed memory to the system.

    The C library keeps the memory of a page's activations, which a small machine then lacks beside weights and answers. Takes 20 ms for
    half a gigabyte.
    """
    trim = _c_function("malloc_trim")
    if trim:
        trim(0)


def drop_mapped_pages(address: int, size: int) -> None:
    """Free the memory that holds this part of a mapped file; it is read again when it is used. Other memory stays unchanged."""
    advise = _c_function("madvise")
    if not advise:
        return
    for start, end in _mapped_files():
        first = -(-max(start, address) // PAGESIZE) * PAGESIZE
        last = min(end, address + size) // PAGESIZE * PAGESIZE
        if first < last:
            advise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), _DONTNEED)


def _mapped_files() -> list[tuple[int, int]]:
    """Start and end addresses of mapped files (proc(5): address, permissions, offset, device, inode)."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    spans = (line.split()[0].split("-") for line in lines if line.split()[4] != "0")
    return [(int(start, 16), int(end, 16)) for start, end in spans]


@lru_cache(maxsize=2)
def _c_function(name: str) -> Callable[..., int] | None:
    """A function of this process's C library; None where it is absent. Only the GNU library has ``malloc_trim``."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
    return function


def _container() -> list[tuple[int, int]]:
    """Limit and use of the control group in bytes, as a list of one pair; empty without a limit."""
    for limit, used in zip(_CGROUP_LIMITS, _CGROUP_USED, strict=True):
        try:
            maximum, current = limit.read_text().strip(), int(used.read_text())
        except (OSError, ValueError):
            continue
        if maximum.isdigit() and int(maximum) < psutil.virtual_memory().total:
            return [(int(maximum), current)]
    return []
