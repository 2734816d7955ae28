"""`pipeline serve` as a real process: files in, results, corrections, questions, other readings; what ends and what stays."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.desk import NewerCorrectionError, correct, history
from pipeline.ledger.ledger import Ledger
from pipeline.records import Correction
from pipeline.run.job import locked
from tests.drawing import invoice, invoice_pdf, text_pdf
from tests.serve.conftest import Served, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def total(document: dict[str, Any]) -> str:
    return f"/api/documents/{document['id']}/fields/invoice/total"


def test_a_file_goes_up_is_read_listed_shown_and_fetched(served: Served, document: dict[str, Any]) -> None:
    assert (document["status"], document["templates"]) == ("done", ["invoice"])
    with served.client() as client:
        fetched = client.get(f"/api/documents/{document['id']}").json()
        assert fetched["results"]["invoice"]["fields"]["total"]["value"] == "1400.40"
        for query in ({"q": "invoice.pdf"}, {"q": "harrow lane"}, {"template": "invoice"}, {"status": "done"}):
            assert document["id"] in [item["id"] for item in client.get("/api/documents", params=query).json()["documents"]]
        assert client.get("/api/documents", params={"q": "no such thing"}).json()["total"] == 0
        assert document["id"] in client.get("/").text
        page = client.get(f"/documents/{document['id']}").text
        assert "Harrow Lane Tools Ltd" in page
        paper = client.get(f"/documents/{document['id']}/pages/1").text
        assert 'data-field="invoice.total"' in paper
        picture = client.get(f"/api/documents/{document['id']}/pages/1.webp")
        assert picture.content[8:12] == b"WEBP"
        assert client.get(f"/api/documents/{document['id']}/pages/9.webp").status_code == 404
        kept = client.get(f"/documents/{document['id']}/result.json")
        assert kept.content == (served.outbox / "invoice.pdf.json").read_bytes()
        assert client.get("/sheets/invoice.csv").content == (served.outbox / "invoice.csv").read_bytes()
        assert client.get("/sheets/..%2f.pipeline%2fledger.csv").status_code == 404


def test_values_from_documents_and_people_are_never_markup(served: Served) -> None:
    evil = "<script>alert(1)</script><b onclick=x>"
    sent = served.submit("<img src=x>.pdf", text_pdf([evil]), template="transcript")
    document = served.read(sent["sha256"])
    with served.client() as client:
        client.post(
            f"/api/documents/{document['id']}/questions", json={"page": 1, "question": f"{evil}{{{{ 7*7 }}}}", "by": evil}
        )
        said = {"value": [evil], "version": 0, "by": evil}
        assert client.put(f"/api/documents/{document['id']}/fields/transcript/text", json=said).status_code == 200
        for path in ("/", f"/documents/{document['id']}", f"/documents/{document['id']}/pages/1"):
            text = client.get(path).text
            assert "<script>alert" not in text
            assert "<b onclick" not in text
            assert "<img" not in text


def test_of_two_who_correct_the_same_field_the_second_is_told_and_nothing_is_lost(
    served: Served, document: dict[str, Any]
) -> None:
    with served.client() as anna, served.client() as ben:
        assert anna.put(total(document), json={"value": "1.234,50 €", "version": 0, "by": "Anna"}).json()["value"] == "1234.50"
        refused = ben.put(total(document), json={"value": "99", "version": 0, "by": "Ben"})
        assert refused.status_code == 409
        current = refused.json()["current"]
        assert (current["value"], current["by"], current["version"]) == ("1234.50", "Anna", 1)
        assert ben.put(total(document), json={"value": "99", "version": 1, "by": "Ben"}).json()["version"] == 2
        assert anna.delete(total(document), params={"version": 1}).status_code == 409
        told = anna.get(f"{total(document)}/history").json()
    assert [(word["by"], word["value"], word["before"]) for word in told] == [
        ("Anna", "1234.50", "1400.40"),
        ("Ben", "99", "1234.50"),
    ]
    field = wait_for(lambda: _corrected(served, "99"))
    assert field["corrected"]["by"] == "Ben"
    assert field["corrected"]["read"]["value"] == "1400.40"
    assert "ungrounded" not in field["flags"]
    with (served.outbox / "invoice.csv").open(encoding="utf-8", newline="") as sheet:
        wait_for(lambda: next(iter(_rows(served)))["corrected"] == "total")
        del sheet
    with served.client() as client:
        assert client.get("/api/documents", params={"marked": "corrected"}).json()["total"] >= 1
        assert client.delete(total(document), params={"version": 2, "by": "Ben"}).status_code == 200
    assert wait_for(lambda: _corrected(served, "1400.40"))["corrected"]["withdrawn"]


def _rows(served: Served) -> list[dict[str, str]]:
    with (served.outbox / "invoice.csv").open(encoding="utf-8", newline="") as sheet:
        return [row for row in csv.DictReader(sheet) if row["file"] == "invoice.pdf"] or [{"corrected": ""}]


def _corrected(served: Served, value: str) -> dict[str, Any] | None:
    field: dict[str, Any] = served.published("invoice.pdf")["results"]["invoice"]["fields"]["total"]
    return field if field["value"] == value else None


def test_what_is_no_value_of_the_fields_type_is_refused(served: Served, document: dict[str, Any]) -> None:
    with served.client() as client:
        for field, value in (
            ("total", "a lot"),
            ("invoice_date", "soon"),
            ("line_items", [{"no such column": "1"}]),
            ("line_items", "x"),
            ("currency", "Taler"),
            ("total", ["1", "2"]),
        ):
            answer = client.put(f"/api/documents/{document['id']}/fields/invoice/{field}", json={"value": value, "version": 0})
            assert (answer.status_code, bool(answer.json()["detail"])) == (400, True), (field, value)
        assert (
            client.put(f"/api/documents/{document['id']}/fields/invoice/no", json={"value": "1", "version": 0}).status_code
            == 404
        )


def test_a_question_about_a_page_and_another_that_follows_up(served: Served, document: dict[str, Any]) -> None:
    with served.client() as client:
        path = f"/api/documents/{document['id']}/questions"
        first = client.post(path, json={"page": 1, "question": "What is the due date?"}).json()
        assert "2025" in served.outcome(first)["answer"]
        second = client.post(path, json={"page": 1, "question": "And in which currency?", "follows": first["id"]}).json()
        assert served.outcome(second)["engine"].startswith("embedded/")
        assert client.post(path, json={"page": 7, "question": "What?"}).status_code == 404
        assert client.post(path, json={"page": 1, "question": "What?", "follows": 10**9}).status_code == 404
        talk = client.get(path).json()
        page = client.get(f"/documents/{document['id']}")
        assert page.status_code == 200
        assert "And in which currency?" in page.text
        assert 'class="answer"' in page.text
    assert [item["details"]["follows"] for item in talk if item["id"] in (first["id"], second["id"])] == [None, first["id"]]
    assert list(served.published("invoice.pdf")["results"]) == ["invoice"], "a question is no part of a result"


def test_a_document_is_read_with_another_template_and_stays_so(served: Served) -> None:
    sent = served.submit("other.pdf", invoice_pdf(invoice("de")))
    document = served.read(sent["sha256"])
    assert document["templates"] == ["invoice"]
    with served.client() as client:
        path = f"/api/documents/{document['id']}/readings"
        assert served.outcome(client.post(path, json={"template": "transcript"}).json())["status"] == "done"
        assert client.get(f"/api/documents/{document['id']}").json()["results"].keys() == {"transcript"}
        assert client.post(path, json={"template": "nonsense"}).status_code == 400
        assert client.post(path, json={"engine": "nonsense"}).status_code == 400
        failed = served.outcome(client.post(path, json={"engine": "server"}).json())
        assert client.get(f"/documents/{document['id']}").status_code == 200
    assert "error" in failed or failed["status"] in ("failed", "done")
    time.sleep(3)
    assert served.read(sent["sha256"])["templates"] == ["transcript"]


def test_while_another_run_holds_the_outbox_files_are_taken_and_read_afterwards(folder: Path) -> None:
    running = Served(folder)
    with locked(folder / "outbox"):
        running.start()
        sent = running.submit("a.pdf", text_pdf(["A page"]))
        with running.client() as client:
            wait_for(lambda: client.get("/api/status").json()["reader"]["state"] == "elsewhere")
            assert client.get("/api/documents").json()["total"] == 0
            assert "another run holds the outbox" in client.get("/").text
    assert running.read(sent["sha256"])["status"] == "done"
    assert running.stop() == 0


def test_a_server_that_is_killed_loses_nothing(folder: Path) -> None:
    running = Served(folder).start()
    sent = running.submit("a.pdf", invoice_pdf(invoice("en")))
    document = running.read(sent["sha256"])
    with running.client() as client:
        client.put(total(document), json={"value": "7", "version": 0, "by": "Anna"})
        asked = client.post(f"/api/documents/{document['id']}/questions", json={"page": 1, "question": "What is the due date?"})
        late = running.submit("late.pdf", text_pdf(["Late"]))
    reader = wait_for(lambda: json.loads((folder / "outbox/.pipeline/progress.json").read_bytes()))["pid"]
    running.stop(signal.SIGKILL)
    wait_for(lambda: not _alive(reader))
    running.start()
    assert running.outcome(asked.json())["answer"]
    assert running.read(late["sha256"])["status"] == "done"
    assert wait_for(lambda: running.published("a.pdf")["results"]["invoice"]["fields"]["total"]["value"] == "7")
    assert running.stop(signal.SIGINT) == 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _pipeline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, "PIPELINE_WORKERS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_corrections_survive_export_reading_again_and_a_damaged_ledger_and_are_truth(folder: Path) -> None:
    (folder / "inbox/a.pdf").write_bytes(invoice_pdf(invoice("en")))
    assert _pipeline(folder, "run", "--engine", "embedded").returncode == 0
    state = folder / "outbox/.pipeline"
    with Ledger(state) as ledger:
        sha256 = next(ledger.published_files()).sha256
        for version, value in ((1, "5"), (2, "8.00")):
            correct(ledger, sha256, Correction("invoice", "total", version, value, False, "x", "Anna", "2026-01-01T00:00:00Z"))
        with pytest.raises(NewerCorrectionError):
            correct(ledger, sha256, Correction("invoice", "total", 2, "9", False, "x", "Ben", "2026-01-01T00:00:00Z"))
    exported = _pipeline(folder, "export", "--format", "json", "--format", "csv", "--truth")
    assert exported.returncode == 0, exported.stderr
    assert _field(folder)["value"] == "8.00"
    truth = json.loads((folder / "outbox/invoice.truth.jsonl").read_text(encoding="utf-8"))
    assert truth == {"file": "a.pdf", "fields": {"total": "8.00"}}
    told = _pipeline(folder, "eval", "inbox", "--truth", "outbox/invoice.truth.jsonl", "--engine", "embedded", "--json")
    assert told.returncode == 0, told.stderr
    assert _pipeline(folder, "reprocess", "--engine", "embedded").returncode == 0
    assert _field(folder)["value"] == "8.00"
    for path in state.glob("ledger.sqlite*"):
        path.write_bytes(b"no database" * 1000)
    assert _pipeline(folder, "run", "--engine", "embedded").returncode == 0
    with Ledger(state) as ledger:
        words = history(ledger, sha256)["invoice", "total"]
    assert [word.value for word in words] == ["5", "8.00"]
    assert _pipeline(folder, "export").returncode == 0
    field = _field(folder)
    assert (field["value"], field["corrected"]["read"]["value"]) == ("8.00", "1400.40")


def _field(folder: Path) -> dict[str, Any]:
    published = json.loads((folder / "outbox/a.pdf.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = published["results"]["invoice"]["fields"]["total"]
    return found


def test_a_thousand_documents_are_listed_in_under_a_second(folder: Path) -> None:
    (folder / "inbox/a.pdf").write_bytes(invoice_pdf(invoice("en")))
    assert _pipeline(folder, "run", "--engine", "embedded").returncode == 0
    with Ledger(folder / "outbox/.pipeline") as ledger, ledger.transaction():
        for number in range(1_000):
            sha = f"{number:064x}"
            ledger.change(
                "INSERT INTO documents SELECT ?, kind, pages, reason, detail, chosen, stale, seen_at FROM documents LIMIT 1",
                [sha],
            )
            ledger.change(
                """INSERT INTO units (sha256, page, template, recipe, status, reason, detail, source, fields, seconds, ended_at)
                   SELECT ?, page, template, recipe, status, reason, detail, source, fields, seconds, ended_at FROM units LIMIT 1""",
                [sha],
            )
            ledger.change(
                """INSERT INTO files (path, name, relative, sha256, size, mtime_ns, published, recipes, status, published_at, review)
                   SELECT CAST(? AS BLOB), ?, ?, ?, 0, 0, ?, recipes, status, published_at, review FROM files WHERE name = 'a.pdf'""",
                [f"/gone/{number}.pdf", f"{number}.pdf", f"{number}.pdf", sha, sha],
            )
    running = Served(folder).start()
    with running.client() as client:
        wait_for(lambda: client.get("/api/status").json()["reader"]["state"] == "working")
        for path in ("/", "/?page=20", "/?q=Harrow", "/?marked=review&status=done"):
            client.get(path)
            taken = []
            for _ in range(3):
                started = time.monotonic()
                assert client.get(path).status_code == 200
                taken.append(time.monotonic() - started)
            print(path, taken)
            assert min(taken) < 1, path
        found = client.get("/api/documents", params={"limit": 1000}).json()
        assert (found["total"], len(found["documents"])) == (1_001, 1_000)
    running.stop()
