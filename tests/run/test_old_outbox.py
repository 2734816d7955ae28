"""An outbox and a ledger of the version before: this version opens them and goes on with them.

``old_outbox/`` was made by the version before, from three documents that tests/drawing.py draws, with one correction, one answered question
and one open question. ``state/ledger.sql`` is a dump of its ledger. ``{inbox}`` stands for the path of the inbox.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import open_orders, orders_for_document
from pipeline.records import UnitKey
from pipeline.run.in_flight import interrupted_units
from pipeline.run.job import all_templates, recipe
from pipeline.settings import STATE_FOLDER, Settings
from tests.drawing import text_pdf
from tests.run.processes import OLD, Workspace

OLD_OUTBOX = Path(__file__).parent / "old_outbox"
NAMES = ("bills/invoice.pdf", "broken.pdf", "letter.pdf")
MOST_CHANGE = 0.05
"""How far a confidence may lie from that of an older version, whose weights were others."""
NEW_TEXT = "The caretaker asks all tenants to keep the bicycles out of the stairs. " * 4


def old_recipes() -> dict[str, str]:
    """Template to recipe in the old ledger."""
    dump = (OLD_OUTBOX / "state" / "ledger.sql").read_text(encoding="utf-8")
    return {template: digits for digits, template in re.findall(r"INSERT INTO \"recipes\" VALUES\('(\w+)','(\w+)'", dump)}


def present_recipes() -> dict[str, str]:
    templates = all_templates(Settings())
    return {name: recipe(templates[name], EmbeddedEngine()) for name in old_recipes()}


def replaced(text: str, inbox: Path) -> str:
    """The text of an old file with the path of this inbox and the present recipes."""
    text = text.replace("{inbox}", str(inbox))
    old, present = old_recipes(), present_recipes()
    for template in old:
        text = text.replace(old[template], present[template])
    return text


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """The old inbox and outbox in a temporary folder."""
    workspace = Workspace(tmp_path)
    for name in NAMES:
        workspace.put(name, (OLD_OUTBOX / "documents" / name).read_bytes())
    shutil.copytree(OLD_OUTBOX / "results", workspace.outbox)
    for path in workspace.outbox.rglob("*.json"):
        path.write_text(replaced(path.read_text(encoding="utf-8"), workspace.inbox), encoding="utf-8")
    state = workspace.outbox / STATE_FOLDER
    state.mkdir()
    shutil.copy(OLD_OUTBOX / "state" / "said.jsonl", state)
    with sqlite3.connect(state / "ledger.sqlite") as db:
        db.executescript(replaced((OLD_OUTBOX / "state" / "ledger.sql").read_text(encoding="utf-8"), workspace.inbox))
    db.close()
    return workspace


def run_command(workspace: Workspace, command: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    folders = ["--outbox", str(workspace.outbox)] + (["--inbox", str(workspace.inbox)] if command == "run" else [])
    settings = {"ENGINE": "embedded", "WORKERS": "1", "OCR__PRECISION": "float32", **settings}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", command, *folders, *arguments],
        env={**os.environ, **{f"PIPELINE_{name}": value for name, value in settings.items()}},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def old_units(workspace: Workspace) -> list[Any]:
    """The units of the old documents with the times at which they ended."""
    hashes = [hashlib.sha256((OLD_OUTBOX / "documents" / name).read_bytes()).hexdigest() for name in NAMES]
    with sqlite3.connect(workspace.outbox / STATE_FOLDER / "ledger.sqlite") as db:
        query = "SELECT sha256, page, template, status, attempts, ended_at FROM units ORDER BY sha256, page"
        return [row for row in db.execute(query) if row[0] in hashes]


def results(workspace: Workspace) -> dict[str, Any]:
    return {name: json.loads((workspace.outbox / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def assert_contains(new: Any, old: Any, place: str = "") -> None:
    """Check that ``new`` has all keys and values of ``old``; it may have more keys."""
    if isinstance(old, dict):
        assert set(old) <= set(new), f"{place}: keys are missing"
        for key, value in old.items():
            if key == "confidence":  # computed anew at every publication, with the weights of the version
                assert value is None or abs(new[key] - value) <= MOST_CHANGE, f"{place}: {new[key]} for {value}"
            else:
                assert_contains(new[key], value, f"{place}/{key}")
    elif isinstance(old, list):
        assert len(new) == len(old), place
        for number, value in enumerate(old):
            assert_contains(new[number], value, f"{place}/{number}")
    else:
        assert new == old, place


def test_recipes_are_those_of_the_version_before() -> None:
    """Another recipe makes every document be read again. Where that is intended, the fixture's digits in ledger.sql are changed too."""
    assert present_recipes() == old_recipes()


@pytest.mark.slow
def test_an_old_outbox_is_gone_on_with(workspace: Workspace) -> None:
    old_results, units = results(workspace), old_units(workspace)
    assert len(units) == 3
    workspace.put("new.pdf", text_pdf([NEW_TEXT]))

    run = run_command(workspace, "run", "--json")
    assert run.returncode == 0, run.stderr
    assert old_units(workspace) == units, "nothing is read again"
    assert results(workspace) == old_results, "results stay as they are"
    new = json.loads((workspace.outbox / "new.pdf.json").read_text(encoding="utf-8"))
    assert (new["status"], list(new["results"])) == ("done", ["transcript"])
    with (workspace.outbox / "documents.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row["status"] for row in csv.DictReader(file)}
    assert rows == {"bills/invoice.pdf": "done", "broken.pdf": "failed", "letter.pdf": "done", "new.pdf": "done"}

    with Ledger(workspace.outbox / STATE_FOLDER) as ledger:
        assert open_orders(ledger) == []
        letter = ledger.file_by_name("letter.pdf")
        assert letter
        answers = [(order.outcome or {})["answer"] for order in orders_for_document(ledger, letter.sha256, "question")]
    assert "4 May 2026" in answers[0], "the answer of the version before"
    assert "library" in answers[1], "the answer of this version"

    status = json.loads(run_command(workspace, "status", "--json").stdout)
    assert status["documents"] == {"done": 3, "failed": 1}

    (workspace.outbox / "bills" / "invoice.pdf.json").unlink()
    export = run_command(workspace, "export")
    assert export.returncode == 0, export.stderr
    assert_contains(results(workspace), old_results)
    vendor = results(workspace)["bills/invoice.pdf"]["results"]["invoice"]["fields"]["vendor_name"]
    assert vendor["value"] == "Harrow Lane Tools Limited"
    assert vendor["corrected"]["read"]["value"] == "Harrow Lane Tools Ltd"

    review = run_command(workspace, "review")
    assert review.returncode == 0, review.stderr
    assert "Harrow Lane Tools Limited" in (workspace.outbox / "review.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_changed_document_of_an_old_outbox_is_read_again(workspace: Workspace) -> None:
    changed = workspace.put("letter.pdf", text_pdf([NEW_TEXT]))
    os.utime(changed, (OLD + 1, OLD + 1))
    assert run_command(workspace, "run").returncode == 0
    letter = json.loads((workspace.outbox / "letter.pdf.json").read_text(encoding="utf-8"))
    assert "bicycles" in letter["results"]["transcript"]["fields"]["text"]["value"][0]


@pytest.mark.slow
def test_a_unit_in_the_state_file_of_the_version_before_counts_as_a_crash(workspace: Workspace) -> None:
    content = text_pdf([NEW_TEXT])
    workspace.put("new.pdf", content)
    unit = UnitKey(hashlib.sha256(content).hexdigest(), 1, "transcript", present_recipes()["transcript"])
    state = workspace.outbox / STATE_FOLDER
    (state / "underway").write_text(f"+{json.dumps(astuple(unit))}\n", encoding="utf-8")
    assert run_command(workspace, "run", RETRY__CRASH_ATTEMPTS="1").returncode == 1
    page = json.loads((workspace.outbox / "new.pdf.json").read_text(encoding="utf-8"))["pages"][0]
    assert (page["status"], page["reason"]) == ("failed", "engine")
    assert "the program died" in page["detail"]
    assert interrupted_units(state) == []
