"""The log: every event once, one line each, for any file name and any end of the run."""

from __future__ import annotations

import json
import logging
import re
import signal
from pathlib import Path

import psutil
import pytest

from pipeline.monitoring.logs import LOGGER, log_event, open_log
from pipeline.runtime.lock import locked
from pipeline.settings_sections import LogSettings
from tests.drawing import encrypted_pdf, text_pdf
from tests.engines.scripted import Call, Handler, ScriptedServer, behave_well
from tests.run.kills import units
from tests.run.processes import Workspace, events, wait_for

ODD = 'a\nb\r\x1b[2J\x85\u2028 "quoted" = \udcff é.pdf'
"""Line breaks of every kind, a command to the terminal, a byte that is no text."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.mark.parametrize("as_json", [True, False])
def test_no_name_breaks_a_line(tmp_path: Path, as_json: bool) -> None:
    path = tmp_path / "logs" / "log"
    with open_log(LogSettings(file=path, json=as_json)):
        log_event(logging.INFO, "file_started", file=ODD, size=7, reason=None)
        LOGGER.getChild("library").warning("it said\n%s", ODD)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    if as_json:
        first, second = map(json.loads, lines)
        assert (first["event"], first["file"], first["size"], "reason" in first) == ("file_started", ODD, 7, False)
        assert (second["event"], second["message"], second["level"]) == ("message", f"it said\n{ODD}", "warning")
    else:
        assert re.match(r'\d{4}-\d\d-\d\dT[\d:.]{12}Z INFO    file_started file="a\\nb\\r.+\.pdf" size=7$', lines[0])


def test_the_log_tells_the_whole_run_and_nothing_else_is_on_standard_error(workspace: Workspace) -> None:
    workspace.put("a.pdf", text_pdf(["One", "Two"]))
    workspace.put("locked.pdf", encrypted_pdf("x", "secret word"))
    code, out, err = workspace.run("run", "--log-json", LOG__LEVEL="debug")
    assert code == 1
    assert "a.pdf" in out, "the table for people stays on standard output"
    reported_lines = events(err)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"]) for line in reported_lines)
    names = [line["event"] for line in reported_lines]
    assert names[:3] == ["run_started", "engine_ready", "files_found"]
    assert names[-1] == "run_ended"
    assert sorted(names[3:-1]) == ["document_published"] * 2 + ["file_started"] * 2 + ["unit_finished"] * 2
    pages = [line for line in reported_lines if line["event"] == "unit_finished"]
    assert [(line["file"], line["page"], line["status"], line["level"]) for line in pages] == [
        ("a.pdf", 1, "done", "debug"),
        ("a.pdf", 2, "done", "debug"),
    ]
    published = {line["file"]: line for line in reported_lines if line["event"] == "document_published"}
    assert published["a.pdf"].items() >= {"status": "done", "pages": 2, "template": "transcript", "level": "info"}.items()
    assert published["locked.pdf"].items() >= {"status": "failed", "reason": "needs_password", "level": "warning"}.items()
    ended = reported_lines[-1]
    assert (ended["exit_code"], ended["documents"], ended["pages"]) == (1, {"done": 1, "failed": 1}, 2)


def test_quiet_says_nothing_when_all_went_well_and_sums_up_what_did_not(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    assert workspace.run("run", "--quiet", "--log-json") == (0, "", "")
    assert workspace.run("run", "--quiet") == (0, "", "")
    workspace.put("cut.pdf", b"%PDF-1.7 cut off")
    workspace.put("b.pdf")
    code, out, err = workspace.run("run", "--quiet")
    assert (code, out) == (1, "")
    failed, last = err.splitlines()
    assert failed.startswith("failed: cut.pdf: unreadable: ")
    assert re.fullmatch(r"2 documents: 1 done, 1 failed; \d+ s; exit 1", last)
    code, out, err = workspace.run("reprocess", "--all", "--quiet", "--log-json")
    assert (code, out) == (1, "")
    assert [line["event"] for line in events(err)] == ["document_published", "run_ended"]


def test_a_run_that_cannot_begin_says_so_in_the_log(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    with locked(workspace.outbox):
        code, out, err = workspace.run("run", "--log-json")
    assert (code, out) == (3, "")
    last = events(err)[-1]
    assert (last["event"], last["exit_code"], last["level"]) == ("run_ended", 3, "error")
    assert "another run works on" in last["error"]
    code, _, err = workspace.run("run", "--log-json", "--engine", "nonsense")
    assert (code, [line["event"] for line in events(err)]) == (4, ["run_started", "engine_unavailable", "run_ended"])


def test_the_log_file_rotates_and_keeps_whole_lines(workspace: Workspace) -> None:
    for number in range(24):
        workspace.put(f"{number}.pdf")
    size = {"LOG__FILE": str(workspace.folder / "logs" / "run.log"), "LOG__MEGABYTES": "0.002", "LOG__KEEP": "2"}
    code, _, err = workspace.run("run", "--quiet", **size)
    assert (code, err) == (0, "")
    files = sorted((workspace.folder / "logs").iterdir())
    assert [file.name for file in files] == ["run.log", "run.log.1", "run.log.2"]
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines
        assert file.stat().st_size <= 2_000
        assert all(re.match(r"\d{4}-\S+Z (INFO|WARNING) +\w+ \w+=", line) for line in lines)
    assert "run_ended exit_code=0 documents=done:24" in files[0].read_text(encoding="utf-8")


def test_the_log_file_lies_beside_the_settings_and_not_in_the_inbox(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    settings = workspace.folder / "conf" / "pipeline.yaml"
    settings.parent.mkdir()
    settings.write_text("log: {file: run.log, json: true}\n")
    assert workspace.run("run", "--config", str(settings))[0] == 0
    lines = events((settings.parent / "run.log").read_text(encoding="utf-8"))
    assert [lines[0]["event"], lines[-1]["event"]] == ["run_started", "run_ended"]
    code, _, err = workspace.run("run", LOG__FILE=str(workspace.inbox / "run.log"))
    assert (code, "is inside the inbox" in err) == (2, True)
    code, _, err = workspace.run("run", LOG__FILE=str(workspace.put("a.pdf") / "run.log"))
    assert code == 2


def test_a_full_disk_for_the_log_is_said_once_and_stops_nothing(workspace: Workspace) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    workspace.put("a.pdf")
    code, _, err = workspace.run("run", "--quiet", LOG__FILE="/dev/full")
    assert code == 0
    assert err.count("\n") == 1
    assert "the log file /dev/full cannot be written" in err
    assert (workspace.outbox / "a.pdf.json").exists()


@pytest.mark.slow
def test_a_server_that_is_busy_is_reported_before_it_ends_anything(workspace: Workspace) -> None:
    workspace.put("a.pdf")
    turns = iter([503])

    def busy_once(handler: Handler, call: Call) -> None:
        handler.respond(503, {"error": {"message": "warming up"}}) if next(turns, 0) else behave_well(handler, call)

    with ScriptedServer(busy_once) as server:
        code, _, err = workspace.run("run", "--log-json", "--engine", "server", SERVER__URL=server.url)
    assert code == 0
    (retry,) = [line for line in events(err) if line["event"] == "engine_retry"]
    assert (retry["level"], retry["attempt"], "503: warming up" in retry["detail"]) == ("info", 1, True)


@pytest.mark.slow
def test_a_reader_that_dies_and_a_signal_are_reported_with_their_place(workspace: Workspace) -> None:
    workspace.put("long.pdf", text_pdf([f"Page {page}" for page in range(1, 801)]))
    process = workspace.start("run", "--log-json")
    wait_for(lambda: len(units(workspace.outbox)) > 10)
    for child in psutil.Process(process.pid).children():
        if "worker_pool" in " ".join(child.cmdline()):
            child.kill()
    before = len(units(workspace.outbox))
    wait_for(lambda: len(units(workspace.outbox)) > before + 10)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    reported_lines = events(err)
    lost = [line for line in reported_lines if line["event"] == "reader_lost"]
    assert [(line["file"], "SIGKILL" in line["detail"], line["page"] > 10) for line in lost] == [("long.pdf", True, True)]
    assert [(line["event"], line.get("signal")) for line in reported_lines[-2:]] == [("signal", "SIGTERM"), ("run_ended", None)]
    assert reported_lines[-1]["exit_code"] == 130
