"""``kill -9`` at any moment: nothing is lost, nothing is doubled, nothing finished is done again."""

from __future__ import annotations

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

import pytest

from tests.drawing import text_pdf

DOCUMENTS, PAGES, KILLS = 60, 2, 20


def units(outbox: Path) -> dict[tuple[str, int], str]:
    """Committed units with the time when they ended."""
    path = outbox / ".pipeline" / "ledger.sqlite"
    if not path.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return {(sha, page): ended for sha, page, ended in db.execute("SELECT sha256, page, ended_at FROM units")}
    except sqlite3.OperationalError:  # not there yet
        return {}


def start(inbox: Path, outbox: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--template", "transcript"]
    return subprocess.Popen(
        [*command, "--inbox", str(inbox), "--outbox", str(outbox)], env={**os.environ, "PIPELINE_WORKERS": "1"}
    )


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    for number in range(DOCUMENTS):
        path = inbox / f"{number:02}.pdf"
        path.write_bytes(text_pdf([f"Document {number} page {page}" for page in range(1, PAGES + 1)]))
        os.utime(path, (1_000_000, 1_000_000))
    chance = random.Random(20)
    for kill in range(KILLS):
        before = units(outbox)
        process = start(inbox, outbox)
        goal = len(before) + chance.randint(0, 9)
        patience = time.monotonic() + (60 if kill % 4 else chance.random())  # every fourth dies while starting
        while process.poll() is None and len(units(outbox)) <= goal and time.monotonic() < patience:
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
    final = units(outbox)
    assert survivors.items() <= final.items()
    assert len(final) == DOCUMENTS * PAGES
    for number in range(DOCUMENTS):
        told = json.loads((outbox / f"{number:02}.pdf.json").read_text(encoding="utf-8"))
        assert told["status"] == "done"
        text = told["results"]["transcript"]["fields"]["text"]["value"]
        assert text == [f"Document {number} page {page}" for page in range(1, PAGES + 1)]
    for sheet in ("transcript", "documents"):
        with (outbox / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
            assert sorted(row["file"] for row in csv.DictReader(file)) == [f"{number:02}.pdf" for number in range(DOCUMENTS)]
    left = [path for path in outbox.rglob("*.tmp") if ".pipeline" not in path.parts]
    assert not left, "no half-written file is left where people look"
