"""Where one driver ends: its units a second with up to 1,000 machines, its ledger with up to ten million units, and 10^8 pages from that.

``python -m benchmarks.cluster_scale [--units 3000] [--machines 1,10,100,1000] [--ledgers 100000,1000000] [--call 3.7] [--json FILE]``

Measured: the real loop, ledger and publishing over a simulated cluster whose actors reply at once (``simulated_ray``), and ledgers of many
units: commits, size, and what a run does before it reads anything. ``--call`` is what Ray's calls take the driver for a unit, in
milliseconds, as ``cluster_throughput`` measures it. Modelled from these: how long 10^8 pages take, and how many drivers that needs.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import psutil

from benchmarks import documents
from benchmarks.measure import Row, report
from benchmarks.simulated_ray import SimulatedCluster
from pipeline.intake.scan import scan_inbox
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import LEDGER_FILE
from pipeline.monitoring.events import RunCounts
from pipeline.records import Evidence, Result, UnitKey
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.outbox_names import OutboxNames
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.values.times import utc_timestamp

PAGES = 100_000_000
RATES = {"vlm, 1 page in 8 s": 0.125, "embedded, scans": 2.0, "embedded, born-digital": 20.0}
"""Pages a second of one machine: what its engine and its cores make of them (docs/performance.md)."""
FIELDS = {
    name: Evidence(f"value of {name}", f"Value of {name}", 1, (72.0, 144.5, 301.25, 156.0), "exact", (), 0.9, 0.98)
    for name in (
        "vendor",
        "vendor_id",
        "customer",
        "number",
        "issued",
        "due",
        "currency",
        "subtotal",
        "tax",
        "total",
        "prepaid",
    )
}
"""Of one page of an invoice, without its lines."""


# ---- the driver ---------------------------------------------------------------------------------------


def drive(folder: Path, machines: int, count: int, pages: int) -> Row:
    """The loop over so many documents with so many pages each: processor time of this process for a unit."""
    for number in range(count):
        documents.put(folder / f"{pages}", f"{number % 100:02}/{number:05}.pdf", partial(documents.tiny_page, number))
    with tempfile.TemporaryDirectory() as outbox:
        settings = Settings(inbox=folder / f"{pages}", outbox=Path(outbox))
        with (
            SimulatedCluster(settings, machines, pages) as cluster,
            open_job(settings, template="transcript", engine=cluster.engine, cluster=cluster) as job,
            Loop(job, RunCounts()) as loop,
        ):
            todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, lambda *_: None), job.file_records)
            started, begun = time.process_time(), time.perf_counter()
            loop.round(iter(todo))
            used, passed = time.process_time() - started, time.perf_counter() - begun
    units = count * pages
    return {
        "machines": machines,
        "documents": f"{count:,} of {pages:,} pages",
        "driver, ms a unit": round(1000 * used / units, 2),
        "units/s of the driver": round(units / used),
        "on the clock, ms a unit": round(1000 * passed / units, 2),
    }


# ---- the ledger ---------------------------------------------------------------------------------------


def rows(first: int, last: int, pages: int) -> Iterator[tuple[object, ...]]:
    """Units as they stand in the ledger."""
    fields = json.dumps({name: asdict(evidence) for name, evidence in FIELDS.items()}, ensure_ascii=False)
    at = utc_timestamp()
    for number in range(first, last):
        yield (f"{number // pages:064x}", number % pages + 1, "invoice", "0123456789abcdef", "done", "ocr", fields, 1.5, at)


def grow(ledger: Ledger, units: int, pages: int) -> None:
    """Fill an empty ledger as if so many units had been read and published."""
    with sqlite3.connect(ledger.path) as db:
        db.executemany(
            "INSERT INTO units (sha256, page, template, recipe, status, source, fields, seconds, ended_at) VALUES (?,?,?,?,?,?,?,?,?)",
            rows(0, units, pages),
        )
        at = utc_timestamp()
        db.executemany(
            "INSERT INTO files (path, name, relative, sha256, size, mtime_ns, published, recipes, status, published_at, review, corrected)"
            " VALUES (?, ?, ?, ?, 123456, 1000000000000000000, ?, ?, 'done', ?, '[]', '[]')",
            (_file(number, at) for number in range(units // pages)),
        )
        db.executemany(
            "INSERT INTO documents (sha256, kind, pages, seen_at) VALUES (?, 'pdf', ?, ?)",
            ((f"{n:064x}", pages, at) for n in range(units // pages)),
        )


def _file(number: int, at: str) -> tuple[object, ...]:
    name, sha256 = f"{number % 10_000:04}/{number:08}.pdf", f"{number:064x}"
    return (f"/archive/{name}".encode(), name, name, sha256, sha256, '{"invoice": "0123456789abcdef"}', at)


def ledger(units: int, pages: int, commits: int = 2_000) -> Row:
    """A ledger of so many units: what it takes of the disk, of a run's start, and of every unit."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as book:
        grow(book, units, pages)
        size = (Path(folder) / LEDGER_FILE).stat().st_size
        started = time.process_time()
        for number in range(commits):
            book.commit([Result(UnitKey(f"{number:064x}", 1, "receipt", "recipe"), "done", FIELDS, source="ocr", seconds=1.5)])
        committed = (time.process_time() - started) / commits
        started = time.process_time()
        book.check_integrity()
        checked = time.process_time() - started
        before, started = psutil.Process().memory_info().rss, time.process_time()
        known = book.files_by_path()
        namer = OutboxNames({path: file.source.name for path, file in known.items()})
        began, held = time.process_time() - started, psutil.Process().memory_info().rss - before
        del known, namer
        started = time.process_time()
        list(book.rows("SELECT status, count(*) n FROM units GROUP BY 1"))
        counted = time.process_time() - started
    return {
        "units": f"{units:,}",
        "files": f"{units // pages:,}",
        "bytes a unit": round(size / units),
        "ledger, GB": round(size / 1e9, 2),
        "commits/s": round(1 / committed),
        "known files, s": round(began, 2),
        "their memory, GB": round(held / 1e9, 2),
        "check after a crash, s": round(checked, 2),
        "`status`, s": round(counted, 2),
    }


# ---- the model ----------------------------------------------------------------------------------------


def model(milliseconds: float, largest: int) -> list[Row]:
    """10^8 pages: days with one driver and with as many as it takes; ``largest`` units are what one ledger should hold."""
    driver = 1000 / milliseconds
    found = []
    for engine, rate in RATES.items():
        for machines in (1, 10, 100, 1_000):
            pages = machines * rate
            needed = max(math.ceil(pages / driver), math.ceil(PAGES / largest))
            found.append(
                {
                    "engine": engine,
                    "machines": machines,
                    "pages/s of the machines": round(pages, 1),
                    "limit": "machines" if pages <= driver else "driver",
                    "days, one driver": round(PAGES / min(pages, driver) / 86_400, 1),
                    "drivers for the rate": math.ceil(pages / driver),
                    "drivers for the ledger": math.ceil(PAGES / largest),
                    "days with so many": round(PAGES / min(pages, needed * driver) / 86_400, 1),
                }
            )
    return found


def beside(file: Path | None, name: str) -> Path | None:
    """Where further figures go."""
    return file.with_suffix(f".{name}.json") if file else None


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--units", type=int, default=3_000)
    parser.add_argument("--machines", default="1,10,100,1000")
    parser.add_argument("--ledgers", default="100000,1000000")
    parser.add_argument("--pages", type=int, default=3, help="pages of a document in the ledger")
    parser.add_argument("--call", type=float, default=3.7, help="ms that Ray takes the driver for a unit")
    parser.add_argument("--largest", type=int, default=5_000_000, help="units that one ledger should hold")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures here, and beside it those of ledgers and model"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, count = Path(temporary), options.units
        drives = [drive(folder, int(machines), count, 1) for machines in options.machines.split(",")]
        drives.append(drive(folder, int(options.machines.split(",")[-1]), count // 100, 100))
    ledgers = [ledger(int(units), options.pages) for units in options.ledgers.split(",") if units]
    each = float(drives[-2]["driver, ms a unit"]) + options.call
    report("The driver, over a simulated cluster", drives, options.json)
    if ledgers:
        report("The ledger", ledgers, beside(options.json, "ledger"))
    report(
        f"10^8 pages as documents of one page, {each:.2f} ms of the driver a unit",
        model(each, options.largest),
        beside(options.json, "model"),
    )


if __name__ == "__main__":
    main()
