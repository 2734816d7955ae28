"""A file that is renamed or moved within the inbox stays one document: its result gets the new name, and nothing is read again."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.base import Request
from pipeline.ledger.corrections import record_correction
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import close_order, orders_for_document, place_order
from pipeline.records import Answer, Correction
from pipeline.templates.routing import Route
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders
from tests.run.kills import share
from tests.run.processes import Workspace, wait_for


def names(folders: RunFolders) -> list[str]:
    """All result files of the outbox."""
    files = [path.relative_to(folders.outbox) for path in folders.outbox.rglob("*.json")]
    return sorted(path.as_posix() for path in files if not path.parts[0].startswith("."))


def rows(folders: RunFolders) -> list[str]:
    return sorted(row["file"] for row in folders.csv("documents"))


def check(folders: RunFolders, **texts: str) -> None:
    """Check the results, the rows and the text of each document (by name without ``.pdf``)."""
    expected = sorted(f"{name.replace('__', '/')}.pdf" for name in texts)
    assert rows(folders) == sorted(row["file"] for row in folders.csv("transcript")) == expected
    assert names(folders) == [f"{name}.json" for name in expected]
    for name, text in texts.items():
        result = folders.json(f"{name.replace('__', '/')}.pdf")
        assert result["results"]["transcript"]["fields"]["text"]["value"] == [text]
        assert result["document"]["path"] == f"{name.replace('__', '/')}.pdf"


def read_again(folders: RunFolders, template: str | None = "transcript") -> list[tuple[str, int]]:
    """Run once more. Returns the units that the engine was asked."""
    folders.engine = EchoEngine()
    folders.run(template)
    return folders.engine.units


@pytest.fixture
def two(folders: RunFolders) -> RunFolders:
    """Folders with a.pdf and b.pdf, which are read."""
    folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.put("b.pdf", text_pdf(["Beta"]))
    folders.run()
    return folders


def test_a_renamed_file_keeps_its_document(two: RunFolders) -> None:
    (two.inbox / "a.pdf").rename(two.inbox / "c.pdf")
    assert read_again(two) == []
    check(two, b="Beta", c="Alpha")
    assert two.run().to_read == 0


def test_a_file_that_is_moved_to_another_folder_keeps_its_document(two: RunFolders) -> None:
    (two.inbox / "sub/deep").mkdir(parents=True)
    (two.inbox / "a.pdf").rename(two.inbox / "sub/deep/a.pdf")
    assert read_again(two) == []
    check(two, b="Beta", sub__deep__a="Alpha")
    (two.inbox / "sub/deep/a.pdf").rename(two.inbox / "a.pdf")  # the folder is empty now, but the same one
    assert read_again(two) == []
    check(two, a="Alpha", b="Beta")
    assert not (two.outbox / "sub").exists()


def test_a_renamed_folder_with_hundreds_of_files(folders: RunFolders) -> None:
    for number in range(200):
        folders.put(f"march/{number % 7}/{number:03}.pdf", text_pdf([f"Number {number}"]))
    folders.run()
    (folders.inbox / "march").rename(folders.inbox / "april")
    assert read_again(folders) == []
    expected = sorted(f"april/{number % 7}/{number:03}.pdf" for number in range(200))
    assert rows(folders) == expected
    assert names(folders) == [f"{name}.json" for name in expected]
    assert not (folders.outbox / "march").exists()


def test_two_files_that_change_places(two: RunFolders) -> None:
    (two.inbox / "a.pdf").rename(two.inbox / "x.pdf")
    (two.inbox / "b.pdf").rename(two.inbox / "a.pdf")
    (two.inbox / "x.pdf").rename(two.inbox / "b.pdf")
    assert read_again(two) == []
    check(two, a="Beta", b="Alpha")


def test_three_files_that_change_places_in_a_circle(two: RunFolders) -> None:
    two.put("c.pdf", text_pdf(["Gamma"]))
    two.run()
    for old, new in (("c", "x"), ("b", "c"), ("a", "b"), ("x", "a")):
        (two.inbox / f"{old}.pdf").rename(two.inbox / f"{new}.pdf")
    assert read_again(two) == []
    check(two, a="Gamma", b="Alpha", c="Beta")


def test_a_file_that_is_moved_over_another_one_replaces_it(two: RunFolders) -> None:
    (two.inbox / "a.pdf").rename(two.inbox / "b.pdf")
    assert read_again(two) == []
    check(two, b="Alpha")


def test_a_new_file_under_the_old_name(two: RunFolders) -> None:
    (two.inbox / "a.pdf").rename(two.inbox / "c.pdf")
    two.put("a.pdf", text_pdf(["New"]))
    assert read_again(two) == [("transcript", 1)]
    check(two, a="New", b="Beta", c="Alpha")


def test_a_copy_is_a_document_of_its_own(two: RunFolders) -> None:
    shutil.copy2(two.inbox / "a.pdf", two.inbox / "c.pdf")
    read_again(two)
    check(two, a="Alpha", b="Beta", c="Alpha")


def test_one_of_two_copies_is_renamed(two: RunFolders) -> None:
    shutil.copy2(two.inbox / "a.pdf", two.inbox / "c.pdf")
    two.run()
    (two.inbox / "c.pdf").rename(two.inbox / "d.pdf")
    assert read_again(two) == []
    check(two, a="Alpha", b="Beta", d="Alpha")


@pytest.mark.parametrize("share", ["empty", "gone", "other"])
def test_a_share_that_is_not_mounted_is_no_move(folders: RunFolders, share: str) -> None:
    """A copy of a document on a share comes to another folder while the share is away. When it is back, there are two documents."""
    folders.put("share/a.pdf", text_pdf(["Alpha"]))
    folders.put("local/b.pdf", text_pdf(["Beta"]))
    folders.run()
    away = (folders.inbox / "share").rename(folders.inbox.with_name("away"))
    if share == "gone":  # an automounter; the test has no file system of its own to mount
        with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
            changed = db.execute("UPDATE inbox_folders SET is_mount = 1 WHERE path = ?", [os.fsencode(folders.inbox / "share")])
            assert changed.rowcount == 1
    else:
        (folders.inbox / "share").mkdir()
    if share == "other":
        (folders.inbox / "share/.keep").write_bytes(b"")
    shutil.copy2(away / "a.pdf", folders.inbox / "local/copy.pdf")
    folders.run()
    assert rows(folders) == ["local/b.pdf", "local/copy.pdf", "share/a.pdf"]
    shutil.rmtree(folders.inbox / "share", ignore_errors=True)
    away.rename(folders.inbox / "share")
    folders.run()
    check(folders, local__b="Beta", local__copy="Alpha", share__a="Alpha")


def test_a_share_with_new_inode_numbers_is_recognised_by_its_files(folders: RunFolders) -> None:
    folders.put("share/a.pdf", text_pdf(["Alpha"]))
    folders.put("share/b.pdf", text_pdf(["Beta"]))
    folders.run()
    shutil.copytree(folders.inbox / "share", folders.inbox / "again")  # keeps times
    shutil.rmtree(folders.inbox / "share")
    (folders.inbox / "again").rename(folders.inbox / "share")
    (folders.inbox / "share/a.pdf").rename(folders.inbox / "c.pdf")
    assert read_again(folders) == []
    check(folders, c="Alpha", share__b="Beta")


# ---- what belongs to a document -----------------------------------------------------------------


def correct(folders: RunFolders, sha256: str, value: object) -> None:
    with Ledger(folders.outbox / ".pipeline") as ledger:
        correction = Correction("transcript", "text", 1, value, False, None, "Anna", "2026-01-01T00:00:00Z")
        record_correction(ledger, sha256, correction)


def sha256_of(folders: RunFolders, name: str) -> str:
    return str(folders.json(name)["document"]["sha256"])


@pytest.mark.parametrize("new_file", [False, True])
def test_corrections_conversations_and_the_named_template_follow(folders: RunFolders, new_file: bool) -> None:
    folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.put("z.pdf", text_pdf(["Omega"]))
    folders.run("transcript")
    sha256 = sha256_of(folders, "a.pdf")
    correct(folders, sha256, ["Corrected"])
    with Ledger(folders.outbox / ".pipeline") as ledger:
        place_order(ledger, "question", sha256, {"page": 1, "question": "Who?", "follows": None}, "Anna")
    folders.run(None)
    folders.run(None, ask="When?")
    before = folders.json("a.pdf")
    assert before["results"]["transcript"]["fields"]["text"]["value"] == ["Corrected"]
    assert len(before["results"]) == 2
    (folders.inbox / "a.pdf").rename(folders.inbox / "c.pdf")
    if new_file:
        folders.put("a.pdf", text_pdf(["A quite new one"]))
    assert len(read_again(folders, None)) == new_file
    after = folders.json("c.pdf")
    for key in ("checksum", "stays_at"):
        assert after["provenance"].pop(key) != before["provenance"].pop(key)
    assert after == before | {"document": before["document"] | {"path": "c.pdf"}}
    with Ledger(folders.outbox / ".pipeline") as ledger:
        assert [(item.outcome or {})["answer"] for item in orders_for_document(ledger, sha256, "question")] == ["Alpha"]
        record = ledger.file_by_name("c.pdf")
        assert record
        assert record.requested_templates == ("transcript",)


def test_a_move_into_the_folder_of_another_template(folders: RunFolders) -> None:
    folders.changes.update(
        routes=(Route(match="letters/**", template="transcript"), Route(match="photos/**", template="caption"))
    )
    path = folders.put("letters/a.pdf", text_pdf(["Alpha"]))
    folders.put("letters/b.pdf", text_pdf(["Beta"]))
    folders.run(None)
    (folders.inbox / "photos").mkdir()
    path.rename(folders.inbox / "photos/a.pdf")
    assert read_again(folders, None) == [("caption", 1)]
    assert rows(folders) == ["letters/b.pdf", "photos/a.pdf"]
    assert names(folders) == ["letters/b.pdf.json", "photos/a.pdf.json"]
    assert list(folders.json("photos/a.pdf")["results"]) == ["caption"]
    assert [row["file"] for row in folders.csv("transcript")] == ["letters/b.pdf"]
    assert read_again(folders, None) == []


def test_a_file_that_waits_for_a_retry_and_one_that_failed(folders: RunFolders) -> None:
    folders.put("broken.pdf", b"%PDF-1.7 broken off")
    folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.run()
    (folders.inbox / "broken.pdf").rename(folders.inbox / "still broken.pdf")
    assert folders.run().documents == {}
    assert [(row["file"], row["status"]) for row in folders.csv("documents")] == [
        ("a.pdf", "done"),
        ("still broken.pdf", "failed"),
    ]


def test_a_rename_after_the_ledger_was_rebuilt(two: RunFolders) -> None:
    for path in (two.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    (two.inbox / "a.pdf").rename(two.inbox / "c.pdf")
    two.run()
    assert read_again(two) == []
    assert "c.pdf" in rows(two)


def test_a_file_that_comes_again_after_it_was_archived_is_another_document(folders: RunFolders) -> None:
    folders.changes.update(after="move")
    content = folders.put("a.pdf", text_pdf(["Alpha"])).read_bytes()
    folders.run()
    folders.put("b.pdf", content)
    folders.run()
    assert rows(folders) == ["a.pdf", "b.pdf"]


class RenamingEngine(EchoEngine):
    """Renames a file of the inbox while it has a page of it."""

    def __init__(self, old: Path, new: Path) -> None:
        super().__init__()
        self._old, self._new = old, new

    def respond(self, request: Request) -> Answer:
        if self._old.exists():
            self._old.rename(self._new)
        return super().respond(request)


def test_a_file_that_is_renamed_while_the_engine_has_it(folders: RunFolders) -> None:
    path = folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.engine = RenamingEngine(path, folders.inbox / "b.pdf")
    folders.run()
    assert rows(folders) == ["a.pdf"]
    assert read_again(folders) == []
    check(folders, b="Alpha")


def test_an_ordered_reading_keeps_its_result_under_the_new_name_also_in_a_rebuilt_ledger(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Alpha"]))
    folders.put("b.pdf", text_pdf(["Beta"]))
    folders.run(None)
    sha256 = sha256_of(folders, "a.pdf")
    with Ledger(folders.outbox / ".pipeline") as ledger:
        (record,) = ledger.files_with_contents(sha256)
        order = place_order(ledger, "reading", sha256, {"name": "a.pdf", "template": "receipt", "engine": None}, "Ben")
        close_order(ledger, order.id, {"status": "done", "engine": "echo/1", "templates": list(record.recipes)})
        ledger.pin("a.pdf")
    (folders.inbox / "a.pdf").rename(folders.inbox / "c.pdf")
    folders.run(None)
    with Ledger(folders.outbox / ".pipeline") as ledger:
        (moved,) = ledger.files_with_contents(sha256)
        assert (moved.source.name, moved.pinned) == ("c.pdf", True)
        (order,) = orders_for_document(ledger, sha256, "reading")
        assert order.details["name"] == "c.pdf"
    for path in (folders.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)
    folders.run(None)
    with Ledger(folders.outbox / ".pipeline") as ledger:
        assert [file.pinned for file in ledger.files_with_contents(sha256)] == [True]


# ---- as processes -------------------------------------------------------------------------------


def ledger_names(workspace: Workspace) -> list[str]:
    path = workspace.outbox / ".pipeline" / "ledger.sqlite"
    if not path.exists():
        return []
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return [row[0] for row in db.execute("SELECT name FROM files WHERE published IS NOT NULL ORDER BY name")]
    except sqlite3.OperationalError:
        return []


def results(workspace: Workspace) -> dict[str, Any]:
    files = [path for path in workspace.outbox.rglob("*.json") if ".pipeline" not in path.parts]
    return {path.relative_to(workspace.outbox).as_posix(): json.loads(path.read_text(encoding="utf-8")) for path in files}


def csv_names(workspace: Workspace) -> list[str]:
    lines = (workspace.outbox / "documents.csv").read_text(encoding="utf-8").splitlines()[1:]
    return sorted(line.split(",")[0] for line in lines)


@pytest.mark.parametrize("detection", ["native", "polling"])
def test_files_that_are_moved_while_watch_runs(tmp_path: Path, detection: str) -> None:
    workspace = Workspace(tmp_path)
    for name in ("a", "b", "folder/c", "folder/d"):
        workspace.put(f"{name}.pdf")
    environment = {
        "INTAKE__CHANGE_DETECTION": detection,
        "INTAKE__UNCHANGED_SECONDS": "0.1",
        "INTAKE__POLL_SECONDS": "0.2",
        "INTAKE__RESCAN_SECONDS": "1",
    }
    watcher = workspace.start("watch", **environment)
    try:
        wait_for(lambda: len(ledger_names(workspace)) == 4)
        before = {name: item["document"]["sha256"] for name, item in results(workspace).items()}
        inbox = workspace.inbox
        (inbox / "a.pdf").rename(inbox / "x.pdf")
        wait_for(lambda: "x.pdf" in ledger_names(workspace))
        (inbox / "folder").rename(inbox / "other")
        wait_for(lambda: "other/d.pdf" in ledger_names(workspace))
        (inbox / "other").rename(inbox / "folder")
        (inbox / "x.pdf").rename(inbox / "a.pdf")
        wait_for(lambda: ledger_names(workspace) == ["a.pdf", "b.pdf", "folder/c.pdf", "folder/d.pdf"])
        (inbox / "a.pdf").rename(inbox / "x.pdf")
        (inbox / "b.pdf").rename(inbox / "a.pdf")
        (inbox / "x.pdf").rename(inbox / "b.pdf")
        swapped = {**before, "a.pdf.json": before["b.pdf.json"], "b.pdf.json": before["a.pdf.json"]}
        wait_for(lambda: {name: item["document"]["sha256"] for name, item in results(workspace).items()} == swapped)
    finally:
        watcher.send_signal(signal.SIGTERM)
        _, err = watcher.communicate(timeout=60)
    assert watcher.returncode == 0, err
    assert csv_names(workspace) == ["a.pdf", "b.pdf", "folder/c.pdf", "folder/d.pdf"]
    assert {name: item["document"]["sha256"] for name, item in results(workspace).items()} == swapped


@pytest.mark.kills
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_while_moves_are_carried_out(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(60):
        workspace.put(f"one/{number:02}.pdf")
    began = time.monotonic()
    assert workspace.run("run", "--quiet")[0] == 0
    seconds = time.monotonic() - began
    with sqlite3.connect(workspace.outbox / ".pipeline" / "ledger.sqlite") as db:
        ended = dict(db.execute("SELECT sha256, ended_at FROM units"))
    chance, present = random.Random(12), "one"
    for kill in range(max(10, share(0.04))):
        target = f"folder {kill}"
        (workspace.inbox / present).rename(workspace.inbox / target)
        present = target
        process = workspace.start("run", "--quiet")
        time.sleep(chance.random() * seconds)
        process.kill()
        process.communicate()
    assert workspace.run("run", "--quiet")[0] == 0
    expected = [f"{present}/{number:02}.pdf" for number in range(60)]
    assert ledger_names(workspace) == csv_names(workspace) == expected
    assert sorted(results(workspace)) == [f"{name}.json" for name in expected]
    assert all(f"{item['document']['path']}.json" == name for name, item in results(workspace).items())
    with sqlite3.connect(workspace.outbox / ".pipeline" / "ledger.sqlite") as db:
        assert dict(db.execute("SELECT sha256, ended_at FROM units")) == ended, "nothing is read again"
