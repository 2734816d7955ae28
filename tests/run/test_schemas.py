"""JSON Schemas on the command line and in Python, from the file to what is published."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

import pipeline
from pipeline.cli.commands import cli
from pipeline.errors import TemplateError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "orderNumber": {"type": "string"},
        "buyer": {"type": "object", "properties": {"buyerName": {"type": ["string", "null"]}}, "required": ["buyerName"]},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"article": {"type": "string"}, "pieces": {"type": "integer"}}},
        },
        "signed": {"type": "boolean"},
    },
    "required": ["orderNumber", "buyer", "signed"],
}
TEXT = """\
Order number:   PO-7731
Buyer name:     Blue Heron Ltd

Article            Pieces
Copper wire             4
Steel pins             10
"""
DATA = {
    "orderNumber": "PO-7731",
    "buyer": {"buyerName": "Blue Heron Ltd"},
    "items": [{"article": "Copper wire", "pieces": 4}, {"article": "Steel pins", "pieces": 10}],
}


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_schema_of_the_command_line_is_filled_and_known_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT, encoding="utf-8")
    Path("invoice.schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    run("run", "a.txt", "--schema", "invoice.schema.json", "--engine", "embedded")
    result = json.loads(Path("outbox/a.txt.json").read_text(encoding="utf-8"))["results"]
    assert list(result) == ["invoice_schema"]  # there is a built-in `invoice`
    answer = result["invoice_schema"]
    assert answer["data"] == DATA
    assert answer["schema_errors"] == ["$: 'signed' is a required property"]
    assert answer["fields"]["signed"]["flags"] == ["required"]
    assert {"signed", "order_number", "items"} <= set(
        answer["review"]
    )  # the reader of forms is right less often than is accepted
    assert 0.5 < answer["fields"]["order_number"]["confidence"] < 0.95
    assert 0 < answer["fields"]["items"]["cells"][0]["pieces"] < 0.95
    assert answer["fields"]["buyer.buyer_name"]["place"]
    with Path("outbox/invoice_schema.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["buyer.buyer_name"] == "Blue Heron Ltd"
    assert "up to date" in run("run", "a.txt", "--engine", "embedded")  # the file keeps its template, as with --template
    run("export", "--format", "xlsx", "--to", "workbook")
    workbook = openpyxl.load_workbook(next(Path("workbook").glob("*.xlsx")))
    assert {"invoice_schema", "invoice_schema.items"} <= set(workbook.sheetnames)


def test_python_takes_a_model_a_dict_or_a_file(tmp_path: Path) -> None:
    class Buyer(BaseModel):
        buyerName: str | None  # noqa: N815 - as in JSON

    class Order(BaseModel):
        orderNumber: str  # noqa: N815 - as in JSON
        buyer: Buyer | None
        total: float | None

    path, file = tmp_path / "a.txt", tmp_path / "order.schema.json"
    path.write_text(TEXT, encoding="utf-8")
    file.write_text(json.dumps(SCHEMA), encoding="utf-8")
    document = pipeline.read(path, schema=Order, engine="embedded")
    order = Order.model_validate(document.data)
    assert (order.orderNumber, order.buyer and order.buyer.buyerName, order.total) == ("PO-7731", "Blue Heron Ltd", None)
    assert document.schema_errors == ()
    assert document.fields["order_number"].page == 1
    assert pipeline.read(path, schema=file, engine="embedded").data == DATA
    with pytest.raises(TemplateError, match="must be an object with `properties`"):
        pipeline.read(path, schema={"type": "array"})
