"""How long the watcher takes to look through an inbox of files that it knows.

``python -m benchmarks.rescan [--files 100000] [--rounds 3] [--json FILE]``

The files are there, and the ledger is filled as if they had been read; what is timed is the look
through the inbox that ``watch`` takes at its start, and then once a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.loop_overhead import InstantEngine
from benchmarks.measure import Row, Times, report
from pipeline.intake.scan import scan_inbox
from pipeline.records import DocumentInfo
from pipeline.run.job import Job, open_job
from pipeline.run.refresh import InboxScanner
from pipeline.settings import Settings


def fill(job: Job, count: int) -> None:
    """Files, and a ledger that knows them."""
    for folder in range(-(-count // 1000)):
        (job.settings.inbox / f"{folder:04}").mkdir(parents=True)
    for number in range(count):
        (job.settings.inbox / f"{number // 1000:04}" / f"{number:06}.pdf").write_bytes(b"%PDF")
    recipes = {"transcript": job.recipes["transcript"]}
    with job.ledger.transaction():
        for file in scan_inbox(job.inbox, job.outbox_names, lambda *_: None):
            sha256 = hashlib.sha256(file.source.name.encode()).hexdigest()
            job.ledger.record_document(DocumentInfo(sha256, "pdf", 1))
            job.ledger.record_chosen_template(sha256, "transcript")
            job.ledger.record_file(file.source, sha256, file.size, file.mtime_ns)
            job.ledger.record_publication(file.source.name, sha256, recipes, "done", None)


def timed(scan: InboxScanner, expected: int) -> float:
    """Seconds of one scan of the inbox, which must find this number of known files."""
    start = time.perf_counter()
    todo, known = scan.scan()
    if todo or len(known) != expected:
        raise RuntimeError(f"{len(todo)} to read, {len(known)} known")
    return time.perf_counter() - start


def measure(folder: Path, count: int, rounds: int) -> list[Row]:
    """Repeated scans."""
    settings = Settings(inbox=folder / "inbox", outbox=folder / "outbox")
    with open_job(settings, engine=InstantEngine()) as job:
        fill(job, count)
    first, again = Times(), Times()
    with open_job(settings, engine=InstantEngine()) as job:
        for _ in range(rounds):
            scan = InboxScanner(job, lambda *_: None)
            first.add(timed(scan, count))
            again.add(timed(scan, 0))
        memory = psutil.Process().memory_info().rss / 1e6
    return [
        {
            "look": name,
            "files": count,
            "seconds": f"{times.median:.2f}",
            "lowest": f"{times.low:.2f}",
            "highest": f"{times.high:.2f}",
            "memory, MB": f"{memory:.0f}",
        }
        for name, times in {"the first": first, "every other": again}.items()
    ]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(Path(temporary), options.files, options.rounds)
    report("A rescan of files that are known", rows, options.json)


if __name__ == "__main__":
    main()
