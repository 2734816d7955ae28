"""Real documents read by scorers that did not see their layout: every document has a result that other tools can read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks.accuracy_tables import measured
from tests.evaluate.building import put_invoices, put_truth


def test_every_document_is_read_without_its_layout_and_scored(tmp_path: Path) -> None:
    rows = put_invoices(tmp_path / "invoices", ["de", "en", "fr", "nl"])
    for row in rows:
        row["line_items"] = row["fields"].pop("line_items")
        row |= {"id": row["file"], "scored": ["vendor_name", "total", "invoice_date", "invoice_number"], "absent": ["prepaid"]}
    put_truth(tmp_path / "invoices", rows)
    command = [
        sys.executable,
        "-m",
        "training.left_out",
        "--real",
        str(tmp_path / "invoices"),
        "--outbox",
        str(tmp_path / "out"),
    ]
    options = ["--pages", str(tmp_path / "pages"), "--folds", "2", "--networks", "1", "--epochs", "1"]
    done = subprocess.run(
        [*command, *options], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["part 1 of 2", "part 2 of 2"]
    predictions = [json.loads(line) for line in (tmp_path / "out" / "invoices" / "predictions.jsonl").read_text().splitlines()]
    assert {row["file"] for row in predictions} == {"de.pdf", "en.pdf", "fr.pdf", "nl.pdf"}
    assert all(isinstance(row["line_items"], list) for row in predictions)
    read = measured("ours", "invoice", tmp_path / "invoices", tmp_path / "out" / "invoices")
    assert not read.evaluation.problems
    assert (read.evaluation.review.values, read.evaluation.review.absent) == (16, 4)
    assert read.evaluation.calibration is not None
    assert read.row_f1 is not None
