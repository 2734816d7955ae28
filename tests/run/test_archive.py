"""Failed files are moved to a folder with the reason beside them, and are read again when they are moved back into the inbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drawing import encrypted_pdf, text_pdf
from tests.run.conftest import RunFolders
from tests.run.test_later_retry import FailingEngine, let_time_pass


@pytest.fixture
def moving(folders: RunFolders) -> RunFolders:
    """Folders with the setting ``after: move``."""
    folders.changes.update(after="move")
    return folders


def failed_folder(folders: RunFolders) -> Path:
    return folders.inbox.parent / "failed"


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_failed_file_is_moved_with_its_reason(folders: RunFolders, after: str) -> None:
    folders.changes.update(after=after)
    content = folders.put("letters/sealed.pdf", encrypted_pdf()).read_bytes()
    folders.run()
    assert not (folders.inbox / "letters/sealed.pdf").exists()
    assert (failed_folder(folders) / "letters/sealed.pdf").read_bytes() == content
    reason = (failed_folder(folders) / "letters/sealed.pdf.reason.txt").read_text(encoding="utf-8")
    assert "needs_password" in reason
    assert "pipeline unlock" in reason
    assert folders.json("letters/sealed.pdf")["status"] == "failed"


def test_a_failed_file_moved_back_keeps_its_name_and_is_read_again(moving: RunFolders) -> None:
    sealed = encrypted_pdf(password="swordfish")
    moving.put("sealed.pdf", sealed)
    moving.run()
    failed = failed_folder(moving) / "sealed.pdf"
    failed.rename(moving.inbox / "sealed.pdf")
    (failed_folder(moving) / "sealed.pdf.reason.txt").rename(moving.inbox / "sealed.pdf.reason.txt")
    moving.changes["limits"] = {"passwords": ["swordfish"]}
    assert moving.run().documents == {"done": 1}
    assert moving.json("sealed.pdf")["status"] == "done"
    assert [row["file"] for row in moving.csv("documents")] == ["sealed.pdf"]
    assert not (moving.inbox / "sealed.pdf").exists()
    assert not list(failed_folder(moving).glob("*.pdf"))


def test_a_repaired_file_replaces_the_result_of_the_failed_one(moving: RunFolders) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    (failed_folder(moving) / "a.pdf").unlink()
    moving.put("a.pdf", text_pdf(["Repaired"]))
    assert moving.run().documents == {"done": 1}
    assert moving.texts("a.pdf") == ["Repaired"]
    assert [(row["file"], row["status"]) for row in moving.csv("documents")] == [("a.pdf", "done")]


def test_another_file_of_that_name_is_another_document(moving: RunFolders) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    moving.put("a.pdf", text_pdf(["Another one"]))
    moving.run()
    assert sorted((row["file"], row["status"]) for row in moving.csv("documents")) == [("a.pdf", "failed"), ("a.pdf~2", "done")]


def test_a_namesake_of_a_partial_file_that_was_cleared_away_is_another_document(moving: RunFolders) -> None:
    """What was read of a partial file is in its result, and nowhere else once the file is deleted."""
    moving.changes["limits"] = {"pages": 1}
    moving.put("a.pdf", text_pdf(["First", "Second"]))
    moving.put("b.pdf", text_pdf(["Third", "Fourth"]))
    assert moving.run().documents == {"partial": 2}
    failed = failed_folder(moving)
    for path in failed.glob("a.*"):
        path.unlink()
    moving.put("a.pdf", text_pdf(["Another one"]))
    assert moving.run().documents == {"done": 1}
    assert (moving.texts("a.pdf"), moving.texts("a.pdf~2")) == (["First", ""], ["Another one"])
    assert sorted((row["file"], row["status"]) for row in moving.csv("documents")) == [
        ("a.pdf", "partial"),
        ("a.pdf~2", "done"),
        ("b.pdf", "partial"),
    ]


def test_a_partial_file_that_comes_back_changed_with_its_reason_replaces_its_result(moving: RunFolders) -> None:
    moving.changes["limits"] = {"pages": 1}
    moving.put("a.pdf", text_pdf(["First", "Second"]))
    moving.run()
    (failed_folder(moving) / "a.pdf").unlink()
    (failed_folder(moving) / "a.pdf.reason.txt").rename(moving.inbox / "a.pdf.reason.txt")
    moving.put("a.pdf", text_pdf(["The first page only"]))
    assert moving.run().documents == {"done": 1}
    assert moving.texts("a.pdf") == ["The first page only"]
    assert [(row["file"], row["status"]) for row in moving.csv("documents")] == [("a.pdf", "done")]


def test_two_failed_files_of_one_name_are_both_kept(moving: RunFolders) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    moving.put("a.pdf", b"%PDF-1.7 broken off in another place")
    moving.run()
    assert sorted(path.name for path in failed_folder(moving).iterdir()) == [
        "a-2.pdf", "a-2.pdf.reason.txt", "a.pdf", "a.pdf.reason.txt",
    ]  # fmt: skip


def test_a_failed_folder_inside_the_inbox_is_not_read(moving: RunFolders) -> None:
    moving.changes["failed"] = moving.inbox / "failed"
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    assert (moving.inbox / "failed" / "a.pdf").exists()
    assert moving.run().to_read == 0


def test_a_file_that_waits_for_a_retry_keeps_its_name_when_its_share_was_not_mounted_for_a_while(moving: RunFolders) -> None:
    engine = moving.engine = FailingEngine()
    path = moving.put("a.pdf", text_pdf(["Hello"]))
    moving.run()
    elsewhere = path.rename(moving.inbox.parent / "elsewhere.pdf")
    moving.run()
    elsewhere.rename(path)
    let_time_pass(moving)
    engine.good = True
    moving.run()
    assert [(row["file"], row["status"]) for row in moving.csv("documents")] == [("a.pdf", "done")]


def test_a_file_in_the_place_of_a_folder_for_failed_files_ends_no_run(moving: RunFolders) -> None:
    failed = failed_folder(moving)
    failed.mkdir()
    (failed / "scan").write_bytes(b"kept")
    moving.put("scan/sealed.pdf", encrypted_pdf())
    moving.put("a.pdf", text_pdf(["Alpha"]))
    for _ in range(2):
        moving.run()
        assert moving.json("a.pdf")["status"] == "done"
        assert moving.json("scan/sealed.pdf")["status"] == "failed"
        assert (failed / "scan").read_bytes() == b"kept"
        assert (moving.inbox / "scan/sealed.pdf").exists()
