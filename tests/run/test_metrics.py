"""Metrics as Prometheus sees them: a real process, scraped over HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.monitoring.metrics import RunMetrics
from tests.drawing import encrypted_pdf, text_pdf
from tests.llama_server import free_port
from tests.run.processes import Workspace, wait_for

Scraped = dict[str, float]


def scrape(port: int) -> Scraped:
    """Samples by name and labels as Prometheus writes them; empty while no server listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            text = response.read().decode()
    except OSError:
        return {}
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{s.name}{''.join(f',{k}={v}' for k, v in sorted(s.labels.items()))}": s.value for s in samples}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def watched(workspace: Workspace) -> Iterator[tuple[Workspace, int, subprocess.Popen[str]]]:
    """A watcher with metrics, over three files."""
    workspace.put("a.pdf", text_pdf(["One", "", "Three"]))
    workspace.put("b.pdf", text_pdf(["Other"]))
    workspace.put("locked.pdf", encrypted_pdf("x", "secret word"))
    port = free_port()
    process = workspace.start("watch", "--quiet", "--metrics-port", str(port))
    yield workspace, port, process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_watcher_counts_what_it_did_and_what_waits(watched: tuple[Workspace, int, subprocess.Popen[str]]) -> None:
    workspace, port, process = watched

    def all_read() -> Scraped:
        seen = scrape(port)
        done = seen.get("pipeline_documents_total,status=done", 0) + seen.get("pipeline_documents_total,status=failed", 0)
        return seen if done == 3 and seen["pipeline_queue_depth,queue=files"] == 0 else {}

    seen = wait_for(all_read)
    expected = {
        "pipeline_documents_total,status=done": 2,
        "pipeline_documents_total,status=failed": 1,
        "pipeline_documents_total,status=partial": 0,
        "pipeline_failures_total,reason=needs_password": 1,
        "pipeline_failures_total,reason=timeout": 0,
        "pipeline_units_total,reason=,status=done,template=transcript": 3,
        "pipeline_units_total,reason=,status=blank,template=transcript": 1,
        "pipeline_pages_total,source=textlayer": 3,
        "pipeline_pages_total,source=blank": 1,
        "pipeline_seconds_count,stage=read": 4,
        "pipeline_seconds_count,stage=answer": 3,
        "pipeline_queue_depth,queue=pages": 0,
        "pipeline_queue_depth,queue=units": 0,
        "pipeline_readers_lost_total": 0,
        f"pipeline_info,command=watch,engine={EmbeddedEngine.identity},version=0.1.0": 1,
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert seen["pipeline_seconds_sum,stage=read"] > 0
    assert seen["process_resident_memory_bytes"] > 10_000_000
    assert not [name for name in seen if name.startswith("pipeline_") and name.partition(",")[0].endswith("_created")]
    before = seen["pipeline_last_progress_timestamp_seconds"]
    workspace.put("later.pdf", text_pdf(["Later"]))
    later = wait_for(lambda: (now := scrape(port)).get("pipeline_documents_total,status=done") == 3 and now)
    assert isinstance(later, dict)
    assert later["pipeline_last_progress_timestamp_seconds"] > before
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert scrape(port) == {}, "the port is free again"


@pytest.mark.slow
def test_a_port_that_is_taken_is_a_mistake_with_a_cure(
    watched: tuple[Workspace, int, subprocess.Popen[str]], tmp_path: Path
) -> None:
    _, port, _ = watched
    wait_for(lambda: scrape(port))
    other = Workspace(tmp_path / "other")
    other.folder.mkdir()
    other.put("a.pdf")
    code, _, err = other.run("run", METRICS__PORT=str(port))
    assert code == 2
    assert f"metrics cannot be served at 127.0.0.1:{port}" in err
    assert "--metrics-port" in err
    assert not other.outbox.exists(), "nothing was read"


def test_who_does_not_ask_pays_nothing(workspace: Workspace) -> None:
    workspace.inbox.mkdir()
    script = "import sys; from pipeline.cli.main import main\ntry: main()\nexcept SystemExit: pass\n"
    script += "print([m for m in ('prometheus_client', 'http.server') if m in sys.modules])"
    command = [sys.executable, "-c", script, "run", "-q", "--inbox", str(workspace.inbox), "--outbox", str(workspace.outbox)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_cluster_tells_its_actors() -> None:
    metrics = RunMetrics()
    actors = [{"actor": 3, "host": "a", "units": 4, "pages": 2, "answered": 17}]
    state: dict[str, object] = {}
    metrics.add_cluster(lambda: state)
    prometheus_client.generate_latest(metrics.registry)  # before anything is known
    state |= {"machines": 2, "actors": actors, "starting": 1, "waiting_units": 5, "lost_actors": 6, "retried_units": 7}
    lines = prometheus_client.generate_latest(metrics.registry).decode().splitlines()
    for line in (
        "pipeline_cluster_machines 2.0",
        "pipeline_cluster_actors 1.0",
        "pipeline_cluster_actors_lost_total 6.0",
        'pipeline_actor_units{actor="3",host="a"} 4.0',
        'pipeline_actor_answered_total{actor="3",host="a"} 17.0',
    ):
        assert line in lines
