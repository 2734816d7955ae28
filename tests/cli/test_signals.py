"""Stopping a run: the first signal ends it cleanly, and the next run goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.drawing import text_pdf
from tests.run.kills import units


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.proof)])
def test_a_run_that_a_signal_stops_keeps_what_is_done_and_can_go_on(tmp_path: Path, number: signal.Signals) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    (inbox / "long.pdf").write_bytes(text_pdf([f"This is page {page} of a long document" for page in range(1, 601)]))
    os.utime(inbox / "long.pdf", (1_000_000, 1_000_000))
    command = [sys.executable, "-m", "pipeline", "run", "-q", "--template", "transcript"]
    command += ["--inbox", str(inbox), "--outbox", str(outbox)]
    process = subprocess.Popen(command, env={**os.environ, "PIPELINE_WORKERS": "1"})
    while len(units(outbox)) < 20:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(20) == 130
    finished_units = units(outbox)
    assert 20 <= len(finished_units) < 600
    assert not list(outbox.glob("*.json")), "a document is published when it is complete"
    assert subprocess.run(command, check=False).returncode == 0
    assert finished_units.items() <= units(outbox).items()
    assert len(units(outbox)) == 600
