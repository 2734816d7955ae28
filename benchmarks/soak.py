"""Thousands of documents through ``watch``, with an engine that answers at once: memory and cost per document as they come in.

``python -m benchmarks.soak [--documents 10000] [--json FILE]``

The watcher is a process of its own with one reader. Files come into its inbox a hundred at a time, as fast as the watcher reads
them. Memory is that of the watcher's main process and that of its readers, at the end of each stretch.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil

from benchmarks import documents
from benchmarks.measure import Row, report

AT_ONCE, STRETCH = 100, 1000
WATCH = """
import sys
from unittest import mock
from benchmarks.loop_overhead import InstantEngine
from pipeline.cli.main import main
sys.argv = ["pipeline", *sys.argv[1:]]
with mock.patch("pipeline.run.job.make_engine", lambda settings: InstantEngine()):
    main()
"""


def published(outbox: Path) -> int:
    """Results in the outbox; folders of a hundred keep the counting quick."""
    return sum(
        1 for folder in outbox.iterdir() if folder.is_dir() and not folder.name.startswith(".") for _ in folder.iterdir()
    )


def megabytes(watcher: psutil.Process) -> tuple[float, float]:
    """Resident memory of the main process, and of the largest of its readers."""
    own = watcher.memory_info().rss
    readers = [child.memory_info().rss for child in watcher.children() if child.is_running()]
    return own / 1e6, max(readers, default=0) / 1e6


def soak(folder: Path, count: int) -> list[Row]:
    """Give files to the watcher. Yields one row for each stretch of files."""
    inbox, outbox, waiting = folder / "inbox", folder / "outbox", folder / "waiting"
    inbox.mkdir()
    for number in range(count):
        documents.put(waiting, f"{number // AT_ONCE:04}/{number:05}.pdf", partial(documents.tiny_page, number))
    command = [sys.executable, "-c", WATCH, "watch", "-q", "--template", "transcript", "--inbox", inbox, "--outbox", outbox]
    rows: list[Row] = []
    with subprocess.Popen([*map(str, command)], env={**os.environ, "PIPELINE_WORKERS": "1"}) as process:
        watcher = psutil.Process(process.pid)
        begun = time.monotonic()
        for number in range(count // AT_ONCE):
            (waiting / f"{number:04}").rename(inbox / f"{number:04}")
            while not outbox.is_dir() or published(outbox) < (number - 1) * AT_ONCE:
                time.sleep(0.05)
                if process.poll() is not None:
                    raise RuntimeError(f"the watcher ended with {process.returncode}")
            count_put = (number + 1) * AT_ONCE
            if count_put % STRETCH == 0:
                while published(outbox) < count_put:
                    time.sleep(0.05)
                now, (own, reader) = time.monotonic(), megabytes(watcher)
                rows.append(
                    {
                        "documents": count_put,
                        "ms a document": f"{(now - begun) / STRETCH * 1000:.1f}",
                        "main process, MB": f"{own:.0f}",
                        "reader, MB": f"{reader:.0f}",
                    }
                )
                print(rows[-1], flush=True)
                begun = now
        process.send_signal(signal.SIGTERM)
        if process.wait(60):
            raise RuntimeError(f"the watcher ended with {process.returncode}")
    lines = (outbox / "documents.csv").read_text(encoding="utf-8").count("\n") - 1
    if lines != count:
        raise RuntimeError(f"{lines} rows for {count} documents")
    return rows


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = soak(Path(temporary), options.documents)
    report("A soak of the watcher, with an engine that answers at once", rows, options.json)


if __name__ == "__main__":
    main()
