"""What the drawing programs have in common: how one is described, how it is run, and how it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random

from training.charts.programs.drawn_subject import Truth
from training.charts.subjects import Subject

SECONDS = 120
"""The longest that one chart may take."""

Draw = Callable[[Subject, str, Random, Path], Truth | None]
"""Draws data in a form into a PNG file, and returns its truth; None where the program has no such form. Raises DrawingFailedError."""


@dataclass(frozen=True)
class OtherProgram:
    """A program that draws: how many charts it draws of a seed, what it needs and lacks (None: nothing), and how it draws one."""

    name: str
    count: int
    lacks: Callable[[], str | None]
    draw: Draw


class DrawingFailedError(RuntimeError):
    """A program did not draw a chart; the text is the end of what it said."""


def run_program(command: Sequence[str], *, folder: Path, text: str | None = None) -> None:
    """Runs a program in a folder, with ``text`` as its input. Raises DrawingFailedError where it fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=folder,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DrawingFailedError(str(error)[-300:]) from error
    if done.returncode:
        raise DrawingFailedError(f"{command[0]} ended with {done.returncode}: {' '.join(done.stderr.split())[-300:]}")


def lacks_module(module: str, package: str) -> str | None:
    """What to install where a Python module is missing."""
    return None if find_spec(module) else f"the Python package {package}"
