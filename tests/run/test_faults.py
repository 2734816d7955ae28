"""Faults of the machine: a full disk, an outbox that cannot be written, a locked ledger, clocks that jump, files cut short while they are
read. A result may be late, but is never lost or doubled."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.engines.base import Request
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.publish.publication import Publication
from pipeline.records import Answer
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders
from tests.run.processes import wait_for

OLD = 1_000_000


def put(inbox: Path, name: str, text: str) -> None:
    path = inbox / name
    path.write_bytes(text_pdf([text]))
    os.utime(path, (OLD, OLD))


def command(name: str, inbox: Path, outbox: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "pipeline",
        name,
        "-q",
        "--template",
        "transcript",
        "--inbox",
        str(inbox),
        "--outbox",
        str(outbox),
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB; skips where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Use up all free space of a disk."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(b"\0" * 4096)
            file.flush()
    return ballast


@pytest.mark.slow
def test_a_full_disk_ends_a_run_and_the_next_one_goes_on(small_disk: Path, tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", small_disk / "outbox"
    inbox.mkdir()
    put(inbox, "first.pdf", "First")
    assert subprocess.run(command("run", inbox, outbox), check=False).returncode == 0
    for number in range(30):
        put(inbox, f"{number}.pdf", f"Number {number}")
    ballast = fill(small_disk)
    ended = subprocess.run(command("run", inbox, outbox), check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "full" in ended.stderr or "No space" in ended.stderr
    ballast.unlink()
    assert subprocess.run(command("run", inbox, outbox), check=False).returncode == 0
    rows = (outbox / "transcript.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert sorted(row.split(",")[0] for row in rows) == sorted(["first.pdf", *(f"{number}.pdf" for number in range(30))])


@pytest.mark.slow
def test_a_watcher_survives_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", small_disk / "outbox"
    inbox.mkdir()
    put(inbox, "first.pdf", "First")
    with subprocess.Popen(command("watch", inbox, outbox), stderr=subprocess.PIPE, text=True) as watcher:
        wait_for(lambda: (outbox / "first.pdf.json").exists())
        time.sleep(1.5)
        ballast = fill(small_disk)
        put(inbox, "second.pdf", "Second")
        assert watcher.stderr is not None
        line = watcher.stderr.readline()
        assert "trying again" in line
        ballast.unlink()
        wait_for(lambda: (outbox / "second.pdf.json").exists())
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(30) == 0
    assert len((outbox / "transcript.csv").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_outbox_that_cannot_be_written_is_reported_before_any_file_is_read(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    outbox.mkdir(mode=0o500)
    put(inbox, "a.pdf", "A")
    ended = subprocess.run(command("run", inbox, outbox), check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "cannot be written" in ended.stderr


def block_by_folder(outbox: Path) -> Path:
    (outbox / "sub" / "a.pdf.json" / "in the way").mkdir(parents=True)
    return outbox / "sub" / "a.pdf.json"


def block_by_file(outbox: Path) -> Path:
    outbox.mkdir()
    (outbox / "sub").write_text("a file")
    return outbox / "sub"


def block_by_dangling_link(outbox: Path) -> Path:
    outbox.mkdir()
    (outbox / "sub").symlink_to(outbox / "nowhere" / "at all")
    return outbox / "sub"


def block_by_loop_of_links(outbox: Path) -> Path:
    outbox.mkdir()
    (outbox / "sub").symlink_to(outbox / "sub")
    return outbox / "sub"


def block_by_permission(outbox: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (outbox / "sub").mkdir(parents=True)
    (outbox / "sub").chmod(0o500)
    return outbox / "sub"


@pytest.mark.parametrize(
    "block", [block_by_folder, block_by_file, block_by_dangling_link, block_by_loop_of_links, block_by_permission]
)
def test_something_in_the_way_of_a_result_costs_this_document_only_and_until_it_is_gone(
    folders: RunFolders, block: Callable[[Path], Path]
) -> None:
    folders.put("sub/a.pdf", text_pdf(["A"]))
    folders.put("b.pdf", text_pdf(["B"]))
    obstacle = block(folders.outbox)
    for _ in range(2):
        tally = folders.run()
        ((name, reason),) = tally.skipped_files
        assert name == "sub/a.pdf"
        assert reason.startswith("its result cannot be written: ")
        assert not tally.all_done
    assert folders.texts("b.pdf") == ["B"]
    obstacle.chmod(0o700) if obstacle.is_dir() else None
    shutil.rmtree(obstacle) if obstacle.is_dir() else obstacle.unlink()
    assert folders.run().documents == {"done": 1}
    assert folders.texts("sub/a.pdf") == ["A"]
    assert sorted(row["text"] for row in folders.csv("transcript")) == ["A", "B"]
    assert len(folders.engine.units) == 2, "no page is read again"


@pytest.fixture
def protect() -> Iterator[Callable[[Path], None]]:
    """Makes files immutable, as their owner or a lock over SMB does."""
    protected = []

    def make_immutable(path: Path) -> None:
        if (
            shutil.which("chattr") is None
            or subprocess.run(["chattr", "+i", path], check=False, capture_output=True).returncode
        ):
            pytest.skip("this file system or user cannot make a file immutable")
        protected.append(path)

    yield make_immutable
    for path in protected:
        subprocess.run(["chattr", "-i", path], check=False, capture_output=True)


def test_a_result_that_may_not_be_replaced_costs_this_document_only(
    folders: RunFolders, protect: Callable[[Path], None]
) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    folders.run()
    protect(folders.outbox / "a.pdf.json")
    folders.put("a.pdf", text_pdf(["A, second version"]))
    folders.put("b.pdf", text_pdf(["B"]))
    for _ in range(2):
        tally = folders.run()
        assert [name for name, _ in tally.skipped_files] == ["a.pdf"]
    assert folders.texts("b.pdf") == ["B"]
    subprocess.run(["chattr", "-i", folders.outbox / "a.pdf.json"], check=True)
    assert folders.run().documents == {"done": 1}
    assert folders.texts("a.pdf") == ["A, second version"]


def test_an_old_result_that_cannot_be_removed_ends_no_run(folders: RunFolders, protect: Callable[[Path], None]) -> None:
    path = folders.put("a.pdf", text_pdf(["A"]))
    folders.run()
    protect(folders.outbox / "a.pdf.json")
    path.rename(folders.inbox / "c.pdf")
    folders.put("b.pdf", text_pdf(["B"]))
    assert folders.run().documents == {"done": 1}
    assert folders.texts("c.pdf") == ["A"]
    assert (folders.outbox / "a.pdf.json").exists()
    subprocess.run(["chattr", "-i", folders.outbox / "a.pdf.json"], check=True)
    folders.run()
    assert not (folders.outbox / "a.pdf.json").exists()


class RemovingObserver(RunCounts):
    """Removes the folder of a result as soon as it is written, before the batch ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def document_published(self, publication: Publication) -> None:
        super().document_published(publication)
        if publication.source.name.startswith("sub/"):
            shutil.rmtree(self.folder)


def test_a_folder_of_results_that_is_taken_away_during_a_run_is_made_again(folders: RunFolders) -> None:
    folders.put("sub/a.pdf", text_pdf(["A"]))
    folders.put("tom/b.pdf", text_pdf(["B"]))
    observer = RemovingObserver(folders.outbox / "sub")
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, observer) as loop:
        loop.round(iter(list(scan_inbox(job.inbox, job.outbox_names, observer.file_skipped))))
    assert observer.documents == {"done": 2}
    assert folders.texts("sub/a.pdf") == ["A"]
    assert sorted(row["text"] for row in folders.csv("transcript")) == ["A", "B"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_place_of_the_folder_of_unfinished_files_is_removed(
    folders: RunFolders, tmp_path: Path, kind: str
) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    folders.run()
    scratch, elsewhere = folders.outbox / ".pipeline" / "tmp", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.write_bytes(b"x") if kind == "file" else scratch.symlink_to(elsewhere)
    folders.put("b.pdf", text_pdf(["B"]))
    assert folders.run().documents == {"done": 1}
    assert scratch.is_dir()
    assert not scratch.is_symlink()


def test_a_name_that_the_file_system_of_the_outbox_refuses_costs_this_document_only(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As exFAT and SMB do. No such file system can be made here, so the renaming of the file refuses the name."""
    rename = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if ":" in target.name:
            raise OSError(errno.EINVAL, "Invalid argument", str(path), None, str(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    folders.put("at 12:30.pdf", text_pdf(["A"]))
    folders.put("b.pdf", text_pdf(["B"]))
    tally = folders.run()
    assert [name for name, _ in tally.skipped_files] == ["at 12:30.pdf"]
    assert [row["file"] for row in folders.csv("documents")] == ["b.pdf"]


def test_a_dangling_link_in_place_of_a_result_is_replaced(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    folders.outbox.mkdir()
    for name in ("a.pdf.json", "documents.csv", "transcript.csv"):
        (folders.outbox / name).symlink_to(folders.outbox / "nowhere" / name)
    assert folders.run().documents == {"done": 1}
    assert folders.texts("a.pdf") == ["A"]
    assert [row["text"] for row in folders.csv("transcript")] == ["A"]


def test_namesakes_that_come_back_after_the_archived_file_was_removed_have_results_of_their_own(
    folders: RunFolders, tmp_path: Path
) -> None:
    folders.changes |= {"after": "move", "archive": tmp_path / "archive"}
    for number in range(3):
        folders.put("a.pdf", text_pdf([f"Number {number}"]))
        assert folders.run().documents == {"done": 1}
        shutil.rmtree(tmp_path / "archive")
    assert sorted(row["text"] for row in folders.csv("transcript")) == ["Number 0", "Number 1", "Number 2"]
    assert {folders.texts(name)[0] for name in ("a.pdf", "a.pdf~2", "a.pdf~3")} == {"Number 0", "Number 1", "Number 2"}


def test_a_failed_file_that_was_removed_and_its_namesakes_end_no_run(folders: RunFolders, tmp_path: Path) -> None:
    folders.changes |= {"after": "move", "archive": tmp_path / "archive", "failed": tmp_path / "failed"}
    for number in range(3):
        folders.put("a.pdf", b"\0\xffno document %d" % number)
        assert folders.run().documents == {"failed": 1}
        if number == 1:
            (tmp_path / "failed" / "a.pdf").unlink()
    folders.put("a.pdf", text_pdf(["Repaired"]))
    shutil.rmtree(tmp_path / "failed")
    assert folders.run().documents == {"done": 1}
    assert "Repaired" in {row["text"] for row in folders.csv("transcript")}


def test_names_that_differ_in_case_or_in_the_spelling_of_accents_have_results_apart(folders: RunFolders) -> None:
    names = ("Scan.pdf", "scan.PDF", "R\u00e9sum\u00e9.pdf", "Re\u0301sume\u0301.pdf", "SUB/x.pdf", "sub/X.pdf")
    for name in names:
        folders.put(name, text_pdf([f"Text of {len(name)} {name.encode().hex()}"]))
    assert folders.run().documents == {"done": 6}
    results = [
        str(path.relative_to(folders.outbox)) for path in folders.outbox.rglob("*.json") if ".pipeline" not in path.parts
    ]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in results}) == 6


def test_a_run_waits_for_a_ledger_that_another_process_has_locked(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    folders.run()
    folders.put("b.pdf", text_pdf(["B"]))
    other = sqlite3.connect(folders.outbox / ".pipeline" / "ledger.sqlite", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(2, lambda: other.execute("ROLLBACK")).start()
    began = time.monotonic()
    assert folders.run().documents == {"done": 1}
    assert time.monotonic() - began > 1
    assert sorted(row["text"] for row in folders.csv("transcript")) == ["A", "B"]


class CuttingEngine(EchoEngine):
    """Cuts a file short at its first request."""

    path: Path

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if len(self.units) == 1:
            os.truncate(self.path, self.path.stat().st_size // 2)
        return answer


def test_a_file_cut_short_while_it_is_read_is_skipped_until_it_is_complete(folders: RunFolders) -> None:
    engine = folders.engine = CuttingEngine()
    whole = text_pdf([f"Page {number}" for number in range(60)])
    engine.path = folders.put("a.pdf", whole)
    folders.put("b.pdf", text_pdf(["B"]))
    tally = folders.run()
    assert [name for name, _ in tally.skipped_files] == ["a.pdf"]
    assert tally.documents == {"done": 1}
    folders.put("a.pdf", whole)
    assert folders.run().documents == {"done": 1}
    assert folders.texts("a.pdf") == [f"Page {number}" for number in range(60)]


@pytest.mark.slow
def test_files_from_the_future_and_a_clock_that_was_set_back_are_read(tmp_path: Path) -> None:
    inbox, outbox = tmp_path / "inbox", tmp_path / "outbox"
    inbox.mkdir()
    for name, moment in {"future.pdf": time.time() + 1e6, "epoch.pdf": 0.0, "before.pdf": -1e6}.items():
        put(inbox, name, name)
        os.utime(inbox / name, (moment, moment))
    assert subprocess.run(command("run", inbox, outbox), check=False).returncode == 0
    texts = [json.loads(path.read_text(encoding="utf-8"))["status"] for path in outbox.glob("*.json")]
    assert texts == ["done"] * 3
