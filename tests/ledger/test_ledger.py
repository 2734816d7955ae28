"""The ledger on real SQLite files."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.errors import LedgerError
from pipeline.ledger import migrations
from pipeline.ledger.ledger import Ledger
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey


def result(page: int, status: str = "done", recipe: str = "r1") -> Result:
    evidence = Evidence("1.00", "1,00", page, (1.0, 2.0, 3.0, 4.0), "exact", ("late",), 0.5)
    return Result(UnitKey("s", page, "invoice", recipe), status, {"total": evidence}, source="ocr", seconds=0.5)  # type: ignore[arg-type]


def test_committed_results_are_there_after_reopening(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.record_file(Source(tmp_path / "a.pdf", "a.pdf", "a.pdf"), "s", 10, 20)
        ledger.record_document(DocumentInfo("s", "pdf", 2))
        ledger.commit([result(1), result(2)])
    with Ledger(tmp_path) as ledger:
        assert ledger.results("s", "invoice", "r1") == [result(1), result(2)]
        assert ledger.results("s", "invoice", "r1", [2]) == [result(2)]
        assert ledger.results("s", "invoice", "r1", []) == []
        assert ledger.answered_pages("s", "invoice", "r1") == {1, 2}
        assert ledger.answered_pages("s", "invoice", "r2") == set()
        assert ledger.document("s") == DocumentInfo("s", "pdf", 2)


def test_stale_units_are_read_again_while_the_old_result_stays_published(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with Ledger(tmp_path) as ledger:
        ledger.record_file(Source(path, "a.pdf", "a.pdf"), "s", 10, 20)
        ledger.record_document(DocumentInfo("s", "pdf", 2))
        ledger.commit([result(1), result(2, "failed")])
        ledger.record_publication("a.pdf", "s", {"invoice": "r1"}, "partial", None)
        file = ledger.files_by_path()[str(path)]
        assert not file.stale
        ledger.mark_for_rereading([file], failed_only=True)
        assert ledger.answered_pages("s", "invoice", "r1") == {1}
        assert ledger.document("s") is None
        assert ledger.files_by_path()[str(path)].stale
        assert [item.source.path for item in ledger.published_files()] == [path]
        assert len(ledger.results("s", "invoice", "r1")) == 2


def test_a_failed_transaction_changes_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:

        def fail_halfway() -> None:
            with ledger.transaction():
                ledger.record_sheet("invoice", ["file"], 5)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail_halfway()
        assert ledger.sheet_state("invoice") is None


def test_an_older_ledger_is_migrated_and_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.commit([result(1)])
    added = (*migrations.MIGRATIONS, "ALTER TABLE units ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';")
    monkeypatch.setattr("pipeline.ledger.connection.MIGRATIONS", added)
    with Ledger(tmp_path) as ledger:
        assert [row["colour"] for row in ledger.rows("SELECT colour FROM units")] == ["green"]
        assert ledger.results("s", "invoice", "r1") == [result(1)]
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="newer"):
        Ledger(tmp_path)


def test_a_broken_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.commit([result(1)])
    monkeypatch.setattr(
        "pipeline.ledger.connection.MIGRATIONS", (*migrations.MIGRATIONS, "CREATE TABLE half (x); SELECT nonsense;")
    )
    with pytest.raises(LedgerError):
        Ledger(tmp_path)
    monkeypatch.undo()
    with Ledger(tmp_path) as ledger:
        assert ledger.results("s", "invoice", "r1") == [result(1)]
        assert not list(ledger.rows("SELECT 1 FROM sqlite_master WHERE name = 'half'"))


def test_a_damaged_ledger_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"this is not a database" * 100)
    with pytest.raises(LedgerError, match="move the file away"):
        Ledger(tmp_path)


def test_reading_continues_while_another_process_writes(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.commit([result(1)])
        other = sqlite3.connect(ledger.path)
        other.execute("BEGIN IMMEDIATE")
        assert ledger.answered_pages("s", "invoice", "r1") == {1}
        other.rollback()
        other.close()
