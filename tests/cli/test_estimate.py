"""``pipeline estimate`` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Pipeline
from tests.cli.test_commands import put
from tests.drawing import encrypted_pdf, text_pdf
from tests.run.test_forecast import InterruptedEngine


def test_an_inbox_is_estimated_and_then_there_is_nothing_left_to_do(pipeline: Pipeline, folder: Path) -> None:
    for number in range(3):
        put(folder, f"inbox/{number}.pdf", text_pdf(["Alpha", "Beta"]))
    options = ("--template", "transcript", "--engine", "embedded")
    said = pipeline("estimate", *options, "--within", "8h")
    assert said.code == 0
    assert "3 files (0 more known and up to date)" in said.out
    assert "pages:     6, all opened" in said.out
    assert "within 8 h: 100% likely" in said.out
    assert said.err == ""
    assert not (folder / "outbox").exists()
    told = pipeline("estimate", *options, "--json", "--sample", "2").json
    assert (told["files"], told["known"], told["pages"]) == (3, 0, {"value": 6, "low": 6, "high": 6})
    assert told["seconds"]["low"] <= told["seconds"]["value"] <= told["seconds"]["high"]
    assert told["memory_bytes"]["peak"] == told["memory_bytes"]["main"] + told["memory_bytes"]["readers"] > 50_000_000
    assert (told["sample"]["documents"], told["sample"]["failed"], told["within"]) == (2, [], None)
    assert pipeline("run", *options, "--quiet").code == 0
    done = pipeline("estimate", *options)
    assert (done.code, done.out) == (0, "nothing to do: 3 files known and up to date\n")
    assert pipeline("estimate", *options, "--json").json["seconds"] is None


def test_an_empty_inbox_and_one_that_is_not_there(pipeline: Pipeline, folder: Path) -> None:
    assert pipeline("estimate").code == 2
    (folder / "inbox").mkdir()
    said = pipeline("estimate", "--engine", "embedded")
    assert (said.code, said.out) == (0, "nothing to do: there is no file to read\n")


def test_an_engine_that_is_not_there_is_said_with_its_exit_code(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    said = pipeline("estimate", "--engine", "vlm", "--model", "nobody/nothing")
    assert said.code == 4
    assert said.out == ""


def test_failures_are_no_failure_of_the_estimate(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/locked.pdf", encrypted_pdf())
    said = pipeline("estimate", "--engine", "embedded")
    assert said.code == 0
    assert "locked.pdf: needs_password" in said.out
    (failed,) = pipeline("estimate", "--engine", "embedded", "--json").json["sample"]["failed"]
    assert (failed["file"], failed["reason"]) == ("locked.pdf", "needs_password")
    assert "passwords" in failed["cure"]


def test_an_interrupted_estimate_prints_what_it_knows(
    pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        put(folder, f"inbox/{number}.pdf", text_pdf([f"Alpha {number}"]))
    monkeypatch.setattr("pipeline.cli.estimate.make_engine", lambda settings: InterruptedEngine())
    said = pipeline("estimate", "--template", "transcript")
    assert said.code == 130
    assert "time:" in said.out


def test_a_time_that_is_none_is_refused(pipeline: Pipeline, folder: Path) -> None:
    (folder / "inbox").mkdir()
    assert pipeline("estimate", "--within", "soon").code == 2
