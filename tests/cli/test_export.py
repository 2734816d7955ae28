"""``pipeline export`` in every format, from a ledger alone."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey
from tests.cli.conftest import Pipeline

FORMATS = ("json", "csv", "xlsx", "sqlite", "parquet", "jsonl")
ORDER = """
name: order
prompt: Read.
fields:
  number: {type: identifier}
  day: {type: date}
  total: {type: money}
  items: {type: table, columns: {code: {type: identifier}, price: {type: money}}}
"""
ITEMS = [{"code": "01", "price": "0.10"}, {"code": "02", "price": "1.20"}]


@pytest.fixture
def ledger(folder: Path) -> Ledger:
    """The ledger of an outbox in which there is nothing else."""
    (folder / "templates").mkdir()
    (folder / "templates" / "order.yaml").write_text(ORDER)
    (folder / "pipeline.yaml").write_text("outbox: outbox\n")
    return Ledger(folder / "outbox" / ".pipeline")


def put(ledger: Ledger, name: str, values: Mapping[str, Any] | None) -> None:
    """A document as a run leaves it in the ledger; None: it does not open."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    recipes = {"order": "r"}
    ledger.record_document(
        DocumentInfo(sha256, "pdf", int(values is not None), None if values is not None else "unreadable", "damaged")
    )
    ledger.record_file(Source(Path("/inbox") / name, name, name), sha256, 1, 1)
    ledger.record_recipes(recipes, "echo/1", {})
    if values is not None:
        fields = {key: Evidence(value, None, 1, None, "exact") for key, value in values.items()}
        ledger.commit([Result(UnitKey(sha256, 1, "order", "r"), "done", fields)])
    ledger.record_publication(name, sha256, recipes, "done" if values is not None else "failed", None)


def export(pipeline: Pipeline, *more: str | Path) -> list[str]:
    outcome = pipeline("export", *(part for kind in FORMATS for part in ("--format", kind)), "--json", *more)
    assert outcome.code == 0, outcome.err
    return [Path(path).name for path in outcome.json["written"]]


def without_checksum(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what only its own file says: its checksum, and where the document's file stays."""
    del result["provenance"]["checksum"]
    result["provenance"].pop("stays_at", None)
    return result


def test_all_formats_hold_the_same_documents_once_in_the_same_columns(pipeline: Pipeline, folder: Path, ledger: Ledger) -> None:
    with ledger:
        put(ledger, "a.pdf", {"number": "007", "day": "2025-09-12", "total": "1234.50", "items": ITEMS})
        put(ledger, "b.pdf", None)
        put(ledger, "c.pdf", {"number": "=1+1", "day": "1815-06-18", "total": "9" * 20})
    export(pipeline)
    outbox = folder / "outbox"
    workbook = openpyxl.load_workbook(outbox / "documents.xlsx")
    assert workbook.sheetnames == ["documents", "order", "order.items"]
    with closing(sqlite3.connect(outbox / "documents.sqlite")) as database:
        for name in workbook.sheetnames:
            with (outbox / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                table = list(csv.reader(file))
            columns, files = table[0], [row[0] for row in table[1:]]
            assert [cell.value for cell in workbook[name][1]] == columns
            assert [cell.value for cell in workbook[name]["A"][1:]] == files
            frame = pd.read_parquet(outbox / f"{name}.parquet")
            assert (list(frame.columns), list(frame["file"])) == (columns, files)
            cursor = database.execute(f'SELECT * FROM "{name.replace(".", "_")}"')
            assert ([column[0] for column in cursor.description], [row[0] for row in cursor]) == (columns, files)
        assert database.execute("SELECT number, day FROM \"order\" WHERE file = 'c.pdf'").fetchone() == ("=1+1", "1815-06-18")
        exact = "SELECT value FROM fields WHERE file = 'c.pdf' AND field = 'total'"
        assert database.execute(exact).fetchone() == ("9" * 20,)
    lines = (outbox / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        without_checksum(json.loads((outbox / f"{name}.pdf.json").read_text(encoding="utf-8"))) for name in "abc"
    ]
    assert [path.name for path in (outbox / ".pipeline").iterdir() if "export" in path.name] == []


def test_an_outbox_without_documents_gives_tables_without_rows(pipeline: Pipeline, folder: Path, ledger: Ledger) -> None:
    ledger.close()
    paths = export(pipeline, "--to", folder / "out")
    assert paths == ["documents.csv", "documents.xlsx", "documents.sqlite", "documents.parquet", "documents.jsonl"]
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(paths)
    sheet = openpyxl.load_workbook(folder / "out" / "documents.xlsx").active
    assert [[cell.value for cell in row] for row in sheet] == [
        ["file", "status", "reason", "pages", "templates", "kind", "sha256", "parent", "parts", "state"]
    ]


def test_a_folder_without_write_permission_is_reported(pipeline: Pipeline, folder: Path, ledger: Ledger) -> None:
    ledger.close()
    (folder / "out").write_text("a file")
    outcome = pipeline("export", "--format", "xlsx", "--to", folder / "out")
    assert outcome.code == 2
    assert "cannot be written" in outcome.err


@pytest.mark.parametrize("to", [None, "elsewhere"])
def test_a_file_that_another_program_changed_is_kept_beside_the_new_one(
    ledger: Ledger, pipeline: Pipeline, folder: Path, to: str | None
) -> None:
    put(ledger, "a.pdf", {"number": "1", "items": ITEMS})
    place, target = folder / (to or "outbox"), ["--to", to] if to else []
    tables = ["documents.csv", "documents.jsonl", "documents.sqlite", "documents.xlsx", "order.csv", "order.parquet"]
    export(pipeline, *target)
    export(pipeline, *target)
    assert not list(place.glob("*(changed *")), "what nobody changed is replaced"
    saved = {}
    for name in tables:
        path = place / name
        path.write_bytes(path.read_bytes()[:-1] + b"!")  # the same size
        saved[path.suffix, path.stem] = path.read_bytes()
    outcome = pipeline("export", *(part for kind in FORMATS for part in ("--format", kind)), *target)
    assert outcome.code == 0, outcome.err
    for (suffix, stem), content in saved.items():
        (copy,) = place.glob(f"{stem} (changed *){suffix}")
        assert copy.read_bytes() == content
        assert (place / f"{stem}{suffix}").read_bytes() != content
        assert f"{stem}{suffix} was changed by another program: it is kept as `{copy.name}`" in outcome.err


def test_a_file_of_somebody_else_with_the_name_of_an_export_is_kept(ledger: Ledger, pipeline: Pipeline, folder: Path) -> None:
    put(ledger, "a.pdf", {"number": "1"})
    (folder / "outbox" / "documents.xlsx").write_text("mine")
    pipeline("export", "--format", "xlsx")
    (copy,) = (folder / "outbox").glob("documents (changed *).xlsx")
    assert copy.read_text() == "mine"
    assert openpyxl.load_workbook(folder / "outbox" / "documents.xlsx").sheetnames[0] == "documents"
