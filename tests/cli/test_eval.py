"""``pipeline eval`` as a user meets it, on drawn documents whose truth is known."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import configs_folder
from tests.cli.conftest import Pipeline
from tests.drawing import encrypted_pdf, text_pdf
from tests.evaluate.building import put, put_invoices, put_truth
from tests.run.kills import units

INVOICE = configs_folder() / "templates" / "invoice.yaml"


def read_units(folder: Path) -> dict[str, int]:
    """Attempts by unit of everything that was read into a kept folder."""
    with sqlite3.connect(f"file:{folder / '.pipeline' / 'ledger.sqlite'}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT sha256, attempts FROM units"))


def outcomes(result: Any) -> dict[tuple[str, str], str]:
    return {(miss["file"], miss["field"]): miss["outcome"] for miss in result["misses"]}


def test_every_outcome_is_counted_as_it_should_be(pipeline: Pipeline, folder: Path) -> None:
    rows = put_invoices(folder / "truth", ["de", "en", "fr"])
    right = sum(len(row["fields"]) for row in rows)
    german, english, french = (row["fields"] for row in rows)
    german["total"] = "1.00"  # what is read is another value
    english["due_date"] = None  # it is printed, and so it will be read
    french["prepaid"] = "5.00"  # nothing of the kind is printed
    del french["currency"]  # nothing is said about it
    english["prepaid"] = None  # nothing of the kind is printed, as the truth says
    rows[0] |= {"language": "de", "layout": "house"}
    put_truth(folder / "truth", rows)
    outcome = pipeline("eval", "truth", "--engine", "embedded", "--json")
    assert outcome.code == 0
    result = outcome.json
    assert outcomes(result) == {
        ("de.pdf", "total"): "wrong",
        ("en.pdf", "due_date"): "invented",
        ("fr.pdf", "prepaid"): "missing",
    }
    assert (result["micro"]["right"], result["micro"]["of"]) == (right - 2, right + 1)
    assert result["template"] == "invoice"
    total, due = result["fields"]["total"], result["fields"]["prepaid"]
    assert (total["right"], total["of"], total["accuracy"], total["low"], total["high"]) == (2, 3, 0.6667, 0.2077, 0.9385)
    assert (total["wrong"], total["missing"], total["invented"]) == (1, 0, 0)
    assert (due["right"], due["of"], due["wrong"], due["missing"], due["invented"]) == (1, 2, 0, 1, 0)
    assert result["fields"]["currency"]["of"] == 2
    assert result["fields"]["line_items"]["rows"]["f1"] == 1
    assert result["all_right"]["right"] == 0
    assert result["macro"] == pytest.approx(
        sum(f["accuracy"] for f in result["fields"].values()) / len(result["fields"]), abs=1e-4
    )
    assert set(result["groups"]["language"]) == {"de", "en", "fr"}, "one document names it, labels give it for the others"
    assert set(result["groups"]["layout"]) == {"house", "Harrow Lane Tools Ltd", "Les Jardins de Brévent SAS"}
    assert not (folder / "outbox").exists(), "nothing is written into the user's own outbox"


DELIVERY_NOTE = b"""name: delivery_note

prompt: "Read the delivery note: {{ fields }}"
fields:
  supplier: {type: party, role: seller, labels: {en: [Supplier]}}
  number: {type: identifier, labels: {en: [Delivery note no]}}
  day: {type: date, labels: {en: [Delivered on]}}
  order: {type: identifier, labels: {en: [Purchase order]}}
"""


def test_a_users_own_template_gets_silent_errors_calibration_and_layouts(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "note.yaml", DELIVERY_NOTE)
    rows: list[dict[str, Any]] = []
    for n, supplier in enumerate(["Harrow Lane Tools Ltd", "Harrow Lane Tools Ltd", "Bright Paper Ltd"]):
        text = f"Supplier: {supplier}\nDelivery note no: DN-{4100 + n}\nDelivered on: 2025-03-{n + 10}\n"
        put(folder, f"truth/{n}.pdf", text_pdf([text]))
        fields = {"supplier": supplier, "number": f"DN-{4100 + n}", "day": f"2025-03-{n + 10}", "remark": "mine"}
        rows.append({"file": f"{n}.pdf", "fields": fields, "scored": ["supplier", "number", "day"], "absent": ["order"]})
    rows[1]["fields"]["day"] = "2025-12-24"  # what is read, without any doubt, is another day
    rows[2] |= {"medium": "scan"}
    put_truth(folder / "truth", rows)
    command = ("eval", "truth", "--engine", "embedded", "--template", "note.yaml", "--keep", "kept")
    result = pipeline(*command, "--json").json
    assert outcomes(result) == {("1.pdf", "day"): "wrong"}
    assert (result["micro"]["right"], result["micro"]["of"]) == (11, 12)
    assert result["layouts"] == {"count": 2, "documents_by_source": {"sender": 3}, "interval_over": "layouts"}
    assert result["interval"]["low"] < result["micro"]["low"], "two layouts say less than three documents"
    errors = result["review"]
    assert (errors["values"], errors["wrong"], errors["absent"], errors["absent_but_filled"]) == (9, 1, 3, 0)
    miss = result["misses"][0]
    assert errors["silent"] == int(not miss["marked"]) == result["fields"]["day"]["review"]["silent"]
    assert result["fields"]["order"]["review"]["values"] == 0
    day = result["fields"]["day"]["calibration"]
    assert day["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert day["ece"] == pytest.approx(day["confidence"] - 2 / 3, abs=0.35)
    assert set(result["groups"]["medium"]) == {"scan", "unknown"}
    text = pipeline(*command).out
    assert "3 documents of 2 layouts (the true sender stands for that of 3)." in " ".join(text.split())
    assert "silent errors" in text
    assert "confidence says" in text
    assert (
        pipeline(*command, "--quiet").out.rstrip().endswith(f"{errors['silent']} silent error{'s' * (errors['silent'] != 1)}")
    )


def test_what_cannot_be_read_counts_as_missing(pipeline: Pipeline, folder: Path) -> None:
    put(folder, "truth/locked.pdf", encrypted_pdf("Total 5.00", "secret word"))
    good, gone, locked = ({"file": name, "total": "5.00", "due_date": None} for name in ("good.pdf", "gone.pdf", "locked.pdf"))
    put(folder, "truth/good.pdf", text_pdf(["Invoice\nTotal 5.00"]))
    put_truth(folder / "truth", [good, gone, locked])
    outcome = pipeline("eval", "truth", "--template", "invoice", "--engine", "embedded", "--json")
    assert outcome.code == 1
    assert (outcome.json["micro"]["right"], outcome.json["micro"]["of"]) == (2, 6)
    why = {item["file"]: item["why"] for item in outcome.json["not_read"]}
    assert why["gone.pdf"] == "the file is not there"
    assert "needs_password" in why["locked.pdf"]
    text = pipeline("eval", "truth", "--template", "invoice", "--engine", "embedded", "--misses")
    assert "missing: gone.pdf: total: 5.00 | —" in text.out
    assert "gone.pdf: the file is not there" in text.err


def test_a_second_evaluation_reads_nothing_and_an_unfinished_one_goes_on(pipeline: Pipeline, folder: Path) -> None:
    put_truth(folder / "truth", put_invoices(folder / "truth", ["de", "en"]))
    command = ("eval", "truth", "--engine", "embedded", "--keep", "kept", "--json")
    first = pipeline(*command, "--limit", "1").json
    outbox = Path(first["kept"])
    assert len(read_units(outbox)) == 1
    second = pipeline(*command).json
    assert second["kept"] == str(outbox)
    third = pipeline(*command).json
    assert third == second
    assert list(read_units(outbox).values()) == [1, 1], "each was read once"
    before = {path: path.stat().st_mtime_ns for path in outbox.glob("*.json")}
    assert pipeline("eval", "truth", "--engine", "embedded", "--keep", "kept", "-q").out.startswith("100.0 % of ")
    assert {path: path.stat().st_mtime_ns for path in outbox.glob("*.json")} == before


def test_did_my_change_help(pipeline: Pipeline, folder: Path) -> None:
    languages = ["de", "en", "fr", "es", "it", "nl"]
    rows = put_invoices(folder / "truth", languages)
    put_truth(folder / "truth", rows)
    text = INVOICE.read_text(encoding="utf-8")
    start, end = text.index("  due_date:"), text.index("  currency:")
    worse = text[:start] + "  due_date: {type: date, einvoice: BT-9, labels: {en: [Nowhere printed]}}\n" + text[end:]
    old = put(folder, "old.yaml", worse.encode())
    result = pipeline("eval", "truth", "--engine", "embedded", "--against-template", old, "--json").json["against"]
    assert result["comparison"]["fixed"] == result["comparison"]["fields"]["due_date"]["fixed"] == 6
    assert result["comparison"]["broken"] == 0
    assert result["comparison"]["verdict"] == "better: 6 fixed, 0 broken, p = 0.031"
    assert result["comparison"]["documents"] == {"better": 6, "p": 0.03125}
    back = pipeline("eval", "truth", "--engine", "embedded", "--template", old, "--against-template", "invoice", "--quiet")
    assert back.out == "worse: 0 fixed, 6 broken, p = 0.031\n"

    assert (
        pipeline("eval", "truth", "--engine", "embedded", "--template", old, "--keep", "kept", "-q", "--limit", "5").code == 0
    )
    after = pipeline("eval", "truth", "--engine", "embedded", "--keep", "kept", "--against", "last")
    assert "no difference that this many documents could show: 5 fixed, 0 broken, p = 0.062" in after.out
    assert "1 document unknown to the other side" in after.out


def test_engines_outboxes_and_settings_can_be_compared(pipeline: Pipeline, folder: Path) -> None:
    put_truth(folder / "truth", put_invoices(folder / "truth", ["en"]))
    assert "no difference: all 11 values" in pipeline("eval", "truth", "--engine", "embedded", "--against", "embedded").out
    pipeline("run", "--inbox", "truth", "--template", "invoice", "--engine", "embedded", "-q")
    assert "no difference: all 11 values" in pipeline("eval", "truth", "--engine", "embedded", "--against", "outbox").out
    put(folder, "other.yaml", b"engine: embedded\nlimits: {pages: 1}\n")
    assert pipeline("eval", "truth", "--engine", "embedded", "--against-config", "other.yaml").code == 0


def test_corrected_sheets_of_the_outbox_are_truth(pipeline: Pipeline, folder: Path) -> None:
    put_invoices(folder / "inbox", ["de", "en"])
    pipeline("run", "--template", "invoice", "--engine", "embedded", "-q")
    for name in ("", ".line_items"):
        sheet = (folder / "outbox" / f"invoice{name}.csv").read_text(encoding="utf-8")
        (folder / "inbox" / f"truth{name}.csv").write_text(sheet.replace("DE-20417", "DE-20418"), encoding="utf-8")
    result = pipeline("eval", "inbox", "--engine", "embedded", "--json").json
    assert outcomes(result) == {("de.pdf", "invoice_number"): "wrong"}
    assert result["fields"]["line_items"]["rows"]["truth"] == 4


def test_e_invoices_are_their_own_truth_and_their_data_are_hidden(pipeline: Pipeline, folder: Path) -> None:
    put_invoices(folder / "bills", ["de", "en"], facturx=True)
    put(folder, "bills/letter.pdf", text_pdf(["Not an invoice"]))
    hidden = pipeline(
        "eval", "bills", "--e-invoices", "--engine", "embedded", "--keep", "kept", "--report", "report.html", "--json"
    ).json
    assert hidden["documents"] == 2
    assert hidden["fields"]["invoice_number"]["right"] == 2
    results = [json.loads(path.read_text()) for path in Path(hidden["kept"]).glob("*.json")]
    assert len(results) == 2
    assert not [1 for result in results for field in result["results"]["invoice"]["fields"].values() if "xml" in field["flags"]]
    assert {page["source"] for result in results for page in result["pages"]} == {"textlayer"}
    assert "XML hidden from the reader" in (folder / "report.html").read_text(encoding="utf-8")
    put_truth(folder / "bills", [{"file": "de.pdf", "total": "1"}])
    with_xml = pipeline("eval", "bills", "--engine", "embedded", "--template", "invoice", "--keep", "kept", "--json").json
    assert with_xml["kept"] != hidden["kept"], "what was read with the data is kept apart from what was read without"
    with_data = json.loads((Path(with_xml["kept"]) / "de.pdf.json").read_text())
    assert "xml" in with_data["results"]["invoice"]["fields"]["total"]["flags"]


def test_mistakes_end_with_one_message_and_exit_code_2(pipeline: Pipeline, folder: Path) -> None:
    (folder / "truth").mkdir()
    for arguments, result in (
        ((), "there is no truth here (truth.jsonl or truth.csv)"),
        (("--truth", "gone.jsonl"), "gone.jsonl: cannot be read"),
        (("--e-invoices",), "holds no e-invoice"),
        (("--e-invoices", "--truth", "x"), "exclude each other"),
        (("--against", "x", "--against-template", "y"), "exclude each other"),
    ):
        outcome = pipeline("eval", "truth", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert result in outcome.err
    put_truth(folder / "truth", [{"file": "a.pdf", "totl": "5"}])
    assert "lacks `totl`" in pipeline("eval", "truth").err
    assert "did you mean `total`" in pipeline("eval", "truth", "--template", "invoice").err
    put_truth(folder / "truth", [{"file": "a.pdf", "total": "5"}])
    assert "neither an engine nor a folder" in pipeline("eval", "truth", "--engine", "embedded", "--against", "nonsense").err
    assert "no other evaluation" in pipeline("eval", "truth", "--engine", "embedded", "--against", "last").err
    assert pipeline("eval", "truth", "--template", "gone.yaml").code == 2
    assert pipeline("eval", "truth", "--engine", "nonsense").code == 4
    assert pipeline("eval", "nowhere").code == 2


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on_where_it_was(tmp_path: Path) -> None:
    pages = [f"This is page {page} of a long document" for page in range(1, 601)]
    put(tmp_path, "truth/long.pdf", text_pdf(pages))
    put_truth(tmp_path / "truth", [{"file": "long.pdf", "text": "\n".join(pages)}])
    command = [sys.executable, "-m", "pipeline", "eval", "truth", "--engine", "embedded", "--keep", "kept", "--json"]
    environment = {**os.environ, "PIPELINE_WORKERS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)

    def evaluation_outbox() -> Path:
        return next((tmp_path / "kept").glob("transcript-*"), tmp_path / "kept" / "none")

    while len(units(evaluation_outbox())) < 20:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    done = units(evaluation_outbox())
    assert 20 <= len(done) < 600
    again = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(again.stdout)["micro"]["right"] == 1
    assert done.items() <= units(evaluation_outbox()).items()
