"""The repository's example documents, read as `make run` reads them, hold the values that they are known to hold."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXPECTED: dict[str, dict[str, Any]] = json.loads((ROOT / "examples" / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples read once."""
    folder = tmp_path_factory.mktemp("examples")
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", "inbox", "--outbox", str(folder), "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def documents(outbox: Path) -> dict[str, Any]:
    return {name: json.loads((outbox / f"{name}.json").read_text(encoding="utf-8")) for name in EXPECTED}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPECTED)
def test_the_right_template_reads_every_field(outbox: Path, name: str) -> None:
    result, expected = documents(outbox)[name], EXPECTED[name]
    assert (result["status"], result["document"]["pages"]) == ("done", expected["pages"])
    assert list(result["results"]) == [expected["template"]]
    fields = result["results"][expected["template"]]["fields"]
    read = {key: fields[key]["value"] for key in expected.get("fields", {})}
    for key, value in expected.get("fields", {}).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            read[key] = [
                {column: row[column] for column in expected_row} for row, expected_row in zip(read[key], value, strict=True)
            ]
    assert read == expected.get("fields", {})


@pytest.mark.slow
def test_every_value_of_the_invoices_has_its_place_on_the_page(outbox: Path) -> None:
    for name in ("invoice.pdf", "two-page-invoice.pdf", "receipt.jpg"):
        document = documents(outbox)[name]
        (result,) = document["results"].values()
        for key, field in result["fields"].items():
            if field["value"] is not None and not isinstance(field["value"], list):
                assert field["grounding"] != "none", (name, key)
                assert len(field["box"]) == 4, (name, key)


@pytest.mark.slow
def test_the_spreadsheets_hold_one_row_a_document_and_one_a_line_item(outbox: Path) -> None:
    with (outbox / "invoice.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    invoices = {name: expected for name, expected in EXPECTED.items() if expected["template"] == "invoice"}
    assert set(rows) == set(invoices)
    assert {name: row["total"] for name, row in rows.items()} == {
        name: expected["fields"]["total"] for name, expected in invoices.items()
    }
    with (outbox / "invoice.line_items.csv").open(encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    assert len(items) == sum(len(expected["fields"]["line_items"]) for expected in invoices.values())
