"""``kill -9`` at any moment loses no result, doubles none, and no finished unit is done again."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.drawing import text_pdf

DOCUMENTS, PAGES = 60, 2
KILLS = int(os.environ.get("KILLS", "20"))
"""Number of kills of the run; readers and watcher are killed a quarter as often. docs/reliability.md reports KILLS=100."""


def units(outbox: Path) -> dict[tuple[str, int], str]:
    """Committed units with the time when they ended."""
    path = outbox / ".pipeline" / "ledger.sqlite"
    if not path.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return {(sha, page): ended for sha, page, ended in db.execute("SELECT sha256, page, ended_at FROM units")}
    except sqlite3.OperationalError:  # the ledger is being made
        return {}


def start(inbox: Path, outbox: Path, command: str = "run", **settings: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "pipeline", command, "--quiet", "--template", "transcript"]
    return subprocess.Popen(
        [*arguments, "--inbox", str(inbox), "--outbox", str(outbox)],
        env={**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_INTAKE__UNCHANGED_SECONDS": "0.1", **settings},
    )


def put(inbox: Path, number: int) -> None:
    path = inbox / f"{number:02}.pdf"
    path.write_bytes(text_pdf([f"Document {number} page {page}" for page in range(1, PAGES + 1)]))
    os.utime(path, (1_000_000, 1_000_000))


def check_all(outbox: Path) -> None:
    """Check that every document is published once, with its own text."""
    assert len(units(outbox)) == DOCUMENTS * PAGES
    for number in range(DOCUMENTS):
        document = json.loads((outbox / f"{number:02}.pdf.json").read_text(encoding="utf-8"))
        assert document["status"] == "done"
        text = document["results"]["transcript"]["fields"]["text"]["value"]
        assert text == [f"Document {number} page {page}" for page in range(1, PAGES + 1)]
    for sheet in ("transcript", "documents"):
        with (outbox / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
            assert sorted(row["file"] for row in csv.DictReader(file)) == [f"{number:02}.pdf" for number in range(DOCUMENTS)]
    unfinished = [path for path in outbox.rglob("*.tmp") if ".pipeline" not in path.parts]
    assert not unfinished, "half-written files lie in the outbox"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_kills_lose_no_result_and_double_none(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    for number in range(DOCUMENTS):
        put(inbox, number)
    chance = random.Random(20)
    for kill in range(KILLS):
        before = units(outbox)
        process = start(inbox, outbox)
        goal = len(before) + chance.randint(0, max(1, 180 // KILLS))
        deadline = time.monotonic() + (60 if kill % 4 else chance.random())  # every fourth dies while starting
        while process.poll() is None and len(units(outbox)) <= goal and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = units(outbox)
        assert before.items() <= after.items(), "a finished unit was lost or done again"
    assert len(units(outbox)) > DOCUMENTS * PAGES / 4, "the kills must fall into the work"
    survivors = units(outbox)

    process = start(inbox, outbox)
    assert process.wait(120) == 0
    assert survivors.items() <= units(outbox).items()
    check_all(outbox)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_of_readers_lose_no_page(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    for number in range(DOCUMENTS):
        put(inbox, number)
    chance, killed = random.Random(5), 0
    process = start(inbox, outbox, PIPELINE_RETRY__READER_ATTEMPTS="10")
    while process.poll() is None and killed < KILLS // 4:
        committed = len(units(outbox))
        until = time.monotonic() + 60
        while process.poll() is None and len(units(outbox)) <= committed and time.monotonic() < until:
            time.sleep(0.002)  # the reader is at work
        time.sleep(chance.random() * 0.03)
        for reader in psutil.Process(process.pid).children() if process.poll() is None else []:
            with contextlib.suppress(psutil.Error):
                if "worker_pool" in " ".join(reader.cmdline()):
                    reader.kill()
                    killed += 1
    assert process.wait(200) == 0
    assert killed >= KILLS // 4, "the readers must be killed while there is work"
    check_all(outbox)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_of_watchers_lose_no_new_file(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    chance, came = random.Random(7), iter(range(DOCUMENTS))
    kills = max(3, KILLS // 4)
    for _ in range(kills):
        watcher = start(inbox, outbox, "watch")
        until = time.monotonic() + 1.5 + chance.random() * 1.5
        while time.monotonic() < until:
            if (number := next(came, None)) is not None:
                put(inbox, number)
            time.sleep(chance.random() * 0.5)
        watcher.kill()
        watcher.wait()
    for number in came:
        put(inbox, number)
    watcher = start(inbox, outbox, "watch")
    until = time.monotonic() + 120
    while len(units(outbox)) < DOCUMENTS * PAGES and time.monotonic() < until:
        time.sleep(0.1)
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(60) == 0
    check_all(outbox)
