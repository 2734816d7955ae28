"""Results that somebody has changed: kept beside the new ones when their documents are read again, and said once."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import InboxScanner
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders
from tests.run.dying_runs import dying_runs
from tests.run.test_changed_sheets import Lines

OTHER = b"what somebody else has put there"


def read(folders: RunFolders, name: str = "a.pdf", text: str = "") -> list[str]:
    """Read a document, or a new version of it. Returns the messages of the run."""
    if text:
        folders.put(name, text_pdf([text]))
    observer = Lines()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, observer) as loop:
        files, _ = InboxScanner(job, observer.file_skipped, loop.recognise_moves).scan()
        loop.round(iter(files))
        loop.publisher.tidy()
    assert observer.skipped_files == []
    return observer.lines


def copies(folders: RunFolders) -> list[Path]:
    return sorted(folders.outbox.rglob("*(changed *"))


def edit_value(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"First", b"Fixed"))


def format_anew(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=4), encoding="utf-8")


def add_a_note(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"# seen by Ann\n")


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_another_file(path: Path) -> None:
    path.write_bytes(OTHER)


def link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(OTHER)
    path.unlink()
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("change", [edit_value, format_anew, add_a_note, cut_short, replace_by_another_file, link])
def test_a_changed_result_is_kept_beside_the_new_one(folders: RunFolders, change: Callable[[Path], None]) -> None:
    assert read(folders, text="First text") == []
    path = folders.outbox / "a.pdf.json"
    change(path)
    changed = path.read_bytes()

    lines = read(folders, text="The second text")
    assert folders.texts("a.pdf") == ["The second text"]
    assert not path.is_symlink()
    (copy,) = copies(folders)
    assert copy.name == f"a.pdf (changed {time.strftime('%Y-%m-%d')}).json"
    assert copy.read_bytes() == changed
    assert [line for line in lines if "a.pdf.json" in line and copy.name in line] == lines
    assert len(lines) == 1

    assert read(folders, text="The third and last text") == []
    assert folders.texts("a.pdf") == ["The third and last text"]
    assert copies(folders) == [copy]


def test_a_pipe_in_the_place_of_a_result_holds_no_run(folders: RunFolders) -> None:
    read(folders, text="First text")
    path = folders.outbox / "a.pdf.json"
    path.unlink()
    os.mkfifo(path)
    assert len(read(folders, text="The second text")) == 1
    assert folders.texts("a.pdf") == ["The second text"]
    assert [copy.is_fifo() for copy in copies(folders)] == [True]


def test_a_changed_result_with_the_longest_name_and_a_second_change_on_one_day(folders: RunFolders) -> None:
    name = "é" * 118 + ".pdf"
    read(folders, name, "First text")
    (result,) = [path for path in folders.outbox.glob("*.json") if not path.name.startswith(".")]
    for number in range(3):
        edit = f"edited {number}".encode()
        result.write_bytes(edit)
        assert len(read(folders, name, f"Text {'x' * number}")) == 1
    assert sorted(copy.read_bytes() for copy in copies(folders)) == [b"edited 0", b"edited 1", b"edited 2"]
    assert all(len(os.fsencode(copy.name)) <= 255 for copy in copies(folders))


def test_a_changed_result_of_a_file_that_was_renamed_is_kept(folders: RunFolders) -> None:
    read(folders, text="First text")
    edit_value(folders.outbox / "a.pdf.json")
    (folders.inbox / "a.pdf").rename(folders.inbox / "b.pdf")
    lines = read(folders)
    assert len(lines) == 1
    assert folders.texts("b.pdf") == ["First text"]
    assert not (folders.outbox / "a.pdf.json").exists()
    assert [b"Fixed text" in copy.read_bytes() for copy in copies(folders)] == [True]


def without_checksum(path: Path) -> None:
    """Make a result as older versions wrote it."""
    text = path.read_text(encoding="utf-8")
    older = re.sub(r',\n  "checksum": "\w+"', "", text)
    assert older != text or "checksum" not in text
    path.write_text(older, encoding="utf-8")


@pytest.mark.parametrize("edited", [False, True])
def test_a_result_of_an_older_version_is_kept_where_it_is_newer_than_its_publication(folders: RunFolders, edited: bool) -> None:
    read(folders, text="First text")
    path = folders.outbox / "a.pdf.json"
    without_checksum(path)
    if edited:
        edit_value(path)
        with closing(sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite")) as database, database:
            database.execute("UPDATE files SET published_at = '2020-01-01T00:00:00.000Z'")
    assert len(read(folders, text="The second text")) == edited
    assert folders.texts("a.pdf") == ["The second text"]
    assert [b"Fixed" in copy.read_bytes() for copy in copies(folders)] == [True] * edited


def test_a_kept_result_is_no_document_when_the_ledger_is_made_anew(folders: RunFolders) -> None:
    read(folders, text="First text")
    edit_value(folders.outbox / "a.pdf.json")
    read(folders, text="The second text")
    assert len(copies(folders)) == 1
    shutil.rmtree(folders.outbox / ".pipeline")
    (folders.outbox / ".pipeline").mkdir()
    (folders.outbox / ".pipeline" / "ledger.sqlite").write_bytes(b"no database at all" * 1000)
    read(folders)
    assert [row["file"] for row in folders.csv("documents")] == ["a.pdf"]
    assert [path.name for path in folders.outbox.glob("a.pdf.json")] == ["a.pdf.json"]


@pytest.mark.kills
@pytest.mark.slow
def test_a_crash_while_a_changed_result_is_kept_loses_neither(folders: RunFolders) -> None:
    path, step, killed = folders.outbox / "a.pdf.json", 0, 0
    folders.changes.update(archive=folders.inbox.parent / "archive")
    read(folders, text="Text")
    with dying_runs() as dying:
        while True:
            step += 1 if step < 6 else 4
            edit = f"edit number {step}".encode()
            path.write_bytes(edit)
            os.utime(folders.put("a.pdf", text_pdf([f"Text {'x' * step}"])), (step, step))
            was_killed = dying.run(folders, step, [path, folders.outbox / ".pipeline" / "tmp"])
            found = [item for item in (path, *copies(folders)) if item.exists() and item.read_bytes() == edit]
            assert len(found) == 1, f"step {step}"
            folders.run()
            assert folders.texts("a.pdf") == [f"Text {'x' * step}"]
            (copy,) = copies(folders)
            assert copy.read_bytes() == edit
            copy.unlink()
            killed += was_killed
            if not was_killed:
                break
    assert killed >= 4
