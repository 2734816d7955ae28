"""Only what is still what was read is moved or deleted, and a moved file that changes is read again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.ledger.removal_records import Removal
from pipeline.run.changed_files import ChangedFiles
from pipeline.run.file_removal import KeptFileError, claim_path, remove
from pipeline.run.job import open_job
from pipeline.runtime.file_lease import FileLease, has_writer
from pipeline.settings import Settings
from tests.drawing import encrypted_pdf, text_pdf
from tests.run.conftest import OLD, RunFolders
from tests.run.processes import Workspace, wait_for
from tests.run.test_archive_crash import other_file_system, places

__all__ = ["other_file_system"]
BIG = 150_000_000


@pytest.fixture
def moving(folders: RunFolders, tmp_path: Path) -> RunFolders:
    """Folders with the setting ``after: move``."""
    folders.changes.update(after="move", archive=tmp_path / "archive")
    return folders


def archived(folders: RunFolders, name: str) -> Path:
    """The file of that name in the archive."""
    archive: Path = folders.changes["archive"]
    return next(archive.rglob(name))


def same_size_pdfs() -> tuple[bytes, bytes]:
    """Two documents of one size with other texts."""
    first, second = text_pdf(["First"]), text_pdf(["Other"])
    longest = max(len(first), len(second))
    return first.ljust(longest, b"\n"), second.ljust(longest, b"\n")


needs_leases = pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="only Linux shows whether a file has a writer")


# ---- what is not moved or deleted -----------------------------------------------------------------------


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_replaced_file_of_the_same_size_and_time_is_read(folders: RunFolders, after: str) -> None:
    first, second = same_size_pdfs()
    folders.put("a.pdf", first)
    folders.run()
    folders.put("a.pdf", second)
    folders.changes["after"] = after
    assert folders.run().documents == {}
    assert (folders.inbox / "a.pdf").read_bytes() == second
    assert folders.run().documents == {"done": 1}
    assert folders.texts("a.pdf") == ["Other"]
    assert not (folders.inbox / "a.pdf").exists()


def test_a_file_that_is_replaced_while_the_old_one_is_copied_is_read(moving: RunFolders, other_file_system: Path) -> None:
    moving.changes["archive"] = other_file_system / "archive"
    first = text_pdf(["First"])
    path = moving.put("scan.pdf", first + b"\n" * BIG)
    second = moving.inbox.parent / "second.pdf"
    second.write_bytes(text_pdf(["Second"]))
    os.utime(second, (OLD, OLD))
    archive: Path = moving.changes["archive"]

    def replace_during_copy() -> None:
        wait_for(lambda: any(file.is_file() and file.stat().st_size for file in archive.rglob(".*")), 60)
        second.rename(path)

    replacing = threading.Thread(target=replace_during_copy)
    replacing.start()
    moving.run()
    replacing.join()
    assert path.read_bytes() == text_pdf(["Second"]), "a file was deleted unread"
    assert archived(moving, "scan.pdf").stat().st_size == len(first) + BIG
    moving.run()
    assert moving.texts("scan.pdf") == ["First"]
    assert moving.texts("scan.pdf~2") == ["Second"]
    assert not path.exists()


@needs_leases
@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_file_that_a_program_still_writes_stays(folders: RunFolders, tmp_path: Path, after: str) -> None:
    folders.changes.update(after=after, archive=tmp_path / "archive")
    path = folders.put("scan.pdf", text_pdf(["Page 1"]))
    with path.open("ab") as scanner:
        first = folders.run()
        assert first.documents == {"done": 1}
        assert [name for name, why in first.skipped_files if "open for writing" in why] == ["scan.pdf"]
        assert path.exists()
        scanner.truncate(0)
        scanner.write(text_pdf(["Page 1", "Page 2"]))
    assert folders.run().documents == {"done": 1}
    assert folders.texts("scan.pdf") == ["Page 1", "Page 2"]
    assert not path.exists()


@needs_leases
def test_an_unchanged_file_goes_when_the_program_has_closed_it(moving: RunFolders) -> None:
    path = moving.put("scan.pdf", text_pdf(["Page 1"]))
    with path.open("rb+"):
        moving.run()
        assert path.exists()
    assert moving.run().documents == {}
    assert archived(moving, "scan.pdf")


@dataclass(frozen=True)
class CopyEvents:
    """Folders that exist, and what happens when a copy in one of them is whole."""

    sync_target: Callable[[Path], None]

    def make(self, removal: Removal) -> None:
        del removal


def removal(path: Path, target: Path | None) -> Removal:
    """The removal of a file as it is now."""
    status, folder = path.stat(), path.parent.stat()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    identity = (status.st_dev, status.st_ino, folder.st_ino, status.st_size, status.st_mtime_ns)
    return Removal(path, "archive" if target else "deleted", target, claim_path(path), *identity, sha256)


@needs_leases
def test_a_program_that_opens_a_copied_file_for_writing_keeps_it(tmp_path: Path, other_file_system: Path) -> None:
    """It opens the file when the copy is whole, and just before the original would be deleted."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"page 1")
    openings: list[threading.Thread] = []
    writers: list[BinaryIO] = []

    def open_for_writing(_: Path) -> None:
        claim = next(tmp_path.glob(".*"))
        opening = threading.Thread(target=lambda: writers.append(claim.open("ab")))
        opening.start()
        openings.append(opening)
        with claim.open("rb") as file:  # the opening waits for the lease to end, and thereby shows itself
            wait_for(lambda: not has_free_lease(file.fileno()))

    with pytest.raises(KeptFileError, match="open for writing"):
        remove(removal(path, other_file_system / "scan.pdf"), CopyEvents(open_for_writing))
    openings[0].join()
    with writers[0] as scanner:
        scanner.write(b" page 2")
    assert path.read_bytes() == b"page 1 page 2"
    assert not list(other_file_system.iterdir())


def has_free_lease(descriptor: int) -> bool:
    """Whether a second lease would be given, as long as no program waits to write."""
    with FileLease(descriptor) as lease:
        return lease.has_writer is False


def test_a_file_that_takes_the_place_of_one_that_is_given_back_stays(tmp_path: Path, other_file_system: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(b"old")

    def change_and_replace(_: Path) -> None:
        claim = next(tmp_path.glob(".*"))
        os.utime(claim, (1, 1))
        path.write_bytes(b"new")

    with pytest.raises(KeptFileError):
        remove(removal(path, other_file_system / "scan.pdf"), CopyEvents(change_and_replace))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"scan.pdf": b"new", "scan-2.pdf": b"old"}


def test_a_writer_is_found_and_a_reader_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    with path.open("rb"):
        assert has_writer(path) in (False, None)
    with path.open("ab"):
        assert has_writer(path) in (True, None)
    assert has_writer(path) in (False, None)


# ---- moved files that change ----------------------------------------------------------------------------


def test_an_archived_file_that_changes_is_read_again_where_it_is(moving: RunFolders) -> None:
    moving.put("scan.pdf", text_pdf(["Page 1"]))
    moving.run()
    moved = archived(moving, "scan.pdf")
    moved.write_bytes(text_pdf(["Page 1", "Page 2", "Page 3"]))
    assert moving.run().documents == {"done": 1}
    assert moving.texts("scan.pdf") == ["Page 1", "Page 2", "Page 3"]
    assert [row["file"] for row in moving.csv("documents")] == ["scan.pdf"]
    assert moved.exists()
    assert moving.run().to_read == 0


def test_an_archived_file_is_looked_at_until_a_day_has_passed(moving: RunFolders) -> None:
    for name in ("a.pdf", "b.pdf"):
        moving.put(name, text_pdf([name]))
    moving.run()
    let_days_pass(moving, 2)
    archived(moving, "a.pdf").write_bytes(text_pdf(["Changed while no program ran"]))
    assert moving.run().documents == {"done": 1}
    archived(moving, "b.pdf").write_bytes(text_pdf(["Changed much later"]))
    assert moving.run().documents == {}


def let_days_pass(folders: RunFolders, days: int) -> None:
    """Let files have been moved earlier than they were."""
    with sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite") as db:
        db.execute(f"UPDATE files SET archived_at = strftime('%Y-%m-%dT%H:%M:%fZ', archived_at, '-{days} days')")


@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_failed_file_that_changes_in_its_folder_is_taken_up_again(folders: RunFolders, tmp_path: Path, after: str) -> None:
    folders.changes.update(after=after, archive=tmp_path / "archive")
    failed = tmp_path / "failed"
    folders.put("sub/a.pdf", b"%PDF-1.7 the scanner has written only th")
    folders.put("b.pdf", encrypted_pdf())
    folders.run()
    let_days_pass(folders, 100)
    (failed / "sub/a.pdf").write_bytes(text_pdf(["Whole"]))
    (failed / "b.pdf").write_bytes(encrypted_pdf() + b"\n")
    assert folders.run().documents == {"done": 1, "failed": 1}
    assert folders.texts("sub/a.pdf") == ["Whole"]
    assert {row["file"]: row["status"] for row in folders.csv("documents")} == {"sub/a.pdf": "done", "b.pdf": "failed"}
    assert sorted(path.name for path in failed.rglob("*") if path.is_file()) == ["b.pdf", "b.pdf.reason.txt"]
    assert places(folders) == {"sub/a.pdf": "archive" if after == "move" else "deleted", "b.pdf": "failed"}


def test_a_failed_file_that_was_kept_and_changes_is_read_again(folders: RunFolders) -> None:
    folders.put("a.pdf", b"%PDF-1.7 the scanner has written only th")
    assert folders.run().documents == {"failed": 1}
    folders.put("a.pdf", text_pdf(["Whole"]))
    assert folders.run().documents == {"done": 1}


def test_an_absent_archive_says_nothing_about_moved_files(moving: RunFolders) -> None:
    moving.put("a.pdf", text_pdf(["A"]))
    moving.run()
    elsewhere = moving.changes["archive"].rename(moving.inbox.parent / "elsewhere")
    let_days_pass(moving, 2)
    assert moving.run().to_read == 0
    elsewhere.rename(moving.changes["archive"])
    archived(moving, "a.pdf").write_bytes(text_pdf(["A", "B"]))
    assert moving.run().documents == {"done": 1}


# ---- empty files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_an_empty_file_is_no_document_yet(folders: RunFolders, tmp_path: Path, after: str) -> None:
    folders.changes.update(after=after, archive=tmp_path / "archive")
    path = folders.put("scan.pdf", b"")
    first = folders.run()
    assert first.documents == {}
    assert first.skipped_files == [("scan.pdf", "the file is empty")]
    assert not (folders.outbox / "scan.pdf.json").exists()
    assert path.exists()
    path.write_bytes(text_pdf(["Full"]))
    assert folders.run().documents == {"done": 1}
    assert folders.texts("scan.pdf") == ["Full"]
    assert path.exists() == (after == "keep")


def test_a_run_names_an_empty_file_and_does_not_end_well(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.put("empty.pdf", b"")
    code, _, err = workspace.run("run", "--quiet", AFTER="move")
    assert code == 1
    assert "left for later: empty.pdf: the file is empty" in err


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a running watcher that moves files."""
    workspace = Workspace(tmp_path)
    settings = {"AFTER": "move", "INTAKE__RESCAN_SECONDS": "0.5", "INTAKE__UNCHANGED_SECONDS": "0.2"}
    process = workspace.start("watch", **settings)
    yield workspace
    process.terminate()
    process.communicate(timeout=60)


@pytest.mark.slow
def test_a_watcher_reads_pages_that_a_slow_scanner_adds_in_the_archive(watcher: Workspace) -> None:
    watcher.put("scan.pdf")
    (moved,) = wait_for(lambda: list((watcher.folder / "archive").rglob("scan.pdf")))
    moved.write_bytes(text_pdf(["One", "Two", "Three"]))
    os.utime(moved, (time.time(), time.time()))
    result = watcher.outbox / "scan.pdf.json"
    wait_for(lambda: '"Three"' in result.read_text(encoding="utf-8"))


def test_nothing_is_looked_at_again_before_its_time(moving: RunFolders) -> None:
    moving.put("a.pdf", text_pdf(["A"]))
    moving.run()
    settings = Settings(inbox=moving.inbox, outbox=moving.outbox, workers=1, **moving.changes)
    with open_job(settings, engine=moving.engine) as job:
        files = ChangedFiles(job, 0.0, 1000.0)
        assert files.settled() == []
        archived(moving, "a.pdf").write_bytes(text_pdf(["A", "B"]))
        assert not files.settled()
        assert [file.source.name for file in files.changed()] == ["a.pdf"]
