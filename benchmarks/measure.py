"""Timing whole commands, and showing figures as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PIPELINE = (sys.executable, "-m", "pipeline")
Row = dict[str, Any]


@dataclass
class Times:
    """Repeated measurements of one thing, in seconds."""

    seconds: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """One more."""
        self.seconds.append(seconds)

    @property
    def median(self) -> float:
        """What to quote."""
        return statistics.median(self.seconds)

    @property
    def low(self) -> float:
        """The quickest."""
        return min(self.seconds)

    @property
    def high(self) -> float:
        """The slowest."""
        return max(self.seconds)


def timed(
    command: Sequence[str | Path],
    log: Path | None = None,
    environment: dict[str, str] | None = None,
    fine: Sequence[int] = (0,),
) -> float:
    """Seconds of a whole command, start-up and all. Raises RuntimeError with what it said when its exit status is not ``fine``."""
    started = time.perf_counter()
    outcome = subprocess.run([str(part) for part in command], capture_output=True, env={**os.environ, **(environment or {})})
    seconds = time.perf_counter() - started
    if log:
        log.write_bytes(outcome.stdout + outcome.stderr)
    if outcome.returncode not in fine:
        output = (outcome.stdout + outcome.stderr).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {outcome.returncode}\n{output}")
    return seconds


def processor_seconds() -> float:
    """What all commands that ended so far took of the processors: other work on the machine hardly changes it, unlike the time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine() -> Row:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load before": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def report(title: str, rows: Sequence[Row], file: Path | None = None, notes: Sequence[str] = ()) -> None:
    """Print rows as a table; with ``file`` also write them there as JSON, with the machine."""
    console = Console(width=140, highlight=False)
    table = Table(title=title, box=None, pad_edge=False, header_style="bold", title_justify="left", title_style="bold")
    for column in rows[0]:
        table.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    console.print(table)
    for note in notes:
        console.print(note, markup=False)
    facts = machine()
    console.print(", ".join(f"{key}: {value}" for key, value in facts.items()), markup=False)
    if file:
        file.write_text(
            json.dumps({"title": title, "machine": facts, "rows": rows, "notes": list(notes)}, indent=1) + "\n", "utf-8"
        )
