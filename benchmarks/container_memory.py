"""How much memory a container of many parts takes, and how that grows with their number.

``python -m benchmarks.container_memory [--members 10000 100000] [--documents 1000 4000] [--json FILE]``

"unpacked" takes the container apart and deletes each part. "read" is the real loop with an engine that answers at once; "again" the same
a second time, when all is known. Every measurement is a process of its own; readers and the process that unpacks are not counted.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import documents
from benchmarks.loop_overhead import InstantEngine
from benchmarks.measure import Row, report
from pipeline.intake.container_items import UnpackedMember
from pipeline.intake.container_worker import ContainerWorker
from pipeline.ledger.contained_records import records_of_parts
from pipeline.monitoring.events import RunCounts
from pipeline.run.job import Job, open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings

KINDS = ("zip", "tar.gz")


def pack(folder: Path, kind: str, count: int) -> Path:
    """An archive of so many tiny PDFs, all different, in a hundred folders."""
    archive, page = folder / f"{count}.{kind}", documents.tiny_page(0)
    names = ((f"{number % 100:02}/{number:06}.pdf", page + b"%% %d\n" % number) for number in range(count))
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
            for name, content in names:
                pack.writestr(name, content)
        return archive
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name, content in names:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
            tar.members.clear()  # type: ignore[attr-defined]
    return archive


def unpack(job: Job, archive: Path) -> int:
    """Everything but the loop: how many parts came out."""
    count = 0
    with ContainerWorker() as worker:
        for part in worker.unpack(archive, job.unpacked, max_bytes=1_000_000):
            if isinstance(part, UnpackedMember):
                count += 1
                part.path.unlink()
    return count


def read(job: Job, archive: Path) -> int:
    """The real loop: how many documents were read, or known before."""
    counts = RunCounts()
    with Loop(job, counts) as loop:
        loop.round(job.scan(counts.file_skipped, [archive]))
        loop.publisher.tidy()
    record = job.ledger.file_by_name(archive.name)
    return sum(1 for _ in records_of_parts(job.ledger, archive.name)) if record and record.status == "done" else 0


def list_with_zipfile(_: Job, archive: Path) -> int:
    """Memory that the standard library takes for the directory of the archive."""
    with zipfile.ZipFile(archive) as pack:
        return len(pack.infolist())


WAYS = {
    "unpacked": unpack,
    "read": read,
    "again": read,
    "directory by zipfile, for comparison": list_with_zipfile,
}


def measure_here(way: str, archive: Path, outbox: Path, count: int) -> Row:
    """One measurement, in this process."""
    settings = Settings(inbox=outbox.parent / "none", outbox=outbox, workers=1)
    imported = _status("VmRSS")
    with open_job(settings, template="transcript", engine=InstantEngine()) as job:
        opened, started = _status("VmRSS"), time.perf_counter()
        if (done := WAYS[way](job, archive)) != count:
            raise RuntimeError(f"{count} members were due: {done}")
        seconds = time.perf_counter() - started
    return {
        "what": way,
        "archive": "".join(archive.suffixes).removeprefix("."),
        "members": count,
        "seconds": f"{seconds:.1f}",
        "MB once imported": f"{imported:.0f}",
        "with the ledger open": f"{opened:.0f}",
        "peak": f"{_status('VmHWM'):.0f}",
        "growth": f"{_status('VmHWM') - opened:.1f}",
    }


def _status(key: str) -> float:
    """A line of this process's status, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:"))


def measurements(folder: Path, counts: list[int], read_counts: list[int]) -> Iterator[Row]:
    """All of them, each in a process of its own."""
    for kind in KINDS:
        for count in counts:
            archive = pack(folder, kind, count)
            yield _measure("unpacked", archive, folder / f"unpacked-{archive.name}", count)
            if kind == "zip":
                yield _measure("directory by zipfile, for comparison", archive, folder / "listed", count)
    for count in read_counts:
        archive = pack(folder, "zip", count)
        for way in ("read", "again"):
            yield _measure(way, archive, folder / f"read-{archive.name}", count)


def _measure(way: str, archive: Path, outbox: Path, count: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.container_memory", "--one", way, str(archive), str(outbox), str(count)]
    row: Row = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    print(row, file=sys.stderr, flush=True)
    return row


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--members", type=int, nargs="*", default=[10_000, 100_000], help="of archives that are unpacked")
    parser.add_argument("--documents", type=int, nargs="*", default=[1_000, 4_000], help="of archives that are read")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, archive, outbox, count = options.one
        print(json.dumps(measure_here(way, Path(archive), Path(outbox), int(count))))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measurements(Path(folder), options.members, options.documents))
    report("Memory of the main process for archives of many members", rows, options.json)


if __name__ == "__main__":
    main()
