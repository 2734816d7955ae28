"""Spreadsheets that somebody else changes between two runs: kept, written anew, and said; never cut, never written through a link."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders

SHEET = "transcript.csv"


class Lines(RunCounts):
    """Counts the documents of a run and keeps its messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def warning(self, message: str) -> None:
        self.lines.append(message)


def read(folders: RunFolders, *names: str) -> tuple[list[str], Loop]:
    """Put documents into the inbox and read them. Returns the messages of the run, and its loop."""
    for name in names:
        folders.put(name, text_pdf([f"The text of {name}"]))
    observer = Lines()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, observer) as loop:
        todo, known = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, observer.file_skipped), job.file_records)
        observer.files_found(len(todo), len(known))
        loop.round(iter(todo))
        loop.publisher.tidy()
    return observer.lines, loop


def rows(folders: RunFolders, sheet: str = "transcript") -> list[str]:
    table = folders.csv(sheet)
    assert all(None not in row and None not in row.values() for row in table), "every row has as many cells as the header"
    return sorted(row["file"] for row in table)


def kept(folders: RunFolders) -> list[Path]:
    return sorted(folders.outbox.glob("*(changed *"))


def saved_by_a_spreadsheet(path: Path) -> None:
    table = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(table)


def same_size_other_cell(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"The text", b"Our text"))


def other_columns(path: Path) -> None:
    table = [row[::-1] for row in csv.reader(path.read_text(encoding="utf-8").splitlines())]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)


def one_more_row(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("sum,,,,,,\n")


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


CHANGES = [saved_by_a_spreadsheet, same_size_other_cell, other_columns, one_more_row, truncated, emptied]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_sheet_is_kept_and_written_anew(folders: RunFolders, change: Callable[[Path], None]) -> None:
    assert read(folders, "a.pdf", "b.pdf")[0] == []
    path = folders.outbox / SHEET
    change(path)
    saved = path.read_bytes()

    lines, _ = read(folders, "c.pdf")
    assert rows(folders) == rows(folders, "documents") == ["a.pdf", "b.pdf", "c.pdf"]
    today = time.strftime("%Y-%m-%d", time.localtime(path.stat().st_mtime))
    assert [copy.name for copy in kept(folders)] == [f"transcript (changed {today}).csv"]
    assert kept(folders)[0].read_bytes() == saved
    assert len(lines) == 1
    assert SHEET in lines[0]
    assert kept(folders)[0].name in lines[0]

    assert read(folders, "d.pdf")[0] == []
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]
    assert len(kept(folders)) == 1


def test_a_second_changed_sheet_has_a_name_of_its_own(folders: RunFolders) -> None:
    read(folders, "a.pdf")
    for name in ("b.pdf", "c.pdf"):
        one_more_row(folders.outbox / SHEET)
        assert len(read(folders, name)[0]) == 1
    assert len(kept(folders)) == 2
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf"]


def test_a_changed_sheet_is_kept_also_when_older_rows_are_replaced(folders: RunFolders) -> None:
    path = folders.put("a.pdf", text_pdf(["The text, first version"]))
    read(folders)
    same_size_other_cell(folders.outbox / SHEET)
    saved = (folders.outbox / SHEET).read_bytes()
    path.write_bytes(text_pdf(["The second version"]))
    os.utime(path, (2_000_000, 2_000_000))
    assert len(read(folders)[0]) == 1
    assert "second" in folders.csv("transcript")[0]["text"]
    assert kept(folders)[0].read_bytes() == saved


@pytest.mark.parametrize("what", ["link", "dangling link", "folder", "pipe"])
def test_nothing_is_written_through_what_is_no_file(folders: RunFolders, what: str) -> None:
    read(folders, "a.pdf", "b.pdf")
    path, elsewhere = folders.outbox / SHEET, folders.outbox.parent / "elsewhere.csv"
    content = path.read_bytes()
    path.unlink()
    if what == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        if what == "link":
            elsewhere.write_bytes(content + b"mine")
        path.symlink_to(elsewhere)
    lines, _ = read(folders, "c.pdf")
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf"]
    assert not path.is_symlink()
    if what == "link":
        assert elsewhere.read_bytes() == content + b"mine"
    if what == "folder":
        assert (kept(folders)[0] / "mine.txt").read_text() == "mine"
    assert elsewhere.exists() == (what == "link")
    assert len(kept(folders)) == len(lines) == 1


def test_a_sheet_that_is_gone_or_read_only_or_only_touched_is_written_without_a_copy(folders: RunFolders) -> None:
    read(folders, "a.pdf")
    path = folders.outbox / SHEET
    path.unlink()
    read(folders, "b.pdf")
    path.chmod(0o444)
    read(folders, "c.pdf")
    path.touch()
    read(folders, "d.pdf")
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    copy.replace(path)
    assert read(folders, "e.pdf")[0] == []
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf", "d.pdf", "e.pdf"]
    assert kept(folders) == []


@pytest.mark.parametrize("changed", [False, True])
def test_a_sheet_of_an_older_version_is_gone_on_with(folders: RunFolders, changed: bool) -> None:
    read(folders, "a.pdf", "b.pdf")
    with closing(sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite")) as database, database:
        database.execute("DELETE FROM written_files")
    before = (folders.outbox / SHEET).read_bytes()
    if changed:
        saved_by_a_spreadsheet(folders.outbox / SHEET)
    assert bool(read(folders, "c.pdf")[0]) == changed
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf"]
    assert len(kept(folders)) == changed
    assert (folders.outbox / SHEET).read_bytes().startswith(before)


def test_a_sheet_that_is_held_by_another_program_costs_no_document(folders: RunFolders) -> None:
    read(folders, "a.pdf")
    path = folders.outbox / SHEET
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode:
        pytest.skip("this file system or user cannot make a file immutable, as a lock over SMB does")
    try:
        lines, loop = read(folders, "b.pdf", "c.pdf")
    finally:
        subprocess.run(["chattr", "-i", path], check=True)
    assert len(lines) == 1
    assert SHEET in lines[0]
    assert list(loop.publisher.unwritten) == ["transcript"]
    assert rows(folders, "documents") == ["a.pdf", "b.pdf", "c.pdf"]
    assert folders.json("c.pdf")["status"] == "done"
    assert rows(folders) == ["a.pdf"]

    lines, loop = read(folders)
    assert (lines, loop.publisher.unwritten) == ([], {})
    assert rows(folders) == ["a.pdf", "b.pdf", "c.pdf"]
    assert kept(folders) == []
