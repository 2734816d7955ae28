"""Folders deeper than a path can name, made and removed step by step."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OLD = 1_000_000_000


@contextmanager
def deep_folder(top: Path, levels: int, files: dict[int, bytes], name: str = "d") -> Iterator[None]:
    """A chain of ``levels`` folders below ``top``, with a file ``deep.pdf`` in the levels that ``files`` names.

    Everything in the folder above ``top`` is removed at the end: the chain, and copies of it that a run has made.
    """
    descriptor = os.open(top, os.O_RDONLY)
    for level in range(1, levels + 1):
        os.mkdir(name, dir_fd=descriptor)
        above, descriptor = descriptor, os.open(name, os.O_RDONLY, dir_fd=descriptor)
        os.close(above)
        if level in files:
            with os.fdopen(os.open("deep.pdf", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=descriptor), "wb") as file:
                file.write(files[level])
            os.utime("deep.pdf", (OLD, OLD), dir_fd=descriptor)
    os.close(descriptor)
    try:
        yield
    finally:
        subprocess.run(
            ["rm", "-rf", *(path for path in top.parent.iterdir() if path.name != "outbox")], check=True
        )  # Python's own rmtree has no depth that it is sure of
