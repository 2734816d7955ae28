"""`pipeline status` beside a run: live, after its end, after its death."""

from __future__ import annotations

import json
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.ledger.document_states import decide
from pipeline.ledger.ledger import Ledger
from pipeline.printable import one_line
from pipeline.runtime.lock import locked
from pipeline.settings import configs_folder
from pipeline.values.times import format_duration
from tests.cli.conftest import Pipeline
from tests.drawing import invoice, invoice_pdf, text_pdf
from tests.run.processes import Workspace, wait_for


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def put_documents(workspace: Workspace, count: int = 300) -> None:
    for number in range(count):
        workspace.put(f"{number:03}.pdf", text_pdf([f"Document {number}", "second page"]))


def wait_for_progress(workspace: Workspace) -> Any:
    """The status once some documents are done and some are not."""
    wait_for(lambda: len(list(workspace.outbox.glob("*.json"))) > 20)
    return wait_for(lambda: (status := workspace.status())["run"]["documents"].get("done", 0) >= 5 and status)


@pytest.mark.slow
def test_a_run_at_work_tells_how_far_it_is_and_a_killed_one_is_not_believed(workspace: Workspace) -> None:
    put_documents(workspace)
    process = workspace.start("run", "--quiet")
    status = wait_for_progress(workspace)
    run = status["run"]
    assert (status["running"], run["state"], run["command"], run["engine"]) == (True, "reading", "run", EmbeddedEngine.identity)
    finished = sum(run["documents"].values())
    assert finished + run["waiting"] == 300
    assert run["pages"] >= 2 * finished
    assert run["documents_per_minute"] > 0
    assert run["pages_per_minute"] > run["documents_per_minute"]
    low, high = run["seconds_left"]
    assert 0 < low < high
    assert run["reading"]
    text = workspace.run("status")[1]
    assert "; a run is working" in text
    assert re.search(r"\d+ of 300 documents \(\d+ done\), \d+ pages", text)
    assert re.search(r"left: (about )?\d+ (s|min)", text)

    process.kill()
    process.communicate()
    killed = workspace.status()
    assert (killed["running"], killed["run"]["state"], killed["run"]["seconds_left"]) == (False, "broken off", None)
    assert "stopped unexpectedly after" in workspace.run("status")[1]
    with locked(workspace.outbox):  # somebody else, e.g. `export`
        assert workspace.status()["run"]["state"] == "broken off"

    assert workspace.run("run", "--quiet")[0] == 0
    ended = workspace.status()["run"]
    assert (ended["state"], ended["exit_code"], ended["waiting"], ended["reading"]) == ("ended", 0, 0, [])
    assert ended["known"] + ended["documents"]["done"] == 300
    assert re.search(r"last run: run, .+, exit 0\n", workspace.run("status")[1])


@pytest.mark.slow
def test_a_watcher_that_has_read_everything_waits_and_who_follows_it_may_leave_or_stay(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    process = workspace.start("watch", "--quiet")
    try:
        run = wait_for(lambda: (status := workspace.status())["run"] and status["run"]["documents"] and status["run"])
        assert (run["state"], run["documents"], run["waiting"], run["reading"]) == ("idle", {"done": 1}, 0, [])
        assert "1 document (1 done), 1 page; waiting for files" in workspace.run("status")[1]
        staying, leaving = workspace.start("status", "--follow"), workspace.start("status", "--follow")
        with pytest.raises(subprocess.TimeoutExpired):
            leaving.wait(6)
        leaving.send_signal(signal.SIGINT)
        assert (leaving.wait(30), leaving.communicate()[1]) == (0, "")
        assert staying.poll() is None
        process.terminate()
        assert process.wait(30) == 0
        out, _ = staying.communicate(timeout=30)
        assert staying.returncode == 0
        assert "last run: watch" in out
    finally:
        process.kill()
        process.communicate()


def test_a_run_with_nothing_to_do_is_reported_as_that(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    before = pipeline("status", "--json").json
    assert (before["running"], before["run"]) == (False, None)
    assert pipeline("run").code == 0
    assert "nothing new; 0 files known before" in pipeline("status").out
    (folder / "outbox" / ".pipeline" / "progress.json").write_text("{half")
    assert pipeline("status", "--json").json["run"] is None
    assert pipeline("status", "--follow", "--json").code == 2
    assert pipeline("status", "--follow").code == 0


def test_a_run_on_another_machine_is_believed_as_long_as_it_holds_the_lock(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    pipeline("run")
    path = folder / "outbox" / ".pipeline" / "progress.json"
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True).stdout
    status = {**json.loads(path.read_bytes()), "state": "reading", "pid": int(gone)}
    states = []
    for host in (platform.node(), "elsewhere"):
        path.write_text(json.dumps({**status, "host": host}))
        with locked(folder / "outbox"):
            states.append(pipeline("status", "--json").json["run"]["state"])
        states.append(pipeline("status", "--json").json["run"]["state"])
    assert states == ["broken off", "broken off", "reading", "broken off"]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0.4, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (3_600, "60 min"),
        (12_000, "3 h 20 min"),
        (36_000, "10 h"),
        (187_200, "2 days 4 h"),
    ],
)
def test_durations_are_as_exact_as_anybody_needs(seconds: float, status: str) -> None:
    assert format_duration(seconds) == status


def test_text_from_outside_cannot_command_the_terminal() -> None:
    assert one_line("Grüße 文.pdf") == "Grüße 文.pdf"
    assert one_line("a\nb\x1b[2J\u2028") == r"a\nb\x1b[2J\u2028"


def test_a_page_is_counted_once_and_what_waits_for_a_look_is_named(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    (folder / "inbox" / "bill.pdf").write_bytes(invoice_pdf(invoice("en")))
    (folder / "inbox" / "note.pdf").write_bytes(text_pdf(["Note", "second page"]))
    for name in ("transcript", "transcript,invoice"):
        assert pipeline("run", "--template", name, "-q").code == 0
    own = (configs_folder() / "templates" / "transcript.yaml").read_text(encoding="utf-8")
    (folder / "templates" / "transcript.yaml").write_text(
        own.replace("reading order", "the order of reading"), encoding="utf-8"
    )
    assert pipeline("run", "--template", "transcript,invoice", "-q").code == 0
    status = pipeline("status", "--json").json
    assert (status["pages"], status["documents"]) == (3, {"done": 2})
    assert {row["template"]: row["pages"] for row in status["templates"]} == {"invoice": 3, "transcript": 3}
    assert (status["to_review"], status["states"]) == (2, {"to_check": 2})
    text = pipeline("status").out
    assert "outbox: 2 done; 3 pages read" in text
    assert "2 documents with values to look at: `pipeline serve`, or `pipeline review --needs-review`" in text
    with Ledger(folder / "outbox" / ".pipeline") as ledger:
        decide(
            ledger, next(file.key for file in ledger.published_files() if file.source.name == "note.pdf"), "approved", "Anna"
        )
    assert pipeline("status", "--json").json["to_review"] == 1
    assert "1 approved by people" in pipeline("status").out
