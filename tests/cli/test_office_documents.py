"""Office files, web pages and texts in the inbox: an invoice in any of them gives its fields, each with its place in the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.drawing import invoice, invoice_truth
from tests.office_files import INVOICE_FORMATS, office_invoice

PLACES = {
    "docx": "table 1, row", "odt": "table 1, row", "rtf": "table 1, row", "html": "table 1, row", "md": "table 1, row",
    "pptx": "slide 1, table 1, row", "odp": "slide 1, table, row", "xlsx": "Invoice!A", "ods": "Invoice!A", "csv": "A", "txt": "line",
}  # fmt: skip
"""What the place of the goods holds."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of all formats, read in one run."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "inbox").mkdir()
    for kind in INVOICE_FORMATS:
        path = folder / "inbox" / f"invoice.{kind}"
        path.write_bytes(office_invoice(kind))
        os.utime(path, (1e9, 1e9))
    command = [sys.executable, "-m", "pipeline", "run", "--engine", "embedded", "--quiet"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PIPELINE_WORKERS": "1"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {
        kind: json.loads((folder / "outbox" / f"invoice.{kind}.json").read_text(encoding="utf-8")) for kind in INVOICE_FORMATS
    }


@pytest.mark.parametrize("kind", list(INVOICE_FORMATS))
def test_an_invoice_gives_its_fields_in_every_format(results: dict[str, Any], kind: str) -> None:
    result = results[kind]
    assert (result["document"]["kind"], result["status"], result["document"]["pages"]) == (kind, "done", 1)
    assert result["pages"][0]["source"] == "file"
    fields = result["results"]["invoice"]["fields"]
    truth: dict[str, Any] = dict(invoice_truth(invoice()))
    names = ("invoice_number", "issue_date", "due_date", "currency", "subtotal", "tax_total", "total", "vendor_name", "vat_id")
    expected = {name: truth[name] for name in names if name in fields and name in truth}
    assert len(expected) >= 7
    assert {name: fields[name]["value"] for name in expected} == expected
    assert fields["total"]["place"]
    assert PLACES[kind] in fields["line_items"]["place"]
    rows = [[row["description"], row["amount"]] for row in fields["line_items"]["value"]]
    assert rows == [[row["description"], row["amount"]] for row in truth["line_items"]]
