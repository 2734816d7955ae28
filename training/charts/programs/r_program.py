"""Runs R: code that draws one picture, and data as R writes them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from training.charts.programs.other_program import DrawingFailedError, run_program


def quoted(text: str) -> str:
    """A text as R writes it."""
    return json.dumps(text, ensure_ascii=False)


def vector(values: Sequence[str | float]) -> str:
    """Texts or numbers as a vector of R."""
    return "c(" + ",".join(quoted(value) if isinstance(value, str) else repr(value) for value in values) + ")"


def run_r(code: str, out: Path) -> None:
    """Runs code that draws the picture ``out``. Raises DrawingFailedError."""
    run_program(["Rscript", "--vanilla", "-e", code], folder=out.parent)
    if not out.exists():
        raise DrawingFailedError("R wrote no picture")


def lacks_r() -> str | None:
    """What to install where R is missing."""
    return None if shutil.which("Rscript") else "Rscript (Debian package r-base-core)"


def lacks_ggplot() -> str | None:
    """What to install where R or its package ggplot2 is missing."""
    if missing := lacks_r():
        return f"{missing} and ggplot2 (Debian package r-cran-ggplot2)"
    asked = ["Rscript", "--vanilla", "-e", "quit(status = !requireNamespace('ggplot2', quietly = TRUE))"]
    done = subprocess.run(asked, capture_output=True, timeout=60, check=False)
    return "ggplot2 (Debian package r-cran-ggplot2)" if done.returncode else None
