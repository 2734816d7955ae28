"""Peak memory of each process of ``pipeline run`` over one archive.

``python -m benchmarks.container_run_memory [--members 2000] [--megabytes 1000] [--json FILE]``

One zip of many small PDFs, read with the template ``transcript``, and one zip with a single member of zeros that is larger than
``limits.megabytes``. The peaks are the resident memory that the kernel has counted (VmHWM), looked at ten times a second.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import psutil

from benchmarks.container_memory import pack
from benchmarks.measure import PIPELINE, Row, report

CONTAINER_PROCESS = "container_handler"
"""Part of the command line of the process that unpacks."""


def zeros(folder: Path, megabytes: int) -> Path:
    """A zip with one member of so many megabytes."""
    archive = folder / "zeros.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack, pack.open("zeros.pdf", "w", force_zip64=True) as member:
        for _ in range(megabytes):
            member.write(bytes(1_000_000))
    return archive


def measure(what: str, archive: Path) -> Row:
    """Peaks of a whole run, in MB, by the role of the process, and how the documents ended."""
    outbox = archive.with_suffix(".out")
    command = [*PIPELINE, "run", "--inbox", str(archive.parent / "none"), "--outbox", str(outbox), "--template", "transcript"]
    (archive.parent / "none").mkdir(exist_ok=True)
    started, peaks = time.perf_counter(), Counter[str]()
    process = psutil.Popen([*command, "--quiet", str(archive)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        _look(process, peaks)
        time.sleep(0.1)
    endings = Counter(line.split(",")[1] for line in (outbox / "documents.csv").read_text("utf-8").splitlines()[1:])
    return {
        "what": what,
        "main process": peaks["main"],
        "process that unpacks": peaks["unpacks"],
        "largest reader": peaks["reader"],
        "rows": ", ".join(f"{count} {status}" for status, count in sorted(endings.items())),
        "exit code": process.returncode,
        "seconds": round(time.perf_counter() - started),
    }


def _look(process: psutil.Popen, peaks: Counter[str]) -> None:
    for found in [process, *process.children(recursive=True)]:
        try:
            role = (
                "main"
                if found.pid == process.pid
                else "unpacks"
                if CONTAINER_PROCESS in " ".join(found.cmdline())
                else "reader"
            )
            peaks[role] = max(peaks[role], _peak(found.pid))
        except (psutil.Error, OSError, StopIteration):  # it has ended meanwhile
            continue


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--members", type=int, nargs="*", default=[100, 2_000], help="of archives of small PDFs")
    parser.add_argument("--megabytes", type=int, default=1_000, help="of the one large member")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(f"zip of {count:,} PDFs", pack(Path(folder), "zip", count)) for count in options.members]
        rows.append(measure(f"zip with one member of {options.megabytes:,} MB", zeros(Path(folder), options.megabytes)))
    report("Peak memory of the processes of a run over one archive, in MB", rows, options.json)


if __name__ == "__main__":
    main()
