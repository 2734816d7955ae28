"""Runs on a real cluster: the results equal those of one machine; machines, actors, engines and drivers that die cost no results."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.raycluster import ENVIRONMENT
from pipeline.errors import EngineUnavailableError, ExitCode
from pipeline.settings_sections import RetrySettings
from tests.cluster.conftest import ClusterMachines
from tests.cluster.faulty_engine import run
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf, tiff
from tests.engines.embedded.drawn_documents import bars
from tests.run.processes import Workspace, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
VARYING = re.compile(r'"(seconds|started|finished|stays_at|checksum)": ("[^"]*"|[0-9.]+)')
PAGES = 3


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "inbox").mkdir()
    return Workspace(tmp_path)


def results(outbox: Path) -> dict[str, str]:
    """The published files, without times and the order of rows."""
    files = {
        path.name: VARYING.sub("", path.read_text("utf-8")) for path in outbox.rglob("*.json") if ".pipeline" not in path.parts
    }
    return files | {
        path.name: "".join(sorted(path.read_text("utf-8").splitlines(keepends=True))) for path in outbox.glob("*.csv")
    }


def units(outbox: Path) -> dict[tuple[str, int], tuple[str, str, int]]:
    """Committed units: when they ended, how, and how often they were read."""
    path = outbox / ".pipeline" / "ledger.sqlite"
    if not path.exists():
        return {}
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT sha256, page, ended_at, status, attempts FROM units").fetchall()
    except sqlite3.OperationalError:  # it does not exist yet
        return {}
    return {(sha256, page): (ended, status, attempts) for sha256, page, ended, status, attempts in rows}


def fill(workspace: Workspace, documents: int) -> None:
    for number in range(documents):
        workspace.put(f"{number:02}.pdf", text_pdf([f"Document {number} page {page}" for page in range(1, PAGES + 1)]))


def check_all(workspace: Workspace, documents: int) -> None:
    """Every document is there, once, with its own text, and each page of it was committed once."""
    assert Counter(status for _, status, _ in units(workspace.outbox).values())["done"] >= documents * PAGES
    assert {attempts for *_, attempts in units(workspace.outbox).values()} == {1}
    for number in range(documents):
        result = json.loads((workspace.outbox / f"{number:02}.pdf.json").read_text("utf-8"))
        text = result["results"]["transcript"]["fields"]["text"]["value"]
        assert text == [f"Document {number} page {page}" for page in range(1, PAGES + 1)]
    rows = (workspace.outbox / "documents.csv").read_text("utf-8").splitlines()[1:]
    assert len(rows) == len({row.split(",")[0] for row in rows}), "a document stands twice"


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(workspace: Workspace) -> Iterator[Start]:
    """Starts runs with faulty engines, and kills them after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(address: str | None) -> subprocess.Popen[bytes]:
        arguments = [str(workspace.inbox), str(workspace.outbox), *([address] if address else [])]
        environment = {**os.environ, "PYTHONPATH": ENVIRONMENT["PYTHONPATH"]}
        started.append(subprocess.Popen([sys.executable, "-m", "tests.cluster.faulty_engine", *arguments], env=environment))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_results_equal_those_of_one_machine_except_for_times(machines: ClusterMachines, workspace: Workspace) -> None:
    machines.set_count(2)
    workspace.put(
        "invoice/a.pdf", text_pdf(["Invoice 118\nDue date 26 May 2024\nNet 100.00\nVAT 20.00\nTotal 120.00", "Page two"])
    )
    workspace.put("text.pdf", text_pdf(["The committee met on Tuesday and agreed that work may start. " * 8]))
    workspace.put("chart.tiff", tiff([bars().image]))
    workspace.put("blank.pdf", blank_pdf(2))
    workspace.put("locked.pdf", encrypted_pdf("secret", "open sesame"))
    workspace.put("twin.pdf", (workspace.inbox / "text.pdf").read_bytes())
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", str(workspace.inbox), "--engine", "embedded", "--outbox"]
    environment = {**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_RAY__CPUS": "1"}

    def read(outbox: Path, *arguments: str) -> None:
        done = subprocess.run([*command, str(outbox), *arguments], env=environment, capture_output=True, text=True, timeout=200)
        assert (done.returncode, done.stderr) == (1, ""), "one document is locked, and there is no other message"

    read(workspace.folder / "here")
    read(workspace.outbox, "--address", machines.address)
    here, there = results(workspace.folder / "here"), results(workspace.outbox)
    assert len([name for name in there if name.endswith(".json")]) == 6
    assert there == here
    again = subprocess.run([*command, str(workspace.outbox)], env=environment, capture_output=True, text=True)
    assert "nothing to do: 6 files up to date" in again.stdout, "a local run knows the files that the cluster read"


@pytest.mark.proof
def test_a_machine_that_is_killed_loses_nothing_and_one_that_joins_gets_work(
    machines: ClusterMachines, workspace: Workspace, start: Start
) -> None:
    machines.set_count(1)
    first = machines.workers[0]
    fill(workspace, 20)
    workspace.put("0.pdf", text_pdf(["GATE"]))
    process = start(machines.address)
    wait_for(lambda: sum(actor["units"] for actor in actors(workspace)) > 3, 120)
    machines.add()
    wait_for(lambda: len(actors(workspace)) == 2 and actors(workspace)[1]["answered"] > 10, 120)
    state = actors(workspace)
    assert state[0]["units"] == 4, "the first one is held up, and gets no more than it can hold"
    assert state[0]["node"] != state[1]["node"]
    status = workspace.run("status")[1]
    assert "2 actors" in status
    assert "working on " in status
    (workspace.folder / "open").touch()
    machines.kill(first)
    assert process.wait(400) == 0
    check_all(workspace, 20)


def actors(workspace: Workspace) -> list[dict[str, Any]]:
    """The actors in the run's progress file."""
    try:
        return list(json.loads((workspace.outbox / ".pipeline" / "progress.json").read_bytes())["cluster"]["actors"])
    except (OSError, KeyError, TypeError):
        return []


def test_pages_that_kill_engines_and_actors_are_given_up_and_the_others_are_read(
    machines: ClusterMachines, workspace: Workspace
) -> None:
    machines.set_count(2)
    fill(workspace, 4)
    workspace.put("01b.pdf", text_pdf(["KILL"]))
    workspace.put("02b.pdf", text_pdf(["ACTOR"]))
    tally = run(workspace.inbox, workspace.outbox, machines.address, RetrySettings(stop_after_failures=50))
    assert tally.documents == {"done": 4, "failed": 2}
    check_all(workspace, 4)
    for name in ("01b", "02b"):
        result = json.loads((workspace.outbox / f"{name}.pdf.json").read_text("utf-8"))
        assert (result["status"], result["reason"]) == ("failed", "engine")
        assert "died 3 times while this page was being answered" in result["pages"][0]["detail"]


@pytest.mark.proof
def test_a_driver_that_is_killed_goes_on_in_the_cluster_and_then_on_one_machine(
    machines: ClusterMachines, workspace: Workspace, start: Start
) -> None:
    machines.set_count(2)
    fill(workspace, 20)
    survivors: dict[tuple[str, int], tuple[str, str, int]] = {}
    for most in (10, 30):
        process = start(machines.address)
        wait_for(lambda: process.poll() is not None or len(units(workspace.outbox)) >= most, 120)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = units(workspace.outbox)
        assert survivors.items() <= after.items(), "a finished unit was lost or done again"
        survivors = after
    assert 30 <= len(survivors) < 20 * PAGES
    assert start(None).wait(400) == 0
    assert survivors.items() <= units(workspace.outbox).items()
    check_all(workspace, 20)


def test_a_run_without_machines_ends_with_a_message_and_goes_on_locally(
    machines: ClusterMachines, workspace: Workspace
) -> None:
    machines.set_count(1)
    fill(workspace, 20)
    workspace.put("10a.pdf", text_pdf(["GATE"]))

    def leave() -> None:
        wait_for(lambda: len(units(workspace.outbox)) > 20, 120)
        machines.set_count(0)

    threading.Thread(target=leave, daemon=True).start()
    with pytest.raises(EngineUnavailableError, match="no actor is at work") as caught:
        run(workspace.inbox, workspace.outbox, machines.address, RetrySettings(), wait=5)
    assert caught.value.exit_code == ExitCode.NO_ENGINE
    assert "goes on where it was" in caught.value.cure
    survivors = units(workspace.outbox)
    (workspace.folder / "open").touch()
    run(workspace.inbox, workspace.outbox, None, RetrySettings())
    assert survivors.items() <= units(workspace.outbox).items()
    check_all(workspace, 20)


def test_no_process_outlives_its_actor(machines: ClusterMachines) -> None:
    """Readers and engines end with their actors, also when those were killed."""
    machines.set_count(0)

    def left() -> list[int]:
        return [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if re.search("(worker_pool|engine_process):serve", " ".join(process.info["cmdline"] or ())) and process.ppid() == 1
        ]

    wait_for(lambda: not left())


def test_a_cluster_that_does_not_answer_is_reported_with_a_cure(workspace: Workspace) -> None:
    pytest.importorskip("ray")
    fill(workspace, 1)
    code, _, err = workspace.run("run", "--address", "127.0.0.1:1")
    assert code == 4
    assert "no Ray cluster at 127.0.0.1:1" in err
    assert "ray start --head" in err


def test_without_ray_the_command_that_installs_it_is_printed(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "hidden" / "ray").mkdir(parents=True)
    (tmp_path / "hidden" / "ray" / "__init__.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(tmp_path / "hidden"), ENVIRONMENT["PYTHONPATH"]])
    fill(workspace, 1)
    command = [sys.executable, "-m", "pipeline", "run", "--executor", "ray", "--inbox", str(workspace.inbox)]
    done = subprocess.run(
        [*command, "--outbox", str(workspace.outbox)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "[ray]" in done.stderr or "`ray`: docs/install.md" in done.stderr
