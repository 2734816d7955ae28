"""``pipeline estimate`` as a user meets it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.runtime.lock import locked
from tests.cli.conftest import Pipeline
from tests.cli.test_commands import put
from tests.drawing import encrypted_pdf, text_pdf
from tests.estimate.test_ratio_estimate import InterruptedEngine


def test_an_inbox_is_estimated_and_then_there_is_nothing_left_to_do(pipeline: Pipeline, folder: Path) -> None:
    for number in range(3):
        put(folder, f"inbox/{number}.pdf", text_pdf(["Alpha", "Beta"]))
    options = ("--template", "transcript", "--engine", "embedded")
    outcome = pipeline("estimate", *options, "--within", "8h")
    assert outcome.code == 0
    assert "3 files to read (0 more known and up to date)" in outcome.out
    assert re.search(r"^pages +6 *$", outcome.out, re.MULTILINE)
    assert "Within 8 h: 100% likely." in outcome.out
    assert outcome.err == ""
    assert not (folder / "outbox").exists()
    values = pipeline("estimate", *options, "--json", "--sample", "2").json
    assert (values["files"], values["known"], values["pages"]) == (3, 0, {"value": 6, "low": 6, "high": 6})
    assert values["seconds"]["low"] <= values["seconds"]["value"] <= values["seconds"]["high"]
    assert values["memory_bytes"]["peak"] == values["memory_bytes"]["main"] + values["memory_bytes"]["readers"] > 50_000_000
    assert (values["sample"]["documents"], values["sample"]["failed"], values["within"]) == (2, [], None)
    assert pipeline("run", *options, "--quiet").code == 0
    done = pipeline("estimate", *options)
    assert (done.code, done.out) == (0, "nothing to do: 3 files known and up to date\n")
    assert pipeline("estimate", *options, "--json").json["seconds"] is None


def test_a_missing_inbox_is_an_error_and_an_empty_one_is_not(pipeline: Pipeline, folder: Path) -> None:
    assert pipeline("estimate").code == 2
    (folder / "inbox").mkdir()
    outcome = pipeline("estimate", "--engine", "embedded")
    assert (outcome.code, outcome.out) == (0, "nothing to do: there is no file to read\n")


def test_an_engine_that_is_not_there_ends_with_its_exit_code(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    outcome = pipeline("estimate", "--engine", "vlm", "--model", "acme/none")
    assert outcome.code == 4
    assert outcome.out == ""


def test_failures_are_no_failure_of_the_estimate(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/locked.pdf", encrypted_pdf())
    outcome = pipeline("estimate", "--engine", "embedded")
    assert outcome.code == 0
    assert "locked.pdf: needs_password" in outcome.out
    (failed,) = pipeline("estimate", "--engine", "embedded", "--json").json["sample"]["failed"]
    assert (failed["file"], failed["reason"]) == ("locked.pdf", "needs_password")
    assert "pipeline unlock" in failed["cure"]


def test_an_interrupted_estimate_prints_what_it_knows(
    pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        put(folder, f"inbox/{number}.pdf", text_pdf([f"Alpha {number}"]))
    monkeypatch.setattr("pipeline.cli.estimate.make_engine", lambda settings: InterruptedEngine())
    outcome = pipeline("estimate", "--template", "transcript")
    assert outcome.code == 130
    assert re.search(r"^time +\d", outcome.out, re.MULTILINE)


def test_actors_divide_the_work(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"] * 4))
    cluster = pipeline("estimate", "--engine", "embedded", "--template", "transcript", "--actors", "8", "--json").json[
        "cluster"
    ]
    assert cluster["actors"] == 8
    assert cluster["cores"] % 8 == 0
    assert cluster["driver_seconds"]["value"] == pytest.approx(0.003 + 4 * 0.007, abs=0.1)


def test_another_run_is_named(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    with locked(folder / "outbox"):
        outcome = pipeline("estimate", "--engine", "embedded", "--template", "transcript")
    assert outcome.code == 0
    assert "Another run works on this outbox" in outcome.out


def test_a_wrong_time_is_refused(pipeline: Pipeline, folder: Path) -> None:
    (folder / "inbox").mkdir()
    assert pipeline("estimate", "--within", "soon").code == 2
