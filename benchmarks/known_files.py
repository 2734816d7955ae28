"""How long a run takes that has nothing to do, and how long commands take to start.

``python -m benchmarks.known_files [--files 10000] [--rounds 5] [--json FILE]``

A first run reads all the files for real; then whole commands are timed, start-up and all.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks import documents
from benchmarks.measure import PIPELINE, Row, Times, report, timed


def prepare(folder: Path, count: int) -> tuple[Path, Path, float]:
    """An inbox of so many files, the outbox that knows them, and the seconds it took to read them."""
    inbox, outbox = folder / "inbox", folder / "outbox"
    for number in range(count):
        documents.put(inbox, f"{number % 100:02}/{number:05}.pdf", partial(documents.tiny_page, number))
    return inbox, outbox, timed(_run(inbox, outbox))


def _run(inbox: Path, outbox: Path) -> Sequence[str | Path]:
    return [*PIPELINE, "run", "--engine", "embedded", "--inbox", inbox, "--outbox", outbox]


def measure(commands: dict[str, Sequence[str | Path]], rounds: int, log: Path) -> list[Row]:
    """Each command once a round; the last line each said."""
    times = {name: Times() for name in commands}
    output: dict[str, str] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].add(timed(command, log))
            output[name] = log.read_text(encoding="utf-8").strip().splitlines()[-1]
    return [
        {
            "command": name,
            "seconds": f"{each.median:.2f}",
            "lowest": f"{each.low:.2f}",
            "highest": f"{each.high:.2f}",
            "said last": output[name][:60],
        }
        for name, each in times.items()
    ]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="keep the files and the outbox here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        inbox, outbox, seconds = prepare(folder, options.files)
        rows = measure(
            {
                f"pipeline run over {options.files} known files": _run(inbox, outbox),
                f"pipeline status, {options.files} files": [*PIPELINE, "status", "--outbox", outbox],
                "pipeline --help": [*PIPELINE, "--help"],
                "pipeline run --help": [*PIPELINE, "run", "--help"],
            },
            options.rounds,
            folder / "said.txt",
        )
    notes = [f"the first run took {seconds:.0f} s"]
    report("Runs with nothing to do, and start-up", rows, options.json, notes)


if __name__ == "__main__":
    main()
