"""Deleted documents: originals and results go to the trash and come back, also through a kill before any step."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.checks.split.page_list import parse_split
from pipeline.ledger.corrections import correction_history, record_correction
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.person_splits import place_split
from pipeline.monitoring.events import Observer
from pipeline.records import Correction
from pipeline.run.archive import Archive
from pipeline.run.job import Job, open_job
from pipeline.run.publisher import Publisher
from pipeline.run.trash import Trash
from pipeline.run.trash_records import deletions, request_deletion, request_emptying, request_undoing
from pipeline.settings import STATE_FOLDER, Settings
from tests.drawing import text_pdf
from tests.run.conftest import RunFolders
from tests.run.kills import share

EVENTS = ("os.rename", "os.remove", "os.mkdir", "open")


@dataclass
class TrashFolders:
    """An inbox with three documents that were read, of which one is corrected."""

    run: RunFolders

    @property
    def outbox(self) -> Path:
        return self.run.outbox

    def job(self) -> AbstractContextManager[Job]:
        settings = Settings(inbox=self.run.inbox, outbox=self.outbox, workers=1)
        return open_job(settings, template="transcript", engine=self.run.engine)

    def carry_out(self) -> None:
        """What `pipeline watch` does with deletions, at its start and between rounds."""
        with self.job() as job:
            Archive(job, Observer()).recover(whole_inbox=True)
            Trash(job, Publisher(job, None, lambda _: None)).carry_out()

    def killed(self, step: int, count: Path) -> bool:
        """``carry_out`` in a process that is killed before its step number ``step`` with a file; whether it was.

        ``count`` gets the number of steps of one that comes to its end.
        """
        process = os.fork()
        if process:
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            assert code in (0, -signal.SIGKILL), f"it ended with {code}"
            return code != 0
        left = step
        roots = tuple(os.fsencode(p) for p in (self.run.inbox, self.outbox / STATE_FOLDER / "trash",
                                               self.outbox / STATE_FOLDER / "forgotten"))  # fmt: skip

        def die(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in EVENTS and isinstance(arguments[0], str | bytes | Path) and os.fsencode(arguments[0]).startswith(roots):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        with suppress(Exception):
            sys.addaudithook(die)
            self.carry_out()
            count.write_text(str(step - left))
            code = 0
        os._exit(code)

    def documents(self) -> list[str]:
        with self.job() as job:
            return sorted(record.source.name for record in job.ledger.published_files())

    def results(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.outbox.glob("*.pdf.json")}

    def originals(self) -> Counter[bytes]:
        """The contents of all originals, wherever they are."""
        trash = self.outbox / STATE_FOLDER / "trash"
        paths = [path for root in (self.run.inbox, trash) for path in root.rglob("*.pdf*") if path.is_file()]
        return Counter(path.read_bytes() for path in paths)


@pytest.fixture
def three(tmp_path: Path) -> TrashFolders:
    folders = TrashFolders(RunFolders(tmp_path / "inbox", tmp_path / "outbox"))
    folders.run.inbox.mkdir()
    for name in ("a.pdf", "b.pdf", "sub/c.pdf"):
        folders.run.put(name, text_pdf([f"Document {name}"]))
    folders.run.run()
    return folders


def test_a_document_goes_with_its_file_and_comes_back_with_its_corrections(three: TrashFolders) -> None:
    with three.job() as job:
        record = job.ledger.file_by_name("a.pdf")
        assert record
        template = next(iter(record.recipes))
        record_correction(
            job.ledger, record.key, Correction(template, "text", 1, "corrected", False, None, "Ada", "2026-01-01")
        )
    before, original = three.results(), (three.run.inbox / "a.pdf").read_bytes()
    deletion = request_deletion(three.outbox, ["a.pdf", "sub/c.pdf"], "Ada")
    assert three.documents() == ["a.pdf", "b.pdf", "sub/c.pdf"], "a request alone changes nothing"
    three.carry_out()
    assert three.documents() == ["b.pdf"]
    assert not (three.run.inbox / "a.pdf").exists()
    assert not (three.run.inbox / "sub" / "c.pdf").exists()
    assert [(item.state, item.by, dict(item.kept)) for item in deletions(three.outbox)] == [("deleted", "Ada", {})]
    assert three.originals()[original] == 1, "the original is in the trash"
    assert request_undoing(three.outbox, deletion.id)
    three.carry_out()
    assert (three.run.inbox / "a.pdf").read_bytes() == original
    assert three.results() == before
    assert three.documents() == ["a.pdf", "b.pdf", "sub/c.pdf"]
    with three.job() as job:
        record = job.ledger.file_by_name("a.pdf")
        assert record
        assert record.place == "original"
        assert correction_history(job.ledger, record.key)[template, "text"][0].value == "corrected"
    counts = three.run.run()
    assert not counts.documents, "nothing is read again"


def test_a_name_is_free_after_a_deletion_and_a_taken_place_gives_a_number(three: TrashFolders) -> None:
    deletion = request_deletion(three.outbox, ["a.pdf"], "")
    three.carry_out()
    (three.run.inbox / "a.pdf").write_bytes(text_pdf(["Another document"]))
    assert request_undoing(three.outbox, deletion.id)
    three.carry_out()
    assert (three.run.inbox / "a-2.pdf").is_file(), "the file that came since stays"
    assert b"Another" not in (three.run.inbox / "a-2.pdf").read_bytes()


def test_a_file_that_changed_since_it_was_read_is_kept(three: TrashFolders) -> None:
    path = three.run.inbox / "b.pdf"
    path.write_bytes(text_pdf(["Corrected by hand"]))
    request_deletion(three.outbox, ["b.pdf"], "")
    three.carry_out()
    assert path.is_file()
    assert "b.pdf" in three.documents()
    (deletion,) = deletions(three.outbox)
    assert "changed" in deletion.kept["b.pdf"]


def stack_of_three(tmp_path: Path) -> tuple[TrashFolders, FileRecord]:
    """Folders with a read file of three pages that a person has split into three documents, and the file."""
    folders = TrashFolders(RunFolders(tmp_path / "inbox", tmp_path / "outbox"))
    folders.run.inbox.mkdir()
    folders.run.put("stack.pdf", text_pdf(["one", "two", "three"]))
    folders.run.run()
    with folders.job() as job:
        file = job.ledger.file_by_name("stack.pdf")
        assert file
        place_split(job.ledger, file.sha256, parse_split("1,2,3", 3), "Ada")
    folders.run.run()
    return folders, file


def test_one_document_of_a_stack_goes_alone_and_comes_back(tmp_path: Path) -> None:
    folders, _ = stack_of_three(tmp_path)

    def carried_out() -> list[str]:
        folders.carry_out()
        assert not folders.run.run().units, "nothing is read again"
        return sorted(path.stem for path in (folders.outbox / "stack.pdf").glob("*.json"))

    assert carried_out() == ["1", "2", "3"]
    second = (folders.outbox / "stack.pdf" / "2.json").read_bytes()
    deletion = request_deletion(folders.outbox, ["stack.pdf/2"], "Ada")
    assert carried_out() == ["1", "3"]
    assert (folders.run.inbox / "stack.pdf").is_file(), "the others stay in the file"
    request_deletion(folders.outbox, ["stack.pdf/1"], "Ada")
    assert carried_out() == ["3"], "the last one does not get the pages of the others"
    assert request_undoing(folders.outbox, deletion.id)
    assert carried_out() == ["2", "3"]
    assert json.loads((folders.outbox / "stack.pdf" / "2.json").read_bytes())["results"] == json.loads(second)["results"]
    second_one = request_deletion(folders.outbox, ["stack.pdf/2"], "Ada")
    assert carried_out() == ["3"]
    file_itself = request_deletion(folders.outbox, ["stack.pdf/3"], "Ada")
    assert carried_out() == []
    assert not (folders.run.inbox / "stack.pdf").exists(), "without a document, the file goes"
    assert request_undoing(folders.outbox, second_one.id)
    assert carried_out() == [], "it has no file to come back to"
    assert request_undoing(folders.outbox, file_itself.id)
    assert carried_out() == ["3"]
    assert request_undoing(folders.outbox, second_one.id)
    assert carried_out() == ["2", "3"]


def test_a_document_of_a_stack_stays_away_where_its_pages_belong_to_another_one_now(tmp_path: Path) -> None:
    folders, file = stack_of_three(tmp_path)
    deletion = request_deletion(folders.outbox, ["stack.pdf/2"], "Ada")
    folders.carry_out()
    with folders.job() as job:
        place_split(job.ledger, file.sha256, parse_split("1-2,3", 3), "Bo")
    folders.run.run()
    assert request_undoing(folders.outbox, deletion.id)
    folders.carry_out()
    folders.run.run()
    assert sorted(path.stem for path in (folders.outbox / "stack.pdf").glob("*.json")) == ["1-2", "3"]
    (kept,) = deletions(folders.outbox)
    assert (kept.state, "split in another way" in kept.error) == ("deleted", True)


def test_an_emptied_trash_holds_nothing_and_gives_nothing_back(three: TrashFolders) -> None:
    original = (three.run.inbox / "a.pdf").read_bytes()
    deletion = request_deletion(three.outbox, ["a.pdf"], "")
    three.carry_out()
    assert request_emptying(three.outbox, "2000-01-01") == []
    assert [item.id for item in request_emptying(three.outbox, "9999")] == [deletion.id]
    assert request_undoing(three.outbox, deletion.id) is None
    three.carry_out()
    assert three.originals()[original] == 0
    assert deletions(three.outbox) == []
    assert not (three.outbox / STATE_FOLDER / "forgotten" / deletion.id).exists()


@pytest.mark.kills
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("undo", [False, True], ids=["deleting", "bringing back"])
def test_a_kill_before_a_step_loses_nothing_and_doubles_nothing(three: TrashFolders, tmp_path: Path, undo: bool) -> None:
    originals, results, all_names = three.originals(), three.results(), three.documents()
    steps, kills = iter([1, 10_000]), 0
    while step := next(steps, 0):
        deletion = request_deletion(three.outbox, ["a.pdf", "sub/c.pdf"], "")
        if undo:
            three.carry_out()
            assert request_undoing(three.outbox, deletion.id)
        was_killed = three.killed(step, tmp_path / "steps")
        kills += was_killed
        assert three.originals() >= originals, f"an original is lost before step {step}"
        three.carry_out()
        if not undo:
            assert three.documents() == ["b.pdf"], f"step {step}"
            assert three.originals() == originals
            assert request_undoing(three.outbox, deletion.id)
            three.carry_out()
        assert three.documents() == all_names, f"step {step}"
        assert three.results() == results
        assert three.originals() == originals
        if step == 10_000:  # it has come to its end, and says how many steps it has
            total = int((tmp_path / "steps").read_text())
            steps = iter(range(2, total + 1, max(1, total // share(0.15))))
    assert kills > 3
