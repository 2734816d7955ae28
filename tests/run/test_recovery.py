"""A damaged ledger is noticed, moved aside and rebuilt from the outbox. No document is read again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.corrections import correction_history, record_correction
from pipeline.ledger.journal import JOURNAL_FILE
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import close_order, delete_old_orders, find_order, open_orders, orders_for_document, place_order
from pipeline.records import Correction
from tests.drawing import blank_pdf, encrypted_pdf, invoice, invoice_pdf, text_pdf
from tests.run.conftest import EchoEngine, RunFolders


def ledger_path(folders: RunFolders) -> Path:
    return folders.outbox / ".pipeline" / "ledger.sqlite"


def without_times(published: dict[str, Any]) -> dict[str, Any]:
    """A published result without times."""
    return {key: value for key, value in published.items() if key not in ("provenance", "pages")} | {
        "pages": [{name: value for name, value in page.items() if name != "seconds"} for page in published["pages"]]
    }


def overwrite(path: Path, at: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * length)


@pytest.fixture
def read_folders(folders: RunFolders) -> RunFolders:
    """Folders in which several kinds of documents were read."""
    folders.put("a.pdf", text_pdf(["One", "Two"]))
    folders.put("sub/b.pdf", invoice_pdf(invoice("de")))
    folders.put("sealed.pdf", encrypted_pdf())
    folders.put("blank.pdf", blank_pdf(2))
    folders.put("broken.pdf", b"%PDF-1.7 broken off")
    folders.run()
    return folders


NAMES = ("a.pdf", "sub/b.pdf", "sealed.pdf", "blank.pdf", "broken.pdf")


def test_a_ledger_that_is_not_a_database_is_rebuilt(read_folders: RunFolders) -> None:
    before = {name: without_times(read_folders.json(name)) for name in NAMES}
    rows = sorted(map(str, read_folders.csv("documents")))
    for path in ledger_path(read_folders).parent.glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    engine = read_folders.engine = EchoEngine()
    read_folders.run()
    assert engine.units == []
    assert {name: without_times(read_folders.json(name)) for name in NAMES} == before
    assert sorted(map(str, read_folders.csv("documents"))) == rows
    assert read_folders.run().to_read == 0
    assert list(ledger_path(read_folders).parent.glob("damaged-*/ledger.sqlite"))


def test_damage_in_the_middle_is_found_when_the_last_run_died(read_folders: RunFolders) -> None:
    with sqlite3.connect(ledger_path(read_folders)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    overwrite(ledger_path(read_folders), 3 * 4096, 4096)
    (ledger_path(read_folders).parent / "unclean").touch()
    engine = read_folders.engine = EchoEngine()
    read_folders.run()
    assert engine.units == []
    assert list(ledger_path(read_folders).parent.glob("damaged-*/ledger.sqlite"))


def test_a_sound_ledger_survives_a_run_that_died(read_folders: RunFolders) -> None:
    (ledger_path(read_folders).parent / "unclean").touch()
    assert read_folders.run().to_read == 0
    assert not list(ledger_path(read_folders).parent.glob("damaged-*"))
    assert not (ledger_path(read_folders).parent / "unclean").exists()


@pytest.mark.parametrize("after", ["move", "delete"])
def test_results_of_files_that_had_one_path_survive_a_rebuilt_ledger(folders: RunFolders, after: str) -> None:
    folders.changes.update(after=after)
    for text in ("First", "Second"):
        folders.put("scan.pdf", text_pdf([text]))
        folders.run()
    damage(folders)
    folders.put("other.pdf", text_pdf(["Other"]))
    folders.run()
    assert sorted(row["file"] for row in folders.csv("documents")) == ["other.pdf", "scan.pdf", "scan.pdf~2"]
    assert [folders.texts("scan.pdf"), folders.texts("scan.pdf~2")] == [["First"], ["Second"]]


def test_a_file_that_is_still_in_the_inbox_keeps_its_result_beside_a_namesake_in_a_rebuilt_ledger(folders: RunFolders) -> None:
    folders.changes.update(after="move")
    folders.put("scan.pdf", text_pdf(["First"]))
    folders.run()
    folders.changes.update(after="keep")
    folders.put("scan.pdf", text_pdf(["Second"]))
    folders.run()
    damage(folders)
    folders.changes.update(after="move")
    engine = folders.engine = EchoEngine()
    folders.run()
    assert engine.units == []
    assert sorted(row["file"] for row in folders.csv("documents")) == ["scan.pdf", "scan.pdf~2"]
    assert [folders.texts("scan.pdf"), folders.texts("scan.pdf~2")] == [["First"], ["Second"]]


FOREIGN = {"document": {}, "status": "done", "results": {}, "pages": [], "provenance": {}}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(FOREIGN),
        json.dumps({**FOREIGN, "document": [1], "pages": 3}),
        json.dumps({**FOREIGN, "document": {"path": "x", "sha256": None, "kind": "pdf", "pages": 1}, "reason": None}),
        json.dumps({**FOREIGN, "document": {"path": "x", "sha256": ["y"], "kind": "pdf", "pages": 1}, "reason": None}),
        "[" * 100_000 + "]" * 100_000,
        '{"document": {"path": ',
    ],
    ids=["empty", "wrong types", "no hash", "a list as hash", "deep", "cut off"],
)
def test_a_file_that_is_no_result_does_not_keep_a_ledger_from_being_rebuilt(folders: RunFolders, content: str) -> None:
    folders.put("a.pdf", text_pdf(["Hello"]))
    folders.run()
    (folders.outbox / "b.pdf.json").write_text(content, encoding="utf-8")
    damage(folders)
    engine = folders.engine = EchoEngine()
    folders.run()
    assert engine.units == []
    assert [row["file"] for row in folders.csv("documents")] == ["a.pdf"]


def test_a_result_that_a_person_damaged_is_read_again(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Hello"]))
    folders.put("b.pdf", text_pdf(["Good morning"]))
    folders.run()
    result = folders.json("b.pdf")
    del result["results"]["transcript"]["fields"]["text"]["box"]
    (folders.outbox / "b.pdf.json").write_text(json.dumps(result), encoding="utf-8")
    damage(folders)
    engine = folders.engine = EchoEngine()
    folders.run()
    assert engine.units == [("transcript", 1)]
    assert folders.texts("b.pdf") == ["Good morning"]
    assert [row["file"] for row in folders.csv("documents")] == ["a.pdf", "b.pdf"]


# ---- corrections and orders -----------------------------------------------------------------------


def correction(template: str, field: str, version: int, value: object) -> Correction:
    return Correction(template, field, version, value, False, None, "Anna", "2026-01-01T00:00:00Z")


def damage(folders: RunFolders) -> None:
    for path in ledger_path(folders).parent.glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)


def values(ledger: Ledger, sha256: str) -> dict[tuple[str, str], list[object]]:
    return {place: [item.value for item in history] for place, history in correction_history(ledger, sha256).items()}


def read_one(folders: RunFolders, text: str) -> str:
    """Read ``a.pdf`` with this text. Returns the hash of its contents."""
    folders.put("a.pdf", text_pdf([text]))
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        return next(ledger.published_files()).sha256


@pytest.mark.parametrize("how", ["damaged", "gone", "behind"])
def test_no_correction_is_lost_in_a_rebuilt_ledger(folders: RunFolders, how: str) -> None:
    sha256 = read_one(folders, "As read")
    with Ledger(ledger_path(folders).parent) as ledger:
        record_correction(ledger, sha256, correction("transcript", "text", 1, ["First"]))
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        record_correction(ledger, sha256, correction("transcript", "text", 2, ["Second"]))  # not published yet
        record_correction(ledger, sha256, correction("receipt", "total", 1, "5.00"))  # of a template that no longer reads it
        expected = values(ledger, sha256)
        if how == "behind":  # the power was cut before the ledger's log was on the disk
            ledger.change("DELETE FROM corrections WHERE version = 2 OR template = 'receipt'")
    assert folders.json("a.pdf")["results"]["transcript"]["fields"]["text"]["value"] == ["First"]
    if how == "damaged":
        damage(folders)
    if how == "gone":
        for path in ledger_path(folders).parent.glob("ledger.sqlite*"):
            path.unlink()
    folders.run()
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        assert values(ledger, sha256) == expected
        assert open_orders(ledger) == []
        record_correction(ledger, sha256, correction("transcript", "text", 3, ["Third"]))
    assert folders.json("a.pdf")["results"]["transcript"]["fields"]["text"]["value"] == ["Second"]


def test_an_incomplete_line_of_the_journal_affects_no_other_line(folders: RunFolders) -> None:
    sha256 = read_one(folders, "As read")
    with Ledger(ledger_path(folders).parent) as ledger:
        record_correction(ledger, sha256, correction("transcript", "text", 1, ["First"]))
        with (ledger_path(folders).parent / JOURNAL_FILE).open("ab") as journal:
            journal.write(b'\n{"correction": {"templ')
        record_correction(ledger, sha256, correction("transcript", "text", 2, ["Second"]))
    damage(folders)
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        assert values(ledger, sha256) == {("transcript", "text"): [["First"], ["Second"]]}


def test_questions_and_reading_orders_survive_a_rebuilt_ledger(folders: RunFolders) -> None:
    sha256 = read_one(folders, "Harrow Lane")
    with Ledger(ledger_path(folders).parent) as ledger:
        first = place_order(ledger, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        second = place_order(ledger, "question", sha256, {"page": 1, "question": "Where?", "follows": first.id}, "Ben")
        reading = place_order(ledger, "reading", sha256, {"name": "a.pdf", "template": "transcript", "engine": None}, "Ben")
        close_order(ledger, reading.id, {"status": "done", "engine": "echo/1", "templates": ["transcript"]})
    damage(folders)
    folders.run()
    folders.run()
    with Ledger(ledger_path(folders).parent) as ledger:
        questions = orders_for_document(ledger, sha256, "question")
        assert [(item.id, item.by, (item.outcome or {})["answer"]) for item in questions] == [
            (first.id, "Anna", "Harrow Lane"),
            (second.id, "Ben", "Harrow Lane"),
        ]
        assert next(ledger.rows("SELECT pinned FROM files"))["pinned"] == 1


def test_old_orders_are_deleted(folders: RunFolders) -> None:
    sha256 = read_one(folders, "Harrow Lane")
    with Ledger(ledger_path(folders).parent) as ledger:
        of_known_document = place_order(ledger, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
        of_unknown_document = place_order(
            ledger, "question", "0" * 64, {"page": 1, "question": "Who?", "follows": None}, "Anna"
        )
        done = place_order(ledger, "reading", sha256, {"name": "a.pdf", "template": None, "engine": None}, "Anna")
        waits = place_order(ledger, "reading", sha256, {"name": "a.pdf", "template": None, "engine": None}, "Anna")
        for item in (of_known_document, of_unknown_document, done):
            close_order(ledger, item.id, {"answer": "x"})
        assert delete_old_orders(ledger) == 0
        ledger.change("UPDATE orders SET ended_at = '2025-01-01T00:00:00Z' WHERE ended_at IS NOT NULL")
        assert delete_old_orders(ledger) == 2
        assert [find_order(ledger, item.id) is not None for item in (of_known_document, waits)] == [True, True]
        assert [find_order(ledger, item.id) for item in (of_unknown_document, done)] == [None, None]
