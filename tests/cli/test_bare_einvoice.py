"""E-invoices that are data alone, dropped into the inbox as XML files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from examples.einvoice import facturx_xml
from tests.cli.conftest import Pipeline
from tests.drawing import invoice, invoice_truth
from tests.words.test_einvoice import UBL


def read(folder: Path, pipeline: Pipeline, content: bytes) -> Any:
    (folder / "inbox").mkdir(exist_ok=True)
    path = folder / "inbox" / "r.xml"
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))
    pipeline("run", "--engine", "embedded")
    return json.loads((folder / "outbox" / "r.xml.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_its_values_are_read_and_stand_on_the_page_that_states_them(folder: Path, pipeline: Pipeline, encoding: str) -> None:
    xml = facturx_xml(invoice()).decode().replace('encoding="UTF-8"', f'encoding="{encoding[:6].rstrip("-")}"')
    result = read(folder, pipeline, xml.encode(encoding))
    assert (result["document"]["kind"], result["document"]["pages"], result["status"]) == ("xml", 1, "done")
    fields = result["results"]["invoice"]["fields"]
    expected = {name: value for name, value in invoice_truth(invoice()).items() if name in fields and name != "line_items"}
    assert {name: fields[name]["value"] for name in expected} == expected
    assert fields["total"]["box"]
    assert "xml" in fields["total"]["flags"]
    assert len(fields["line_items"]["value"]) == 2


def test_ubl_with_more_lines_than_a_page_holds(folder: Path, pipeline: Pipeline) -> None:
    begin, end = UBL.index("<cac:InvoiceLine"), UBL.index("</cac:InvoiceLine>") + len("</cac:InvoiceLine>")
    long = UBL[:begin] + UBL[begin:end] * 120 + UBL[end:]
    result = read(folder, pipeline, long.encode())
    assert result["document"]["pages"] > 2
    assert len(result["results"]["invoice"]["fields"]["line_items"]["value"]) == 120


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<Invoice", "unreadable"), (b"<!DOCTYPE x [<!ENTITY e 'x'>]><Invoice>&e;</Invoice>", "unsupported")],
)
def test_broken_xml_and_entities_end_in_a_reason(folder: Path, pipeline: Pipeline, content: bytes, reason: str) -> None:
    result = read(folder, pipeline, content)
    assert (result["status"], result["reason"]) == ("failed", reason)
