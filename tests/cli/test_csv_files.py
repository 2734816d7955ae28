"""The CSV files of the outbox: in the form that the settings say, with the state of each document."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pymupdf

from pipeline.ledger.document_states import decide
from pipeline.ledger.ledger import Ledger
from tests.cli.conftest import Pipeline
from tests.drawing import invoice, invoice_pdf, text_pdf

TIMESHEET = """
name: timesheet
prompt: Read the hours.
fields:
  work:
    type: table
    merge: all
    columns:
      day: {type: date, labels: {en: [Worked on]}}
      task: {type: text, labels: {en: [Task]}}
      hours: {type: number, labels: {en: [Hours]}}
"""


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_the_form_of_the_files_follows_the_setting_also_for_documents_that_were_read_before(
    pipeline: Pipeline, folder: Path
) -> None:
    pipeline("init")
    (folder / "inbox" / "a.pdf").write_bytes(invoice_pdf(invoice("en")))
    assert pipeline("run", "--template", "invoice", "-q").code == 0
    plain = rows(folder / "outbox" / "invoice.csv")["a.pdf"]["total"]
    settings = folder / "pipeline.yaml"
    settings.write_text("inbox: inbox\noutbox: outbox\ncsv: {dialect: excel-de}\n")
    assert pipeline("run", "--template", "invoice", "-q").code == 0
    content = (folder / "outbox" / "invoice.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbffile;status;pages;")
    assert f";{plain.replace('.', ',')};".encode() in content
    (folder / "inbox" / "b.pdf").write_bytes(text_pdf(["Beta"]))
    assert pipeline("run", "--template", "invoice", "-q").code == 0
    assert (folder / "outbox" / "documents.csv").read_text(encoding="utf-8-sig").count("\nb.pdf;done;") == 1
    assert pipeline("export", "--format", "csv", "--to", folder / "out").code == 0
    assert (folder / "out" / "invoice.csv").read_bytes() == (folder / "outbox" / "invoice.csv").read_bytes()
    settings.write_text("inbox: inbox\noutbox: outbox\n")
    assert pipeline("run", "--template", "invoice", "-q").code == 0
    assert rows(folder / "outbox" / "invoice.csv")["a.pdf"]["total"] == plain
    assert not list((folder / "outbox").glob("*changed*")), "none of these files is somebody else's"


def test_the_list_of_documents_has_the_state_of_each(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    for name in ("a.pdf", "b.pdf"):
        (folder / "inbox" / name).write_bytes(text_pdf([f"Letter {name}"]))
    assert pipeline("run", "--template", "transcript", "-q").code == 0
    assert {name: row["state"] for name, row in rows(folder / "outbox" / "documents.csv").items()} == dict.fromkeys(
        ("a.pdf", "b.pdf"), "to_check"
    )
    with Ledger(folder / "outbox" / ".pipeline") as ledger:
        key = next(file.key for file in ledger.published_files() if file.source.name == "a.pdf")
        decide(ledger, key, "approved", "Anna")
    assert pipeline("run", "--template", "transcript", "-q").code == 0
    assert {name: row["state"] for name, row in rows(folder / "outbox" / "documents.csv").items()} == {
        "a.pdf": "approved",
        "b.pdf": "to_check",
    }
    assert pipeline("reprocess", folder / "inbox" / "a.pdf", "--template", "transcript", "-q").code == 0
    assert rows(folder / "outbox" / "documents.csv")["a.pdf"]["state"] == "to_check", "it was read again since"


def test_dates_in_rows_of_an_own_table_are_iso_however_they_are_printed(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    (folder / "templates" / "timesheet.yaml").write_text(TIMESHEET, encoding="utf-8")
    document = pymupdf.open()
    page = document.new_page()
    for y, cells in enumerate(
        [("Worked on", "Task", "Hours"), ("3. Mai 2024", "Painting", "4"), ("14.05.2024", "Plaster", "6")]
    ):
        for x, text in zip((60, 220, 420), cells, strict=True):
            page.insert_text((x, 100 + 18 * y), text)
    document.save(folder / "inbox" / "a.pdf")
    assert pipeline("run", "--template", "timesheet", "-q").code == 0
    days = ["2024-05-03", "2024-05-14"]
    result = json.loads((folder / "outbox" / "a.pdf.json").read_text(encoding="utf-8"))
    assert [row["day"] for row in result["results"]["timesheet"]["fields"]["work"]["value"]] == days
    with (folder / "outbox" / "timesheet.work.csv").open(encoding="utf-8", newline="") as file:
        assert [row["day"] for row in csv.DictReader(file)] == days
